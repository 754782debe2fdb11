"""Random calls against an oracle that reads only the extrinsics."""

import os
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from decentralml.core.chain import rules
from decentralml.core.chain.calls import (
    AbandonTask,
    AcceptTaskResults,
    AssignTask,
    Call,
    ClaimTaskResult,
    CloseTask,
    CreateTask,
    RejectTaskResults,
    RequestChanges,
    SendTaskResult,
    TimeOut,
    ValidateTaskResults,
    call_name,
)
from decentralml.core.chain.ledger import Ledger, create
from decentralml.core.domain import StorageType, ValidationStrategy
from decentralml.core.errors import Refused

from .oracle import DIGESTS, ED, LIVE, PEOPLE, REVIEW, WORK, Oracle, Reader, compare

CALLS_A_STEP = 250


def random_call(pick: random.Random, oracle: Oracle, block: int, terms: Any) -> tuple[str, Call]:
    """Somebody and a call: often one that may be allowed, as often one that may not."""
    odd = pick.random() < 0.1
    task_id = pick.randint(max(1, len(oracle.jobs) - 3), max(1, len(oracle.jobs) + odd))
    submission_id = pick.randint(max(1, len(oracle.slots) - 5), max(1, len(oracle.slots) + odd))
    # Mostly one that is open: else few stories would come to their later chapters.
    recent = range(max(1, len(oracle.slots) - 11), len(oracle.slots) + 1)
    live = [number for number in recent if oracle.slots[number - 1].state in LIVE]
    if live and pick.random() < 0.8:
        submission_id = pick.choice(live)
    slot = oracle.slots[submission_id - 1] if submission_id <= len(oracle.slots) else None
    digest = pick.choice(DIGESTS)
    who = pick.choice(PEOPLE)
    if slot and pick.random() < 0.8:
        digest = slot.delivery or digest
        who = slot.worker if slot.state == "working" else oracle.jobs[slot.task - 1].creator
    some_terms = terms(
        pays_amount=pick.choice([ED - 1] * odd + [ED, 10**11 + 7, 10**12, 3 * 10**13 + 1]),
        max_assignments=pick.choice([0] * odd + [1, 2, 3]),
        expiration_block=block + pick.choice([0] * odd + [20, 60, 200]),
        validation_strategy=pick.choice([*ValidationStrategy, ValidationStrategy.ManualAccept]),
    )
    result = {
        "result_path": f"local:#sha256={pick.choice(DIGESTS)}",
        "result_storage_type": StorageType.Local,
    }
    weighted: list[tuple[int, Call]] = [
        (2, CreateTask(some_terms)),
        (4, AssignTask(task_id)),
        (1, CloseTask(task_id)),
    ]
    if odd or (slot and slot.state == "working"):
        weighted += [
            (8, SendTaskResult(submission_id, **result)),
            (1, SendTaskResult(submission_id)),
            (2, AbandonTask(submission_id)),
            (4, TimeOut(submission_id)),
        ]
    if odd or (slot and slot.state == "waiting"):
        read = slot is not None and slot.report
        weighted += [
            (1 if read else 16, ValidateTaskResults(submission_id, digest, "local:x", "c" * 64)),
            (1, AcceptTaskResults(submission_id, digest)),
            (2, RejectTaskResults(submission_id, digest, "no")),
            (8, RequestChanges(submission_id, digest, "more")),
            (4, ClaimTaskResult(submission_id)),
        ]
    return who, pick.choices([call for _, call in weighted], [weight for weight, _ in weighted])[0]


@pytest.fixture
def quick_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where the machine has one: 100,000 durable commits wait for no disk there."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


def test_money_is_exact_after_each_of_100_000_random_calls(
    quick_disk: Path, terms: Any, key: Any, clock: Any
) -> None:
    """Each is signed and submitted to a ledger; what is refused changes nothing, and is refused by both."""
    keys = {who: key(who) for who in PEOPLE}
    names = {who: keys[who].address for who in PEOPLE}
    made, allowed, kinds = 0, 0, Counter[str]()

    class Market(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.folder = Path(tempfile.mkdtemp(dir=quick_disk))
            path = self.folder / "ledger" / "ledger.sqlite"
            create(path, work_period=WORK, review_period=REVIEW, now=clock)
            self.ledger = Ledger(path, now=clock)
            self.reader = Reader(path, names)
            self.block = 0

        @initialize(money=st.lists(st.sampled_from([10**13, 10**16]), min_size=5, max_size=5))
        def fund(self, money: list[int]) -> None:
            for who, planck in zip(PEOPLE, money, strict=True):
                self.ledger.fund(names[who], planck)
            self.check(5)

        @rule(seed=st.integers(0, 2**32))
        def many_calls(self, seed: int) -> None:
            pick = random.Random(seed)
            for _ in range(CALLS_A_STEP):
                blocks = pick.choice([0] * 60 + [1] * 12 + [3, REVIEW + 1, WORK + 1])
                clock.advance(blocks)
                self.block += blocks
                self.one_call(pick)

        def one_call(self, pick: random.Random) -> None:
            nonlocal made, allowed
            who, call = random_call(pick, self.reader.oracle, self.block, terms)
            made += 1
            try:
                self.ledger.submit(self.ledger.sign(call, keys[who]))
            except Refused:
                refused = self.reader.oracle.play(msgspec.to_builtins(call), who, self.block) is None
                assert refused, call
                self.check(0)
            else:
                allowed += 1
                kinds[call_name(call)] += 1
                self.check(1)

        def check(self, rows: int) -> None:
            heard = self.reader.read()
            assert [block for block, _ in heard] == [self.block] * rows
            with self.ledger.view() as view:
                compare(view, self.reader.oracle, names, heard[-1][1] if heard else 0)

        @invariant()
        def what_was_not_touched_is_as_it_was(self) -> None:
            self.block = self.ledger.head().block
            with self.ledger.view() as view:
                compare(view, self.reader.oracle, names)

        def teardown(self) -> None:
            self.reader.close()
            self.ledger.close()
            shutil.rmtree(self.folder)

    run_state_machine_as_test(Market, settings=machine(max_examples=100, stateful_step_count=6))
    assert made >= 100_000
    assert allowed > 30_000
    assert all(kinds[row.name] > 500 for row in rules.TABLE), kinds


def machine(**numbers: int) -> settings:
    return settings(
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        **numbers,
    )


def test_a_ledger_is_what_its_extrinsics_say(tmp_path: Path, terms: Any, key: Any, clock: Any) -> None:
    keys = {who: key(who) for who in PEOPLE}
    names = {who: keys[who].address for who in PEOPLE}
    counter = iter(range(10**6))

    class Market(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.path = tmp_path / str(next(counter)) / "ledger.sqlite"
            create(self.path, work_period=WORK, review_period=REVIEW, now=clock)
            self.ledger = Ledger(self.path, now=clock)
            self.reader = Reader(self.path, names)
            self.funded = 0

        @precondition(lambda self: self.funded < 8)
        @rule(who=st.sampled_from(PEOPLE), planck=st.sampled_from([10**12, 10**14]))
        def fund(self, who: str, planck: int) -> None:
            self.ledger.fund(names[who], planck)
            self.funded += 1

        @rule(blocks=st.sampled_from([1, 3, REVIEW, WORK + 1]))
        def wait(self, blocks: int) -> None:
            clock.advance(blocks)

        @rule(seed=st.integers(0, 2**32))
        def call(self, seed: int) -> None:
            with self.ledger.view() as view:
                who, call = random_call(random.Random(seed), self.reader.oracle, view.block, terms)
                may = rules.check(
                    view,
                    call_name(call),
                    names[who],
                    task_id=getattr(call, "task_id", None),
                    submission_id=getattr(call, "submission_id", None),
                )
            code = None
            try:
                self.ledger.submit(self.ledger.sign(call, keys[who]))
            except Refused as refused:
                code = refused.code
            assert may is None or may.code == code

        @invariant()
        def money_is_exact(self) -> None:
            self.reader.read()
            with self.ledger.view() as view:
                compare(view, self.reader.oracle, names)

        def teardown(self) -> None:
            assert self.ledger.verify().ok
            self.reader.close()
            self.ledger.close()

    run_state_machine_as_test(Market, settings=machine(max_examples=25, stateful_step_count=40))
