"""Signed calls a second, and a page of 100,000 tasks, each beside a control on the same disk."""

import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import sr25519

from decentralml.core.chain import schema
from decentralml.core.chain.base import TaskQuery
from decentralml.core.chain.calls import AssignTask, Call, CreateTask
from decentralml.core.chain.ledger import Ledger, create
from decentralml.core.domain import StorageType, Task, TaskStatus, TaskType, Terms, ValidationStrategy
from decentralml.core.signing import Crypto, encode_address

BATCH = 500
CALLS = 4000
TASKS = 100_000


class Key:
    crypto = Crypto.sr25519

    def __init__(self, seed: int) -> None:
        self.pair = sr25519.pair_from_seed(seed.to_bytes(32, "big"))
        self.address = encode_address(self.pair[0])

    def sign(self, message: bytes) -> bytes:
        return bytes(sr25519.sign(self.pair, message))


def terms(number: int = 0) -> Terms:
    return Terms(
        task_type=list(TaskType)[number % 3],
        question=f"Which digits are these, in the {number * 7919 % TASKS}th set of images of the archive?",
        pays_amount=10**9 + number * 104_729_000_003 % 10**12,
        expiration_block=1000 + number % 5000,
        max_assignments=1 + number % 1000,
        validation_strategy=ValidationStrategy.ManualAccept,
        model_contributor_script_path="local:#sha256=" + "a" * 64,
        model_contributor_script_storage_type=StorageType.Local,
        annotation_type=None,
        model_engineer_path="local:#sha256=" + "a" * 64,
        model_engineer_storage_type=StorageType.Local,
    )


def calls_per_second(folder: Path) -> None:
    create(folder / "calls.sqlite")
    ledger = Ledger(folder / "calls.sqlite", seen=folder / "seen.json")
    creator, worker = Key(1), Key(2)
    for key in (creator, worker):
        ledger.fund(key.address, 10**24)
    whole = [CreateTask(terms(1))] * CALLS
    taken: list[Call] = [AssignTask(1 + number) for number in range(CALLS)]

    def batches(calls: list[Call], key: Key) -> None:
        for start in range(0, len(calls), BATCH):
            ledger.submit_many(ledger.sign_many(calls[start : start + BATCH], key))

    def one_by_one(calls: list[Call], key: Key) -> None:
        for call in calls:
            ledger.submit(ledger.sign(call, key))

    half = CALLS // 2
    _rate("create_task, batches of 500", CALLS, lambda: batches(list(whole), creator))
    _rate("assign_task, batches of 500", half, lambda: batches(taken[:half], worker))
    _rate("assign_task, one durable commit a call", half, lambda: one_by_one(taken[half:], worker))
    _rate("create_task, one durable commit a call", half, lambda: one_by_one(list(whole[:half]), creator))
    start = time.perf_counter()
    report = ledger.verify()
    assert report.ok
    print(f"  {'verify':45} {report.rows / (time.perf_counter() - start):10,.0f} rows/s")
    ledger.close()

    control = sqlite3.connect(folder / "control.sqlite", isolation_level=None)
    control.execute("PRAGMA journal_mode = WAL")
    control.execute("PRAGMA synchronous = FULL")
    control.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, body BLOB)")
    body = os.urandom(1500)

    def inserts() -> None:
        for _ in range(CALLS):
            control.execute("INSERT INTO rows (body) VALUES (?)", (body,))

    _rate("control: bare insert and commit", CALLS, inserts)
    control.close()


def pages(folder: Path) -> None:
    path = folder / "pages.sqlite"
    create(path)
    creators = [Key(number).address for number in range(10, 60)]
    tasks = [
        Task(id=n, creator=creators[n % 50], terms=terms(n), created=0, live=n % 2, accepted=n % 3 % 2)
        for n in range(1, TASKS + 1)
    ]
    connection = sqlite3.connect(path)
    marks = ", ".join("?" * len(schema.task_row(tasks[0])))
    connection.executemany(f"INSERT INTO tasks VALUES ({marks})", map(schema.task_row, tasks))
    connection.executemany("INSERT INTO terms VALUES (?, ?)", map(schema.terms_row, tasks))
    connection.commit()
    connection.close()
    ledger = Ledger(path)
    half = 5 * 10**11
    some = TaskQuery(takeable=True, pays_min=half, task_type=TaskType.ModelContributor, order="pays")
    for name, query in {
        "newest first": TaskQuery(),
        "last page, newest first": TaskQuery(offset=TASKS - 100),
        "takeable contributor's above 0.5, by pay": some,
        "by expiry, soonest first, takeable": TaskQuery(takeable=True, order="expires", descending=False),
        "by free slots, in progress": TaskQuery(status=TaskStatus.InProgress, order="slots"),
        "by question, last page": TaskQuery(order="question", offset=TASKS - 100),
        "one creator's, by pay": TaskQuery(creator=creators[7], order="pays"),
        "text, by pay": TaskQuery(text="77th set", order="pays"),
        "text that one has, by pay": TaskQuery(text="the 52177th", order="pays"),
        "text that all have, last page by pay": TaskQuery(text="archive", order="pays", offset=TASKS - 100),
        "nothing matches": TaskQuery(pays_min=10**20, slots_min=3, order="question"),
    }.items():
        _latency(name, lambda query=query: ledger.tasks(query).total)
    _latency("head", lambda: ledger.head().block)
    _latency("one task", lambda: ledger.task(TASKS // 2).id)
    ledger.close()

    control = sqlite3.connect(path)
    _latency(
        "control: bare scan of the table",
        lambda: len(control.execute("SELECT id, pays FROM tasks").fetchall()),
    )
    control.close()


def _rate(name: str, count: int, work: Callable[[], None]) -> None:
    start = time.perf_counter()
    work()
    print(f"  {name:45} {count / (time.perf_counter() - start):10,.0f} calls/s")


def _latency(name: str, read: Callable[[], int]) -> None:
    found, times = read(), []
    for _ in range(9):
        start = time.perf_counter()
        read()
        times.append(time.perf_counter() - start)
    print(f"  {name:45} {statistics.median(times) * 1000:10.2f} ms  ({found:,})")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        print("Ledger: signed calls (goal: 2,000/s in batches, 1,000/s at one durable commit a call)")
        calls_per_second(Path(folder))
        print(f"Ledger: a page of {TASKS:,} tasks with its total (goal: 50 ms)")
        pages(Path(folder))


if __name__ == "__main__":
    main()
