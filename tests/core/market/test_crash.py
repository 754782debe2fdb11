"""Killed at any call that changes the disk, a verb is done whole or not at all; done again, once."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import kill_each
import pytest
import small_market

from decentralml.core.domain import ResultSubmissionStatus as S
from decentralml.core.market import Market
from decentralml.core.storage import upkeep

CLOCK = 1_000_000.0
LATER = CLOCK + 60
DRIVER = Path(__file__).with_name("crash_driver.py")
# Calls on which strace's count and the verb's may differ by chance: a lock waited for, a thread more.
SPARE = 6


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    market = tmp_path_factory.mktemp("prepared") / "market"
    small_market.make(market, CLOCK)
    return market


@pytest.fixture
def room() -> Iterator[Path]:
    """A folder in memory, where there is one: a process dies there as it does on a disk, only sooner."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


def create_done(ada: Market) -> int:
    return sum(1 for task in ada.list_task().items if task.terms.question == "Another?")


def send_done(ada: Market) -> int:
    return int(ada.chain.submission(1).status is S.PendingValidation)


def accept_done(ada: Market) -> int:
    paid = ada.chain.balance(ada.chain.submission(2).worker).free - small_market.FUNDS
    assert paid in (0, small_market.PAYS)
    assert (ada.chain.submission(2).status is S.Accepted) == bool(paid)
    return paid // small_market.PAYS


DONE = {"create": create_done, "send": send_done, "accept": accept_done}


def check(at: Path, verb: str) -> bool:
    """Nothing in ``at`` is half; whether the call of the verb is there."""
    with small_market.opened(at, LATER) as people:
        ada = people["ada"]
        chain, done = ada.chain, DONE[verb](ada)
        assert done in (0, 1)
        assert chain.verify().ok
        assert chain.total_issuance() == 3 * small_market.FUNDS
        found = upkeep.doctor(ada.storage.store)
        assert all(finding.ok for finding in found if "GiB" not in finding.text), found
        for task in ada.list_task().items:
            ada.storage.verify(task.terms.assets[1])
        for submission in chain.submissions_of(1):
            if submission.result_path is not None:
                ada.storage.verify(submission.result_path)
        return bool(done)


@pytest.mark.parametrize("verb", ["create", "send", "accept"])
def test_killed_at_every_call_nothing_is_half_and_nothing_twice(
    prepared: Path, room: Path, verb: str
) -> None:
    def copies(name: str, count: int) -> Path:
        for number in range(count + 1):
            shutil.copytree(prepared, room / name / str(number))
        return room / name

    counts = kill_each.calls_of(DRIVER, room / "log", verb, str(copies("count", 0)), str(CLOCK))
    assert {"write", "pwrite64", "fsync", "fdatasync", "rename"} <= set(counts["main"])
    assert bool(counts["threads"]) == (verb != "accept"), "who uploads does it in threads"
    outcomes = set()
    for whose, calls in counts.items():
        for name, count in calls.items():
            # Of the threads whose calls are not meant none gets as far.
            kills_at = counts["main"][name] + counts["threads"][name] + SPARE
            folder = copies(f"{name}-{whose}", kills_at)
            killed = kill_each.killed(
                DRIVER, name, kills_at, verb, str(folder), str(CLOCK), name, str(kills_at), whose
            )
            assert 0 < killed <= count + SPARE
            for number in range(1, killed + 2):
                at = folder / str(number)
                outcomes.add(check(at, verb))
                if not (at / small_market.REPORTED).is_symlink():
                    with small_market.opened(at, LATER) as people:
                        small_market.do(people, at, verb)
                    assert not list(at.glob("homes/*/intents/[!.]*"))
                assert check(at, verb)
            shutil.rmtree(folder)
    assert outcomes == {True, False}
