"""A weights file whose index is sound and whose values are not there is refused, not broken on.

Nor does a small file, or what it declares, take much memory or time.
"""

import struct
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from decentralml.core.errors import Refused
from decentralml.core.models.inspect import inspect
from decentralml.core.models.limits import Limits
from decentralml.core.models.weights import ODD_BYTES, Weights

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


def test_no_attribute_is_read_however_long(copy: Callable[[str], Path]) -> None:
    """One text of a MiB, to which hundreds of groups refer, was read hundreds of times."""
    folder = copy("a")
    path = folder / "model.weights.h5"
    with h5py.File(path, "a") as file:
        for index in range(200):
            file.create_group(f"layers/extra_{index}").attrs["name"] = "x"
        file["layers"].attrs["name"] = "y" * 2**20
    before = read_bytes()
    with Weights(path) as weights:
        assert len(weights.groups) > 200
    assert read_bytes() - before < 2**20


def test_a_file_of_more_groups_than_any_model_has_is_not_walked_through(tmp_path: Path) -> None:
    path = tmp_path / "model.weights.h5"
    with h5py.File(path, "w") as file:
        for index in range(41):
            file.create_group(f"layers/{index}")
    with Weights(path, Limits(tensors=11)) as weights:
        assert len(weights.groups) == 42
    with pytest.raises(Refused, match="too many groups"):
        Weights(path, Limits(tensors=10))


def read_bytes() -> int:
    """How many bytes this process has read so far, from files and caches."""
    return int(dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())["rchar"])


def test_a_large_array_in_pieces_is_refused(copy: Callable[[str], Path]) -> None:
    folder = copy("a")
    with h5py.File(folder / "model.weights.h5", "a") as file:
        file.create_dataset("layers/extra/vars/0", data=np.zeros(ODD_BYTES // 4 + 1, "f4"), chunks=(2**20,))
    with pytest.raises(Refused, match="in pieces"):
        inspect(folder)
