"""One task as its screen needs it: read from chain, storage and this home in one go, off the loop."""

from collections.abc import Callable
from dataclasses import dataclass

from decentralml.core import judging, setup_script, task_folder, work
from decentralml.core.chain import rules
from decentralml.core.chain.base import Event, Record, SubmissionQuery
from decentralml.core.domain import (
    DELIVERED,
    Constants,
    ResultSubmissionStatus,
    Submission,
    Task,
    TaskType,
    manifest_digest,
)
from decentralml.core.errors import DecentralMLError, Refused
from decentralml.core.report import Report
from decentralml.core.storage.base import Manifest
from decentralml.core.training.runs import Run
from decentralml.tui import keys
from decentralml.tui.hints import explain
from decentralml.tui.session import Session

_EVENTS = 2000
# The actions of the task screen that sign, and the call that each signs.
CALLS = {
    "take": "assign_task",
    "deliver": "send_task_result",
    "abandon": "abandon_task",
    "claim": "claim_task_result",
    "time_out": "time_out",
    "evaluate": "validate_task_results",
    "close": "close_task",
}


@dataclass(frozen=True)
class Facts:
    """What the screen shows. ``refusals`` holds why an action is not offered, None where it is.

    ``fitting``: the submissions that an action may be about now; ``subjects``: the first of them.
    ``next_change``: the first block after which a deadline has passed, so that this is to be read again.
    """

    task: Task
    block: int
    constants: Constants
    me: str | None
    creator: Record
    submissions: tuple[Submission, ...]
    workers: dict[str, Record]
    names: dict[str, str]
    reports: dict[int, Report]
    runs: dict[int, Run]
    events: tuple[Event, ...]
    manifest: Manifest | None
    manifest_problem: str
    fetched: bool
    overdue_slot: Submission | None
    refusals: dict[str, Refused | None]
    subjects: dict[str, int]
    fitting: dict[str, frozenset[int]]
    next_change: int | None

    @property
    def mine(self) -> Submission | None:
        """My submission of this task: nobody has two."""
        return next((s for s in self.submissions if s.worker == self.me), None)

    def submission(self, id: int) -> Submission | None:
        """The submission ``id`` of this task."""
        return next((s for s in self.submissions if s.id == id), None)


def read(session: Session, task_id: int, before: Facts | None = None) -> Facts:
    """Everything about a task. Blocks. The manifest of ``before`` is used again: it never changes.

    Raises `Refused` ("TaskNotFound"), `Unavailable`.
    """
    chain = session.chain
    task, me = chain.task(task_id), session.address
    submissions = tuple(map(chain.with_report, chain.submissions_of(task_id)))
    people = {task.creator, *(s.worker for s in submissions)}
    manifest, problem = (before.manifest, "") if before and before.manifest else _manifest(session, task)
    fetched = is_fetched(session, task)
    block, constants = chain.head().block, chain.constants
    refusals, fitting = _may(session, task, submissions, me)
    slot = _overdue_slot(session, task, submissions, refusals)
    if slot is not None:
        refusals["take"] = None
    refusals |= _local_refusals(session, task, fetched)
    return Facts(
        task=task,
        block=block,
        constants=constants,
        me=me,
        creator=chain.record(task.creator),
        submissions=submissions,
        workers={worker: chain.record(worker) for worker in people - {task.creator}},
        names=session.names(),
        reports=_reports(session, submissions),
        runs=_runs(session, submissions, me),
        events=chain.events(task_id=task_id, newest=True, limit=_EVENTS),
        manifest=manifest,
        manifest_problem=problem,
        fetched=fetched,
        overdue_slot=slot,
        refusals=refusals,
        subjects={action: min(fits) for action, fits in fitting.items() if fits},
        fitting=fitting,
        next_change=_next_change(task, submissions, constants, block),
    )


def is_fetched(session: Session, task: Task) -> bool:
    """Whether the task's folder is on this machine: it appears there only when whole and verified."""
    assets = task.terms.assets
    return assets is not None and (session.home.assets / manifest_digest(assets[1])).is_dir()


def _manifest(session: Session, task: Task) -> tuple[Manifest | None, str]:
    assets = task.terms.assets
    if assets is None:
        return None, "This task ships no files."
    try:
        if assets[0] is not session.storage.type:
            return (
                None,
                f"The files are on {assets[0]}; this terminal is connected to {session.storage.type}.",
            )
        return session.storage.manifest(assets[1]), ""
    except DecentralMLError as error:
        return None, explain(error)


def _may(
    session: Session, task: Task, submissions: tuple[Submission, ...], me: str | None
) -> tuple[dict[str, Refused | None], dict[str, frozenset[int]]]:
    """For each call of the screen: why it is not offered, and on which submissions it is."""
    refusals: dict[str, Refused | None] = {}
    fitting: dict[str, frozenset[int]] = {}
    known = {rule.name: rule for rule in rules.TABLE}
    calls = {action: known[call] for action, call in CALLS.items() if call in known}
    if session.readonly or me is None:
        return {action: session.may(rule.name, task_id=task.id) for action, rule in calls.items()}, fitting
    with session.chain.view() as view:
        for action, rule in calls.items():
            if "submission_id" not in rule.call.__struct_fields__:
                refusals[action] = rules.check(view, rule.name, me, task_id=task.id)
                continue
            found = {
                s.id: rules.check(view, rule.name, me, submission_id=s.id)
                for s in submissions
                if _concerns(action, s, me)
            }
            fitting[action] = frozenset(id for id, refusal in found.items() if refusal is None)
            last = [*found.values()][-1] if found else _NOBODY[action](task)
            refusals[action] = None if fitting[action] else last
    return refusals, fitting


def _concerns(action: str, submission: Submission, me: str) -> bool:
    if action in ("deliver", "abandon"):
        return submission.worker == me
    if action == "time_out":
        return submission.status is ResultSubmissionStatus.Assigned
    return submission.status in DELIVERED


def not_taken(task: Task) -> Refused:
    """That one holds no slot of the task."""
    return Refused("NotTaken", f"You hold no slot of task {task.id}.", keys.said("{take} takes one."))


def _nothing_delivered(task: Task) -> Refused:
    return Refused("NothingDelivered", f"No result of task {task.id} waits.", "Workers deliver first.")


def _nobody_at_work(task: Task) -> Refused:
    return Refused("NobodyAtWork", f"Nobody holds a slot of task {task.id}.", "There is nobody to time out.")


_NOBODY: dict[str, Callable[[Task], Refused]] = {
    "deliver": not_taken,
    "abandon": not_taken,
    "time_out": _nobody_at_work,
    "claim": _nothing_delivered,
    "evaluate": _nothing_delivered,
}


def _overdue_slot(
    session: Session,
    task: Task,
    submissions: tuple[Submission, ...],
    refusals: dict[str, Refused | None],
) -> Submission | None:
    """The submission that `time_out` would end to make room for me, where that is all that is in the way."""
    refusal = refusals.get("take")
    if refusal is None or refusal.code != "TaskFull" or session.address is None:
        return None
    with session.chain.view() as view:
        for submission in submissions:
            idle = submission.status is ResultSubmissionStatus.Assigned and submission.delivered is None
            if idle and rules.overdue(submission, view.constants, view.block):
                return submission
    return None


def _local_refusals(session: Session, task: Task, fetched: bool) -> dict[str, Refused | None]:
    """Why what is done on this machine alone does not fit the task."""
    setup = None
    if fetched and task.terms.assets is not None:
        folder = session.home.assets / manifest_digest(task.terms.assets[1])
        if not (folder / setup_script.NAME).exists() and not (folder / task_folder.REQUIREMENTS).exists():
            setup = Refused("NoSetup", f"Task {task.id} has no setup.sh and no requirements.", "")
    return {"train": no_training(task), "set_up": setup}


def no_training(task: Task) -> Refused | None:
    """Why nothing is trained for a task; None where something is."""
    if task.terms.task_type is not TaskType.DataAnnotators:
        return None
    return Refused(
        "NothingToTrain",
        f"Task {task.id} asks for labels.",
        keys.said("{deliver} labels the files; {try_first} shows them."),
    )


def _reports(session: Session, submissions: tuple[Submission, ...]) -> dict[int, Report]:
    found = ((s.id, judging.own_report(session.home, s)) for s in submissions)
    return {number: report for number, report in found if report is not None}


def _runs(session: Session, submissions: tuple[Submission, ...], me: str | None) -> dict[int, Run]:
    """The newest run of each of my submissions here."""
    mine = {s.id for s in submissions if s.worker == me}
    if not mine:
        return {}
    runs: dict[int, Run] = {}
    genesis = session.chain.genesis
    for run in session.runs.list():
        id = run.spec.submission_id
        if id in mine and run.spec.on(genesis):
            runs.setdefault(id, run)
    return runs


def _next_change(
    task: Task, submissions: tuple[Submission, ...], constants: Constants, block: int
) -> int | None:
    due: list[int | None] = []
    for submission in (None, *submissions):
        found = rules.deadlines(task, submission, constants)
        due += [found.take, found.deliver, found.abandon_free, found.decide]
    return min((when for when in due if when is not None and when >= block), default=None)


def to_deliver(session: Session, submission_id: int) -> list[Run]:
    """The finished runs of this home whose result fits a submission, newest first. Blocks."""
    submission = session.chain.submission(submission_id)
    return work.results_for(submission, session.chain.genesis, session.runs.list())


def my_submission(session: Session, task_id: int) -> Submission | None:
    """The account's submission of a task. Blocks."""
    if session.address is None:
        return None
    query = SubmissionQuery(task_id=task_id, worker=session.address)
    return next(iter(session.chain.submissions(query).items), None)
