"""Which samples a classifier takes for another class, and how they look: for the creator's own eyes.

Held-out data never leave its owner: this is kept beside the report and never in it, as that is published.
"""

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from decentralml.core.models.metrics import probabilities

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

SIDE = 28
PAIRS = 8
SAMPLES = 4


class Picture(Struct, frozen=True):
    """Grey levels (0 darkest, 255 brightest), row by row; at most `SIDE` to a side."""

    width: int
    grey: bytes

    @property
    def height(self) -> int:
        return len(self.grey) // self.width


class Mistake(Struct, frozen=True, kw_only=True):
    """One sample of class ``true`` that was taken for another; ``sample`` is its place in the data, from 0.

    ``sure``: the share (0..1) that the prediction gives to the wrong class; ``picture`` where it is one.
    """

    true: int
    taken_for: int
    sample: int
    sure: float
    picture: Picture | None = None


def find(x: "Array", y: "Array", p: "Array") -> tuple[Mistake, ...]:
    """The surest mistakes of the most frequent kinds: up to `SAMPLES` of each of `PAIRS`, surest first.

    ``x``: inputs, samples first; ``y``: class indices; ``p``: (samples, classes), probabilities or logits, as
    `metrics.compute` takes them for a classification. Rows that are not finite are no class's mistakes.
    """
    import numpy as np

    y, taken = np.asarray(y).reshape(-1).astype(np.int64), p.argmax(axis=1)
    wrong = np.flatnonzero((taken != y) & np.isfinite(p).all(axis=1))
    if not len(wrong):
        return ()
    shares, true, taken = probabilities(p[wrong].astype(np.float64)), y[wrong], taken[wrong]
    kinds, times = np.unique(np.stack([true, taken], axis=1), axis=0, return_counts=True)
    found: list[Mistake] = []
    for of, guess in kinds[np.argsort(-times, kind="stable")][:PAIRS]:
        rows = np.flatnonzero((true == of) & (taken == guess))
        surest = rows[np.argsort(-shares[rows, guess], kind="stable")][:SAMPLES]
        found += [
            Mistake(
                true=int(of),
                taken_for=int(guess),
                sample=int(wrong[row]),
                sure=float(shares[row, guess]),
                picture=_picture(x[wrong[row]]),
            )
            for row in surest
        ]
    return tuple(found)


def _picture(sample: "Array") -> Picture | None:
    """A sample as a picture: (height, width), with one channel or with colours; None for anything else."""
    import numpy as np

    if sample.ndim == 3 and sample.shape[2] in (1, 3, 4):
        # Of four channels the last is how opaque it is.
        sample = sample[..., :3].mean(axis=2)
    if sample.ndim != 2 or min(sample.shape) < 4 or sample.dtype.kind not in "iuf":
        return None
    sample = sample.astype(np.float64)
    if not np.isfinite(sample).all():
        return None
    rows, columns = (np.linspace(0, side, min(side, SIDE), False).astype(int) for side in sample.shape)
    sums = np.add.reduceat(np.add.reduceat(sample, rows, axis=0), columns, axis=1)
    sizes = [np.diff(starts, append=side) for starts, side in zip((rows, columns), sample.shape, strict=True)]
    small = sums / np.outer(*sizes)
    low, high = small.min(), small.max()
    level = (small - low) / (high - low) if high > low else np.zeros_like(small)
    return Picture(small.shape[1], np.round(255 * level).astype(np.uint8).tobytes())
