"""What every storage offers: a folder goes up, a reference comes back. Each passes tests/conformance."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from decentralml.core.domain import StorageType

# As long as any reference of the local store: what the rules refuse is refused before the upload.
STAND_IN = "local:#sha256=" + "0" * 64


class Progress(Struct, frozen=True):
    """Where a transfer stands: bytes done of bytes in all, bytes a second, seconds to go (None: unknown)."""

    done: int
    total: int
    rate: float
    eta: float | None
    name: str


OnProgress = Callable[[Progress], None]
Cancelled = Callable[[], bool]


class File(Struct, frozen=True):
    """One file of a manifest: name relative to the folder with ``/``, size in bytes, hex SHA-256."""

    name: str
    size: int
    sha256: str
    executable: bool = False


class Manifest(Struct, frozen=True):
    """Every file of a folder, sorted by name. Its canonical bytes are what a reference's digest is over."""

    files: tuple[File, ...]

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(file.size for file in self.files)


class Caps(Struct, frozen=True):
    """The most a download may bring: files, bytes in all, bytes a name may have."""

    files: int = 10_000
    size: int = 20 * 2**30
    name: int = 255


class Storage(ABC):
    """A place for folders, named by what is in them."""

    type: StorageType

    @abstractmethod
    def put(
        self, folder: Path, *, on_progress: OnProgress | None = None, cancelled: Cancelled | None = None
    ) -> str:
        """Upload ``folder``; files the storage has already are not sent again. Returns the reference.

        Raises `Refused` for links, devices and unsafe names, `Failed` when the transfer breaks.
        """

    @abstractmethod
    def manifest(self, reference: str) -> Manifest:
        """The verified manifest of a reference: names, sizes, digests; none of the files."""

    @abstractmethod
    def renew(self, reference: str) -> None:
        """See that all of a reference is stored, and stays as long as if it had just been uploaded.

        Raises like `put`, and where some of it is missing like `get`.
        """

    @abstractmethod
    def get(
        self,
        reference: str,
        destination: Path,
        *,
        caps: Caps = Caps(),  # noqa: B008
        on_progress: OnProgress | None = None,
        cancelled: Cancelled | None = None,
    ) -> Manifest:
        """Download into ``destination``, which appears only when whole and verified.

        What is there already is hashed again before it is trusted; a broken transfer resumes.
        Raises `Refused` when content and digest differ or a cap is passed, `Failed` when it breaks.
        """

    @abstractmethod
    def verify(self, reference: str, *, on_progress: OnProgress | None = None) -> Manifest:
        """Read every byte of a reference and compare; raises like `get`."""
