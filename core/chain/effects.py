"""What each call does once the rules allow it. Pure: a subject in, an outcome out."""

from collections.abc import Callable
from typing import TypeVar

from msgspec.structs import replace

from decentralml.core.chain.calls import (
    AcceptTaskResults,
    CreateTask,
    RejectTaskResults,
    RequestChanges,
    SendTaskResult,
    ValidateTaskResults,
)
from decentralml.core.chain.state import Move, Note, Outcome, Subject
from decentralml.core.domain import (
    MAX_CHANGE_REQUESTS,
    ResultSubmissionStatus,
    Submission,
    Task,
    ValidationStrategy,
    result_digest,
)

C = TypeVar("C")
Effect = Callable[[Subject], Outcome]


def create(s: Subject) -> Outcome:
    terms = _call(s, CreateTask).terms
    task = Task(id=s.view.next_task_id, creator=s.caller, terms=terms, created=s.block)
    note = Note("TaskCreated", {"creator": s.caller, "amount": str(task.held)})
    return Outcome(task, None, (Move("Escrowed", s.caller, -task.held, task.held),), (note,))


def assign(s: Subject) -> Outcome:
    deposit = s.constants.take_deposit(s.task.terms.pays_amount)
    submission = Submission(
        id=s.view.next_submission_id,
        task_id=s.task.id,
        worker=s.caller,
        status=ResultSubmissionStatus.Assigned,
        taken=s.block,
        started=s.block,
        deposit=deposit,
    )
    move = Move("DepositHeld", s.caller, -deposit, deposit)
    note = Note("TaskAssigned", {**_sides(s.task, submission), "deposit": str(deposit)})
    return Outcome(replace(s.task, live=s.task.live + 1), submission, (move,), (note,))


def send(s: Subject) -> Outcome:
    call = _call(s, SendTaskResult)
    digest = result_digest(call.result, call.result_path)
    first = s.submission.first_delivered
    submission = replace(
        s.submission,
        status=ResultSubmissionStatus.PendingValidation,
        deposit=0,
        delivered=s.block,
        first_delivered=s.block if first is None else first,
        result=call.result,
        result_path=call.result_path,
        result_storage_type=call.result_storage_type,
        result_storage_credentials=call.result_storage_credentials,
        digest=digest,
        report_path=None,
        report_digest=None,
    )
    moves = _give_back_deposit(s.submission, s.submission.worker)
    notes = (Note("ResultSent", {**_sides(s.task, submission), "digest": digest}),)
    if s.task.terms.validation_strategy is ValidationStrategy.AutoAccept:
        paid = _pay(s.task, submission, s.block, "auto")
        return replace(paid, moves=moves + paid.moves, events=notes + paid.events)
    return Outcome(s.task, submission, moves, notes)


def validate(s: Subject) -> Outcome:
    call = _call(s, ValidateTaskResults)
    submission = replace(
        s.submission,
        status=ResultSubmissionStatus.Validated,
        report_path=call.report_path,
        report_digest=call.report_digest,
    )
    data = {**_sides(s.task, submission), "digest": call.digest, "report": call.report_digest}
    return Outcome(s.task, submission, (), (Note("ResultValidated", data),))


def accept(s: Subject) -> Outcome:
    _call(s, AcceptTaskResults)
    return _pay(s.task, s.submission, s.block, "creator")


def reject(s: Subject) -> Outcome:
    reason = _call(s, RejectTaskResults).reason
    submission = replace(s.submission, status=ResultSubmissionStatus.Rejected, reason=reason, decided=s.block)
    task, moves, notes = _vacate(replace(s.task, rejected=s.task.rejected + 1))
    note = Note("ResultRejected", {**_sides(s.task, submission), "reason": reason})
    return Outcome(task, submission, moves, (note, *notes))


def request_changes(s: Subject) -> Outcome:
    reason = _call(s, RequestChanges).reason
    submission = replace(
        s.submission,
        status=ResultSubmissionStatus.Assigned,
        started=s.block,
        requests=s.submission.requests + 1,
        reason=reason,
        report_path=None,
        report_digest=None,
    )
    note = Note("ChangesRequested", {**_sides(s.task, submission), "reason": reason})
    return Outcome(s.task, submission, (), (note,))


def claim(s: Subject) -> Outcome:
    return _pay(s.task, replace(s.submission, claimed=True), s.block, "claim")


def abandon(s: Subject) -> Outcome:
    # x > floor(W / 8) and x > W / 8 are the same for whole blocks.
    late = s.block - s.submission.taken > s.constants.work_period // 8
    moves = _give_back_deposit(s.submission, s.task.creator if late else s.submission.worker)
    submission = replace(
        s.submission,
        status=ResultSubmissionStatus.Abandoned,
        deposit=0,
        delivered=None,
        result=None,
        result_path=None,
        result_storage_type=None,
        result_storage_credentials=None,
        digest=None,
        decided=s.block,
    )
    task, released, notes = _vacate(s.task)
    note = Note("TaskAbandoned", _sides(s.task, submission))
    return Outcome(task, submission, moves + released, (note, *notes))


def time_out(s: Subject) -> Outcome:
    if s.submission.digest is not None:
        submission = replace(
            s.submission,
            status=ResultSubmissionStatus.PendingValidation,
            delivered=s.block,
            requests=MAX_CHANGE_REQUESTS,
        )
        note = Note("DeliveryRestored", {**_sides(s.task, submission), "digest": s.submission.digest})
        return Outcome(s.task, submission, (), (note,))
    moves = _give_back_deposit(s.submission, s.task.creator)
    submission = replace(s.submission, status=ResultSubmissionStatus.TimedOut, deposit=0, decided=s.block)
    task, released, notes = _vacate(s.task)
    note = Note("SubmissionTimedOut", _sides(s.task, submission))
    return Outcome(task, submission, moves + released, (note, *notes))


def close(s: Subject) -> Outcome:
    free = s.task.terms.max_assignments - s.task.accepted - s.task.live
    task = replace(s.task, closed=True, released=free)
    amount = free * s.task.terms.pays_amount
    moves = (Move("EscrowReleased", task.creator, amount, -amount),) if amount else ()
    note = Note("TaskClosed", {"creator": task.creator, "amount": str(amount)})
    return Outcome(task, None, moves, (note,))


def _pay(task: Task, submission: Submission, block: int, how: str) -> Outcome:
    amount = task.terms.pays_amount
    moves = (
        Move("EscrowPaid", task.creator, 0, -amount),
        Move("Paid", submission.worker, amount, 0),
    )
    data = {**_sides(task, submission), "amount": str(amount), "how": how}
    return Outcome(
        replace(task, live=task.live - 1, accepted=task.accepted + 1),
        replace(submission, status=ResultSubmissionStatus.Accepted, decided=block),
        moves,
        (Note("ResultAccepted", data),),
    )


def _vacate(task: Task) -> tuple[Task, tuple[Move, ...], tuple[Note, ...]]:
    """The task with one slot less taken; once closed the slot's money goes back at once."""
    if not task.closed:
        return replace(task, live=task.live - 1), (), ()
    amount = task.terms.pays_amount
    return (
        replace(task, live=task.live - 1, released=task.released + 1),
        (Move("EscrowReleased", task.creator, amount, -amount),),
        (Note("SlotReleased", {"creator": task.creator, "amount": str(amount)}),),
    )


def _give_back_deposit(submission: Submission, to: str) -> tuple[Move, ...]:
    amount, worker = submission.deposit, submission.worker
    if not amount:
        return ()
    if to == worker:
        return (Move("DepositReleased", worker, amount, -amount),)
    return (Move("DepositLost", worker, 0, -amount), Move("DepositReceived", to, amount, 0))


def _sides(task: Task, submission: Submission) -> dict[str, str]:
    return {"creator": task.creator, "worker": submission.worker}


def _call(subject: Subject, kind: type[C]) -> C:
    assert isinstance(subject.call, kind)
    return subject.call
