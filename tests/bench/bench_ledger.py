"""Signed calls a second, and a page of 100,000 tasks, each beside a control on the same disk.

The ways take turns, and the control is measured twice (an A/A control): where the two differ, the machine is
too busy to tell. Processor time tells more then; the rest of the wall time is waiting, mostly for the disk.
"""

import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count, repeat
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tui"))
sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

from crowd import creators, terms
from named_key import Key

from decentralml.core.chain import schema
from decentralml.core.chain.base import TaskQuery
from decentralml.core.chain.calls import AssignTask, Call, CreateTask
from decentralml.core.chain.ledger import Ledger, create
from decentralml.core.domain import (
    ResultSubmissionStatus,
    Submission,
    Task,
    TaskStatus,
    TaskType,
)

ROUNDS = 7
CALLS = 500  # a round, and in a batch
TASKS = 100_000


def submission(task_id: int, worker: str) -> Submission:
    """A slot that is held; every tenth is overdue."""
    started = -200_000 if task_id % 20 == 1 else 0
    return Submission(
        id=task_id,
        task_id=task_id,
        worker=worker,
        status=ResultSubmissionStatus.Assigned,
        taken=started,
        started=started,
        deposit=1,
    )


def calls_per_second(folder: Path) -> None:
    create(folder / "calls.sqlite")
    ledger = Ledger(folder / "calls.sqlite", seen=folder / "seen.json")
    creator, worker = Key("creator"), Key("worker")
    for key in (creator, worker):
        ledger.fund(key.address, 10**24)
    creates: Iterator[Call] = repeat(CreateTask(terms(1)))
    assigns: Iterator[Call] = map(AssignTask, count(1))
    control = sqlite3.connect(folder / "control.sqlite", isolation_level=None)
    control.execute("PRAGMA journal_mode = WAL")
    control.execute("PRAGMA synchronous = FULL")
    control.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, body BLOB)")
    body = os.urandom(1500)

    def batch(calls: Iterator[Call], key: Key) -> None:
        ledger.submit_many(ledger.sign_many([next(calls) for _ in range(CALLS)], key))

    def one_by_one(calls: Iterator[Call], key: Key) -> None:
        for _ in range(CALLS):
            ledger.submit(ledger.sign(next(calls), key))

    def inserts() -> None:
        for _ in range(CALLS):
            control.execute("INSERT INTO rows (body) VALUES (?)", (body,))

    _rates(
        {
            "create_task, in a batch": lambda: batch(creates, creator),
            "assign_task, in a batch": lambda: batch(assigns, worker),
            "create_task, a durable commit each": lambda: one_by_one(creates, creator),
            "assign_task, a durable commit each": lambda: one_by_one(assigns, worker),
            "control: bare insert, a durable commit each": inserts,
            "control again": inserts,
        }
    )
    control.close()
    start = time.perf_counter()
    report = ledger.verify()
    assert report.ok
    print(f"  {'verify':45} {report.rows / (time.perf_counter() - start):10,.0f} rows/s")
    ledger.close()


def pages(folder: Path) -> None:
    path = folder / "pages.sqlite"
    create(path)
    who = creators()
    tasks = [
        Task(id=n, creator=who[n % 50], terms=terms(n), created=0, live=n % 2, accepted=n % 3 % 2)
        for n in range(1, TASKS + 1)
    ]
    connection = sqlite3.connect(path)
    marks = ", ".join("?" * len(schema.task_row(tasks[0])))
    connection.executemany(f"INSERT INTO tasks VALUES ({marks})", map(schema.task_row, tasks))
    connection.executemany("INSERT INTO terms VALUES (?, ?)", map(schema.terms_row, tasks))
    held = [submission(n, who[(n + 1) % 50]) for n in range(1, TASKS + 1, 2)]
    marks = ", ".join("?" * len(schema.submission_row(held[0], "")))
    rows = (schema.submission_row(one, who[one.task_id % 50]) for one in held)
    connection.executemany(f"INSERT INTO submissions VALUES ({marks})", rows)
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
        "takeable, or once an overdue slot is vacated": TaskQuery(obtainable=True),
        "by free slots, in progress": TaskQuery(status=TaskStatus.InProgress, order="slots"),
        "by question, last page": TaskQuery(order="question", offset=TASKS - 100),
        "one creator's, by pay": TaskQuery(creator=who[7], order="pays"),
        "text, by pay": TaskQuery(text="77th set", order="pays"),
        "text that one has, by pay": TaskQuery(text="the 52177th", order="pays"),
        "text that a tenth has, mid-list by pay": TaskQuery(text="1th", order="pays", offset=TASKS // 20),
        "text that all have, last page by pay": TaskQuery(text="archive", order="pays", offset=TASKS - 100),
        "text that all have, mid-list by question": TaskQuery(
            text="archive", order="question", offset=TASKS // 2
        ),
        "nothing matches": TaskQuery(pays_min=10**20, slots_min=3, order="question"),
    }.items():
        _latency(name, lambda query=query: ledger.tasks(query).total)
    _latency("head", lambda: ledger.head().block)
    _latency("one task", lambda: ledger.task(TASKS // 2).id)
    ledger.close()

    control = sqlite3.connect(path)
    for name in ("control: bare scan of the table", "control again"):
        _latency(name, lambda: len(control.execute("SELECT id, pays FROM tasks").fetchall()))
    control.close()


def _rates(ways: dict[str, Callable[[], None]]) -> None:
    """Medians over the rounds, each way once a round."""
    walls: dict[str, list[float]] = {name: [] for name in ways}
    cpus: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, work in ways.items():
            wall, cpu = time.perf_counter(), time.process_time()
            work()
            walls[name].append((time.perf_counter() - wall) / CALLS)
            cpus[name].append((time.process_time() - cpu) / CALLS)
    for name in ways:
        wall, cpu = statistics.median(walls[name]), statistics.median(cpus[name])
        print(
            f"  {name:45} {1 / wall:10,.0f} calls/s  (best {1 / min(walls[name]):6,.0f}, "
            f"of processor {1e6 * cpu:4.0f} us a call)"
        )


def _latency(name: str, read: Callable[[], int]) -> None:
    found = read()
    walls, cpus = [], []
    for _ in range(9):
        wall, cpu = time.perf_counter(), time.process_time()
        read()
        walls.append(1000 * (time.perf_counter() - wall))
        cpus.append(1000 * (time.process_time() - cpu))
    print(
        f"  {name:45} {statistics.median(walls):10.2f} ms  (of processor {statistics.median(cpus):6.2f} ms, "
        f"{found:,} match)"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        print("Ledger: signed calls (goal: 2,000/s in batches, 1,000/s at one durable commit a call)")
        calls_per_second(Path(folder))
        print(f"Ledger: a page of {TASKS:,} tasks with its total (goal: 50 ms)")
        pages(Path(folder))


if __name__ == "__main__":
    main()
