"""The most a stranger's model may be. Bytes and counts, checked before anything is allocated for it."""

from msgspec import Struct


class Limits(Struct, frozen=True):
    """Caps of one model: bytes of config.json and of the weights, parameters, layers, tensors, nesting."""

    config: int = 16 * 2**20
    weights: int = 16 * 2**30
    parameters: int = 2_000_000_000
    layers: int = 10_000
    tensors: int = 50_000
    depth: int = 64
    entries: int = 1_000
