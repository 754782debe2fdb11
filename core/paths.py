"""Where things are kept: one `Home` names every file and folder of a person."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

from decentralml.core.errors import Failed, Unavailable


class Home:
    """The folders of one person: all under ``root`` when given, else the XDG folders.

    Folders are made 0700 when first asked for.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root.absolute() if root else None
        if self.root:
            self.config_dir = self.data_dir = self.state_dir = self.root
            self.cache_dir = self.root / "cache"
        else:
            dirs = platformdirs.PlatformDirs("decentralml", appauthor=False)
            self.config_dir = Path(dirs.user_config_dir)
            self.data_dir = Path(dirs.user_data_dir)
            self.state_dir = Path(dirs.user_state_dir)
            self.cache_dir = Path(dirs.user_cache_dir)

    @property
    def config(self) -> Path:
        return self.config_dir / "config.toml"

    @property
    def keymap(self) -> Path:
        return self.config_dir / "keymap.toml"

    @property
    def themes(self) -> Path:
        return self.folder(self.config_dir / "themes")

    @property
    def accounts(self) -> Path:
        """Encrypted JSON files, one an account."""
        return self.folder(self.data_dir / "accounts")

    @property
    def address_book(self) -> Path:
        return self.data_dir / "addressbook.json"

    @property
    def ledger(self) -> Path:
        """The embedded ledger, unless the configuration names another file."""
        return self.data_dir / "ledger" / "ledger.sqlite"

    @property
    def storage(self) -> Path:
        """The local folder store, unless the configuration names another folder."""
        return self.data_dir / "storage"

    @property
    def runs(self) -> Path:
        return self.folder(self.data_dir / "runs")

    @property
    def reports(self) -> Path:
        """Validation reports, by submission."""
        return self.folder(self.data_dir / "reports")

    @property
    def federations(self) -> Path:
        return self.folder(self.data_dir / "federations")

    @property
    def assets(self) -> Path:
        """Downloaded and verified task folders and results, by manifest digest."""
        return self.folder(self.cache_dir / "assets")

    @property
    def mistakes(self) -> Path:
        """Held-out samples that results were wrong about, by submission: never published."""
        return self.folder(self.cache_dir / "mistakes")

    @property
    def environments(self) -> Path:
        """Python environments of tasks, by digest of their requirements."""
        return self.folder(self.cache_dir / "environments")

    @property
    def prepared(self) -> Path:
        """What setup.sh made of tasks, by manifest digest."""
        return self.folder(self.cache_dir / "prepared")

    @property
    def seen(self) -> Path:
        """The last (row, hash) this home saw of each ledger, by genesis."""
        return self.data_dir / "seen.json"

    @property
    def intents(self) -> Path:
        """Signed extrinsics whose outcome is not known yet."""
        return self.folder(self.data_dir / "intents")

    @property
    def drafts(self) -> Path:
        """Decisions that are not signed yet, with their reasons."""
        return self.data_dir / "drafts.json"

    @property
    def ui_state(self) -> Path:
        return self.folder(self.state_dir) / "tui.json"

    @property
    def failures(self) -> Path:
        """What went wrong in the app, a JSON line each."""
        return self.folder(self.state_dir) / "failures.jsonl"

    @property
    def crash(self) -> Path:
        """Where the app broke, when it last did."""
        return self.folder(self.state_dir) / "crash.txt"

    def folder(self, path: Path) -> Path:
        """``path``, made 0700 with its parents where missing. Raises `Unavailable` ("NoHome")."""
        try:
            for missing in reversed([up for up in (path, *path.parents) if not up.exists()]):
                missing.mkdir(mode=0o700, exist_ok=True)  # parents=True would leave parents to the umask
            path.mkdir(exist_ok=True)
        except OSError as error:
            raise Unavailable(
                "NoHome",
                f"The folder {path} cannot be made: {error.strerror}.",
                "Name a folder you may write with --home DIR or DECENTRALML_HOME.",
            ) from error
        return path


def write_atomic(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Replace ``path`` by ``data`` in one step, durable: temporary file, fsync, rename, fsync of the folder.

    Raises `OSError`; what was there before stays then.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_native_id()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """See that what a file holds, or the names in a folder, reach the disk. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def used(path: Path) -> None:
    """Note that ``path``, of the cache, is used now: `home_clean` goes by when that last was."""
    with suppress(OSError):
        os.utime(path)


def lock_folder(path: Path) -> int | None:
    """The descriptor of a folder, locked until it is closed; None where another has it, or none is there."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """One writer of ``path`` at a time, over processes and threads: read, change and replace it within.

    The lock is a file beside it, as ``path`` itself is replaced. An `OSError` within comes out as `Failed`
    ("CannotWrite"), which says that nothing was changed: the step that changes something comes last.
    """
    try:
        lock = os.open(
            path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
    except OSError as error:
        raise Failed(
            "CannotWrite",
            f"{path} cannot be written: {error.strerror}.",
            "Nothing was changed. Make room, or see to the permissions, and try again.",
        ) from error
