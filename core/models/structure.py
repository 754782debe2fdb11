"""How the structure of one model differs from that of another, layer by layer."""

from difflib import SequenceMatcher

from msgspec import Struct

from decentralml.core.models.inspect import ModelInfo
from decentralml.core.models.layers import Layer


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
    old, new = before.layers, after.layers
    matcher = SequenceMatcher(
        None, [_key(layer) for layer in old], [_key(layer) for layer in new], autojunk=False
    )
    changes: list[LayerChange] = []
    for _, i1, i2, j1, j2 in matcher.get_opcodes():
        changes += _changes(list(old[i1:i2]), list(new[j1:j2]))
    return StructureDiff(
        same=before.structure == after.structure,
        parameters=(before.parameters, after.parameters),
        changes=tuple(changes),
    )


def _key(layer: Layer) -> tuple[object, ...]:
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
