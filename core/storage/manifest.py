"""What is in a folder, by name, size and SHA-256: read from disk, checked, and as canonical bytes."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from decentralml.core.errors import Failed, Refused
from decentralml.core.storage.base import Caps, File, Manifest
from decentralml.core.text import clean, short
from decentralml.core.words import count

VERSION = 1
MAX_BYTES = 16 * 2**20
"""The most bytes an encoded manifest may have; a larger one is refused unread."""

BUFFER = 2**20
_MAX_SIZE = 2**63 - 1
_MAX_NAME = 1024
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class Entry(Struct, frozen=True):
    """A regular file found in a folder, not read yet. ``size`` in bytes; ``executable`` by its owner."""

    name: str
    size: int
    executable: bool


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    files: tuple[File, ...]


def encode(manifest: Manifest) -> bytes:
    """The canonical bytes: one line of JSON, fields in a fixed order, files sorted by name."""
    return msgspec.json.encode(_Document(VERSION, manifest.files))


def digest(manifest: Manifest) -> str:
    """Lower-case hex SHA-256 of the canonical bytes: what a reference ends in."""
    return hashlib.sha256(encode(manifest)).hexdigest()


def decode(data: bytes) -> Manifest:
    """The manifest in ``data``, which may come from anybody.

    Raises `Refused` ("BadManifest") unless these are the canonical bytes of a manifest whose names
    are safe (`name_fault`), sorted and unique, and of which none is a file and a folder at once.
    """
    if len(data) > MAX_BYTES:
        raise _bad(f"it has more than {MAX_BYTES:,} bytes")
    try:
        document = msgspec.json.decode(data, type=_Document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _bad(short(str(error), 120)) from error
    if document.version != VERSION:
        raise _bad(f"it has version {document.version}; this program reads version {VERSION}")
    manifest = Manifest(document.files)
    if not manifest.files:
        raise _bad("it lists no file")
    previous = ""
    names = {file.name for file in manifest.files}
    for file in manifest.files:
        fault = name_fault(file.name)
        if fault:
            raise _bad(f"the name {_quoted(file.name)} {fault}")
        if file.name <= previous:
            raise _bad("its names are not sorted, or one stands there twice")
        if any(folder in names for folder in _folders(file.name)):
            raise _bad(f"a folder of {_quoted(file.name)} is also a file")
        if not 0 <= file.size <= _MAX_SIZE:
            raise _bad(f"{_quoted(file.name)} has an impossible size")
        if len(file.sha256) != 64 or not set(file.sha256) <= set("0123456789abcdef"):
            raise _bad(f"{_quoted(file.name)} has no SHA-256")
        previous = file.name
    if encode(manifest) != data:
        raise _bad("its bytes are not in the canonical form")
    return manifest


def _folders(name: str) -> Iterator[str]:
    """The folders that a file of this name lies in, the outermost first."""
    at = name.find("/")
    while at >= 0:
        yield name[:at]
        at = name.find("/", at + 1)


def _bad(why: str) -> Refused:
    return Refused(
        "BadManifest",
        f"The list of files of this folder is not valid: {why}.",
        "Ask whoever uploaded it to upload it again.",
    )


def _quoted(name: str) -> str:
    return f"'{short(name[:_MAX_NAME], 60)}'"


def name_fault(name: str) -> str | None:
    """Why ``name`` may not be a file's name (the end of a sentence), or None when it may.

    Names are relative, of at most 1,024 characters, with ``/`` between parts; no part is empty, ``.`` or
    ``..`` or longer than 255 bytes; no backslash, no control, bidi or zero-width character.
    """
    if len(name) > _MAX_NAME:
        return "is too long"
    parts = name.split("/")
    if not name:
        return "is empty"
    if name.startswith("/"):
        return "is absolute"
    if ".." in parts:
        return "climbs out of the folder"
    if "" in parts or "." in parts:
        return "has an empty part"
    if "\\" in name:
        return "has a backslash"
    if clean(name) != name:
        return "has control or invisible characters, or is not UTF-8"
    if any(len(part.encode()) > 255 for part in parts):
        return "is too long"
    return None


def check_caps(files: int, size: int, longest_name: int, caps: Caps) -> None:
    """Raises `Refused` ("TooManyFiles", "TooLarge", "NameTooLong") where a cap is passed. In bytes."""
    if files > caps.files:
        raise Refused(
            "TooManyFiles",
            f"The folder has {count(files, 'file')}; at most {caps.files:,} are allowed.",
            "Pack many small files into one, for example an .npz.",
        )
    if size > caps.size:
        raise Refused(
            "TooLarge",
            f"The folder has {size:,} bytes; at most {caps.size:,} are allowed.",
            "Take out what the task does not need.",
        )
    if longest_name > caps.name:
        raise Refused(
            "NameTooLong",
            f"A name in the folder has {longest_name} bytes; at most {caps.name} are allowed.",
            "Rename it or use fewer folders.",
        )


@contextmanager
def opened(folder: Path) -> Iterator[int]:
    """A descriptor of ``folder``, itself no link. Raises `Refused` ("NoSuchFolder", "LinkRefused")."""
    try:
        descriptor = os.open(folder, _READ | os.O_DIRECTORY)
    except FileNotFoundError as error:
        raise Refused(
            "NoSuchFolder", f"There is no folder {_quoted(str(folder))}.", "Check the path."
        ) from error
    except NotADirectoryError as error:
        if folder.is_symlink():
            raise _link(str(folder)) from error
        raise Refused(
            "NoSuchFolder",
            f"{_quoted(str(folder))} is a file, not a folder.",
            "Name the folder it is in; folders are stored whole.",
        ) from error
    except OSError as error:
        raise _unreadable(str(folder), error) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _link(name: str) -> Refused:
    return Refused(
        "LinkRefused",
        f"{_quoted(name)} is a link.",
        "Links are not followed: put the file or folder itself there.",
    )


def _unreadable(name: str, error: OSError) -> Failed:
    return Failed(
        "Unreadable", f"{_quoted(name)} cannot be read: {error.strerror}.", "Check its permissions."
    )


def entries(root: int, caps: Caps | None = None) -> list[Entry]:
    """The regular files under the open folder ``root``, sorted by name; empty folders are left out.

    Raises `Refused` ("LinkRefused", "SpecialFile", "BadName", "EmptyFolder"; the codes of
    `check_caps` with the default caps unless others are given), `Failed` ("Unreadable").
    """
    caps = caps or Caps()
    found: list[Entry] = []
    size = 0
    for entry in _walk(root, ""):
        found.append(entry)
        size += entry.size
        check_caps(len(found), size, len(entry.name.encode()), caps)
    if not found:
        raise Refused("EmptyFolder", "The folder has no file in it.", "Put the files there first.")
    return sorted(found, key=lambda entry: entry.name)


def _walk(folder: int, prefix: str) -> Iterator[Entry]:
    try:
        with os.scandir(folder) as listing:
            names = [item.name for item in listing]
    except OSError as error:
        raise _unreadable(prefix or "the folder", error) from error
    for part in names:
        name = prefix + part
        fault = name_fault(name)
        if fault:
            raise Refused("BadName", f"The name {_quoted(name)} {fault}.", "Rename the file.")
        try:
            info = os.stat(part, dir_fd=folder, follow_symlinks=False)
        except OSError as error:
            raise _unreadable(name, error) from error
        if stat.S_ISLNK(info.st_mode):
            raise _link(name)
        if stat.S_ISREG(info.st_mode):
            yield Entry(name, info.st_size, bool(info.st_mode & stat.S_IXUSR))
        elif stat.S_ISDIR(info.st_mode):
            try:
                inner = os.open(part, _READ | os.O_DIRECTORY, dir_fd=folder)
            except OSError as error:
                raise _unreadable(name, error) from error
            try:
                yield from _walk(inner, name + "/")
            finally:
                os.close(inner)
        else:
            raise Refused(
                "SpecialFile",
                f"{_quoted(name)} is a device, socket or pipe.",
                "Only regular files can be stored: take it out.",
            )


@contextmanager
def folder_of(root: int, name: str) -> Iterator[tuple[int, str]]:
    """The open folder that the file ``name`` is in, and the name's last part; no link is followed."""
    *folders, last = name.split("/")
    current = os.dup(root)
    try:
        for part in folders:
            inner = os.open(part, _READ | os.O_DIRECTORY, dir_fd=current)
            os.close(current)
            current = inner
        yield current, last
    finally:
        os.close(current)


def read_file(root: int, entry: Entry, take: Callable[[memoryview], object]) -> File:
    """Read a file of the open folder ``root`` once, handing each piece to ``take``, and hash it.

    A piece is valid only during the call. Raises `Failed` ("FileChanged") when it is not what `entries`
    saw, or changes while it is read; ("Unreadable").
    """
    hasher = hashlib.sha256()
    buffer = memoryview(bytearray(min(BUFFER, max(entry.size, 1) + 1)))
    size = 0
    try:
        with folder_of(root, entry.name) as (folder, name):
            descriptor = os.open(name, _READ | os.O_NONBLOCK, dir_fd=folder)
    except OSError as error:
        raise _unreadable(entry.name, error) from error
    with open(descriptor, "rb", buffering=0) as file:
        before = os.fstat(descriptor)
        same = stat.S_ISREG(before.st_mode) and before.st_size == entry.size
        while same:
            try:
                count = file.readinto(buffer)
            except OSError as error:
                raise _unreadable(entry.name, error) from error
            if not count:
                break
            size += count
            same = size <= entry.size
            if same:
                hasher.update(buffer[:count])
                take(buffer[:count])
        after = os.fstat(descriptor)
    if not same or size != entry.size or after.st_mtime_ns != before.st_mtime_ns:
        raise Failed(
            "FileChanged",
            f"{_quoted(entry.name)} changed while it was read.",
            "Wait until whatever writes it has ended, then try again.",
        )
    return File(entry.name, entry.size, hasher.hexdigest(), entry.executable)


def scan(folder: Path, caps: Caps | None = None) -> Manifest:
    """Hash every file under ``folder``. Raises like `opened`, `entries` and `read_file`."""
    with opened(folder) as root:
        return Manifest(tuple(read_file(root, entry, len) for entry in entries(root, caps)))
