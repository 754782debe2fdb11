"""What kind of file a model is, and how each kind that is read becomes a Keras 3 folder."""

import errno
import hashlib
import io
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from decentralml.core import hostile
from decentralml.core.errors import Refused
from decentralml.core.models.limits import Limits
from decentralml.core.models.weights import open_regular

CONFIG = "config.json"
METADATA = "metadata.json"
WEIGHTS = "model.weights.h5"
FILES = (CONFIG, METADATA, WEIGHTS)
_METADATA_BYTES = 64 * 1024
_RATIO = 100
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_PIECE = 1024 * 1024
_HOW = "Save it with Keras 3: model.save(folder, zipped=False), or to a file that ends in .keras."

Opener = Callable[[Path, Limits], AbstractContextManager[Path]]


class Format(NamedTuple):
    """One kind of model. ``matches(names, head)``: names within a folder (empty: a file), its first bytes."""

    name: str
    what: str
    matches: Callable[[set[str], bytes], bool]
    open: Opener | None


@contextmanager
def _folder(path: Path, limits: Limits) -> Iterator[Path]:
    yield path


class _Sparing(io.BufferedReader):
    """An archive of which little is read at once. Its list of members would be, however long it is, and each
    member takes ten times its room there in memory.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _PIECE:
            raise ValueError("its list of members is too long")
        return super().read(size)


@contextmanager
def _archive(path: Path, limits: Limits) -> Iterator[Path]:
    """The members of a .keras file in a temporary folder, never more bytes than each declares."""
    with open_regular(path, limits.weights) as file, tempfile.TemporaryDirectory(prefix="model-") as folder:
        try:
            with zipfile.ZipFile(_Sparing(io.FileIO(file.fileno(), closefd=False))) as archive:
                for member in _members(archive, limits):
                    # zipfile ends a member at its declared size and checks its CRC.
                    with (
                        archive.open(member) as source,
                        (Path(folder) / member.filename).open("xb") as target,
                    ):
                        shutil.copyfileobj(source, target, _PIECE)
        except (
            zipfile.BadZipFile,
            zlib.error,
            NotImplementedError,
            RuntimeError,
            EOFError,
            OSError,
            ValueError,
        ) as error:
            if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
                raise  # a disk, and not the archive
            raise Refused("BadArchive", f"{path.name} cannot be unpacked: {error}.", _HOW) from error
        yield Path(folder)


def _members(archive: zipfile.ZipFile, limits: Limits) -> list[zipfile.ZipInfo]:
    caps = {CONFIG: limits.config, METADATA: _METADATA_BYTES, WEIGHTS: limits.weights}
    members = [member for member in archive.infolist() if member.filename != "assets/"]
    if len({member.filename for member in members}) != len(members):
        raise Refused("BadArchive", "The archive holds the same name twice.", _HOW)
    for member in members:
        cap = caps.get(member.filename)
        if cap is None:
            raise Refused(
                "BadArchive", f"The archive holds {member.filename[:60]!r}, which no model needs.", _HOW
            )
        if member.compress_type not in _PACKED:
            # LZMA takes as much memory as the archive asks for, up to 4 GB.
            raise Refused("BadArchive", f"{member.filename} is packed in a way that Keras never uses.", _HOW)
        if member.file_size > cap or member.file_size > _RATIO * (member.compress_size + 1024):
            raise Refused(
                "TooLarge",
                f"{member.filename} unpacks from {member.compress_size:,} to {member.file_size:,} bytes; "
                f"the caps are {cap:,} bytes and a ratio of {_RATIO}.",
                "Send a smaller model.",
            )
    return members


# One row a kind, the first that matches. A kind with ``open`` None is named in the refusal; to read it,
# give the row an opener that yields a Keras 3 folder.
FORMATS = (
    Format("keras-folder", "a Keras 3 folder", lambda names, head: {CONFIG, WEIGHTS} <= names, _folder),
    Format("torch", "a PyTorch file", lambda names, head: head[:2] == b"PK" and b"data.pkl" in head, None),
    Format("keras-file", "a .keras file", lambda names, head: head[:4] == b"PK\x03\x04", _archive),
    Format(
        "legacy-saved-model",
        "a SavedModel of the older Keras",
        lambda names, head: {"saved_model.pb", "keras_metadata.pb"} <= names,
        None,
    ),
    Format("saved-model", "an exported SavedModel", lambda names, head: "saved_model.pb" in names, None),
    Format("weights-only", "weights without a config.json", lambda names, head: WEIGHTS in names, None),
    Format("no-weights", "a config.json without weights", lambda names, head: CONFIG in names, None),
    Format("hdf5", "an .h5 file of the older Keras", lambda names, head: head[:4] == b"\x89HDF", None),
    Format("pickle", "a pickle, which runs code", lambda names, head: head[:1] == b"\x80", None),
    Format("tflite", "a TensorFlow Lite file", lambda names, head: head[4:8] == b"TFL3", None),
    Format("numpy", "a NumPy array", lambda names, head: head[:6] == b"\x93NUMPY", None),
)


def recognise(path: Path, limits: Limits = Limits()) -> Format:  # noqa: B008
    """The format of ``path``. Raises `Refused`: "UnknownFormat", "LinkInOutput", "NoSuchFile", "NotAFile"."""
    names: set[str] = set()
    head = b""
    if path.is_symlink():
        raise Refused("LinkInOutput", f"{path.name} is a link, which is never followed.", _HOW)
    if path.is_dir():
        names = _names(path, limits)
    else:
        with open_regular(path, 2**62) as file:
            head = file.read(256)
    found = next((row for row in FORMATS if row.matches(names, head)), None)
    if found is None or found.open is None:
        kind = found.what if found else "no kind of model that is known"
        if path.is_dir() and not names:
            kind = "an empty folder"
        raise Refused("UnknownFormat", f"{path.name} looks like {kind}, which is not read here.", _HOW)
    return found


def _names(folder: Path, limits: Limits) -> set[str]:
    names: set[str] = set()
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink():
                raise Refused(
                    "LinkInOutput",
                    f"{entry.name[:80]!r} is a link, which is never followed.",
                    "Put the file itself into the folder.",
                )
            names.add(entry.name)
            if len(names) > limits.entries:
                raise Refused("TooLarge", f"More than {limits.entries:,} files stand in {folder.name}.", _HOW)
    return names


@contextmanager
def as_folder(path: Path, limits: Limits = Limits()) -> Iterator[Path]:  # noqa: B008
    """``path`` as a Keras 3 folder while the context lasts: itself, or unpacked to a temporary one."""
    found = recognise(path, limits)
    assert found.open is not None
    with found.open(path, limits) as folder:
        yield folder


def read_small(folder: Path, name: str, limit: int) -> bytes:
    """The bytes of a regular file of at most ``limit`` bytes. Raises as `hostile.read_bytes`."""
    return hostile.read_bytes(folder.resolve(), name, limit)


def digest(path: Path, limits: Limits = Limits()) -> str:  # noqa: B008
    """SHA-256 (hex) of a model by the bytes of its `FILES` alone: the same zipped or not.

    What else lies beside them (a result.json, a provenance) does not count. Raises `Refused` as `as_folder`.
    """
    total = hashlib.sha256()
    with as_folder(path, limits) as folder:
        for name in FILES:
            sha = hashlib.sha256()
            try:
                with open_regular(folder / name, limits.weights) as file:
                    while block := file.read(hostile.BLOCK):
                        sha.update(block)
            except Refused as refused:
                if refused.code != "NoSuchFile" or name != METADATA:
                    raise
            total.update(sha.digest())
    return total.hexdigest()
