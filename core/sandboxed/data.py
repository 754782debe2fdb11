"""A worker's own data: read, checked against the model, split. Needs only numpy.

`as_input` is the one rule by which stored arrays become a model's input. The worker and the creator's
validation both apply it and nothing else, so that both feed a model the same numbers.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from decentralml.core.errors import Failed
from decentralml.core.sandboxed import npz
from decentralml.core.sandboxed.npz import HOW

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]


def as_input(x: "Array") -> "Array":
    """What a model is fed for stored ``x``: uint8 (pixels) becomes float32 in 0..1, the rest stays."""
    import numpy as np

    return x.astype(np.float32) / np.float32(255) if x.dtype == np.uint8 else x


@dataclass(frozen=True)
class Data:
    """Stored arrays, samples first, not yet through `as_input`; ``x_test`` is empty without a holdout."""

    x_train: "Array"
    y_train: "Array"
    x_test: "Array"
    y_test: "Array"
    digest: str

    @property
    def classes(self) -> int | None:
        """How many classes integer labels name (the largest + 1); None for floats and one-hot rows."""
        y = self.y_train
        if y.dtype.kind not in "iu" or not (y.ndim == 1 or y.shape[1:] == (1,)):
            return None
        return int(y.max()) + 1


def load(
    path: Path | None,
    *,
    holdout: float,
    seed: int,
    load_folder: Callable[[str], Any] | None = None,
    load_data: Callable[[], Any] | None = None,
) -> Data:
    """Read ``path`` (.npz, or a folder through ``load_folder``), or what the script's ``load_data`` gives.

    ``holdout`` (0..1) of the samples, picked by ``seed``, is held out where the data have no test part of
    their own. Raises `Failed` with a sentence for every shape, type or value that cannot be trained on.
    """
    if path is None:
        if load_data is None:
            raise Failed("NoData", "No data were given and the script has no load_data().", HOW)
        found = load_data()
    elif path.is_dir():
        if load_folder is None:
            raise Failed(
                "NoData", f"{path.name} is a folder and the task has no data.py with load(path).", HOW
            )
        found = load_folder(str(path))
    else:
        parts = npz.read(path)
        found = parts[0] if len(parts) == 1 else parts
    (x, y), test = _parts(found)
    _check(x, y)
    if test is None:
        train, held = _split(len(x), holdout, seed)
        return Data(x[train], y[train], x[held], y[held], digest=digest(x, y))
    _check(*test, part="_test")
    return Data(x, y, *test, digest=digest(x, y))


def _parts(found: Any) -> tuple[tuple["Array", "Array"], tuple["Array", "Array"] | None]:
    import numpy as np

    def pair(value: Any) -> tuple["Array", "Array"]:
        if not isinstance(value, tuple | list) or len(value) != 2:
            raise Failed(
                "BadData",
                "Data must come as (x, y) or as ((x_train, y_train), (x_test, y_test)).",
                "Let load_data() or data.py's load(path) return one of the two.",
            )
        return np.asarray(value[0]), np.asarray(value[1])

    if isinstance(found, tuple | list) and len(found) == 2 and isinstance(found[0], tuple | list):
        return pair(found[0]), pair(found[1])
    return pair(found), None


def _check(x: "Array", y: "Array", part: str = "") -> None:
    import numpy as np

    def refuse(why: str, hint: str = HOW) -> None:
        raise Failed("BadData", f"The data cannot be used: {why}", hint)

    for name, array in ((f"x{part}", x), (f"y{part}", y)):
        if array.dtype.kind not in "fiub":
            refuse(f"{name} is of type {array.dtype}; numbers are needed.")
        if array.ndim == 0 or len(array) == 0:
            refuse(f"{name} is empty.")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            refuse(f"{name} holds NaN or infinity.", "Remove or replace those samples.")
    if len(x) != len(y):
        refuse(f"x{part} and y{part} differ in length: {len(x):,} and {len(y):,}.")


def _split(samples: int, holdout: float, seed: int) -> tuple["Array", "Array"]:
    import numpy as np

    held = max(1, round(samples * holdout)) if holdout > 0 else 0
    if held >= samples:
        raise Failed(
            "BadData",
            f"With {held:,} held out of {samples:,} there is nothing to train on.",
            "Give more samples, or hold out less.",
        )
    order = np.random.default_rng(seed).permutation(samples)
    return np.sort(order[held:]), np.sort(order[:held])


def digest(x: "Array", y: "Array") -> str:
    """SHA-256 (hex) over dtype, shape and bytes of both arrays, as stored."""
    import numpy as np

    sha = hashlib.sha256()
    for array in (x, y):
        sha.update(f"{array.dtype.str}{array.shape}".encode())
        sha.update(np.ascontiguousarray(array).data.cast("B"))
    return sha.hexdigest()


def check_fit(x: "Array", y: "Array", input_shape: Any, output_shape: Any) -> None:
    """Raise `Failed` unless samples and labels fit a model of these shapes (batch axis first, None = any).

    A model of several inputs or outputs, or one not built yet, is not judged.
    """
    if isinstance(input_shape, tuple) and input_shape and not isinstance(input_shape[0], tuple):
        want, have = input_shape[1:], x.shape[1:]
        if len(want) != len(have) or any(w not in (None, h) for w, h in zip(want, have, strict=True)):
            raise Failed(
                "BadShape",
                f"The model takes samples of shape {_text(want)}, the data have {_text(have)}.",
                "Reshape x in the file; the creator's validation feeds stored samples as they are.",
            )
    if not isinstance(output_shape, tuple) or not output_shape or isinstance(output_shape[0], tuple):
        return
    outputs, rows = output_shape[1:], y.shape[1:]
    if not outputs or None in outputs:
        return
    width = outputs[-1]
    if rows == outputs:
        return
    if rows not in (outputs[:-1], (*outputs[:-1], 1)):
        raise Failed(
            "BadShape",
            f"The model gives {_text(outputs)} a sample, the labels have shape {_text(rows)}.",
            "Give class indices, or one value for each output.",
        )
    if width == 1:
        return
    if y.dtype.kind == "f" and (y != y.round()).any():
        raise Failed(
            "BadLabels", f"The labels are fractions, the model has {width} classes.", "Give class indices."
        )
    low, high = int(y.min()), int(y.max())
    if low < 0 or high >= width:
        raise Failed(
            "BadLabels",
            f"The labels run from {low} to {high}, the model knows classes 0 to {width - 1}.",
            "Relabel the data to the task's classes.",
        )


def _text(shape: Any) -> str:
    return "(" + ", ".join("any" if size is None else str(size) for size in shape) + ")"


def measure(y: "Array", p: "Array") -> dict[str, float]:
    """Loss and metrics of predictions ``p`` for labels ``y``, by the market's one definition.

    Written out anew for a sandbox whose Python has what the task needs and no more; a test holds it to
    `models.metrics.compute`.

    Class indices against n > 1 outputs: cross-entropy and accuracy (rows that are no probabilities count as
    logits). All else: mean squared and mean absolute error.
    """
    import numpy as np

    if y.dtype.kind in "iub" and p.ndim == 2 and p.shape[1] > 1 and y.size == len(p):
        labels, rows = y.reshape(-1).astype(np.int64), p.astype(np.float64)
        if rows.min() < 0 or np.abs(rows.sum(axis=1) - 1).max() > 1e-3:
            rows = np.exp(rows - rows.max(axis=1, keepdims=True))
            rows /= rows.sum(axis=1, keepdims=True)
        picked = np.clip(rows[np.arange(len(labels)), labels], 1e-7, 1.0)
        return {
            "loss": float(-np.log(picked).mean()),
            "accuracy": float((p.argmax(axis=1) == labels).mean()),
        }
    error = p.astype(np.float64).reshape(len(p), -1) - y.astype(np.float64).reshape(len(y), -1)
    return {"loss": float((error**2).mean()), "mae": float(np.abs(error).mean())}
