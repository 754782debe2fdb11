"""What is wrong with a ledger's file, its disk or its place is said in words, and nothing is left half."""

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from decentralml.core.chain import database
from decentralml.core.chain.base import TaskQuery
from decentralml.core.chain.calls import CreateTask
from decentralml.core.chain.ledger import Ledger, create
from decentralml.core.errors import DecentralMLError, Failed, Unavailable

from .conftest import code, forked

RICH = 10**15


def test_a_ledger_of_a_newer_version_is_refused_in_words(path: Path, clock: Any) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(Unavailable, match="version 2; this program knows up to 1") as caught:
        Ledger(path, now=clock)
    assert caught.value.code == "LedgerTooNew"


def test_an_index_that_an_earlier_ledger_lacks_is_made_and_where_it_may_not_be_the_ledger_is_read(
    path: Path, clock: Any
) -> None:
    def indexes() -> set[str]:
        with sqlite3.connect(path) as connection:
            found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        connection.close()
        return found

    before = indexes()
    connection = sqlite3.connect(path)
    connection.execute("DROP INDEX submissions_held")
    connection.close()
    with sqlite3.connect(path) as holding:
        holding.execute("BEGIN IMMEDIATE")
        ledger = Ledger(path, now=clock, patience=0.0)
        assert ledger.tasks(TaskQuery(obtainable=True, limit=1)).total == 0
        ledger.close()
        holding.rollback()
    holding.close()
    assert indexes() == before - {"submissions_held"}
    Ledger(path, now=clock).close()
    assert indexes() == before


@pytest.mark.parametrize(
    "change", ["DROP INDEX submissions_once", "CREATE INDEX more ON tasks (id)", "DROP TABLE movements"]
)
def test_a_ledger_that_promises_less_or_holds_more_is_refused(path: Path, clock: Any, change: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(change)
    connection.close()
    assert code(lambda: Ledger(path, now=clock)) == "LedgerDamaged"


@pytest.mark.parametrize("content", [b"", b"hello", b"SQLite format 3\0" + b"x" * 5000])
def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(content)
    assert code(lambda: Ledger(path)) in ("NotALedger", "LedgerDamaged")
    assert path.read_bytes() == content


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (id)")
    connection.close()
    assert code(lambda: Ledger(path)) == "NotALedger"


def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    assert code(lambda: Ledger(tmp_path)) == "LedgerUnreachable"


def test_a_file_cut_off_is_a_damaged_ledger(played: Any, tmp_path: Path) -> None:
    path = Path(shutil.copy(played[0], tmp_path / "ledger.sqlite"))
    size = path.stat().st_size
    for kept in (size // 2, 5000, 4096):
        shutil.copy(played[0], path)
        os.truncate(path, kept)

        def read() -> None:
            ledger = Ledger(path, now=played[1])
            try:
                ledger.tasks(TaskQuery())
                report = ledger.verify()
                assert not report.ok
                raise Failed("LedgerDamaged", str(report.why), "-")
            finally:
                ledger.close()

        assert code(read) == "LedgerDamaged", kept


def test_a_locked_ledger_can_be_read_and_says_so_to_writers(path: Path, key: Any, clock: Any) -> None:
    other = Ledger(path, now=clock, patience=0.05)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert other.head().block == 0
    assert code(lambda: other.fund(key("anna").address, RICH)) == "LedgerLocked"
    holder.execute("ROLLBACK")
    other.fund(key("anna").address, RICH)
    holder.close()
    other.close()


def test_a_ledger_held_by_one_process_alone_is_locked(path: Path, clock: Any) -> None:
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN IMMEDIATE")
    holder.execute("PRAGMA user_version = 1")
    assert forked(lambda: Ledger(path, now=clock, patience=0.05).name) == "LedgerLocked"
    holder.close()


def test_a_ledger_that_may_not_be_written_says_so(open_folder: Path, key: Any) -> None:
    path = open_folder / "shared" / "ledger.sqlite"
    create(path)
    path.parent.chmod(0o555)
    path.chmod(0o444)

    def write() -> str:
        ledger = Ledger(path)
        ledger.fund(key("anna").address, RICH)
        return "written"

    answer = forked(write, 54322)
    path.parent.chmod(0o700)
    assert answer == "LedgerReadOnly"


def test_a_write_cut_short_leaves_nothing_half(path: Path, ledger: Ledger, key: Any, clock: Any) -> None:
    ledger.fund(key("anna").address, RICH)

    def write() -> str:
        own = Ledger(path, now=clock)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        size = path.with_name(path.name + "-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 6000, size + 6000))
        own.fund(key("ben").address, RICH)
        return "written"

    assert forked(write) in ("DiskFull", "LedgerIO")
    assert ledger.balance(key("ben").address).free == 0
    assert ledger.verify().ok
    ledger.fund(key("ben").address, RICH)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own with little room, where root may make one; else one with a limit."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(command, check=False).returncode == 0
    if not mounted:
        resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    yield folder
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)
    else:
        whole = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (whole, whole))


def test_a_full_disk_is_said_and_leaves_nothing_half(small_disk: Path, key: Any, terms: Any) -> None:
    path = small_disk / "ledger" / "ledger.sqlite"
    create(path)
    ledger = Ledger(path)
    ledger.fund(key("anna").address, RICH)

    def fill() -> None:
        for _ in range(1000):
            ledger.submit(ledger.sign(CreateTask(terms(question="x" * 2000)), key("anna")))

    with pytest.raises(DecentralMLError) as raised:
        fill()
    assert raised.value.code in ("DiskFull", "LedgerIO")
    rows = ledger.last_cursor()
    tasks = ledger.tasks(TaskQuery()).total
    assert rows == tasks + 1
    assert ledger.verify().ok
    ledger.close()


def fill(disk: Path) -> Path:
    """A file that takes all the room that ``disk`` has left."""
    with suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return disk / "filler"


def test_a_full_disk_is_read_from_until_there_is_room_again(small_disk: Path, key: Any) -> None:
    if not small_disk.is_mount():
        pytest.skip("only root can make a disk and fill it")
    path, anna, ben = small_disk / "ledger" / "ledger.sqlite", key("anna").address, key("ben").address
    create(path)
    with closing(Ledger(path)) as ledger:
        ledger.fund(anna, RICH)
    filler = fill(small_disk)
    with closing(Ledger(path)) as ledger:
        assert (ledger.balance(anna).free, ledger.last_cursor()) == (RICH, 1)
        assert ledger.verify().ok
        assert code(lambda: ledger.fund(ben, RICH)) == "DiskFull"
        filler.unlink()
        with closing(Ledger(path)) as other:
            other.fund(ben, RICH)
        assert (ledger.balance(ben).free, ledger.last_cursor()) == (RICH, 2)


def test_what_a_crash_left_beside_a_ledger_is_not_passed_over_on_a_full_disk(small_disk: Path) -> None:
    if not small_disk.is_mount():
        pytest.skip("only root can make a disk and fill it")
    path = small_disk / "ledger.sqlite"
    create(path)
    path.with_name("ledger.sqlite-wal").write_bytes(bytes(4096))
    fill(small_disk)
    assert code(lambda: Ledger(path)) == "DiskFull"


def test_a_ledger_that_cannot_be_completed_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"

    def make() -> str:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        create(path)
        return "made"

    assert forked(make) in ("DiskFull", "LedgerIO")
    assert list(tmp_path.iterdir()) == []


MOUNTS = r"""22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:40 / /home rw shared:1 - nfs4 server:/home rw
31 30 0:41 / /home/with\040space rw - ext4 /dev/vdb rw
32 22 0:42 / /mnt rw master:2 - fuse.sshfs me@there: rw
33 22 0:43 / /mnt rw - ext4 /dev/vdc rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"),
        ("/homes", "ext4"),
        ("/home/anna", "nfs4"),
        ("/home/with space/x", "ext4"),
        ("/mnt/x", "ext4"),
    ],
)
def test_the_file_system_of_a_folder_is_the_deepest_and_last_mount(folder: str, kind: str) -> None:
    assert database.file_system(Path(folder), MOUNTS) == kind


def test_network_file_systems_are_known() -> None:
    assert {"nfs", "nfs4", "cifs", "fuse.sshfs", "9p"} <= database.NETWORK_FILE_SYSTEMS
