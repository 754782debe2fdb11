"""The receiving end of every storage: a folder that appears only when it is whole and verified."""

import fcntl
import hashlib
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from decentralml.core.errors import Failed, Interrupted, Refused
from decentralml.core.storage import manifest as manifests
from decentralml.core.storage.base import Cancelled, Caps, File, Manifest, OnProgress
from decentralml.core.storage.transfer import PATIENCE, TICK, Chunks, Meter, Sink, broken, run, stream
from decentralml.core.words import size

_TREE = "files"  # inside the hidden folder: what becomes the destination
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def receive(
    manifest: Manifest,
    destination: Path,
    chunks: Chunks,
    *,
    check: Callable[[File], None],
    caps: Caps,
    on_progress: OnProgress | None = None,
    cancelled: Cancelled | None = None,
    patience: float = PATIENCE,
) -> None:
    """Make ``destination`` the folder that ``manifest`` describes, out of ``chunks``; see `Storage.get`.

    Until it is whole it lies in a hidden folder beside, from which the next try goes on; one that was
    refused is removed. Modes follow the umask. ``check`` is asked of each file before any space is: it
    raises where the storage lacks it, or has it in another size, so that no list of files that only
    announces bytes is taken for a full disk.

    Raises `Refused`: the codes of `manifest.check_caps`, "ContentDiffers", "DestinationTaken" (a link, a
    file, or a folder with anything else in it); `Failed`: "DiskFull", "Truncated", "Stalled",
    "TransferBroken"; `Interrupted` ("Cancelled"); whatever ``check`` and ``chunks`` raise.
    """
    longest = max(len(file.name.encode()) for file in manifest.files)
    manifests.check_caps(len(manifest.files), manifest.size, longest, caps)
    destination = destination.absolute()

    def transfer(jobs: Sequence[Callable[[Meter], None]]) -> None:
        run(jobs, manifest.size, on_progress=on_progress, cancelled=cancelled, patience=patience)

    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with _folder(destination.parent) as parent:
            if _is_there(manifest, parent, destination, transfer):
                return
            name = f".{manifests.digest(manifest)}.part"
            with _partial(parent, name, cancelled) as part:
                if _is_there(manifest, parent, destination, transfer):  # another process was faster
                    return
                with _folder(_TREE, part) as tree:
                    for file in manifest.files:
                        check(file)
                    _check_space(tree, manifest.size - _tidy(tree, manifest), destination.parent)
                    _make_folders(tree, manifest)
                    transfer([_fetching(tree, file, chunks) for file in manifest.files])
                    for *_, folder in os.fwalk(".", dir_fd=tree):
                        os.fsync(folder)
                os.rename(_TREE, destination.name, src_dir_fd=part, dst_dir_fd=parent)
            os.fsync(parent)
    except OSError as error:
        raise broken(error, f"writing to {destination}") from error


@contextmanager
def _folder(path: Path | str, within: int | None = None) -> Iterator[int]:
    flags = _FOLDER if within is None else _FOLDER | os.O_NOFOLLOW
    descriptor = os.open(path, flags, dir_fd=within)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _is_there(
    manifest: Manifest,
    parent: int,
    destination: Path,
    transfer: Callable[[Sequence[Callable[[Meter], None]]], None],
) -> bool:
    """Whether the destination has exactly these files, by their content. An empty folder counts as none."""

    def taken(why: str) -> Refused:
        return Refused(
            "DestinationTaken",
            f"{destination} is there already, and {why}.",
            "Move it aside, or name another folder.",
        )

    def same(root: int, entry: manifests.Entry, file: File) -> Callable[[Meter], None]:
        def job(meter: Meter) -> None:
            found = manifests.read_file(
                root, entry, lambda piece: meter.moved(len(piece), file.name, kept=True)
            )
            if found != file:
                raise taken(f"its {file.name!r} is not what the reference names")

        return job

    try:
        info = os.stat(destination.name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    if not stat.S_ISDIR(info.st_mode):
        raise taken("it is a link" if stat.S_ISLNK(info.st_mode) else "it is a file")
    with _folder(destination.name, parent) as root:
        if not os.listdir(root):
            return False
        try:
            found = manifests.entries(root, Caps(files=len(manifest.files), size=manifest.size))
        except Refused as error:
            raise taken(f"has something else in it: {error.message.rstrip('.')}") from error
        if [(e.name, e.size, e.executable) for e in found] != [
            (f.name, f.size, f.executable) for f in manifest.files
        ]:
            raise taken("has other files in it")
        transfer([same(root, entry, file) for entry, file in zip(found, manifest.files, strict=True)])
    return True


@contextmanager
def _partial(parent: int, name: str, cancelled: Cancelled | None) -> Iterator[int]:
    """The hidden folder of a download: ours alone (0700, locked), the tree in it; kept when it breaks."""
    part = _locked(parent, name, cancelled)
    try:
        # Made with the umask's mode: this one becomes the destination.
        with suppress(FileExistsError):
            os.mkdir(_TREE, dir_fd=part)
        yield part
    except Refused:
        shutil.rmtree(name, dir_fd=parent)
        raise
    finally:
        with suppress(OSError):  # not empty: the next try goes on from there
            os.rmdir(_TREE, dir_fd=part)
        with suppress(OSError):
            os.rmdir(name, dir_fd=parent)
        os.close(part)


def _locked(parent: int, name: str, cancelled: Cancelled | None) -> int:
    """The open folder ``name``, made where missing, once no other process of this person is in it."""
    while True:
        with suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=parent)
        try:
            part = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=parent)
        except FileNotFoundError:  # its owner has ended just now
            continue
        try:
            info = os.fstat(part)
            if info.st_uid != os.geteuid() or stat.S_IMODE(info.st_mode) & 0o077:
                raise Refused(
                    "DestinationTaken",
                    f"The folder {name} beside the destination is not this download's own.",
                    "Remove it, or name another place.",
                )
            _lock(part, cancelled)
            if _still(parent, name, part):
                return part
        except BaseException:
            os.close(part)
            raise
        os.close(part)


def _still(parent: int, name: str, part: int) -> bool:
    """Whether the folder that was locked is still the one of that name."""
    try:
        return os.path.samestat(os.stat(name, dir_fd=parent, follow_symlinks=False), os.fstat(part))
    except FileNotFoundError:
        return False


def _lock(part: int, cancelled: Cancelled | None) -> None:
    """Wait until no other process of this person downloads the same; a dead one's lock is free."""
    while True:
        try:
            fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if cancelled is not None and cancelled():
                raise Interrupted("Cancelled", "The transfer was cancelled.") from None
            time.sleep(TICK)


def _tidy(tree: int, manifest: Manifest) -> int:
    """Remove what does not belong to the download, links first of all. Bytes that stay."""
    sizes = {file.name: file.size for file in manifest.files}
    folders = _folders(manifest)
    kept = 0
    for at, inner, files, folder in os.fwalk(".", topdown=False, dir_fd=tree):
        for part in files + inner:
            name = os.path.normpath(os.path.join(at, part))
            info = os.stat(part, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISDIR(info.st_mode):
                if name not in folders:
                    os.rmdir(part, dir_fd=folder)
            elif stat.S_ISREG(info.st_mode) and info.st_size <= sizes.get(name, -1):
                kept += info.st_size
            else:
                os.unlink(part, dir_fd=folder)
    return kept


def _folders(manifest: Manifest) -> set[str]:
    return {str(up) for file in manifest.files for up in PurePosixPath(file.name).parents} - {"."}


def _make_folders(tree: int, manifest: Manifest) -> None:
    for name in sorted(_folders(manifest)):
        with manifests.folder_of(tree, name) as (folder, last), suppress(FileExistsError):
            os.mkdir(last, dir_fd=folder)


def _check_space(folder: int, needed: int, place: Path) -> None:
    disk = os.fstatvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    if free < needed:
        raise Failed(
            "DiskFull",
            f"The download needs {size(needed)} more; the disk of {place} has {size(free)} free.",
            "Free some space, or put the home on another disk: --home or DECENTRALML_HOME names it.",
        )


def _fetching(tree: int, file: File, chunks: Chunks) -> Callable[[Meter], None]:
    """The job that makes one file whole, going on from what is there."""

    def job(meter: Meter) -> None:
        with manifests.folder_of(tree, file.name) as (folder, name):
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(name, flags, 0o777 if file.executable else 0o666, dir_fd=folder)
        try:
            hasher = hashlib.sha256()
            offset = _rehash(descriptor, hasher, file, meter)
            try:
                _append(descriptor, file, offset, hasher, chunks, meter)
            except Refused:
                os.ftruncate(descriptor, 0)
                if not offset:
                    raise
                # The part that was kept may be what is wrong: once more from the start.
                meter.moved(-offset, file.name, kept=True)
                _append(descriptor, file, 0, hashlib.sha256(), chunks, meter)
        finally:
            os.close(descriptor)

    return job


def _rehash(descriptor: int, hasher: "hashlib._Hash", file: File, meter: Meter) -> int:
    """Feed the digest with what the file has already; how many bytes that is."""
    offset = 0
    while piece := os.pread(descriptor, manifests.BUFFER, offset):
        hasher.update(piece)
        offset += len(piece)
        meter.moved(len(piece), file.name, kept=True)
    return offset


def _append(
    descriptor: int, file: File, offset: int, hasher: "hashlib._Hash", chunks: Chunks, meter: Meter
) -> None:
    sink = Sink(descriptor)
    fresh = 0

    def take(piece: bytes | memoryview) -> None:
        nonlocal fresh
        sink.write(piece)
        fresh += len(piece)
        meter.moved(len(piece), file.name)

    try:
        stream(file, offset, hasher, chunks, take)
        sink.sync()
    except Refused:
        meter.moved(-fresh, file.name)
        raise
