"""A weights file whose index is sound and whose values are not there is refused, not broken on."""

import struct
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

from decentralml.core.errors import Refused
from decentralml.core.models.inspect import inspect

DENSE = "layers/dense/vars/0"


def test_a_chunk_that_lies_nowhere_is_refused(copy: Callable[[str], Path]) -> None:
    folder = copy("a")
    path = folder / "model.weights.h5"
    with h5py.File(path, "a") as file:
        values = file[DENSE][()]
        del file[DENSE]
        chunked = file.create_dataset(DENSE, data=values, chunks=(2, values.shape[1]))
        at = chunked.id.get_chunk_info(0).byte_offset
    inspect(folder)
    raw = path.read_bytes()
    assert struct.pack("<Q", at) in raw
    path.write_bytes(raw.replace(struct.pack("<Q", at), struct.pack("<Q", 2**40)))
    with pytest.raises(Refused) as refused:
        inspect(folder)
    assert refused.value.code == "BadWeights"
