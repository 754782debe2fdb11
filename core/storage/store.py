"""The folder of a local store: what lies where on the disk, read by digest, changed under a lock."""

import errno
import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from decentralml.core.errors import Refused, Unavailable
from decentralml.core.storage import manifest as manifests
from decentralml.core.storage import transfer
from decentralml.core.storage.base import File, Manifest
from decentralml.core.storage.shared import reach

BLOBS, MANIFESTS, INCOMING = "blobs", "manifests", "incoming"
READING = "reading"
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)  # a link in a file's place is no file


class Store:
    """The store under ``root``: ``blobs/ab/<sha256>``, ``manifests/ab/<digest>``, ``incoming/``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    # Places

    def blob(self, sha256: str) -> Path:
        """Where a content belongs."""
        return self.root / BLOBS / sha256[:2] / sha256

    def manifest_file(self, digest: str) -> Path:
        """Where a list of files belongs."""
        return self.root / MANIFESTS / digest[:2] / digest

    @contextmanager
    def reported(self, doing: str) -> Iterator[None]:
        """The store's own `OSError`, while ``doing`` something, as an error for people."""
        try:
            yield
        except OSError as error:
            if isinstance(error, PermissionError) or error.errno == errno.EROFS:
                raise Unavailable(
                    "StorageDenied",
                    f"{doing.capitalize()} in {self.root} is not allowed: {error.strerror}.",
                    "Ask its owner to put you into the folder's group, or name another with --storage.",
                ) from error
            if doing == READING:  # nothing of this side: whoever fetches must tell it from a full disk
                raise Unavailable(
                    "StorageUnreadable",
                    f"{error.strerror or error} while reading in {self.root}.",
                    "Check the disk that it is on.",
                ) from error
            raise transfer.broken(error, f"{doing} in {self.root}") from error

    @contextmanager
    def locked(self, how: int) -> Iterator[None]:
        """Uploads share the lock on the root; whoever removes things has it alone.

        Raises `Unavailable` ("NoStorage", and "StorageBusy" where ``how`` does not wait).
        """
        try:
            descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise self.missing() from error
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

    def missing(self) -> Unavailable:
        """What to raise where there is no root."""
        return Unavailable(
            "NoStorage",
            f"There is no storage folder {self.root}.",
            "Is its disk mounted? Or name another with --storage local:FOLDER.",
        )

    # Reading

    @contextmanager
    def _open(self, path: Path, absent: Unavailable) -> Iterator[int]:
        """A regular file of the store. Raises ``absent`` where none is there, or no storage is."""
        with self.reported(READING):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                if error.errno not in _ABSENT:
                    raise
                raise (absent if self.root.is_dir() else self.missing()) from error
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise absent
                yield descriptor
            finally:
                os.close(descriptor)

    def manifest(self, digest: str) -> Manifest:
        """Raises `Refused` ("ContentDiffers", "BadManifest"), `Unavailable` ("NoStorage", "NotStored",
        "StorageDenied", "StorageUnreadable").
        """
        absent = Unavailable(
            "NotStored",
            f"The storage {self.root} has nothing of the digest {digest[:16]}….",
            "Was it uploaded to another storage? Name that one with --storage.",
        )
        with (
            self._open(self.manifest_file(digest), absent) as descriptor,
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
        with self._open(self.blob(file.sha256), absent) as descriptor:
            size = os.fstat(descriptor).st_size
            if size != file.size:
                raise transfer.differs(file, f"{size:,} bytes are stored, {file.size:,} were announced")
            yield descriptor

    def check(self, file: File) -> None:
        """Raises as `chunks` where the content is not there in its size."""
        with self._content(file):
            pass

    def chunks(self, file: File, offset: int) -> Iterator[memoryview]:
        """A content from ``offset`` on, unverified; each piece is valid until the next is asked for.

        Raises `Refused` ("ContentDiffers"), `Unavailable` ("ContentMissing", and as `manifest`).
        """
        with self._content(file) as descriptor:
            buffer = memoryview(bytearray(min(manifests.BUFFER, file.size + 1)))
            while count := os.preadv(descriptor, [buffer], offset):
                yield buffer[:count]
                offset += count

    def files(self, kind: str) -> Iterator[tuple[Path, os.stat_result]]:
        """Every file of `BLOBS`, `MANIFESTS` or `INCOMING`."""

        def unreadable(error: OSError) -> None:
            # What cannot be listed may name what is about to be removed.
            if not isinstance(error, FileNotFoundError):
                raise error

        for at, _, names in os.walk(self.root / kind, onerror=unreadable):
            for name in names:
                path = Path(at, name)
                with suppress(FileNotFoundError):
                    yield path, path.lstat()

    # Writing

    @contextmanager
    def incoming(self) -> Iterator[tuple[Path, transfer.Sink]]:
        """A file of its own to write into; gone afterwards unless `place_file` has moved it."""
        path = self.root / INCOMING / token_hex(16)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = reach((path.parent,), lambda: os.open(path, flags, 0o600))
        try:
            yield path, transfer.Sink(descriptor)
        finally:
            os.close(descriptor)
            path.unlink(missing_ok=True)
