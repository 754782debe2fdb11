"""Reading, and deleting, what a sandbox left behind: never a link followed, never more than was agreed.

Everything is opened relative to the descriptor of its folder with O_NOFOLLOW and looked at once it is open:
nothing is gained by swapping a file for a link between a look and a read.
"""

import ast
import contextlib
import errno
import os
import shutil
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from decentralml.core.errors import Failed, Refused
from decentralml.core.text import clean, short

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Non-blocking, since opening a pipe for reading waits for a writer otherwise.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
BLOCK = 1 << 20
_PARSING = threading.Lock()


@dataclass(frozen=True)
class Caps:
    """The most that is read: files and folders together, bytes in all (holes count), levels of folders."""

    entries: int = 10_000
    bytes: int = 10 << 30
    depth: int = 32


@dataclass(frozen=True)
class File:
    """A regular file: its name relative to the folder, with slashes, and its size in bytes."""

    name: str
    size: int
    executable: bool


def tree(folder: Path, caps: Caps = Caps()) -> list[File]:
    """The regular files below ``folder``, sorted by name. Folders are entered, everything else is refused.

    Raises `Refused` ("LinkInOutput", "NotAFile", "HostileName", "TooManyFiles", "TooDeep", "TooLarge",
    "NoSuchFile") and `Failed` ("Unreadable").
    """
    files: list[File] = []
    with _opened(folder, "", _FOLDER) as root:
        for file in _walk(root, "", 0, caps, [0, 0]):
            files.append(file)  # noqa: PERF402 - sorted below
    return sorted(files, key=lambda file: file.name)


def read_bytes(folder: Path, name: str, limit: int) -> bytes:
    """The content of ``name`` (relative, with slashes), of at most ``limit`` bytes. Raises as `tree`."""
    with open_file(folder, name, limit) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise _too_large(name, limit)
    return data


def parsed(source: bytes) -> ast.Module:
    """The syntax tree of a script, of which nothing runs. Raises as `ast.parse`.

    One at a time: where two threads parse at once, CPython 3.11 confuses how deep each is, and fails.
    """
    with _PARSING:
        return ast.parse(source)


def open_file(folder: Path, name: str, limit: int) -> BinaryIO:
    """The file ``name`` below ``folder``, open for reading, of at most ``limit`` bytes. Raises as `tree`."""
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise Refused("HostileName", f"{short(name, 80)!r} is not a name below a folder.")
    with contextlib.ExitStack() as stack:
        at = stack.enter_context(_opened(folder, "", _FOLDER))
        for part in parts[:-1]:
            at = stack.enter_context(_opened(part, name, _FOLDER, at))
        handle = _open(parts[-1], name, _FILE, at)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise _not_a_file(name)
        if status.st_size > limit:
            raise _too_large(name, limit)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def copy_tree(folder: Path, destination: Path, caps: Caps = Caps()) -> list[File]:
    """Copy the regular files below ``folder`` to the new folder ``destination``, and say which.

    Files become 0600, or 0700 where they were executable. Raises as `tree` and
    `Failed` ("Unwritable"), and then leaves nothing.
    """
    files = tree(folder, caps)
    try:
        destination.mkdir(mode=0o700)
    except OSError as error:
        raise _unwritable(destination, error) from error
    try:
        left = caps.bytes
        for file in files:
            target = destination / file.name
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            left -= _copy(folder, file, target, left)
    except BaseException as error:
        shutil.rmtree(destination, ignore_errors=True)
        if isinstance(error, OSError):
            raise _unwritable(destination, error) from error
        raise
    return files


def delete(folder: Path) -> None:
    """Delete a folder in which a sandbox may have written, whatever it made of it; no link is followed.

    Raises `OSError`.
    """
    # A folder that may not be entered cannot be emptied; its owner, who we are, can open it again.
    folder.chmod(0o700)
    for _, folders, _, at in os.fwalk(folder):
        for name in folders:
            if stat.S_ISDIR(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode):
                os.chmod(name, 0o700, dir_fd=at)
    shutil.rmtree(folder)


def _copy(folder: Path, file: File, target: Path, limit: int) -> int:
    """Copy one file of at most ``limit`` bytes, also when it grows meanwhile; how many there were."""
    copied, mode = 0, 0o700 if file.executable else 0o600
    with open_file(folder, file.name, limit) as source:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(handle, "wb") as sink:
            while block := source.read(BLOCK):
                copied += len(block)
                if copied > limit:
                    raise _too_large(file.name, limit)
                sink.write(block)
    return copied


def _walk(folder: int, below: str, depth: int, caps: Caps, count: list[int]) -> Iterator[File]:
    """The files below the open ``folder``; ``count`` is (entries, bytes) so far."""
    if depth > caps.depth:
        raise Refused("TooDeep", f"{short(below, 80)!r} lies more than {caps.depth} folders deep.")
    with os.scandir(folder) as entries:
        for entry in entries:
            name = f"{below}{entry.name}"
            count[0] += 1
            if count[0] > caps.entries:
                raise Refused("TooManyFiles", f"There are more than {caps.entries:,} files and folders.")
            if not _printable(entry.name):
                raise Refused("HostileName", f"A file's name has characters that nobody sees: {name!a:.120}.")
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError as error:
                raise _unreadable(name, error) from error
            if stat.S_ISDIR(status.st_mode):
                with _opened(entry.name, name, _FOLDER, folder) as inner:
                    yield from _walk(inner, f"{name}/", depth + 1, caps, count)
            elif stat.S_ISREG(status.st_mode):
                count[1] += status.st_size
                if count[1] > caps.bytes:
                    raise _too_large(name, caps.bytes)
                yield File(name, status.st_size, bool(status.st_mode & stat.S_IXUSR))
            elif stat.S_ISLNK(status.st_mode):
                raise _link(name)
            else:
                raise _not_a_file(name)


def _printable(name: str) -> bool:
    return name == clean(name) and name.encode("utf-8", "replace").decode() == name


@contextlib.contextmanager
def _opened(path: Path | str, name: str, flags: int, at: int | None = None) -> Iterator[int]:
    handle = _open(path, name, flags, at)
    try:
        yield handle
    finally:
        os.close(handle)


def _open(path: Path | str, name: str, flags: int, at: int | None = None) -> int:
    try:
        return os.open(path, flags, dir_fd=at)
    except OSError as error:
        called = name or str(path)
        # ENOTDIR is what a link gives where a folder is asked for.
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise _link(called) from error
        if error.errno == errno.ENOENT:
            raise Refused("NoSuchFile", f"There is no {short(called, 80)!r}.") from error
        if error.errno == errno.ENXIO:
            raise _not_a_file(called) from error
        raise _unreadable(called, error) from error


def _unreadable(name: str, error: OSError) -> Failed:
    return Failed(
        "Unreadable", f"{short(name, 80)!r} cannot be read: {error.strerror}.", "See to its permissions."
    )


def _unwritable(destination: Path, error: OSError) -> Failed:
    return Failed(
        "Unwritable",
        f"{destination} cannot be written: {error.strerror}.",
        "Make room, or see to the permissions.",
    )


def _link(name: str) -> Refused:
    return Refused(
        "LinkInOutput",
        f"{short(name, 80)!r} is a link. A link can point at any file of this machine, so none is followed.",
        "Leave files only.",
    )


def _not_a_file(name: str) -> Refused:
    return Refused("NotAFile", f"{short(name, 80)!r} is not a regular file.", "Leave files only.")


def _too_large(name: str, limit: int) -> Refused:
    return Refused("TooLarge", f"With {short(name, 80)!r} there are more than the {limit:,} bytes allowed.")
