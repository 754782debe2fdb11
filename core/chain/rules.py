"""The market's rules as pure functions: state, call, caller and block in; outcome or refusal out."""

from msgspec import Struct

from decentralml.core.chain.arguments import check_arguments
from decentralml.core.chain.calls import Call, call_name
from decentralml.core.chain.state import Move, Note, Outcome, Subject, View
from decentralml.core.chain.table import TABLE, Rule
from decentralml.core.domain import MAX_U32, Constants, ResultSubmissionStatus, Submission, Task
from decentralml.core.errors import Refused
from decentralml.core.words import STATUSES, either

__all__ = [
    "TABLE",
    "Deadlines",
    "Move",
    "Note",
    "Outcome",
    "Rule",
    "View",
    "apply",
    "check",
    "deadlines",
    "overdue",
    "rule",
    "submission_not_found",
    "takeable",
    "task_not_found",
]


def rule(call_name: str) -> Rule:
    """The table's row of a call. Raises `Refused` ("UnknownCall")."""
    for row in TABLE:
        if row.name == call_name:
            return row
    raise Refused("UnknownCall", f"The market has no call {call_name}.", "See `decentralml task --help`.")


def apply(view: View, call: Call, caller: str, block: int) -> Outcome:
    """What ``call``, made by the address ``caller`` in ``block``, does to the state in ``view``.

    Raises `Refused` with the code of the first guard that fails: the arguments fit, the task or
    submission exists, caller, state, then the guards of the table from left to right.
    """
    row = rule(call_name(call))
    check_arguments(call)
    if not 0 <= block <= MAX_U32:
        raise Refused("Overflow", f"Block {block} does not fit the chain's numbers.", "Set the clock right.")
    subject = _subject(
        row, view, caller, block, call, getattr(call, "task_id", None), getattr(call, "submission_id", None)
    )
    _check(row, subject)
    return row.effect(subject)


def check(
    view: View,
    call_name: str,
    caller: str,
    *,
    task_id: int | None = None,
    submission_id: int | None = None,
) -> Refused | None:
    """Whether ``caller`` may make a call now, as far as that is known without its arguments.

    None, or the refusal with its code, sentence and hint.
    """
    try:
        row = rule(call_name)
        _check(row, _subject(row, view, caller, view.block, None, task_id, submission_id))
    except Refused as refused:
        return refused
    return None


def takeable(task: Task, block: int) -> bool:
    """Whether somebody could take the task: the guards of assign less the caller's."""
    terms = task.terms
    return (
        block <= terms.expiration_block
        and not task.closed
        and task.live + task.accepted < terms.max_assignments
        and task.live + task.accepted + task.rejected < 3 * terms.max_assignments
    )


def affordable(task: Task, free: int, constants: Constants) -> bool:
    """Whether so much ``free`` money is enough for the deposit of a slot: the caller's guard on money."""
    return free >= constants.take_deposit(task.terms.pays_amount) + constants.existential_deposit


def overdue(submission: Submission, constants: Constants, block: int) -> bool:
    """Whether an assigned submission can only be timed out."""
    return (
        submission.status is ResultSubmissionStatus.Assigned
        and block - submission.started > constants.work_period
    )


class Deadlines(Struct, frozen=True, kw_only=True):
    """The last block in which each thing can still be done; None where it is not awaited.

    ``take``: the task can be taken. ``deliver``: the worker can send. ``abandon_free``: abandoning
    costs no deposit. ``decide``: the creator can reject or request changes; silence pays after it.
    """

    take: int | None = None
    deliver: int | None = None
    abandon_free: int | None = None
    decide: int | None = None


def deadlines(task: Task, submission: Submission | None, constants: Constants) -> Deadlines:
    """The deadlines of a task, and of one of its submissions where given."""
    take = None if task.closed else task.terms.expiration_block
    if submission is None:
        return Deadlines(take=take)
    if submission.status is ResultSubmissionStatus.Assigned:
        return Deadlines(
            take=take,
            deliver=submission.started + constants.work_period,
            abandon_free=submission.taken + constants.work_period // 8 if submission.deposit else None,
        )
    if submission.status.live and submission.delivered is not None:
        return Deadlines(take=take, decide=submission.delivered + constants.review_period)
    return Deadlines(take=take)


def _subject(
    row: Rule,
    view: View,
    caller: str,
    block: int,
    call: Call | None,
    task_id: int | None,
    submission_id: int | None,
) -> Subject:
    """The task and submission that a call is about. Raises `Refused` where they do not exist."""
    fields = row.call.__struct_fields__
    submission = None
    if "submission_id" in fields:
        submission = None if submission_id is None else view.submission(submission_id)
        if submission is None:
            raise submission_not_found(submission_id)
        task_id = submission.task_id
    task = None
    if submission or "task_id" in fields:
        task = None if task_id is None else view.task(task_id)
        if task is None:
            raise task_not_found(task_id)
    return Subject(view, caller, block, call, task, submission)


def _check(row: Rule, subject: Subject) -> None:
    who = row.who.guard
    if who and not who.holds(subject):
        raise who.refusal(subject)
    if row.sources and subject.submission.status not in row.sources:
        raise _wrong_state(row, subject.submission)
    for guard in row.guards:
        if (subject.call is not None or not guard.argued) and not guard.holds(subject):
            raise guard.refusal(subject)


def task_not_found(task_id: int | None) -> Refused:
    return Refused("TaskNotFound", f"There is no task {task_id}.", "List them with `decentralml task list`.")


def submission_not_found(submission_id: int | None) -> Refused:
    return Refused(
        "SubmissionNotFound",
        f"There is no submission {submission_id}.",
        "List a task's with `decentralml task results ID`.",
    )


def _wrong_state(row: Rule, submission: Submission) -> Refused:
    hint = f"What happened to it: `decentralml task show {submission.task_id}`."
    if (
        submission.status is ResultSubmissionStatus.PendingValidation
        and ResultSubmissionStatus.Validated in row.sources
    ):
        hint = "Evaluate it first: a decision against a result needs a report."
    return Refused(
        "WrongState",
        f"Submission {submission.id} is {STATUSES[submission.status]}; "
        f"this needs one that is {either(row.sources)}.",
        hint,
    )
