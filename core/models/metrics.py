"""Loss and metrics from labels and predictions, by the market's one definition."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct

from decentralml.core.errors import Misused, Refused
from decentralml.core.text import clean

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

CLASSES = 1000
FIGURES = 50
_LOWER_IS_BETTER = ("loss", "error", "mae", "mse", "rmse", "entropy")


class Metrics(Struct, frozen=True, kw_only=True):
    """Figures of one model on one dataset.

    ``values``: figure by name; None where it is not finite, which ``nonfinite`` repeats by name. ``main``
    is the one that candidates are ranked by. ``per_class``: accuracy of each class, None without samples.
    ``confusion``: rows are true classes, columns predicted ones, entries samples; both are empty for
    regression and for more than `CLASSES` classes.
    """

    kind: str
    main: str
    values: dict[str, float | None]
    samples: int
    per_class: tuple[Annotated[float, Meta(ge=0, le=1)] | None, ...] = ()
    confusion: tuple[tuple[Annotated[int, Meta(ge=0)], ...], ...] = ()
    nonfinite: tuple[str, ...] = ()

    @property
    def accuracy(self) -> float | None:
        return self.values.get("accuracy")

    @property
    def belong_together(self) -> bool:
        """Whether they are of one model, as far as their numbers say: what somebody published may be not."""
        classes = len(self.confusion or self.per_class)
        return (
            self.main in self.values
            and len(self.values) <= FIGURES
            and classes <= CLASSES
            and len(self.per_class) in (0, classes)
            and all(len(row) == classes for row in self.confusion)
        )


def lower_is_better(name: str) -> bool:
    """Whether less of this figure is better, by its name: losses and errors."""
    return any(word in name.lower() for word in _LOWER_IS_BETTER)


def rank_key(metrics: Metrics) -> float:
    """A number that sorts better models first; those without a finite figure come last."""
    value = metrics.values.get(metrics.main)
    if value is None:
        return math.inf
    return value if lower_is_better(metrics.main) else -value


def compute(y: "Array", p: "Array", kind: str | None = None) -> Metrics:
    """Metrics of predictions ``p`` for labels ``y``, samples first.

    Class indices (integers, one a sample) against n > 1 outputs: ``kind`` "classification", mean
    cross-entropy ("loss", natural logarithm, probabilities clipped at 1e-7) and "accuracy". Rows of
    ``p`` count as probabilities when all are non-negative and sum to 1 within 1e-3, else as logits.
    All else: "regression", mean squared error ("loss") and mean absolute error ("mae"). ``kind``
    insists on one of the two. Predictions may hold NaN or infinity: the loss is then None and flagged,
    and such a sample counts as wrong.

    Raises `Misused` ("LabelsDontFit") when counts, shapes or classes do not belong together.
    """
    import numpy as np

    y, p = np.asarray(y), np.asarray(p)
    if y.dtype.kind not in "iubf" or p.dtype.kind not in "iubf":
        raise _unfit(f"labels of type {y.dtype} and predictions of type {p.dtype} are no numbers")
    if not y.ndim or not p.ndim or len(y) != len(p) or not len(y):
        raise _unfit(f"labels have shape {y.shape}, predictions {p.shape}")
    classes = y.dtype.kind in "iub" and p.ndim == 2 and p.shape[1] > 1 and y.size == len(p)
    if kind not in (None, "classification", "regression") or (kind == "classification" and not classes):
        raise _unfit(f"labels of shape {y.shape} and type {y.dtype} are no class indices for {p.shape}")
    if classes and kind != "regression":
        return _classification(y.reshape(-1).astype(np.int64), p.astype(np.float64))
    if y.size != p.size:
        raise _unfit(f"labels have shape {y.shape}, predictions {p.shape}")
    return _regression(y.astype(np.float64), p.astype(np.float64))


def custom(values: Mapping[str, object], samples: int) -> Metrics:
    """Metrics by the creator's own `metrics(y, p)`: up to `FIGURES` numbers by name, ranked by the first.

    Raises `Refused` ("BadMetrics") for anything else.
    """
    found: dict[str, float | None] = {}
    for name, value in values.items():
        if not isinstance(name, str) or not name or name != clean(name) or len(name) > 60:
            raise _unusable("a name is not a short plain text")
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            raise _unusable(f"{name} is no number")
        found[name] = None if value is None else finite(value)
    if not 1 <= len(found) <= FIGURES:
        raise _unusable(f"{len(found)} figures came back")
    return _metrics("custom", next(iter(found)), found, samples)


def finite(value: float) -> float | None:
    """``value`` as a float, or None where it is NaN or infinite: JSON and tables have no others."""
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _metrics(kind: str, main: str, values: dict[str, float | None], samples: int, **more: Any) -> Metrics:
    missing = tuple(name for name, value in values.items() if value is None)
    return Metrics(kind=kind, main=main, values=values, samples=samples, nonfinite=missing, **more)


def _classification(y: "Array", p: "Array") -> Metrics:
    import numpy as np

    count = p.shape[1]
    if y.min() < 0 or y.max() >= count:
        raise _unfit(f"labels run from {y.min()} to {y.max()}, the model knows classes 0 to {count - 1}")
    whole = np.isfinite(p).all(axis=1)
    rows = np.where(np.isfinite(p), p, -np.inf)
    picked = np.where(whole, rows.argmax(axis=1), -1)
    right = picked == y
    loss = _cross_entropy(y, p) if whole.all() else None
    totals = np.bincount(y, minlength=count)
    hits = np.bincount(y[right], minlength=count)
    shown = count <= CLASSES
    confusion = np.zeros((count, count), np.int64) if shown else np.zeros((0, 0), np.int64)
    if shown:
        np.add.at(confusion, (y[whole], picked[whole]), 1)
    return _metrics(
        "classification",
        "accuracy",
        {"loss": loss, "accuracy": float(right.mean())},
        len(y),
        per_class=tuple(
            float(hit / total) if total else None for hit, total in zip(hits, totals, strict=True) if shown
        ),
        confusion=tuple(tuple(int(cell) for cell in row) for row in confusion),
    )


def _cross_entropy(y: "Array", p: "Array") -> float | None:
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        own = np.clip(probabilities(p)[np.arange(len(y)), y], 1e-7, 1.0)
        return finite(float(-np.log(own).mean()))


def probabilities(p: "Array") -> "Array":
    """Finite predictions (samples, classes) as probabilities: as they are, or logits through a softmax."""
    import numpy as np

    if p.min() >= 0 and np.abs(p.sum(axis=1) - 1).max() <= 1e-3:
        return p
    shares: Array = np.exp(p - p.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return shares


def _regression(y: "Array", p: "Array") -> Metrics:
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):
        error = p.reshape(len(p), -1) - y.reshape(len(y), -1)
        values = {
            "loss": finite(float((error**2).mean())),
            "mae": finite(float(np.abs(error).mean())),
        }
    return _metrics("regression", "loss", values, len(y))


def _unfit(why: str) -> Misused:
    return Misused(
        "LabelsDontFit",
        f"Labels and predictions do not belong together: {why}.",
        "Check that the data are those the task is about: class indices, or one value for each output.",
    )


def _unusable(why: str) -> Refused:
    return Refused(
        "BadMetrics",
        f"validation.py: metrics(y, p) gave nothing that can be used: {why}.",
        "Return a dict of 1 to 50 numbers by name.",
    )
