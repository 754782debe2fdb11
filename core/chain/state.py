"""What the rules look at and what they answer: a view of the chain, a subject, an outcome."""

from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from decentralml.core.chain.calls import Call
from decentralml.core.domain import Balance, Constants, Submission, Task


class View(Protocol):
    """The state of a chain as of one block. Blocks are counted since genesis, money is planck."""

    @property
    def block(self) -> int: ...

    @property
    def constants(self) -> Constants: ...

    @property
    def next_task_id(self) -> int: ...

    @property
    def next_submission_id(self) -> int: ...

    def task(self, task_id: int) -> Task | None: ...

    def submission(self, submission_id: int) -> Submission | None: ...

    def balance(self, address: str) -> Balance: ...

    def has_taken(self, task_id: int, worker: str) -> bool: ...


class Move(Struct, frozen=True):
    """Planck added to (or, negative, taken from) an account's free and held money, and why."""

    name: str
    account: str
    free: int
    held: int


class Note(Struct, frozen=True):
    """An event before the chain has numbered it: its name and what it says, as decimal strings."""

    name: str
    data: dict[str, str] = {}


class Outcome(Struct, frozen=True):
    """What a call changes: the task and submission as they stand after it, money, events.

    Only a faucet grant, which is no call of the market, is about no task.
    """

    task: Task | None
    submission: Submission | None
    moves: tuple[Move, ...]
    events: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """One question to the rules: may ``caller`` do this, at ``block``, to this task or submission?

    ``call`` is None where only the guards are asked that need no arguments. Guards run after the
    task and submission were found, so they take them as given.
    """

    view: View
    caller: str
    block: int
    call: Call | None
    found_task: Task | None
    found_submission: Submission | None

    @property
    def task(self) -> Task:
        assert self.found_task is not None
        return self.found_task

    @property
    def submission(self) -> Submission:
        assert self.found_submission is not None
        return self.found_submission

    @property
    def constants(self) -> Constants:
        return self.view.constants

    @property
    def elapsed(self) -> int:
        """Blocks since the work was (again) asked for."""
        return self.block - self.submission.started

    @property
    def waited(self) -> int:
        """Blocks since the last delivery."""
        delivered = self.submission.delivered
        return 0 if delivered is None else self.block - delivered

    @property
    def overdue(self) -> bool:
        return self.elapsed > self.constants.work_period
