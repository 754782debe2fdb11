"""A folder on this machine that several people may share: every content once, under its SHA-256."""

import fcntl
import hashlib
from collections.abc import Callable
from pathlib import Path

from decentralml.core.domain import StorageType, manifest_digest
from decentralml.core.errors import Refused, Unavailable
from decentralml.core.storage import download, transfer
from decentralml.core.storage import manifest as manifests
from decentralml.core.storage.base import Cancelled, Caps, File, Manifest, OnProgress, Storage
from decentralml.core.storage.shared import make_folder, place_file, sync_folders
from decentralml.core.storage.store import READING, Store
from decentralml.core.storage.transfer import Meter
from decentralml.core.text import short

SCHEME = "local:"


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
    """The storage in the folder ``root``, which `store` lays out and `upkeep` keeps in order.

    Safe for many processes of many users of the folder's group.
    """

    type = StorageType.Local

    def __init__(self, root: Path) -> None:
        self.store = Store(root)

    @property
    def root(self) -> Path:
        return self.store.root

    def put(
        self, folder: Path, *, on_progress: OnProgress | None = None, cancelled: Cancelled | None = None
    ) -> str:
        """See `Storage.put`. Raises also `Unavailable` ("NoStorage", "StorageDenied")."""
        with manifests.opened(folder) as source:
            entries = manifests.entries(source)
            with self.store.reported("storing"), self.store.locked(fcntl.LOCK_SH):
                files = transfer.run(
                    [self._storing(source, entry) for entry in entries],
                    sum(entry.size for entry in entries),
                    on_progress=on_progress,
                    cancelled=cancelled,
                )
                # Their folders reach the disk before the manifest does: it is there only with all it names.
                sync_folders({self.store.blob(file.sha256) for file in files})
                return reference(self._store_manifest(Manifest(tuple(files))))

    def manifest(self, reference: str) -> Manifest:
        """See `Storage.manifest`. Raises `Refused` ("BadReference", "OtherStorage", "ContentDiffers",
        "BadManifest"), `Unavailable` ("NoStorage", "NotStored", "StorageDenied", "StorageUnreadable").
        """
        digest = manifest_digest(reference)
        if reference != SCHEME + f"#sha256={digest}":
            raise Refused(
                "OtherStorage",
                f"{short(reference, 80)} is none of a local storage: they are {SCHEME}#sha256= and a digest.",
                "Give the reference as `storage put` printed it, or name its storage with --storage.",
            )
        return self.store.manifest(digest)

    def renew(self, reference: str) -> None:
        manifest = self.manifest(reference)
        with self.store.reported("storing"), self.store.locked(fcntl.LOCK_SH):
            for file in manifest.files:
                self.store.check(file)
            self._store_manifest(manifest)

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
            self.store.chunks,
            check=self.store.check,
            caps=caps,
            on_progress=on_progress,
            cancelled=cancelled,
        )
        return manifest

    def verify(self, reference: str, *, on_progress: OnProgress | None = None) -> Manifest:
        manifest = self.manifest(reference)

        def checking(file: File) -> Callable[[Meter], None]:
            return lambda meter: transfer.checked(file, self.store.chunks, meter)

        with self.store.reported(READING):
            transfer.run(
                [checking(file) for file in manifest.files],
                manifest.size,
                on_progress=on_progress,
            )
        return manifest

    # Uploading

    def _storing(self, source: int, entry: manifests.Entry) -> Callable[[Meter], File]:
        """The job that stores one file of the open folder ``source``, hashed as it is copied."""

        def job(meter: Meter) -> File:
            with self.store.incoming() as (path, sink):

                def take(piece: memoryview) -> None:
                    sink.write(piece)
                    meter.moved(len(piece), entry.name)

                file = manifests.read_file(source, entry, take)
                if not self._has(file, meter):
                    place_file(path, sink, self.store.blob(file.sha256))
                return file

        return job

    def _has(self, file: File, meter: Meter) -> bool:
        """Whether the content is stored already, and right: it is hashed again before it is trusted."""
        hasher = hashlib.sha256()
        try:
            for piece in self.store.chunks(file, 0):
                hasher.update(piece)
                meter.moved(0, file.name)
        except (Refused, Unavailable):
            return False
        return hasher.hexdigest() == file.sha256

    def _store_manifest(self, manifest: Manifest) -> str:
        data = manifests.encode(manifest)
        digest = hashlib.sha256(data).hexdigest()
        place = self.store.manifest_file(digest)
        with self.store.incoming() as (path, sink):
            sink.write(data)
            # Anew where it is there already: `gc` goes by its age.
            place_file(path, sink, place)
        sync_folders({place})
        return digest
