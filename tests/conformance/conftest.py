"""The chains under test. Each is driven through the same table by `World`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from named_key import Key

from decentralml.core.chain.base import Chain, Receipt, TaskQuery
from decentralml.core.chain.calls import (
    AbandonTask,
    AcceptTaskResults,
    AssignTask,
    Call,
    ClaimTaskResult,
    CreateTask,
    RejectTaskResults,
    RequestChanges,
    SendTaskResult,
    TimeOut,
    ValidateTaskResults,
)
from decentralml.core.chain.ledger import Ledger, create
from decentralml.core.domain import (
    Balance,
    ResultSubmissionStatus,
    StorageType,
    Submission,
    Task,
    TaskType,
    Terms,
    ValidationStrategy,
)
from decentralml.core.errors import Refused

WORK, REVIEW = 80, 40
FUNDS = 1000 * 10**12
PAYS = 5 * 10**12
DIGEST = "a" * 64
PATH = f"local:#sha256={DIGEST}"
REPORT = "b" * 64


class LedgerUnderTest:
    """The embedded ledger, with a clock that only the test moves."""

    def __init__(self, folder: Path) -> None:
        self.time = 1_700_000_000.0
        path = folder / "ledger" / "ledger.sqlite"
        create(path, work_period=WORK, review_period=REVIEW, now=lambda: self.time)
        self.chain: Chain = self._open(path)

    def _open(self, path: Path) -> Ledger:
        self.ledger = Ledger(path, now=lambda: self.time)
        return self.ledger

    def fund(self, address: str, planck: int) -> None:
        self.ledger.fund(address, planck)

    def advance(self, blocks: int) -> None:
        self.time += blocks * 6


CHAINS = [LedgerUnderTest]


class World:
    """A chain with a creator, a worker and somebody else, and short words for the calls."""

    def __init__(self, under_test: LedgerUnderTest) -> None:
        self.under_test = under_test
        self.chain = under_test.chain
        self.keys = {role: Key(role) for role in ("creator", "worker", "other")}
        for key in self.keys.values():
            under_test.fund(key.address, FUNDS)
        self.granted = FUNDS * len(self.keys)

    def key(self, role: str) -> Key:
        """The account of a role; a new role gets one with money."""
        if role not in self.keys:
            self.keys[role] = Key(role)
            self.under_test.fund(self.keys[role].address, FUNDS)
            self.granted += FUNDS
        return self.keys[role]

    def do(self, call: Call, role: str) -> Receipt:
        return self.chain.submit(self.chain.sign(call, self.key(role)))

    def advance(self, blocks: int) -> None:
        self.under_test.advance(blocks)

    def balance(self, role: str) -> Balance:
        return self.chain.balance(self.key(role).address)

    def terms(self, **changes: Any) -> Terms:
        fields: dict[str, Any] = {
            "task_type": TaskType.ModelContributor,
            "question": "Which digit is it?",
            "pays_amount": PAYS,
            "expiration_block": self.chain.head().block + 10_000,
            "max_assignments": 2,
            "validation_strategy": ValidationStrategy.ManualAccept,
            "model_contributor_script_path": PATH,
            "model_contributor_script_storage_type": StorageType.Local,
        }
        return Terms(**{**fields, **changes})

    def create(self, **changes: Any) -> int:
        task_id = self.do(CreateTask(self.terms(**changes)), "creator").task_id
        assert task_id is not None
        return task_id

    def assign(self, task_id: int, role: str = "worker") -> int:
        submission_id = self.do(AssignTask(task_id), role).submission_id
        assert submission_id is not None
        return submission_id

    def task(self, task_id: int = 1) -> Task:
        return self.chain.task(task_id)

    def submission(self, submission_id: int = 1) -> Submission:
        return self.chain.submission(submission_id)

    def call(self, name: str, submission_id: int = 1, digest: str = DIGEST) -> Call:
        """A call on a submission that is right in all its arguments."""
        calls: dict[str, Call] = {
            "send_task_result": SendTaskResult(
                submission_id, result_path=PATH, result_storage_type=StorageType.Local
            ),
            "validate_task_results": ValidateTaskResults(submission_id, digest, PATH, REPORT),
            "accept_task_results": AcceptTaskResults(submission_id, digest),
            "reject_task_results": RejectTaskResults(submission_id, digest, "It is worse than the baseline."),
            "request_changes": RequestChanges(submission_id, digest, "Train it longer."),
            "claim_task_result": ClaimTaskResult(submission_id),
            "abandon_task": AbandonTask(submission_id),
            "time_out": TimeOut(submission_id),
        }
        return calls[name]

    def reach(self, state: str) -> None:
        """Bring submission 1 of task 1 into a state; "late" ones have outlived their period."""
        self.create()
        self.assign(1)
        name, _, late = state.partition(" ")
        steps = {
            "Assigned": "",
            "Revising": "send_task_result validate_task_results request_changes",
            "PendingValidation": "send_task_result",
            "Validated": "send_task_result validate_task_results",
            "Accepted": "send_task_result accept_task_results",
            "Rejected": "send_task_result validate_task_results reject_task_results",
            "Abandoned": "abandon_task",
            "TimedOut": "time_out",
        }
        if name == "TimedOut":
            self.advance(WORK + 1)
        for step in steps[name].split():
            self.do(self.call(step), "worker" if step in ("send_task_result", "abandon_task") else "creator")
        if late:
            self.advance(1 + (WORK if name in ("Assigned", "Revising") else REVIEW))

    def audit(self) -> None:
        """Escrow, deposits and the sum of all funds are exact, counted from the submissions alone."""
        status = ResultSubmissionStatus
        held = 0
        for number in range(1, 1 + max((t.id for t in self._tasks()), default=0)):
            task = self.task(number)
            found = self.chain.submissions_of(number)
            live = sum(s.status.live for s in found)
            accepted = sum(s.status is status.Accepted for s in found)
            rejected = sum(s.status is status.Rejected for s in found)
            assert (task.live, task.accepted, task.rejected) == (live, accepted, rejected)
            slots = live if task.closed else task.terms.max_assignments - accepted
            assert task.held == slots * task.terms.pays_amount
            assert live <= task.terms.max_assignments - accepted - task.released
            for submission in found:
                owes = submission.status is status.Assigned and submission.first_delivered is None
                assert submission.deposit == (max(10**9, task.terms.pays_amount // 100) if owes else 0)
                held += submission.deposit
            held += task.held
        balances = [self.chain.balance(key.address) for key in self.keys.values()]
        assert sum(balance.held for balance in balances) == held
        assert sum(balance.free + balance.held for balance in balances) == self.granted
        assert self.chain.total_issuance() == self.granted
        for key in self.keys.values():
            lines = self.chain.statement(key.address)
            balance = self.chain.balance(key.address)
            assert (sum(m.free for m in lines), sum(m.held for m in lines)) == (balance.free, balance.held)

    def _tasks(self) -> tuple[Task, ...]:
        return self.chain.tasks(TaskQuery()).items


@pytest.fixture(params=CHAINS, ids=lambda chain: chain.__name__)
def worlds(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], World]]:
    """Makes a new world at every call; audits and closes all of them at the end."""
    made: list[World] = []

    def make() -> World:
        made.append(World(request.param(tmp_path / str(len(made)))))
        return made[-1]

    yield make
    for one in made:
        one.audit()
        one.chain.close()


@pytest.fixture
def world(worlds: Callable[[], World]) -> World:
    return worlds()


def refused(world: Any, call: Any, role: str) -> str:
    """The code with which a call is refused; nothing may have changed."""
    before = [world.balance(role) for role in tuple(world.keys)]
    with pytest.raises(Refused) as caught:
        world.do(call, role)
    assert [world.balance(role) for role in tuple(world.keys)] == before
    assert caught.value.message
    return caught.value.code
