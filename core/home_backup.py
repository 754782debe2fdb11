"""What cannot be had again from the chain or the storage, in one archive, and back.

In it: key files (encrypted, or the backup is refused), address book, settings, keys, themes, what was seen of
ledgers, decisions that are not signed yet, calls whose outcome is not known, reports, and the records of
runs. Not in it: downloads, environments, checkpoints and results of runs, federated models, and a ledger or
a storage that lies in the home: others may share these.

The archive is a plain tar. Its last member lists all others with size and SHA-256: without it the archive
is half written.
"""

import errno
import hashlib
import io
import os
import stat
import tarfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO, cast

from decentralml.core.errors import Failed, Refused
from decentralml.core.paths import Home, sync
from decentralml.core.storage import manifest as manifests
from decentralml.core.storage.base import File, Manifest
from decentralml.core.storage.transfer import broken
from decentralml.core.text import short
from decentralml.core.wallet import keystore
from decentralml.core.words import count

_LIST = "files.json"
_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)
_RUN_RECORDS = ("run.json", "journal.jsonl")


def backup(home: Home, archive: Path) -> Manifest:
    """Write the archive (0600), which appears only when whole, and list what is in it.

    Raises `Refused`: "ArchiveExists", "NothingToBackUp", "UnprotectedKey" (a key file that is not
    encrypted), "LinkRefused"; `Failed`: "DiskFull", "TransferBroken", "Unreadable", and what
    `keystore.parse` raises for a broken key file.
    """
    sources = dict(sorted(_sources(home)))
    if not sources:
        raise Refused("NothingToBackUp", "This home has nothing to keep yet.", "Check --home.")
    archive = archive.absolute()
    try:
        if os.path.lexists(archive):
            raise FileExistsError
        with _placing(archive, _appear) as file:
            return _write(file, sources)
    except FileExistsError as error:
        raise Refused(
            "ArchiveExists", f"{archive} is there already.", "Name another file, or move it aside."
        ) from error
    except OSError as error:
        raise broken(error, f"writing {archive}", resumes=False) from error


def settings(archive: Path) -> dict[str, Any]:
    """The settings that `restore` would bring, as they stand; the archive may come from anybody.

    Raises as `restore`.
    """
    with _opened(archive) as file:
        _check(file, archive)
        for name, content in _members(file, archive):
            if name == "config.toml":
                # What cannot be read sets nothing until a person mends it.
                with suppress(ValueError, RecursionError):
                    return tomllib.loads(content.read().decode())
    return {}


def restore(home: Home, archive: Path, *, force: bool = False) -> Manifest:
    """Put what is in the archive into ``home``, files 0600 in folders 0700, and list it.

    The whole archive is checked before anything is written. Files that are there with the same content
    stay; with another content they are replaced only by ``force``.

    Raises `Refused`: "NoSuchArchive", "BadArchive" (half written, changed, or no archive of a home),
    "WouldOverwrite"; `Failed`: "DiskFull", "TransferBroken".
    """
    with _opened(archive) as file:
        listed = _check(file, archive)
        places = {member.name: _place(home, member.name) for member in listed.files}
        for name, place in places.items():
            if place is None:
                raise _bad(archive, f"a home has no file {short(name, 60)!r}")
        missing = {member.name: member for member in listed.files if not _same(places[member.name], member)}
        clashes = [name for name in missing if os.path.lexists(places[name] or "")]
        if clashes and not force:
            raise Refused(
                "WouldOverwrite",
                f"This home has another content of {count(len(clashes), 'file')}, {clashes[0]!r} first.",
                "Restore into an empty home with --home DIR, or repeat with --force to replace them.",
            )
        try:
            with _reading(archive):
                for name, content in _members(file, archive):
                    place = places.get(name)
                    if name in missing and place is not None:
                        home.folder(place.parent)
                        with _placing(place, os.replace) as target:
                            if _hashed(content, target.write) != (missing[name].size, missing[name].sha256):
                                raise _bad(archive, "it changed while it was read")
        except OSError as error:
            raise broken(error, f"writing to {home.data_dir}", resumes=False) from error
    return listed


# What belongs to a backup


def _files(home: Home) -> dict[str, Path]:
    return {
        "config.toml": home.config,
        "keymap.toml": home.keymap,
        "addressbook.json": home.address_book,
        "seen.json": home.seen,
        "drafts.json": home.drafts,
    }


def _place(home: Home, name: str) -> Path | None:
    """Where the member ``name`` belongs; None for what no backup has in it."""
    if name in _files(home):
        return _files(home)[name]
    top, _, rest = name.partition("/")
    parts = rest.split("/")
    if manifests.name_fault(name) or any(part.startswith(".") for part in parts):
        return None
    if top == "accounts" and len(parts) == 1 and rest.endswith(".json"):
        return home.accounts / rest
    if top == "intents" and len(parts) == 1 and rest.endswith(".json"):
        return home.intents / rest
    if top == "themes" and rest:
        return home.themes / rest
    if top == "reports" and rest:
        return home.reports / rest
    if top == "runs" and len(parts) == 2 and parts[0].isdigit() and parts[1] in _RUN_RECORDS:
        return home.runs / rest
    return None


def _sources(home: Home) -> Iterator[tuple[str, Path]]:
    for name, path in _files(home).items():
        if path.exists():
            yield name, path
    for folder in (home.accounts, home.intents, home.themes, home.reports):
        for at, _, names in os.walk(folder):
            for name in names:
                path = Path(at, name)
                member = f"{folder.name}/{path.relative_to(folder)}"
                if _place(home, member) is not None:
                    yield member, path
    for run in home.runs.iterdir():
        for record in _RUN_RECORDS:
            member = f"runs/{run.name}/{record}"
            if _place(home, member) is not None and os.path.lexists(run / record):
                yield member, run / record


# Writing an archive


def _write(file: BinaryIO, sources: dict[str, Path]) -> Manifest:
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        listed = Manifest(tuple(_add(tar, name, path) for name, path in sources.items()))
        data = manifests.encode(listed)
        tar.addfile(_header(_LIST, len(data)), io.BytesIO(data))
    return listed


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size = size
    header.mode = 0o600
    return header


class _Hashing(io.RawIOBase):
    """Reads from a file and hashes what was read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.hasher = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.hasher.update(data)
        return data


def _add(tar: tarfile.TarFile, name: str, path: Path) -> File:
    # The settings may be a link into a person's own dotfiles; nothing else may.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags if "/" not in name else flags | os.O_NOFOLLOW)
    except OSError as error:
        if path.is_symlink():
            raise Refused("LinkRefused", f"{path} is a link.", "Put the file itself there.") from error
        raise Failed(
            "Unreadable", f"{path} cannot be read: {error.strerror}.", "Check its permissions."
        ) from error
    info = os.fstat(descriptor)
    if not stat.S_ISREG(info.st_mode):
        os.close(descriptor)
        raise Refused("LinkRefused", f"{path} is no regular file.", "Take it out of the home.")
    with open(descriptor, "rb") as file:
        if name.startswith("accounts/"):
            _require_protected(file, path)
        # A journal may grow meanwhile: what it has now is taken.
        reader = _Hashing(file)
        tar.addfile(_header(name, info.st_size), reader)
    return File(name, info.st_size, reader.hasher.hexdigest())


def _require_protected(file: BinaryIO, path: Path) -> None:
    if not keystore.parse(file.read(keystore.MAX_SIZE + 1), str(path)).protected:
        raise Refused(
            "UnprotectedKey",
            f"{path} is a key without a password: whoever reads the archive would have it.",
            "Import it with `decentralml account import`, which encrypts it, and delete the file.",
        )
    file.seek(0)


@contextmanager
def _placing(path: Path, place: Callable[[Path, Path], None]) -> Iterator[BinaryIO]:
    """A file (0600) that ``place`` makes the one at ``path`` in one step, durable, unless the body raises."""
    temporary = path.with_name(f".{path.name[:200]}.{token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        place(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


def _appear(whole: Path, path: Path) -> None:
    """Give the file ``whole`` its name. Raises `FileExistsError` where another has it."""
    try:
        os.link(whole, path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP):  # what disks say that know no links
            raise
        if os.path.lexists(path):
            raise FileExistsError from error
        os.rename(whole, path)


# Reading an archive, which may come from anybody


def _bad(archive: Path, why: str) -> Refused:
    return Refused("BadArchive", f"{archive} is no whole backup: {why}.", "Take another backup.")


@contextmanager
def _opened(archive: Path) -> Iterator[BinaryIO]:
    try:
        descriptor = os.open(archive, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Refused(
            "NoSuchArchive", f"{archive} cannot be read: {error.strerror}.", "Check the path."
        ) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Refused("NoSuchArchive", f"{archive} is no file.", "Check the path.")
    with open(descriptor, "rb") as file:
        yield file


@contextmanager
def _reading(archive: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise _bad(archive, f"it is cut off, or no archive at all ({short(str(error), 60)})") from error


def _members(file: BinaryIO, archive: Path) -> Iterator[tuple[str, BinaryIO]]:
    """Name and content of each member; plain files only. Nothing is unpacked by `tarfile` itself."""
    file.seek(0)
    with tarfile.open(fileobj=file, mode="r:") as tar:
        for member in tar:
            content = tar.extractfile(member) if member.type in _PLAIN and not member.sparse else None
            if content is None:
                raise _bad(archive, f"{short(member.name, 60)!r} is no plain file")
            yield member.name, cast(BinaryIO, content)


def _check(file: BinaryIO, archive: Path) -> Manifest:
    """Read the archive to its end; its list, which every member matches."""
    found: list[File] = []
    listed = b""
    with _reading(archive):
        for name, content in _members(file, archive):
            if listed:
                raise _bad(archive, "something follows its list of files")
            if name == _LIST:
                listed = content.read(manifests.MAX_BYTES + 1)
            else:
                found.append(File(name, *_hashed(content)))
    if not listed:
        raise _bad(archive, "it has no list of its files, so it was not written to its end")
    try:
        manifest = manifests.decode(listed)
    except Refused as error:
        raise _bad(archive, "its list of files is broken") from error
    if tuple(found) != manifest.files:
        raise _bad(archive, "what is in it differs from its list of files")
    return manifest


def _hashed(content: BinaryIO, write: Callable[[bytes], object] = len) -> tuple[int, str]:
    hasher = hashlib.sha256()
    size = 0
    while data := content.read(manifests.BUFFER):
        hasher.update(data)
        write(data)
        size += len(data)
    return size, hasher.hexdigest()


def _same(place: Path | None, member: File) -> bool:
    """Whether the home has this very file already."""
    try:
        descriptor = os.open(place or "", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    info = os.fstat(descriptor)
    if not stat.S_ISREG(info.st_mode) or info.st_size != member.size:
        os.close(descriptor)
        return False
    with open(descriptor, "rb") as file:
        return _hashed(file)[1] == member.sha256
