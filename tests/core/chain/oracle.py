"""What the money must be, from the extrinsics alone, written another way than the rules."""

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from decentralml.core.chain import rules

WORK, REVIEW, ED = 16, 8, 10**9
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
    numbers: list[int] = field(default_factory=list)

    def count(self, *states: str) -> int:
        return sum(slot.state in states for slot in self.slots)

    @property
    def deposit(self) -> int:
        return max(ED, self.pays // 100)

    def money(self) -> dict[str, tuple[int, int]]:
        """What this task has done to everybody's free and held planck."""
        left = self.count(*LIVE) if self.closed else self.buys - self.count("paid")
        escrow = left * self.pays
        found = {self.creator: (-escrow - self.count("paid") * self.pays, escrow)}

        def add(who: str, free: int, held: int) -> None:
            before = found.get(who, (0, 0))
            found[who] = (before[0] + free, before[1] + held)

        for slot in self.slots:
            if slot.state == "paid":
                add(slot.worker, self.pays, 0)
            if slot.state == "working" and not slot.ever_delivered:
                add(slot.worker, -self.deposit, self.deposit)
            if slot.deposit_to is not None:
                add(slot.worker, -self.deposit, 0)
                add(slot.deposit_to, self.deposit, 0)
        return found


LIVE = ("working", "waiting")


class Oracle:
    """The market, told as stories of slots. Money is counted from the stories: of a task, anew with each."""

    def __init__(self) -> None:
        self.granted: dict[str, int] = {}
        self.jobs: list[Job] = []
        self.slots: list[Slot] = []
        self._told: dict[int, dict[str, tuple[int, int]]] = {}  # what each task adds to whose free and held
        self._free: dict[str, int] = {}
        self._held: dict[str, int] = {}

    def fund(self, who: str, planck: int) -> None:
        self.granted[who] = self.granted.get(who, 0) + planck
        self._free[who] = self.free(who) + planck

    def held(self, who: str) -> int:
        return self._held.get(who, 0)

    def free(self, who: str) -> int:
        return self._free.get(who, 0)

    def recount(self, job: Job, number: int) -> None:
        """Take back what the task added to anybody's money, and add what its story says now."""
        for sign, money in ((-1, self._told.get(number, {})), (1, job.money())):
            for who, (free, held) in money.items():
                self._free[who] = self.free(who) + sign * free
                self._held[who] = self.held(who) + sign * held
        self._told[number] = job.money()

    def play(self, call: dict[str, Any], who: str, block: int) -> int | None:
        """Do ``call`` (as it stands in the extrinsic) if it is allowed: the number of its task, else None."""
        number = self._do(call, who, block)
        if number is not None:
            self.recount(self.jobs[number - 1], number)
        return number

    def _do(self, call: dict[str, Any], who: str, block: int) -> int | None:
        name = call["type"]
        if name == "create_task":
            return len(self.jobs) if self._create(call["terms"], who, block) else None
        if name in ("assign_task", "close_task"):
            number: int = call["task_id"]
            if not 1 <= number <= len(self.jobs):
                return None
            job = self.jobs[number - 1]
            done = (
                self._assign(job, number, who, block)
                if name == "assign_task"
                else self._close(job, who, block)
            )
            return number if done else None
        if not 1 <= call["submission_id"] <= len(self.slots):
            return None
        slot = self.slots[call["submission_id"] - 1]
        job = self.jobs[slot.task - 1]
        return slot.task if getattr(self, "_" + name)(job, slot, call, who, block) else None

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
            job.numbers.append(len(self.slots))
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


class Reader:
    """An oracle that is told the extrinsics of a ledger's file, as they come, and no other table of it."""

    def __init__(self, path: Path, names: dict[str, str]) -> None:
        self.oracle = Oracle()
        self._people = {address: who for who, address in names.items()}
        self._file = sqlite3.connect(path, isolation_level=None)
        self._row = 0

    def read(self) -> list[tuple[int, int]]:
        """Hear of what is new: the block of each, and the number of its task (0: a grant)."""
        new = "SELECT row, block, body FROM extrinsics WHERE row > ? ORDER BY row"
        heard = []
        for row, block, body in self._file.execute(new, (self._row,)).fetchall():
            self._row = row
            payload = msgspec.json.decode(body)["payload"]
            call, who = payload["call"], self._people.get(payload["signer"], "")
            number: int | None = 0
            if call["type"] == "fund":
                self.oracle.fund(self._people[call["address"]], call["amount"])
            else:
                number = self.oracle.play(call, who, block)
            assert number is not None, "the ledger allowed what the oracle does not"
            heard.append((block, number))
        return heard

    def close(self) -> None:
        self._file.close()


def compare(view: rules.View, oracle: Oracle, names: dict[str, str], task: int | None = None) -> None:
    """Every account, all funds, and the escrow and deposits of ``task`` (None: of every task) are exact."""
    total = 0
    for who, address in names.items():
        balance = view.balance(address)
        assert (balance.free, balance.held) == (oracle.free(who), oracle.held(who)), who
        total += balance.free + balance.held
    assert total == sum(oracle.granted.values())
    for number in range(1, len(oracle.jobs) + 1) if task is None else [task] if task else []:
        job, found = oracle.jobs[number - 1], view.task(number)
        assert found is not None
        assert found.live == job.count(*LIVE) <= job.buys - job.count("paid") - found.released
        assert found.held == job.pays * (job.buys - job.count("paid") - found.released)
        for slot, slot_number in zip(job.slots, job.numbers, strict=True):
            submission = view.submission(slot_number)
            assert submission is not None
            owes = slot.state == "working" and not slot.ever_delivered
            assert submission.deposit == (job.deposit if owes else 0)
