"""What data hold, by the headers of their file alone: bad ones are refused before a run is made for them."""

import ast
import math
import zipfile
from pathlib import Path
from typing import NamedTuple

from decentralml.core.errors import Failed
from decentralml.core.training.data import HOW

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
    found = headers(path)
    parts = [("x", "y")] if {"x", "y"} <= found.keys() else [("x_train", "y_train"), ("x_test", "y_test")]
    if not set(parts[0]) <= found.keys():
        held = ", ".join(list(found)[:10]) or "nothing"
        raise Failed("BadData", f"{path.name} has no arrays x and y; it holds {held}.", HOW)
    taken = [pair for pair in parts if set(pair) <= found.keys()]
    for x, y in taken:
        _check_pair(x, found[x], y, found[y])
    return {name: found[name] for pair in taken for name in pair}


def headers(path: Path) -> dict[str, Header]:
    """Every array of an .npz, in order. Raises `Failed` ("NoData", "BadData")."""
    if not path.is_file():  # a pipe would be waited for
        raise Failed("NoData", f"There is no file {path.name}.", HOW)
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            return {name.removesuffix(".npy"): _header(archive, name) for name in names}
    except (
        *(OSError, EOFError, ValueError, SyntaxError, KeyError, TypeError, RecursionError),
        *(zipfile.BadZipFile, NotImplementedError, RuntimeError),
    ) as error:
        raise Failed("BadData", f"{path.name} cannot be read as .npz: {error}.", HOW) from error


def _header(archive: zipfile.ZipFile, name: str) -> Header:
    with archive.open(name) as file:
        start = file.read(12)
        if start[:6] != _MAGIC:
            raise ValueError(f"{name} is no array")
        begins = 12 if start[6] >= 2 else 10
        length = int.from_bytes(start[8:begins], "little")
        text = (start[begins:] + file.read(min(length, _HEADER_BYTES)))[:length]
    header = ast.literal_eval(text.decode("latin-1"))
    return Header(tuple(int(side) for side in header["shape"]), str(header["descr"]))


def _check_pair(x_name: str, x: Header, y_name: str, y: Header) -> None:
    for name, array in ((x_name, x), (y_name, y)):
        if array.kind not in _NUMBERS:
            raise Failed("BadData", f"{name} is of type {array.descr[:20]}; numbers are needed.", HOW)
        if not array.shape or not math.prod(array.shape):
            raise Failed("BadData", f"{name} is empty.", HOW)
    if x.shape[0] != y.shape[0]:
        raise Failed("BadData", f"{x_name} has {x.shape[0]} samples, {y_name} has {y.shape[0]}.", HOW)
