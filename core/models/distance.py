"""How far the weights of a model lie from those it started from."""

import math
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from decentralml.core.models.formats import WEIGHTS
from decentralml.core.models.metrics import finite
from decentralml.core.models.weights import Weights


class LayerDistance(Struct, frozen=True):
    """One layer (all its tensors): L2 norm of the difference, L2 norm of the base, cosine of the two.

    ``cosine`` is None where one of the two is all zeros; a figure is None where it overflows.
    """

    path: str
    l2: Annotated[float, Meta(ge=0)] | None
    base: Annotated[float, Meta(ge=0)] | None
    cosine: float | None


class Distance(Struct, frozen=True):
    """L2 distance over all weights, and by layer in the file's order.

    ``unmatched``: tensors that only one of the two has, or has in another shape; they count in nothing.
    """

    total: float | None
    layers: tuple[LayerDistance, ...]
    unmatched: int = 0


def distance(candidate: Path, base: Path) -> Distance:
    """The distance of two inspected Keras 3 folders, block by block. Raises `Refused` as `inspect`."""
    import numpy as np

    sums: dict[str, list[float]] = {}
    with Weights(candidate / WEIGHTS) as ours, Weights(base / WEIGHTS) as theirs:
        names = [
            n for n, t in ours.tensors.items() if n in theirs.tensors and theirs.tensors[n].shape == t.shape
        ]
        unmatched = len(ours.tensors.keys() | theirs.tensors.keys()) - len(names)
        for name in names:
            found = sums.setdefault(name.split("/vars/")[0], [0.0, 0.0, 0.0, 0.0])
            for a, b in zip(ours.blocks(name), theirs.blocks(name), strict=True):
                x, y = a.astype(np.float64), b.astype(np.float64)
                with np.errstate(over="ignore", invalid="ignore"):
                    d = x - y
                    for index, value in enumerate((d @ d, y @ y, x @ x, x @ y)):
                        found[index] += float(value)
    layers = tuple(
        LayerDistance(
            path,
            finite(math.sqrt(d)),
            finite(math.sqrt(base_square)),
            finite(inner / math.sqrt(base_square) / math.sqrt(own)) if base_square > 0 and own > 0 else None,
        )
        for path, (d, base_square, own, inner) in sums.items()
    )
    return Distance(finite(math.sqrt(sum(values[0] for values in sums.values()))), layers, unmatched)
