"""The ledger's file: many processes and people, its clock, its faucet, and what can be wrong with it."""

import multiprocessing
import os
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from decentralml.core.chain import database, rules
from decentralml.core.chain.base import Chain, TaskQuery
from decentralml.core.chain.calls import AssignTask, CreateTask
from decentralml.core.chain.connect import connect
from decentralml.core.chain.ledger import Ledger, create
from decentralml.core.errors import DecentralMLError, Failed, Misused, Refused, Unavailable
from decentralml.core.paths import Home

RICH = 10**15


def code(work: Callable[[], object]) -> str:
    """The code of the error that ``work`` raises."""
    with pytest.raises(DecentralMLError) as caught:
        work()
    assert caught.value.message
    assert caught.value.hint
    return caught.value.code


def forked(work: Callable[[], str], user: int | None = None, group: int | None = None) -> str:
    """What ``work`` returns in a child process, as another user where this one is root."""
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        answer = "crashed"
        try:
            os.close(here)
            if os.geteuid() == 0 and user is not None:
                os.setgroups([])
                os.setgid(user if group is None else group)
                os.setuid(user)
            answer = work()
        except DecentralMLError as error:
            answer = error.code
        finally:
            os.write(there, answer.encode())
            os._exit(0)
    os.close(there)
    with os.fdopen(here) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return answer


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can reach, unlike pytest's."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


# Many at once.


def _race(path: Path, clock: Any, who: Any, barrier: Any, answers: Any) -> None:
    ledger = Ledger(path, now=clock, patience=60)
    extrinsic = ledger.sign(AssignTask(1), who)
    barrier.wait(60)
    try:
        ledger.submit(extrinsic)
        answers.put("taken")
    except Refused as refused:
        answers.put(refused.code)
    ledger.close()


def test_of_ten_processes_at_the_last_slot_one_gets_it(
    path: Path, ledger: Ledger, key: Any, clock: Any, terms: Any
) -> None:
    workers = [key(f"worker {number}") for number in range(10)]
    for who in (key("creator"), *workers):
        ledger.fund(who.address, RICH)
    ledger.submit(ledger.sign(CreateTask(terms(max_assignments=1)), key("creator")))
    fork = multiprocessing.get_context("fork")
    barrier, answers = fork.Barrier(10), fork.Queue()
    racers = [fork.Process(target=_race, args=(path, clock, who, barrier, answers)) for who in workers]
    for racer in racers:
        racer.start()
    found = sorted(answers.get(timeout=60) for _ in racers)
    for racer in racers:
        racer.join(60)
    assert found == ["TaskFull"] * 9 + ["taken"]
    assert ledger.task(1).live == 1
    assert ledger.verify().ok


def test_threads_share_a_ledger(ledger: Ledger, key: Any, terms: Any) -> None:
    keys = [key(f"thread {number}") for number in range(6)]
    for who in keys:
        ledger.fund(who.address, RICH)
    errors: list[BaseException] = []

    def work(who: Any) -> None:
        try:
            for _ in range(10):
                ledger.submit(ledger.sign(CreateTask(terms()), who))
                assert ledger.tasks(TaskQuery(creator=who.address)).total
                ledger.head()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(who,)) for who in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert ledger.tasks(TaskQuery()).total == 60
    assert ledger.verify().ok


def test_a_row_that_others_add_during_a_read_is_not_missed(path: Path, key: Any, clock: Any) -> None:
    adding: list[Callable[[], object]] = []

    def now() -> float:
        while adding:
            adding.pop()()
        return float(clock())

    ledger = Ledger(path, now=now)
    ledger.fund(key("anna").address, RICH)
    # The clock is asked once the snapshot is taken, and before that is held against what was seen.
    adding.append(lambda: ledger.fund(key("ben").address, RICH))
    assert ledger.rows() == 1
    assert ledger.rows() == 2
    ledger.close()


def test_a_view_stays_as_it_was_while_others_write(path: Path, ledger: Ledger, key: Any, clock: Any) -> None:
    other = Ledger(path, now=clock)
    with ledger.view() as view:
        assert view.balance(key("anna").address).free == 0
        other.fund(key("anna").address, RICH)
        assert view.balance(key("anna").address).free == 0
    assert ledger.balance(key("anna").address).free == RICH
    other.close()


def test_a_batch_is_included_whole_or_not_at_all(ledger: Ledger, key: Any, terms: Any) -> None:
    anna = key("anna")
    ledger.fund(anna.address, RICH)
    calls = [CreateTask(terms(question=f"{number}?")) for number in range(5)]
    batch = ledger.sign_many([*calls, CreateTask(terms(question=""))], anna)
    assert code(lambda: ledger.submit_many(batch)) == "QuestionEmpty"
    assert ledger.tasks(TaskQuery()).total == 0
    receipts = ledger.submit_many(batch[:5])
    assert [receipt.task_id for receipt in receipts] == [1, 2, 3, 4, 5]
    assert ledger.verify().ok


def test_what_check_says_of_a_snapshot_is_what_submit_does(ledger: Ledger, key: Any, terms: Any) -> None:
    ledger.fund(key("creator").address, RICH)
    ledger.submit(ledger.sign(CreateTask(terms()), key("creator")))
    with ledger.view() as view:
        refusal = rules.check(view, "assign_task", key("anna").address, task_id=1)
    assert refusal is not None
    assert refusal.code == code(lambda: ledger.submit(ledger.sign(AssignTask(1), key("anna"))))


# The clock.


def test_the_block_follows_the_clock_and_never_falls(ledger: Ledger, key: Any, clock: Any) -> None:
    assert ledger.head().block == 0
    clock.advance(7)
    assert (ledger.head().block, ledger.head().time) == (7, clock.time)
    ledger.fund(key("anna").address, RICH)
    clock.advance(-1)
    assert ledger.head().block == 7
    assert ledger.fund(key("anna").address, RICH).block == 7


def test_a_ledger_ahead_of_the_clock_is_refused_for_reading_too(
    path: Path, ledger: Ledger, key: Any, clock: Any
) -> None:
    clock.advance(10)
    ledger.fund(key("anna").address, RICH)
    clock.advance(-2)
    assert code(ledger.head) == "ClockBehind"
    assert code(lambda: ledger.fund(key("anna").address, RICH)) == "ClockBehind"
    assert code(lambda: Ledger(path, now=clock)) == "ClockBehind"
    clock.advance(1)
    assert ledger.head().block == 10


# The faucet.


@pytest.mark.parametrize("amount", [0, -1, 10**9 - 1, 2**128])
def test_a_grant_of_a_bad_amount_is_refused(ledger: Ledger, key: Any, amount: int) -> None:
    assert code(lambda: ledger.fund(key("anna").address, amount)) in ("BadGrant", "NotEncodable")
    assert ledger.total_issuance() == 0


def test_a_grant_is_a_signed_row_that_everyone_can_check(ledger: Ledger, key: Any) -> None:
    receipt = ledger.fund(key("anna").address, RICH)
    assert (receipt.call, receipt.events[0].name, receipt.events[0].account) == (
        "fund",
        "Funded",
        key("anna").address,
    )
    assert ledger.receipt(receipt.extrinsic_hash) == receipt
    assert [line.free for line in ledger.statement(key("anna").address)] == [RICH]
    assert ledger.verify().ok


def test_a_grant_to_no_address_is_refused(ledger: Ledger) -> None:
    assert code(lambda: ledger.fund("nobody", RICH)) == "BadAddress"


def test_only_the_faucets_key_grants(tmp_path: Path, key: Any, clock: Any) -> None:
    path = tmp_path / "ledger.sqlite"
    create(path, faucet=key("bank").address, now=clock)
    ledger = Ledger(path, now=clock)
    assert code(lambda: ledger.fund(key("anna").address, RICH)) == "NotTheFaucet"
    assert code(lambda: ledger.fund(key("anna").address, RICH, key("anna"))) == "NotTheFaucet"
    ledger.fund(key("anna").address, RICH, key("bank"))
    assert ledger.verify().ok
    ledger.close()


def test_a_ledger_without_a_faucet_grants_nothing(tmp_path: Path, key: Any, clock: Any) -> None:
    path = tmp_path / "ledger.sqlite"
    create(path, faucet="none", now=clock)
    ledger = Ledger(path, now=clock)
    assert code(lambda: ledger.fund(key("anna").address, RICH, key("anna"))) == "NoFaucet"
    ledger.close()


# Making and finding one.


def test_a_ledger_is_made_once(path: Path, ledger: Ledger, clock: Any) -> None:
    assert code(lambda: create(path, now=clock)) == "LedgerExists"
    create(path, now=clock, exist_ok=True)
    other = Ledger(path, now=clock)
    assert other.genesis == ledger.genesis
    other.close()
    assert [file.name for file in path.parent.glob("*.tmp")] == []


@pytest.mark.parametrize("period", ["block_time", "work_period", "review_period"])
@pytest.mark.parametrize("length", [0, -1, 2**32])
def test_a_period_of_no_length_is_refused(tmp_path: Path, period: str, length: int) -> None:
    assert code(lambda: create(tmp_path / "l", **{period: length})) == "BadPeriod"  # type: ignore[arg-type]


def test_a_faucet_that_is_no_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misused):
        create(tmp_path / "l", faucet="somebody")


def test_local_is_the_homes_own_ledger_made_where_missing(home: Home, tmp_path: Path) -> None:
    first = connect("local", home)
    again = connect("local", home)
    shared = connect(f"local:{home.ledger}", home)
    assert first.genesis == again.genesis == shared.genesis
    for chain in (first, again, shared):
        assert isinstance(chain, Chain)
        chain.close()
    assert code(lambda: connect(f"local:{tmp_path / 'missing'}", home)) == "NoLedger"
    assert code(lambda: connect("local:", home)) == "BadChain"
    assert code(lambda: connect(f"local:{tmp_path}", home)) == "BadChain", "a folder"
    assert code(lambda: connect("ipx://there", home)) == "UnknownChain"


def test_folder_and_files_are_set_for_the_group_whatever_the_umask(tmp_path: Path, key: Any) -> None:
    before = os.umask(0o077)
    try:
        path = tmp_path / "shared" / "ledger.sqlite"
        create(path)
        ledger = Ledger(path)
        ledger.fund(key("anna").address, RICH)
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o2770
        files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        ledger.close()
    finally:
        os.umask(before)
    assert files == dict.fromkeys(("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"), 0o660)


def test_two_users_of_a_group_take_turns(open_folder: Path, key: Any) -> None:
    group, one, two = 54321, 54322, 54323
    folder = open_folder / "shared"
    folder.mkdir()
    if os.geteuid() == 0:
        os.chown(folder, one, group)
    folder.chmod(0o2770)
    path = folder / "ledger.sqlite"

    def use(name: str) -> str:
        os.umask(0o077)
        create(path, exist_ok=True)
        ledger = Ledger(path)
        ledger.fund(key(name).address, RICH)
        free = ledger.balance(key("anna").address).free
        ledger.close()
        return str(free // RICH)

    answers = [forked(lambda: use("anna"), user, group) for user in (one, two, one)]
    assert answers == ["1", "2", "3"]


def test_somebody_outside_the_group_is_told(open_folder: Path) -> None:
    path = open_folder / "shared" / "ledger.sqlite"
    create(path)
    if os.geteuid() != 0:
        path.parent.chmod(0)
    answer = forked(lambda: Ledger(path).name, 54322)
    path.parent.chmod(0o2770)
    assert answer == "LedgerUnreachable"


# What can be wrong with the file.


def test_a_ledger_of_a_newer_version_is_refused_in_words(path: Path, clock: Any) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(Unavailable, match="version 2; this program knows up to 1") as caught:
        Ledger(path, now=clock)
    assert caught.value.code == "LedgerTooNew"


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


def test_a_locked_ledger_can_be_read_and_says_so_to_writers(
    path: Path, key: Any, clock: Any, ledger: Ledger
) -> None:
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
    assert raised.value.code == "LedgerIO" or "Reading needs" in raised.value.hint
    rows = ledger.rows()
    tasks = ledger.tasks(TaskQuery()).total
    assert rows == tasks + 1
    assert ledger.verify().ok
    ledger.close()


def test_a_ledger_that_cannot_be_completed_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"

    def make() -> str:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        create(path)
        return "made"

    assert forked(make) in ("DiskFull", "LedgerIO")
    assert list(tmp_path.iterdir()) == []


# What a home has seen.


def test_an_unreadable_memory_is_refused(path: Path, tmp_path: Path, clock: Any) -> None:
    seen = tmp_path / "seen.json"
    seen.write_text("{")
    assert code(lambda: Ledger(path, seen=seen, now=clock)) == "SeenUnreadable"


def test_the_memory_only_moves_forward(path: Path, tmp_path: Path, clock: Any, key: Any) -> None:
    seen = tmp_path / "seen.json"
    one, two = (Ledger(path, seen=seen, now=clock) for _ in range(2))
    one.fund(key("anna").address, RICH)
    one.fund(key("anna").address, RICH)
    one.close()
    after = seen.read_bytes()
    assert b'"row":2' in after
    two.close()
    assert seen.read_bytes() == after


def test_another_chain_in_a_known_place_is_refused(path: Path, tmp_path: Path, clock: Any) -> None:
    seen = tmp_path / "seen.json"
    Ledger(path, seen=seen, now=clock).close()
    path.unlink()
    create(path, now=clock)
    assert code(lambda: Ledger(path, seen=seen, now=clock)) == "LedgerReplaced"
    path.unlink()
    create(path, now=clock, seen=seen)
    Ledger(path, seen=seen, now=clock).close()


def test_a_home_whose_ledger_is_gone_makes_no_other_by_itself(home: Home) -> None:
    connect("local", home).close()
    home.ledger.unlink()
    assert code(lambda: connect("local", home)) == "LedgerGone"
    assert not home.ledger.exists()


# Where it lies.

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
