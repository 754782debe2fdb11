"""What every chain offers, and the values it answers with. Each chain passes tests/conformance."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from decentralml.core.chain.calls import Call, ValidateTaskResults
from decentralml.core.chain.state import View
from decentralml.core.domain import (
    MAX_U32,
    Balance,
    Constants,
    ResultSubmissionStatus,
    Submission,
    Task,
    TaskStatus,
    TaskType,
)
from decentralml.core.signing import Signer


class Stage(StrEnum):
    """How far an extrinsic has come. Only ``finalised`` can no longer be undone by a fork."""

    pending = "pending"
    included = "included"
    finalised = "finalised"
    dropped = "dropped"


class Event(Struct, frozen=True, kw_only=True):
    """Something a call did. ``cursor`` orders events for ever; ``data`` holds names and decimal strings."""

    cursor: int
    block: int
    name: str
    task_id: int | None = None
    submission_id: int | None = None
    account: str | None = None
    data: dict[str, str] = {}


class Extrinsic(Struct, frozen=True):
    """A signed call, ready to be sent: ``hash`` is the hex SHA-256 (or the chain's own) of ``body``."""

    call: Call
    signer: str
    nonce: int
    hash: str
    body: bytes


class Receipt(Struct, frozen=True, kw_only=True):
    """What became of an extrinsic. What is shown after a call comes from here, never from hope."""

    call: str
    extrinsic_hash: str
    block: int
    block_hash: str
    fee: int
    events: tuple[Event, ...]
    stage: Stage

    @property
    def task_id(self) -> int | None:
        return next((e.task_id for e in self.events if e.task_id is not None), None)

    @property
    def submission_id(self) -> int | None:
        return next((e.submission_id for e in self.events if e.submission_id is not None), None)


class Head(Struct, frozen=True):
    """The chain's newest block: its number (since genesis), hash, and Unix time in seconds."""

    block: int
    hash: str
    time: float


class TaskQuery(Struct, frozen=True, kw_only=True):
    """Which tasks, in which order. Amounts in planck.

    ``party`` is creator or worker; ``order`` is id, pays, expires, slots or question. ``obtainable``:
    takeable now, or once the slot of an overdue worker is timed out.
    """

    status: TaskStatus | None = None
    task_type: TaskType | None = None
    creator: str | None = None
    worker: str | None = None
    party: str | None = None
    takeable: bool | None = None
    obtainable: bool = False
    pays_min: int | None = None
    pays_max: int | None = None
    expires_before: int | None = None
    expires_after: int | None = None
    slots_min: int | None = None
    text: str | None = None
    ids: tuple[int, ...] | None = None
    order: str = "id"
    descending: bool = True
    offset: int = 0
    limit: int = 100


class SubmissionQuery(Struct, frozen=True, kw_only=True):
    """Which submissions, ordered by id."""

    task_id: int | None = None
    worker: str | None = None
    creator: str | None = None
    statuses: tuple[ResultSubmissionStatus, ...] = ()
    descending: bool = False
    offset: int = 0
    limit: int = 100


class TaskPage(Struct, frozen=True):
    """One page of tasks, and how many match in all."""

    items: tuple[Task, ...]
    total: int


class SubmissionPage(Struct, frozen=True):
    """One page of submissions, and how many match in all."""

    items: tuple[Submission, ...]
    total: int


class Tally(Struct, frozen=True):
    """So many results, of so many different counterparties, offered so much planck in all."""

    count: int = 0
    counterparties: int = 0
    amount: int = 0


class CreatorRecord(Struct, frozen=True, kw_only=True):
    """How an account behaved as creator, to whom a result was delivered.

    ``silent``: the review period passed without a decision, whether or not the result was claimed then;
    ``undecided``: within that period. ``workers``: how many different ones, over all but the undecided.
    ``unread``: so many of the accepted were paid on delivery, as their task pays unread; the median is of the
    others. ``paid`` in planck, a claim's too.
    """

    tasks: int = 0
    accepted: Tally = Tally()
    unread: int = 0
    rejected: Tally = Tally()
    silent: Tally = Tally()
    undecided: Tally = Tally()
    median_decision_blocks: int | None = None
    workers: int = 0
    paid: int = 0


class WorkerRecord(Struct, frozen=True, kw_only=True):
    """How an account behaved as worker: ``taken`` slots, each of which stands in one of the others.

    ``silent`` as above; ``timed_out`` as soon as the work period passed with nothing delivered, whether or
    not somebody has called that out. ``creators``: how many different ones accepted, rejected or stayed
    silent; ``earned`` in planck.
    """

    taken: int = 0
    accepted: Tally = Tally()
    rejected: Tally = Tally()
    silent: Tally = Tally()
    abandoned: Tally = Tally()
    timed_out: Tally = Tally()
    open: Tally = Tally()
    creators: int = 0
    earned: int = 0


class Record(Struct, frozen=True):
    """Both sides of one account, from the chain alone."""

    address: str
    creator: CreatorRecord
    worker: WorkerRecord


class Movement(Struct, frozen=True, kw_only=True):
    """One line of an account's statement: what a call did to its free and held planck."""

    cursor: int
    block: int
    name: str
    task_id: int | None
    submission_id: int | None
    free: int
    held: int


class Chain(ABC):
    """A chain that runs the market's rules. Reads are safe from any thread; so is `submit`.

    Every method raises `Unavailable` when the chain cannot be reached and `Refused` (with the
    pallet's error name as code) when the rules say no.
    """

    name: str

    @property
    @abstractmethod
    def genesis(self) -> str:
        """Hex hash of the first block: tells one chain from another."""

    @property
    @abstractmethod
    def constants(self) -> Constants: ...

    @property
    @abstractmethod
    def capabilities(self) -> frozenset[str]:
        """Names of the calls this chain has."""

    @abstractmethod
    def head(self) -> Head: ...

    @abstractmethod
    def last_cursor(self) -> int:
        """Cursor of the newest event; 0 before the first. Cheap: asked for every second."""

    @abstractmethod
    def view(self) -> AbstractContextManager[View]:
        """What `rules.check` and `rules.apply` look at: one consistent snapshot."""

    @abstractmethod
    def balance(self, address: str) -> Balance: ...

    @abstractmethod
    def total_issuance(self) -> int:
        """Free plus held planck over all accounts."""

    @abstractmethod
    def task(self, task_id: int) -> Task:
        """Raises `Refused` ("TaskNotFound")."""

    @abstractmethod
    def submission(self, submission_id: int) -> Submission:
        """Raises `Refused` ("SubmissionNotFound")."""

    @abstractmethod
    def tasks(self, query: TaskQuery) -> TaskPage: ...

    @abstractmethod
    def submissions(self, query: SubmissionQuery) -> SubmissionPage: ...

    @abstractmethod
    def last_report(self, submission_id: int) -> ValidateTaskResults | None:
        """The call that published the last report on a submission, also where it was cleared since."""

    @abstractmethod
    def has_taken(self, task_id: int, worker: str) -> bool:
        """Whether this worker ever took this task."""

    @abstractmethod
    def record(self, address: str) -> Record: ...

    @abstractmethod
    def events(
        self,
        since: int = 0,
        *,
        limit: int = 1000,
        task_id: int | None = None,
        account: str | None = None,
        newest: bool = False,
    ) -> tuple[Event, ...]:
        """Events with a cursor above ``since``, oldest first; with ``newest`` the last ``limit`` of them."""

    @abstractmethod
    def statement(self, address: str, *, since: int = 0, limit: int = 1000) -> tuple[Movement, ...]: ...

    @abstractmethod
    def fee(self, call: Call, address: str) -> int:
        """Planck that sending ``call`` would cost."""

    @abstractmethod
    def sign(self, call: Call, signer: Signer) -> Extrinsic:
        """Wrap ``call`` with the account's next nonce, era, genesis and spec version, and sign it."""

    @abstractmethod
    def submit(self, extrinsic: Extrinsic) -> Receipt:
        """Send and wait until settled. Raises `Refused` ("StaleNonce") when another call came between."""

    @abstractmethod
    def receipt(self, extrinsic_hash: str) -> Receipt | None:
        """What became of an extrinsic sent earlier, or None where the chain has not seen it."""

    @abstractmethod
    def close(self) -> None: ...

    def with_report(self, submission: Submission) -> Submission:
        """``submission`` with the report for which changes were asked: the request itself has cleared it."""
        if submission.status is not ResultSubmissionStatus.Assigned or not submission.requests:
            return submission
        found = self.last_report(submission.id)
        if found is None:
            return submission
        return replace(submission, report_path=found.report_path, report_digest=found.report_digest)

    def submissions_of(self, task_id: int) -> Sequence[Submission]:
        """Every submission of one task, oldest first, however many gave up on it."""
        return self.submissions(SubmissionQuery(task_id=task_id, limit=MAX_U32)).items
