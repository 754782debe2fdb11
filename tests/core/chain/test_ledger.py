"""One ledger of many: threads, processes, batches and snapshots, and its clock."""

import multiprocessing
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from decentralml.core.chain import rules
from decentralml.core.chain.base import TaskQuery
from decentralml.core.chain.calls import AssignTask, CreateTask
from decentralml.core.chain.ledger import Ledger, create
from decentralml.core.errors import Refused, Unavailable

from .conftest import code

RICH = 10**15


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
    assert ledger.last_cursor() == 1
    assert ledger.last_cursor() == 2
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
    with pytest.raises(Unavailable, match="is 2 blocks ahead of this machine's clock"):
        ledger.head()
    assert code(lambda: ledger.fund(key("anna").address, RICH)) == "ClockBehind"
    assert code(lambda: Ledger(path, now=clock)) == "ClockBehind"
    clock.advance(1)
    assert ledger.head().block == 10


# The file, while it is open.


def test_a_ledger_that_was_removed_takes_no_call_and_goes_on_where_it_is_put_back(
    path: Path, ledger: Ledger, key: Any, terms: Any
) -> None:
    anna = key("anna")
    ledger.fund(anna.address, RICH)
    signed = ledger.sign(CreateTask(terms()), anna)
    aside = path.rename(path.with_name("aside"))
    attempts: tuple[Callable[[], object], ...] = (
        ledger.head,
        lambda: ledger.fund(anna.address, RICH),
        lambda: ledger.sign(CreateTask(terms()), anna),
        lambda: ledger.submit(signed),
    )
    assert {code(attempt) for attempt in attempts} == {"LedgerGone"}
    aside.rename(path)
    assert ledger.submit(signed).task_id == 1
    assert ledger.last_cursor() == 2


def test_a_ledger_that_was_replaced_takes_no_call(path: Path, ledger: Ledger, key: Any, clock: Any) -> None:
    path.rename(path.with_name("aside"))
    create(path, now=clock)
    assert code(lambda: ledger.fund(key("anna").address, RICH)) == "LedgerReplaced"
    other = Ledger(path, now=clock)
    assert other.last_cursor() == 0
    other.close()


def test_a_ledger_that_goes_while_a_writer_waits_is_not_written(path: Path, key: Any, clock: Any) -> None:
    ledger = Ledger(path, now=clock, patience=60)
    answers: list[str] = []
    begins = threading.Event()  # it has found the file in its place, and waits for the other
    (connection,) = ledger._database._idle
    connection.set_trace_callback(lambda sql: begins.set() if sql == "BEGIN IMMEDIATE" else None)
    writer = threading.Thread(
        target=lambda: answers.append(code(lambda: ledger.fund(key("anna").address, RICH)))
    )
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writer.start()
    assert begins.wait(60)
    path.rename(path.with_name("aside"))
    other.rollback()
    other.close()
    writer.join(60)
    ledger.close()
    assert answers == ["LedgerGone"]
