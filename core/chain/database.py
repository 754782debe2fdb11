"""SQLite for the ledger: connections for many threads and processes, and its errors in words."""

import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from decentralml.core.chain import schema
from decentralml.core.errors import DecentralMLError, Failed, Refused, Unavailable

FILE_MODE = 0o660
FOLDER_MODE = 0o2770

# SQLite's locks, and the memory its WAL shares, do not reach across machines.
NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "gfs2", "ocfs2"}
    | {"beegfs", "gpfs", "orangefs", "davfs", "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone"}
    | {"fuse.ceph", "fuse.davfs"}
)
_ALMOST_FULL = 64 * 1024

_Part = tuple[str, str, str]
"""Of a schema: type, name, SQL."""


class Database:
    """A pool of connections to one ledger file; a connection serves one thread at a time.

    ``patience``: seconds to wait for another process's lock. A file that is removed or replaced meanwhile is
    still open here, but nobody else's: it is neither read nor written. Raises `Refused` ("LedgerGone",
    "LedgerReplaced") then.
    """

    def __init__(self, path: Path, patience: float) -> None:
        self.path = path
        self.patience = patience
        with translated(path):
            self._file = _identity(path)
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._guard = threading.Lock()
        # Writers of this process queue here rather than poll SQLite's lock.
        self._writing = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a read transaction: one snapshot, which no writer waits for."""
        with translated(self.path), self._reading() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a write transaction: committed durably at the end, or rolled back."""
        with translated(self.path), self._writing, self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                self._check_place()  # it may have gone while another process was waited for
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.rollback()

    def close(self) -> None:
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _check_place(self) -> None:
        """Refuse where the file that was opened is no longer the one at its path."""
        try:
            file = _identity(self.path)
        except FileNotFoundError:
            raise gone(self.path) from None
        if file != self._file:
            raise Refused(
                "LedgerReplaced",
                f"Another file stands at {self.path} than the ledger that was opened.",
                "Ask who keeps the file. Leave and start again to use the one that is there now.",
            )

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read by. Where a full disk has no room for what connections share, and nothing
        waits beside the file to be moved into it, the file alone is read: for once, as it sees no change.
        """
        with ExitStack() as stack:
            try:
                connection = stack.enter_context(self._connection())
            except sqlite3.OperationalError:
                if not (_full(self.path.parent) and _at_rest(self.path)):
                    raise
                alone = connect(self.path, self.patience, "mode=ro&immutable=1")
                connection = stack.enter_context(closing(alone))
            yield connection

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        self._check_place()
        with self._guard:
            if self._closed:
                raise Unavailable("LedgerClosed", "The ledger was closed.", "Open it again.")
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = connect(self.path, self.patience)
        healthy = False
        try:
            yield connection
            healthy = True
        except DecentralMLError:  # A refusal: the connection itself is well.
            healthy = True
            raise
        finally:
            with self._guard:
                keep = healthy and not self._closed
                if keep:
                    self._idle.append(connection)
            if not keep:
                connection.close()


def gone(path: Path) -> Refused:
    """What is said of a ledger that was there before."""
    return Refused(
        "LedgerGone",
        f"The ledger {path} that this home knows is no longer there.",
        "Restore it from a backup, or make a new one with `decentralml chain init`.",
    )


def _identity(path: Path) -> tuple[int, int]:
    """What tells the file at ``path`` from any other, for as long as somebody has it open."""
    found = path.stat()
    return found.st_dev, found.st_ino


def connect(path: Path, patience: float, how: str = "mode=rw") -> sqlite3.Connection:
    """A connection to an existing file, committing durably. Raises `sqlite3.Error`, also where the file
    cannot be read.
    """
    uri = f"{path.absolute().as_uri()}?{how}"
    connection = sqlite3.connect(
        uri, uri=True, timeout=patience, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -4000")  # KiB; each thread that reads has a connection
        connection.execute("PRAGMA wal_autocheckpoint = 4000")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA schema_version")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def check_file(connection: sqlite3.Connection, path: Path) -> list[str]:
    """Refuse a file that is no ledger, or of a version this program does not know; the SQL of those indexes
    that one of an earlier program lacks.

    Raises `Failed` ("LedgerDamaged"), `Unavailable` ("LedgerTooNew").
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != schema.APPLICATION_ID:
        raise _no_ledger(path)
    if version > schema.VERSION:
        raise Unavailable(
            "LedgerTooNew",
            f"The ledger {path} is of version {version}; this program knows up to {schema.VERSION}.",
            "Upgrade decentralml.",
        )
    expected, found = _expected_schema(), _schema_of(connection)
    lacks = expected - found
    if version != schema.VERSION or found - expected or not all(map(_can_be_made, lacks)):
        raise schema.damaged("its tables are not those of a ledger")
    return [sql for _, _, sql in lacks]


def _expected_schema() -> set[_Part]:
    with sqlite3.connect(":memory:") as connection:
        connection.executescript(schema.SCHEMA)
        found = _schema_of(connection)
    connection.close()
    return found


def _schema_of(connection: sqlite3.Connection) -> set[_Part]:
    return set(connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master"))


def _can_be_made(part: _Part) -> bool:
    """Whether it is an index that makes reading quick, and promises nothing."""
    return part[2].startswith("CREATE INDEX ")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's and the system's errors in words. Raises `Unavailable` and `Failed`."""
    try:
        yield
    except sqlite3.Error as error:
        raise _in_words(error, path) from error
    except OSError as error:
        raise _unreachable(path, error.strerror or str(error)) from error


def _no_ledger(path: Path) -> Failed:
    return Failed(
        "NotALedger",
        f"{path} is not a ledger of decentralml.",
        "Name the right file, or make one with `decentralml chain init`.",
    )


def _unreachable(path: Path, why: str) -> Unavailable:
    return Unavailable(
        "LedgerUnreachable",
        f"The ledger {path} cannot be opened: {why}.",
        "Check that its folder and file are yours or your group's: folder 2770, file 0660.",
    )


def _in_words(error: sqlite3.Error, path: Path) -> DecentralMLError:
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if primary == sqlite3.SQLITE_FULL or (
        primary in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and _full(path.parent)
    ):
        return Failed(
            "DiskFull",
            f"The disk of the ledger {path} is full; nothing was written.",
            "Make room on it, then do it again.",
        )
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Unavailable(
            "LedgerLocked",
            f"Another process holds the ledger {path} locked.",
            "Try again in a moment; end the process that holds it if this stays.",
        )
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM) or (
        primary == sqlite3.SQLITE_CANTOPEN and path.exists() and not os.access(path, os.W_OK)
    ):
        return Unavailable(
            "LedgerReadOnly",
            f"The ledger {path} may not be written: {error}.",
            "Check that its folder and file are yours or your group's: folder 2770, file 0660.",
        )
    if primary == sqlite3.SQLITE_CANTOPEN:
        return _unreachable(path, str(error))
    if primary == sqlite3.SQLITE_NOTADB:
        return _no_ledger(path)
    if primary == sqlite3.SQLITE_IOERR:
        return Failed("LedgerIO", f"Reading or writing the ledger {path} failed: {error}.", "Check the disk.")
    return schema.damaged(str(error))


def _at_rest(path: Path) -> bool:
    """Whether all of the ledger is in its file."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size == 0
    except OSError:
        return True


def _full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _ALMOST_FULL
    except OSError:
        return False


def refuse_network_file_system(folder: Path) -> None:
    """Raises `Unavailable` ("NetworkFileSystem") where ``folder`` lies on another machine's disk."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
    except OSError:  # Not Linux: nothing to ask.
        return
    kind = file_system(folder.resolve(), mounts)
    if kind in NETWORK_FILE_SYSTEMS:
        raise Unavailable(
            "NetworkFileSystem",
            f"{folder} lies on a network file system ({kind}), where locks do not hold.",
            "Put the ledger on a local disk, or use a node.",
        )


def file_system(folder: Path, mounts: str) -> str:
    """The type of the file system that holds ``folder``, by the text of ``/proc/self/mountinfo``."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = Path(_unescaped(fields[4]))
        if folder.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), after.split(" ")[0]
    return kind


def _unescaped(text: str) -> str:
    for escape in (r"\040", r"\011", r"\012", r"\134"):
        text = text.replace(escape, chr(int(escape[1:], 8)))
    return text


def exists(path: Path) -> bool:
    """Whether there is a file. Raises `Unavailable` where one may not look."""
    with translated(path):
        try:
            os.stat(path)
        except FileNotFoundError:
            return False
        return True
