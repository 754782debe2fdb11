"""Random calls against an oracle that reads only the extrinsics, written another way than the rules."""

import random
import sqlite3
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
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
from decentralml.core.chain.memory import State
from decentralml.core.domain import Constants, StorageType, ValidationStrategy
from decentralml.core.errors import Refused

WORK, REVIEW, ED = 16, 8, 10**9
CONSTANTS = Constants(work_period=WORK, review_period=REVIEW)
PEOPLE = ["creator", "anna", "ben", "carl", "dora"]
DIGESTS = ["a" * 64, "b" * 64]


@dataclass
class Slot:
    task: int
    worker: str
    taken: int
    asked: int
    state: str = "working"
    delivery: str | None = None
    delivered: int = 0
    ever_delivered: bool = False
    report: bool = False
    requests: int = 0
    deposit_to: str | None = None


@dataclass
class Job:
    creator: str
    pays: int
    buys: int
    expires: int
    auto: bool
    closed: bool = False
    slots: list[Slot] = field(default_factory=list)

    def count(self, *states: str) -> int:
        return sum(slot.state in states for slot in self.slots)

    @property
    def deposit(self) -> int:
        return max(ED, self.pays // 100)


LIVE = ("working", "waiting")


class Oracle:
    """The market, told as stories of slots; money is counted anew from them each time."""

    def __init__(self) -> None:
        self.granted: dict[str, int] = {}
        self.jobs: list[Job] = []
        self.slots: list[Slot] = []

    def fund(self, who: str, planck: int) -> None:
        self.granted[who] = self.granted.get(who, 0) + planck

    def held(self, who: str) -> int:
        total = 0
        for job in self.jobs:
            if job.creator == who:
                left = job.count(*LIVE) if job.closed else job.buys - job.count("paid")
                total += left * job.pays
            for slot in job.slots:
                if slot.worker == who and slot.state == "working" and not slot.ever_delivered:
                    total += job.deposit
        return total

    def free(self, who: str) -> int:
        total = self.granted.get(who, 0) - self.held(who)
        for job in self.jobs:
            for slot in job.slots:
                paid = job.pays if slot.state == "paid" else 0
                total += paid * ((slot.worker == who) - (job.creator == who))
                if slot.deposit_to is not None:
                    total += job.deposit * ((slot.deposit_to == who) - (slot.worker == who))
        return total

    def play(self, call: dict[str, Any], who: str, block: int) -> bool:
        """Do ``call`` (as it stands in the extrinsic) if it is allowed, and say whether it was."""
        name = call["type"]
        if name == "create_task":
            return self._create(call["terms"], who, block)
        if name in ("assign_task", "close_task"):
            if not 1 <= call["task_id"] <= len(self.jobs):
                return False
            job = self.jobs[call["task_id"] - 1]
            return (
                self._assign(job, call["task_id"], who, block)
                if name == "assign_task"
                else self._close(job, who, block)
            )
        if not 1 <= call["submission_id"] <= len(self.slots):
            return False
        slot = self.slots[call["submission_id"] - 1]
        job = self.jobs[slot.task - 1]
        return bool(getattr(self, "_" + name)(job, slot, call, who, block))

    def _create(self, terms: dict[str, Any], who: str, block: int) -> bool:
        total = terms["pays_amount"] * terms["max_assignments"]
        allowed = (
            terms["pays_amount"] >= ED
            and 1 <= terms["max_assignments"] <= 1000
            and block < terms["expiration_block"] <= block + 5_256_000
            and self.free(who) - total >= ED
        )
        if allowed:
            auto = terms["validation_strategy"] == "AutoAccept"
            self.jobs.append(
                Job(who, terms["pays_amount"], terms["max_assignments"], terms["expiration_block"], auto)
            )
        return allowed

    def _assign(self, job: Job, number: int, who: str, block: int) -> bool:
        allowed = (
            who != job.creator
            and block <= job.expires
            and not job.closed
            and job.count("working", "waiting", "paid") < job.buys
            and job.count("working", "waiting", "paid", "rejected") < 3 * job.buys
            and all(slot.worker != who for slot in job.slots)
            and self.free(who) - job.deposit >= ED
        )
        if allowed:
            slot = Slot(number, who, block, block)
            job.slots.append(slot)
            self.slots.append(slot)
        return allowed

    def _close(self, job: Job, who: str, block: int) -> bool:
        if job.closed or (who != job.creator and block <= job.expires):
            return False
        job.closed = True
        return True

    def _send_task_result(self, job: Job, slot: Slot, call: dict[str, Any], who: str, block: int) -> bool:
        if (
            who != slot.worker
            or slot.state != "working"
            or block - slot.asked > WORK
            or not call["result_path"]
        ):
            return False
        slot.delivery = call["result_path"][-64:]
        slot.delivered, slot.ever_delivered, slot.report = block, True, False
        slot.state = "paid" if job.auto else "waiting"
        return True

    def _decides(self, job: Job, slot: Slot, call: dict[str, Any], who: str) -> bool:
        return who == job.creator and slot.state == "waiting" and call["digest"] == slot.delivery

    def _validate_task_results(
        self, job: Job, slot: Slot, call: dict[str, Any], who: str, block: int
    ) -> bool:
        if not self._decides(job, slot, call, who):
            return False
        slot.report = True
        return True

    def _accept_task_results(self, job: Job, slot: Slot, call: dict[str, Any], who: str, block: int) -> bool:
        if not self._decides(job, slot, call, who):
            return False
        slot.state = "paid"
        return True

    def _reject_task_results(self, job: Job, slot: Slot, call: dict[str, Any], who: str, block: int) -> bool:
        if not self._decides(job, slot, call, who) or not slot.report or block - slot.delivered > REVIEW:
            return False
        slot.state = "rejected"
        return True

    def _request_changes(self, job: Job, slot: Slot, call: dict[str, Any], who: str, block: int) -> bool:
        good = self._decides(job, slot, call, who) and slot.report and block - slot.delivered <= REVIEW
        if not good or slot.requests == 2:
            return False
        slot.state, slot.asked, slot.report = "working", block, False
        slot.requests += 1
        return True

    def _claim_task_result(self, job: Job, slot: Slot, call: dict[str, Any], who: str, block: int) -> bool:
        if slot.state != "waiting" or block - slot.delivered <= REVIEW:
            return False
        slot.state = "paid"
        return True

    def _abandon_task(self, job: Job, slot: Slot, call: dict[str, Any], who: str, block: int) -> bool:
        if who != slot.worker or slot.state != "working" or block - slot.asked > WORK:
            return False
        slot.state = "gone"
        if not slot.ever_delivered and (block - slot.taken) * 8 > WORK:
            slot.deposit_to = job.creator
        return True

    def _time_out(self, job: Job, slot: Slot, call: dict[str, Any], who: str, block: int) -> bool:
        if slot.state != "working" or block - slot.asked <= WORK:
            return False
        if slot.ever_delivered:
            slot.state, slot.delivered, slot.requests = "waiting", block, 2
        else:
            slot.state, slot.deposit_to = "gone", job.creator
        return True


def random_call(pick: random.Random, oracle: Oracle, block: int, terms: Any) -> tuple[str, Call]:
    """Somebody and a call: often one that may be allowed, as often one that may not."""
    odd = pick.random() < 0.1
    task_id = pick.randint(max(1, len(oracle.jobs) - 3), max(1, len(oracle.jobs) + odd))
    submission_id = pick.randint(max(1, len(oracle.slots) - 5), max(1, len(oracle.slots) + odd))
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
        (3, CreateTask(some_terms)),
        (6, AssignTask(task_id)),
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
        weighted += [
            (8, ValidateTaskResults(submission_id, digest, "local:x", "c" * 64)),
            (2, AcceptTaskResults(submission_id, digest)),
            (3, RejectTaskResults(submission_id, digest, "no")),
            (5, RequestChanges(submission_id, digest, "more")),
            (4, ClaimTaskResult(submission_id)),
        ]
    return who, pick.choices([call for _, call in weighted], [weight for weight, _ in weighted])[0]


def compare(view: rules.View, oracle: Oracle, names: dict[str, str]) -> None:
    """Every account, the escrow of every task and every deposit are what the oracle counts."""
    total = 0
    for who, address in names.items():
        balance = view.balance(address)
        assert (balance.free, balance.held) == (oracle.free(who), oracle.held(who)), who
        total += balance.free + balance.held
    assert total == sum(oracle.granted.values())
    for number, job in enumerate(oracle.jobs, 1):
        task = view.task(number)
        assert task is not None
        assert task.live == job.count(*LIVE) <= job.buys - job.count("paid") - task.released
        assert task.held == job.pays * (job.buys - job.count("paid") - task.released)
    for number, slot in enumerate(oracle.slots, 1):
        submission = view.submission(number)
        assert submission is not None
        owes = slot.state == "working" and not slot.ever_delivered
        assert submission.deposit == (oracle.jobs[slot.task - 1].deposit if owes else 0)


def test_money_is_exact_after_each_of_100_000_random_calls(terms: Any) -> None:
    made, allowed, kinds = 0, 0, set()
    for seed in range(500):
        pick = random.Random(seed)
        state, oracle, block = State(CONSTANTS), Oracle(), 0
        for who in PEOPLE:
            planck = pick.choice([10**12, 10**15])
            state.move(who, planck, 0)
            oracle.fund(who, planck)
        for _ in range(200):
            block += pick.choice([0] * 20 + [1] * 10 + [3, REVIEW + 1, WORK + 1])
            state.block = block
            who, call = random_call(pick, oracle, block, terms)
            made += 1
            expected = oracle.play(msgspec.to_builtins(call), who, block)
            happened = False
            with suppress(Refused):
                state.commit(rules.apply(state, call, who, block))
                happened = True
            assert happened == expected, (seed, call)
            if happened:
                allowed += 1
                kinds.add(call_name(call))
                compare(state, oracle, dict(zip(PEOPLE, PEOPLE, strict=True)))
    assert made == 100_000
    assert allowed > 20_000
    assert kinds == {row.name for row in rules.TABLE}


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
                oracle = read_extrinsics(self.path, names)
                who, call = random_call(random.Random(seed), oracle, view.block, terms)
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
            with self.ledger.view() as view:
                compare(view, read_extrinsics(self.path, names), names)

        def teardown(self) -> None:
            assert self.ledger.verify().ok
            self.ledger.close()

    run_state_machine_as_test(
        Market,
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def read_extrinsics(path: Path, names: dict[str, str]) -> Oracle:
    """An oracle that was told every extrinsic of the file, and no other table of it."""
    people = {address: who for who, address in names.items()}
    oracle = Oracle()
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT block, body FROM extrinsics ORDER BY row").fetchall()
    connection.close()
    for block, body in rows:
        payload = msgspec.json.decode(body)["payload"]
        call = payload["call"]
        if call["type"] == "fund":
            oracle.fund(people[call["address"]], call["amount"])
        else:
            assert oracle.play(call, people[payload["signer"]], block)
    return oracle
