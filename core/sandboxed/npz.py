"""Data in an .npz, looked at by its headers alone or read: both refuse the same, in the same words.

Only reading needs numpy, and nothing else.
"""

import ast
import math
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from decentralml.core.errors import Failed

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

HOW = "Give an .npz with arrays x and y, or a folder that the task's data.py can load."
LOAD_FOLDER = "data.py"
_MAGIC = b"\x93NUMPY"
_HEADER_BYTES = 10_000
_NUMBERS = "fiub"


class Header(NamedTuple):
    """An array's shape and its type, as NumPy writes it: "<f4", "|u1"."""

    shape: tuple[int, ...]
    descr: str

    @property
    def kind(self) -> str:
        """NumPy's letter for the kind of type; "f", "i", "u" and "b" are numbers."""
        return self.descr.lstrip("<>|=")[:1]


def look(path: Path | None, assets: Path) -> dict[str, Header]:
    """The arrays that training on ``path`` would take, by name; none of a folder or of the script's own.

    ``assets`` is the task's folder. Raises `Failed` ("NoData", "BadData") for what `data.load` would refuse,
    as far as headers tell: values are not read.
    """
    if path is None:
        return {}
    if path.is_dir():
        if not (assets / LOAD_FOLDER).is_file():
            raise Failed(
                "NoData", f"{path.name} is a folder and the task has no {LOAD_FOLDER} with load(path).", HOW
            )
        return {}
    return headers(path)


def headers(path: Path) -> dict[str, Header]:
    """The arrays x and y of an .npz, or x_train, y_train and where they are x_test, y_test.

    Raises `Failed` ("NoData", "BadData").
    """
    with _opened(path) as archive:
        found = _headers(archive)
        return {name: found[name] for pair in _pairs(found, path.name) for name in pair}


def read(path: Path) -> list[tuple["Array", "Array"]]:
    """``[(x, y)]`` or ``[(x_train, y_train), (x_test, y_test)]``; nothing in it is unpickled.

    Raises as `headers`.
    """
    with _opened(path) as archive:
        pairs = _pairs(_headers(archive), path.name)
        return [(_array(archive, x), _array(archive, y)) for x, y in pairs]


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive; whatever goes wrong with its bytes, there or in the body, is said in our own words."""
    if not path.is_file():  # a pipe would be waited for
        raise Failed("NoData", f"There is no file {path.name}.", HOW)
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) == _MAGIC:
                raise Failed("BadData", f"{path.name} is a single array (.npy), no .npz of x and y.", HOW)
            if not zipfile.is_zipfile(file):
                raise Failed("BadData", f"{path.name} is no .npz; np.savez(path, x=x, y=y) writes one.", HOW)
            with zipfile.ZipFile(file) as archive:
                yield archive
    except (Failed, MemoryError):
        raise
    except PermissionError as error:
        raise Failed("BadData", f"{path.name} may not be read here.", HOW) from error
    except Exception as error:  # zipfile, its decompressors and NumPy have no error in common
        raise Failed(
            "BadData", f"{path.name} is a damaged .npz: it cannot be read to its end.", HOW
        ) from error


def _headers(archive: zipfile.ZipFile) -> dict[str, Header]:
    names = [name for name in archive.namelist() if name.endswith(".npy")]
    return {name.removesuffix(".npy"): _header(archive, name) for name in names}


def _header(archive: zipfile.ZipFile, name: str) -> Header:
    with archive.open(name) as file:
        start = file.read(12)
        if start[:6] != _MAGIC:
            raise ValueError(f"{name} is no array")
        begins = 12 if start[6] >= 2 else 10
        length = int.from_bytes(start[8:begins], "little")
        text = (start[begins:] + file.read(min(length, _HEADER_BYTES)))[:length]
    try:
        header = ast.literal_eval(text.decode("latin-1"))
    except MemoryError as error:  # the parser's, of what is nested too deep for it
        raise ValueError(f"the header of {name} is none") from error
    return Header(tuple(int(side) for side in header["shape"]), str(header["descr"]))


def _array(archive: zipfile.ZipFile, name: str) -> "Array":
    from numpy.lib import format

    with archive.open(f"{name}.npy") as file:
        array: Array = format.read_array(file, allow_pickle=False)
        if file.read(1):  # at its end, and not before, the checksum is looked at
            raise ValueError(f"more than an array is in {name}")
    return array


def _pairs(found: dict[str, Header], file: str) -> Iterable[tuple[str, str]]:
    """The names of the arrays to take, x before y. Raises `Failed` where they are missing or unfit."""
    parts = [("x", "y")] if {"x", "y"} <= found.keys() else [("x_train", "y_train"), ("x_test", "y_test")]
    if not set(parts[0]) <= found.keys():
        held = ", ".join(list(found)[:10]) or "nothing"
        raise Failed("BadData", f"{file} has no arrays x and y; it holds {held}.", HOW)
    taken = [pair for pair in parts if set(pair) <= found.keys()]
    for x, y in taken:
        _check_pair(x, found[x], y, found[y])
    return taken


def _check_pair(x_name: str, x: Header, y_name: str, y: Header) -> None:
    for name, array in ((x_name, x), (y_name, y)):
        if array.kind not in _NUMBERS:
            raise Failed("BadData", f"{name} is of type {array.descr[:20]}; numbers are needed.", HOW)
        if not array.shape or not math.prod(array.shape):
            raise Failed("BadData", f"{name} is empty.", HOW)
    if x.shape[0] != y.shape[0]:
        lengths = f"{x.shape[0]:,} and {y.shape[0]:,}"
        raise Failed("BadData", f"{x_name} and {y_name} differ in length: {lengths}.", HOW)
