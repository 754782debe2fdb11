"""A model.weights.h5 of a stranger, opened warily and read block by block, without TensorFlow.

Read by offset (`os.preadv`) and not by a memory map: a file cut short while it is read is then an error
and not a SIGBUS that ends the program, and the pages do not count as this process's memory.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from msgspec import Struct

from decentralml.core import hostile
from decentralml.core.errors import Refused
from decentralml.core.models.limits import Limits
from decentralml.core.text import clean, short

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

BLOCK = 256 * 1024
# What is not laid out as Keras does is read whole, and so has to be small.
ODD_BYTES = 64 * 2**20
_NAME_BYTES = 200
# For each tensor of a model, in its file: the tensor, two of an optimizer, and its share of the groups. The
# file is walked through more than once, at 40,000 a second.
_OBJECTS = 4
_KINDS = {"f": (2, 4, 8), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "b": (1,)}
_RETRAIN = "Save the model with Keras 3 (`model.save`) and send it again."


class Tensor(Struct, frozen=True):
    """Shape and dtype (a NumPy name such as ``float32``) of one array of weights."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        """Number of elements."""
        size = 1
        for axis in self.shape:
            size *= axis
        return size


class Weights:
    """An open weights file. ``tensors``: those of the model, by path, sorted; the optimizer's are left out.
    ``groups``: the paths of all groups. No attribute is read: one may be as long as its writer likes.

    A context manager. Reads are safe from several threads for contiguous tensors, which is what Keras
    writes; others are read under HDF5's own lock. Raises `Refused` ("LinkInWeights", "BadWeights",
    "TooLarge") when opened on a file that is not plainly a weights file.
    """

    def __init__(self, path: Path, limits: Limits = Limits()) -> None:  # noqa: B008
        import h5py

        self.path = path
        self.tensors: dict[str, Tensor] = {}
        self.groups: list[str] = []
        self._offsets: dict[str, int | None] = {}
        self._objects = 0
        self._declared = 0
        self._limits = limits
        self._plain = open_regular(path, limits.weights)
        self._fd = self._plain.fileno()
        self._size = os.fstat(self._fd).st_size
        try:
            # Through the descriptor: the name could have become a link since.
            self._file = h5py.File(f"/dev/fd/{self._fd}", "r", locking=False)
        except (OSError, ValueError, RuntimeError) as error:
            self._plain.close()
            raise _bad(f"{path.name} is no HDF5 file that can be read: {error}.") from error
        try:
            self._walk(self._file, "", 0)
        except BaseException as error:
            self.close()
            if isinstance(error, KeyError | OSError | ValueError | RuntimeError | TypeError | RecursionError):
                raise _bad(f"{path.name} is not a sound HDF5 file: {error}.") from error
            raise
        self.tensors = dict(sorted(self.tensors.items()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close file and descriptor; a second call does nothing."""
        self._file.close()
        self._plain.close()

    @property
    def parameters(self) -> int:
        """Elements of all tensors."""
        return sum(tensor.size for tensor in self.tensors.values())

    def read(
        self, name: str, start: int = 0, count: int | None = None, out: "Array | None" = None
    ) -> "Array":
        """``count`` elements of tensor ``name`` from element ``start``, flat, in the file's dtype.

        ``out`` is a flat array of that dtype to read into. Raises `Refused` ("BadWeights") where the file
        does not hold them.
        """
        import numpy as np

        tensor = self.tensors[name]
        count = tensor.size - start if count is None else count
        buffer = np.empty(count, tensor.dtype) if out is None else out[:count]
        if not count:
            return buffer
        offset = self._offsets[name]
        if offset is None:
            try:
                buffer[:] = self._file[name][()].reshape(-1)[start : start + count]
            except (KeyError, OSError, ValueError, RuntimeError, TypeError) as error:
                raise _bad(f"{name} cannot be read: {error}.") from error
            return buffer
        at, view = offset + start * buffer.itemsize, buffer.view(np.uint8).data
        while view:
            got = os.preadv(self._fd, [view], at)
            if not got:
                raise _bad(f"{self.path.name} ends in the middle of {name}.")
            at, view = at + got, view[got:]
        return buffer

    def blocks(self, name: str, size: int = BLOCK) -> Iterator["Array"]:
        """The tensor in flat pieces of ``size`` elements. Each piece is overwritten by the next."""
        import numpy as np

        tensor = self.tensors[name]
        buffer = np.empty(min(size, tensor.size), tensor.dtype)
        for start in range(0, tensor.size, size):
            yield self.read(name, start, min(size, tensor.size - start), buffer)

    def nonfinite(self) -> str | None:
        """The first tensor that holds NaN or infinity; None when all are finite."""
        import numpy as np

        for name, tensor in self.tensors.items():
            if tensor.dtype.startswith("float"):
                for block in self.blocks(name):
                    if not np.isfinite(block).all():
                        return name
        return None

    def _walk(self, group: Any, path: str, depth: int) -> None:
        import h5py

        if depth > self._limits.depth:
            raise _large(f"groups nested deeper than {self._limits.depth}")
        self._objects += len(group)
        if self._objects > _OBJECTS * self._limits.tensors:
            raise _large("its weights have too many groups")
        for name in group:
            inner = f"{path}/{name}" if path else name
            if not name or name != clean(name) or "/" in name or len(name.encode()) > _NAME_BYTES:
                raise _bad(
                    f"a name within {short(path, 60) or 'the file'} is not plain: {short(name, 40)!r}."
                )
            if type(group.get(name, getlink=True)) is not h5py.HardLink:
                raise Refused(
                    "LinkInWeights",
                    f"{self.path.name}: {short(inner, 80)} is a link to elsewhere, which is never followed.",
                    _RETRAIN,
                )
            value = group[name]
            if isinstance(value, h5py.Group):
                self.groups.append(inner)
                self._walk(value, inner, depth + 1)
            elif isinstance(value, h5py.Dataset):
                self._dataset(value, inner)
            else:
                raise _bad(f"{short(inner, 80)} is neither a group nor an array.")

    def _dataset(self, dataset: Any, name: str) -> None:
        from h5py import h5d

        settings, dtype, shape = dataset.id.get_create_plist(), dataset.dtype, dataset.shape
        layout, shown = settings.get_layout(), short(name, 80)
        if layout == h5d.VIRTUAL or settings.get_external_count():
            raise Refused("LinkInWeights", f"{shown} takes its values from another file.", _RETRAIN)
        if settings.get_nfilters():
            # A filter may name a plug-in, and packs little into much; Keras never uses one.
            raise _bad(f"{shown} is compressed, which Keras never does.")
        if shape is None or dtype.subdtype or dtype.itemsize not in _KINDS.get(dtype.kind, ()):
            raise _bad(f"{shown} is of type {clean(str(dtype))[:40]}; only plain numbers are read.")
        tensor = Tensor(tuple(int(axis) for axis in shape), dtype.name)
        size = tensor.size * dtype.itemsize
        self._declared += size
        if size > dataset.id.get_storage_size() or self._declared > self._size:
            raise _bad(f"{shown} declares more values than the file holds.")
        if name.startswith("optimizer/"):
            return
        if len(self.tensors) >= self._limits.tensors:
            raise _large(f"more than {self._limits.tensors:,} tensors")
        plain = layout == h5d.CONTIGUOUS and dtype.isnative
        offset = dataset.id.get_offset() if plain and size else None
        if offset is not None and offset + size > self._size:
            raise _bad(f"{shown} reaches beyond the end of the file.")
        if offset is None and size > ODD_BYTES:
            raise _bad(f"{shown} is large and lies in pieces, which Keras never does.")
        self.tensors[name], self._offsets[name] = tensor, offset


def open_regular(path: Path, limit: int) -> BinaryIO:
    """A regular file of at most ``limit`` bytes, open for reading; a link is refused, not followed.

    Raises as `hostile.open_file`: `Refused` ("LinkInOutput", "NotAFile", "NoSuchFile", "TooLarge").
    """
    return hostile.open_file(path.parent.resolve(), path.name, limit)


def _bad(why: str) -> Refused:
    return Refused("BadWeights", f"The weights are refused: {why}", _RETRAIN)


def _large(why: str) -> Refused:
    return Refused("TooLarge", f"The model is refused: {why}.", "Send a smaller model.")
