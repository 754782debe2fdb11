"""How the structure of one model differs from that of another, layer by layer."""

from collections.abc import Iterator
from difflib import SequenceMatcher

from msgspec import Struct

from decentralml.core.models.inspect import ModelInfo
from decentralml.core.models.layers import Layer

_Key = tuple[str, int]

# So many pairs of layers are looked at for what corresponds: it takes as long again for each that does, and a
# stranger may see to that.
_PAIRS = 100_000


class LayerChange(Struct, frozen=True):
    """One difference. ``what``: "added", "removed" or "changed"; ``path`` in the model that has the layer.

    ``settings``: for a changed layer, (before, after) by setting; None where one of them lacks it.
    """

    what: str
    path: str
    class_name: str
    settings: dict[str, tuple[str | None, str | None]] = {}


class StructureDiff(Struct, frozen=True):
    """``same``: layers, settings and weights correspond, so that the two can be federated."""

    same: bool
    parameters: tuple[int, int]
    changes: tuple[LayerChange, ...] = ()


def diff(before: ModelInfo, after: ModelInfo) -> StructureDiff:
    """What was added, removed and changed from ``before`` to ``after``, in order of the layers."""
    old, new = list(before.layers), list(after.layers)
    changes: list[LayerChange] = []
    for i1, i2, j1, j2 in _stretches([_key(layer) for layer in old], [_key(layer) for layer in new]):
        changes += _changes(old[i1:i2], new[j1:j2])
    return StructureDiff(
        same=before.structure == after.structure,
        parameters=(before.parameters, after.parameters),
        changes=tuple(changes),
    )


def _stretches(old: list[_Key], new: list[_Key]) -> Iterator[tuple[int, int, int, int]]:
    """Where a stretch of one corresponds to one of the other, as (from, to) in each, in order.

    What is alike at both ends is soon told; a middle of too many `_PAIRS` is one stretch.
    """
    shorter = min(len(old), len(new))
    head = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    tail = next((i for i in range(shorter - head) if old[-1 - i] != new[-1 - i]), shorter - head)
    ends = len(old) - tail, len(new) - tail
    yield 0, head, 0, head
    if (ends[0] - head) * (ends[1] - head) > _PAIRS:
        yield head, ends[0], head, ends[1]
    else:
        matcher = SequenceMatcher(None, old[head : ends[0]], new[head : ends[1]], autojunk=False)
        for _, i1, i2, j1, j2 in matcher.get_opcodes():
            yield head + i1, head + i2, head + j1, head + j2
    yield ends[0], len(old), ends[1], len(new)


def _key(layer: Layer) -> _Key:
    return (layer.class_name, layer.depth)


def _changes(old: list[Layer], new: list[Layer]) -> list[LayerChange]:
    """Layers of the same class in one stretch are the same layer, perhaps changed; others went or came."""
    if [_key(layer) for layer in old] == [_key(layer) for layer in new]:
        pairs = zip(old, new, strict=True)
        return [change for a, b in pairs if (change := _changed(a, b)) is not None]
    return [LayerChange("removed", layer.path, layer.class_name) for layer in old] + [
        LayerChange("added", layer.path, layer.class_name) for layer in new
    ]


def _changed(a: Layer, b: Layer) -> LayerChange | None:
    names = sorted(a.settings.keys() | b.settings.keys())
    settings = {
        name: (a.settings.get(name), b.settings.get(name))
        for name in names
        if a.settings.get(name) != b.settings.get(name)
    }
    return LayerChange("changed", b.path, b.class_name, settings) if settings else None
