"""A folder on this machine that several people may share: every content once, under its SHA-256."""

import errno
import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from msgspec import Struct

from decentralml.core.domain import StorageType, manifest_digest
from decentralml.core.errors import Failed, Refused, Unavailable
from decentralml.core.storage import download, transfer
from decentralml.core.storage import manifest as manifests
from decentralml.core.storage.base import Cancelled, Caps, File, Manifest, OnProgress, Storage
from decentralml.core.storage.shared import make_folder, place_file, sync_folders
from decentralml.core.storage.transfer import Meter

SCHEME = "local:"
_BLOBS, _MANIFESTS, _INCOMING = "blobs", "manifests", "incoming"
_READING = "reading"
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)  # a link in a file's place is no file

_YOUNG = 24 * 3600.0  # seconds in which an upload may still be waiting for its task to be signed


class Finding(Struct, frozen=True):
    """One thing that `LocalStorage.doctor` looked at; ``hint`` says what to do where it is not ``ok``."""

    ok: bool
    text: str
    hint: str = ""


class Garbage(Struct, frozen=True):
    """What nothing refers to: numbers of manifests, of files and of broken uploads; bytes in all."""

    manifests: int
    blobs: int
    incoming: int
    size: int


def reference(digest: str) -> str:
    """The reference of a manifest's digest."""
    return f"{SCHEME}#sha256={digest}"


def create(root: Path) -> None:
    """Make the folder ``root`` (2770) where missing. Raises `Unavailable` ("NoStorage", "StorageDenied")."""
    try:
        make_folder(root)
    except PermissionError as error:
        raise Unavailable(
            "StorageDenied",
            f"You may neither reach nor make the storage folder {root}: {error.strerror}.",
            "Ask its owner to put you into its group, or name another with --storage local:FOLDER.",
        ) from error
    except OSError as error:
        raise Unavailable(
            "NoStorage",
            f"The storage folder {root} cannot be made: {error.strerror}.",
            "Name a folder you may write with --storage local:FOLDER.",
        ) from error


class LocalStorage(Storage):
    """The store under ``root``: ``blobs/ab/<sha256>``, ``manifests/ab/<digest>``, ``incoming/``.

    Safe for many processes of many users of the folder's group. ``patience``: seconds without a byte
    after which a transfer fails.
    """

    type = StorageType.Local

    def __init__(self, root: Path, *, patience: float = transfer.PATIENCE) -> None:
        self.root = root
        self._patience = patience

    def put(
        self, folder: Path, *, on_progress: OnProgress | None = None, cancelled: Cancelled | None = None
    ) -> str:
        """See `Storage.put`. Raises also `Unavailable` ("NoStorage", "StorageDenied")."""
        with manifests.opened(folder) as source:
            entries = manifests.entries(source)
            with self._reported("storing"), self._locked(fcntl.LOCK_SH):
                make_folder(self.root / _INCOMING)
                files = transfer.run(
                    [self._storing(source, entry) for entry in entries],
                    sum(entry.size for entry in entries),
                    on_progress=on_progress,
                    cancelled=cancelled,
                    patience=self._patience,
                )
                # Their folders reach the disk before the manifest does: it is there only with all it names.
                sync_folders({self._blob(file.sha256) for file in files})
                return reference(self._store_manifest(Manifest(tuple(files))))

    def manifest(self, reference: str) -> Manifest:
        """See `Storage.manifest`. Raises `Refused` ("BadReference", "OtherStorage", "ContentDiffers",
        "BadManifest"), `Unavailable` ("NoStorage", "NotStored", "StorageDenied", "StorageUnreadable").
        """
        digest = manifest_digest(reference)
        if reference != SCHEME + f"#sha256={digest}":
            raise Refused(
                "OtherStorage",
                "This reference does not belong to a local storage.",
                "Name its storage with --storage.",
            )
        return self._read_manifest(digest)

    def get(
        self,
        reference: str,
        destination: Path,
        *,
        caps: Caps = Caps(),  # noqa: B008
        on_progress: OnProgress | None = None,
        cancelled: Cancelled | None = None,
    ) -> Manifest:
        """See `Storage.get`; raises like `manifest` and `download.receive`, and "ContentMissing"."""
        manifest = self.manifest(reference)
        download.receive(
            manifest,
            destination,
            self._chunks,
            check=self._check,
            caps=caps,
            on_progress=on_progress,
            cancelled=cancelled,
            patience=self._patience,
        )
        return manifest

    def verify(self, reference: str, *, on_progress: OnProgress | None = None) -> Manifest:
        manifest = self.manifest(reference)

        def checking(file: File) -> Callable[[Meter], None]:
            return lambda meter: transfer.checked(file, self._chunks, meter)

        with self._reported(_READING):
            transfer.run(
                [checking(file) for file in manifest.files],
                manifest.size,
                on_progress=on_progress,
                patience=self._patience,
            )
        return manifest

    # Places

    def _blob(self, sha256: str) -> Path:
        return self.root / _BLOBS / sha256[:2] / sha256

    def _manifest(self, digest: str) -> Path:
        return self.root / _MANIFESTS / digest[:2] / digest

    @contextmanager
    def _reported(self, doing: str) -> Iterator[None]:
        """The store's own `OSError` as an error for people."""
        try:
            yield
        except OSError as error:
            if isinstance(error, PermissionError) or error.errno == errno.EROFS:
                raise Unavailable(
                    "StorageDenied",
                    f"{doing.capitalize()} in {self.root} is not allowed: {error.strerror}.",
                    "Ask its owner to put you into the folder's group, or name another with --storage.",
                ) from error
            if doing == _READING:  # nothing of this side: whoever fetches must tell it from a full disk
                raise Unavailable(
                    "StorageUnreadable",
                    f"{error.strerror or error} while reading in {self.root}.",
                    "Check the disk that it is on.",
                ) from error
            raise transfer.broken(error, f"{doing} in {self.root}") from error

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        """Uploads share the lock on the root; whoever removes things has it alone."""
        try:
            descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise self._missing() from error
        try:
            try:
                fcntl.flock(descriptor, how)
            except BlockingIOError as error:
                raise Unavailable(
                    "StorageBusy",
                    f"Somebody is storing a folder in {self.root}.",
                    "Try again when it is done.",
                ) from error
            yield
        finally:
            os.close(descriptor)

    def _missing(self) -> Unavailable:
        return Unavailable(
            "NoStorage",
            f"There is no storage folder {self.root}.",
            "Is its disk mounted? Or name another with --storage local:FOLDER.",
        )

    # Reading

    @contextmanager
    def _open(self, path: Path, absent: Unavailable) -> Iterator[int]:
        """A regular file of the store. Raises ``absent`` where none is there, or no storage is."""
        with self._reported(_READING):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                if error.errno not in _ABSENT:
                    raise
                raise (absent if self.root.is_dir() else self._missing()) from error
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise absent
                yield descriptor
            finally:
                os.close(descriptor)

    def _read_manifest(self, digest: str) -> Manifest:
        absent = Unavailable(
            "NotStored",
            f"The storage {self.root} has nothing of the digest {digest[:16]}….",
            "Was it uploaded to another storage? Name that one with --storage.",
        )
        with (
            self._open(self._manifest(digest), absent) as descriptor,
            open(descriptor, "rb", closefd=False) as file,
        ):
            data = file.read(manifests.MAX_BYTES + 1)
        if hashlib.sha256(data).hexdigest() != digest:
            raise Refused(
                "ContentDiffers",
                f"The list of files that is stored as {digest[:16]}… is not what its reference names.",
                "Ask whoever uploaded it to upload it again.",
            )
        return manifests.decode(data)

    @contextmanager
    def _content(self, file: File) -> Iterator[int]:
        """A file's content, of the size that was announced."""
        absent = Unavailable(
            "ContentMissing",
            f"The storage {self.root} has lost the content of {file.name!r}.",
            "Ask whoever uploaded it to upload it again.",
        )
        with self._open(self._blob(file.sha256), absent) as descriptor:
            size = os.fstat(descriptor).st_size
            if size != file.size:
                raise transfer.differs(file, f"{size} bytes are stored, {file.size} were announced")
            yield descriptor

    def _check(self, file: File) -> None:
        with self._content(file):
            pass

    def _chunks(self, file: File, offset: int) -> Iterator[memoryview]:
        with self._content(file) as descriptor:
            buffer = memoryview(bytearray(min(manifests.BUFFER, file.size + 1)))
            while count := os.preadv(descriptor, [buffer], offset):
                yield buffer[:count]
                offset += count

    # Writing

    def _storing(self, source: int, entry: manifests.Entry) -> Callable[[Meter], File]:
        """The job that stores one file of the open folder ``source``, hashed as it is copied."""

        def job(meter: Meter) -> File:
            with self._incoming() as (path, sink):

                def take(piece: memoryview) -> None:
                    sink.write(piece)
                    meter.moved(len(piece), entry.name)

                file = manifests.read_file(source, entry, take)
                if not self._has(file, meter):
                    place_file(path, sink, self._blob(file.sha256))
                return file

        return job

    def _has(self, file: File, meter: Meter) -> bool:
        """Whether the content is stored already, and right: it is hashed again before it is trusted."""
        hasher = hashlib.sha256()
        try:
            for piece in self._chunks(file, 0):
                hasher.update(piece)
                meter.moved(0, file.name)
        except (Refused, Unavailable):
            return False
        return hasher.hexdigest() == file.sha256

    def _store_manifest(self, manifest: Manifest) -> str:
        data = manifests.encode(manifest)
        digest = hashlib.sha256(data).hexdigest()
        place = self._manifest(digest)
        with self._incoming() as (path, sink):
            sink.write(data)
            # Anew where it is there already: `gc` goes by its age.
            place_file(path, sink, place)
        sync_folders({place})
        return digest

    @contextmanager
    def _incoming(self) -> Iterator[tuple[Path, transfer.Sink]]:
        """A file of its own to write into; gone afterwards unless `place_file` has moved it."""
        path = self.root / _INCOMING / token_hex(16)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            yield path, transfer.Sink(descriptor)
        finally:
            os.close(descriptor)
            path.unlink(missing_ok=True)

    # Upkeep

    def gc(self, keep: Collection[str], *, older_than: float = _YOUNG, dry_run: bool = False) -> Garbage:
        """Remove what none of the references in ``keep`` needs and is older than ``older_than`` seconds.

        ``dry_run`` removes nothing and only counts. Raises `Unavailable` ("StorageBusy" while somebody
        uploads, "NoStorage", "StorageDenied"), and like `manifest` where a list to be kept is broken.
        """
        digests = set()
        for text in keep:
            with suppress(Refused):  # what is no reference keeps nothing
                digests.add(manifest_digest(text))
        before = time.time() - older_than
        with self._reported("removing"), self._locked(fcntl.LOCK_EX | fcntl.LOCK_NB):
            needed: set[str] = set()
            lists: list[Path] = []
            for path, info in self._files(_MANIFESTS):
                if path.name in digests or info.st_mtime > before:
                    needed.update(file.sha256 for file in self._read_manifest(path.name).files)
                else:
                    lists.append(path)
            blobs = [
                path
                for path, info in self._files(_BLOBS)
                if path.name not in needed and info.st_mtime <= before
            ]
            # Uploads share the lock that is held here alone: whatever lies there was left behind.
            incoming = [path for path, _ in self._files(_INCOMING)]
            garbage = [*lists, *blobs, *incoming]
            size = sum(path.lstat().st_size for path in garbage)
            if not dry_run:
                for path in garbage:
                    path.unlink()
            return Garbage(len(lists), len(blobs), len(incoming), size)

    def _files(self, kind: str) -> Iterator[tuple[Path, os.stat_result]]:
        def unreadable(error: OSError) -> None:
            # What cannot be listed may name what `gc` is about to remove.
            if not isinstance(error, FileNotFoundError):
                raise error

        for at, _, names in os.walk(self.root / kind, onerror=unreadable):
            for name in names:
                path = Path(at, name)
                with suppress(FileNotFoundError):
                    yield path, path.lstat()

    def doctor(self) -> list[Finding]:
        """What is right and wrong with the store, without reading contents (`verify` does)."""
        if not os.path.isdir(self.root):
            missing = self._missing()
            return [Finding(False, missing.message, missing.hint)]
        findings = [self._access(), self._modes()]
        with self._reported(_READING):
            disk = os.statvfs(self.root)
            free = disk.f_bavail * disk.f_frsize
            findings.append(
                Finding(
                    free >= 2**30,
                    f"{free / 2**30:.1f} GiB are free.",
                    "`decentralml storage gc` frees what nobody needs.",
                )
            )
            count, size, broken = 0, 0, []
            for path, _ in self._files(_MANIFESTS):
                count += 1
                try:
                    manifest = self._read_manifest(path.name)
                except (Refused, Unavailable, Failed) as error:
                    broken.append(Finding(False, f"{path.name[:16]}…: {error.message}", error.hint))
                    continue
                size += manifest.size
                lost = [file.name for file in manifest.files if not self._stored(file)]
                if lost:
                    broken.append(
                        Finding(
                            False,
                            f"{path.name[:16]}…: {len(lost)} files are lost, {lost[0]!r} first.",
                            "Ask whoever uploaded it to upload it again.",
                        )
                    )
            findings.append(Finding(True, f"{count} folders are stored, {size} bytes before sharing."))
            left = sum(1 for _ in self._files(_INCOMING))
            if left:
                findings.append(
                    Finding(
                        True,
                        f"{left} files are on their way in, or were left by broken uploads.",
                        "`storage gc` removes them.",
                    )
                )
            return findings + broken

    def _stored(self, file: File) -> bool:
        try:
            return self._blob(file.sha256).lstat().st_size == file.size
        except OSError:
            return False

    def _access(self) -> Finding:
        if os.access(self.root, os.W_OK | os.X_OK):
            return Finding(True, f"{self.root} can be written.")
        return Finding(False, f"{self.root} can only be read.", "Downloads work; uploads need its group.")

    def _modes(self) -> Finding:
        mode = stat.S_IMODE(self.root.stat().st_mode)
        if mode & 0o002:
            return Finding(False, f"Everybody may write {self.root} ({mode:o}).", f"chmod 2770 {self.root}")
        if mode & 0o020 and not mode & stat.S_ISGID:
            return Finding(
                False,
                f"What others of the group store in {self.root} is not the group's.",
                f"chmod 2770 {self.root}",
            )
        return Finding(True, f"{self.root} has mode {mode:o}.")
