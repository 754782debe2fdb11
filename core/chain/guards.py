"""The conditions under which a call is allowed: a code, a sentence for people, and a check each."""

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec
from msgspec import Struct

from decentralml.core.amount import MAX_AMOUNT, format_amount
from decentralml.core.chain.calls import (
    AcceptTaskResults,
    CreateTask,
    RejectTaskResults,
    RequestChanges,
    SendTaskResult,
    ValidateTaskResults,
)
from decentralml.core.chain.state import Subject
from decentralml.core.domain import (
    MAX_ASSIGNMENTS,
    MAX_CHANGE_REQUESTS,
    MAX_U32,
    TaskType,
    Terms,
    manifest_digest,
)
from decentralml.core.errors import Refused
from decentralml.core.words import count

C = TypeVar("C")


class Guard(Struct, frozen=True):
    """``holds`` says whether the call may pass. ``sentence`` says why not, ``hint`` what to do then.

    ``argued``: the check needs the call's arguments. ``detail`` adds figures to the sentence.
    """

    code: str
    sentence: str
    holds: Callable[[Subject], bool]
    hint: str = ""
    argued: bool = False
    detail: Callable[[Subject], str] | None = None

    def refusal(self, subject: Subject) -> Refused:
        more = f" {self.detail(subject)}" if self.detail else ""
        return Refused(self.code, self.sentence + more, self.hint)


class Who(Struct, frozen=True):
    """The role that may make a call, and the guard that knows it (None: anyone)."""

    role: str
    guard: Guard | None = None


def _call(subject: Subject, kind: type[C]) -> C:
    assert isinstance(subject.call, kind)
    return subject.call


def _terms(subject: Subject) -> Terms:
    return _call(subject, CreateTask).terms


# Who.

ANYONE = Who("anyone")
CREATOR = Who(
    "the creator",
    Guard(
        "NotTheCreator",
        "Only the creator of the task may do this.",
        lambda s: s.caller == s.task.creator,
        "Choose the account that created it with --account.",
    ),
)
CREATOR_OR_EXPIRED = Who(
    "the creator; anyone once the task has expired",
    Guard(
        "NotTheCreator",
        "Until the task has expired only its creator may close it.",
        lambda s: s.caller == s.task.creator or s.block > s.task.terms.expiration_block,
        "Wait for the expiration block, or choose the creator's account with --account.",
    ),
)
WORKER = Who(
    "that worker",
    Guard(
        "NotTheWorker",
        "Only the worker who took this slot may do this.",
        lambda s: s.caller == s.submission.worker,
        "Choose the account that took it with --account.",
    ),
)
NOT_CREATOR = Who(
    "anyone but the creator",
    Guard(
        "CreatorCannotWork",
        "The creator of a task cannot work on it.",
        lambda s: s.caller != s.task.creator,
        "Choose another account with --account.",
    ),
)


# Money.


def _needs(amount: Callable[[Subject], int], what: str, *, argued: bool) -> Guard:
    def detail(subject: Subject) -> str:
        need = amount(subject) + subject.constants.existential_deposit
        free = subject.view.balance(subject.caller).free
        return f"It needs {format_amount(need)}, and {format_amount(free)} is free."

    return Guard(
        "InsufficientBalance",
        f"There is too little free money for {what} and the existential deposit.",
        lambda s: s.view.balance(s.caller).free >= amount(s) + s.constants.existential_deposit,
        "`decentralml account fund`, where there is a faucet; or wait until what is held comes back.",
        argued=argued,
        detail=detail,
    )


ESCROW = _needs(lambda s: _terms(s).pays_amount * _terms(s).max_assignments, "the escrow", argued=True)
DEPOSIT = _needs(lambda s: s.constants.take_deposit(s.task.terms.pays_amount), "the deposit", argued=False)

# create_task


def _has_fields(terms: Terms) -> bool:
    if terms.task_type is TaskType.ModelContributor:
        return bool(terms.model_contributor_script_path) and bool(terms.model_contributor_script_storage_type)
    if terms.task_type is TaskType.ModelEngineer:
        return bool(terms.model_engineer_path) and bool(terms.model_engineer_storage_type)
    files = terms.annotation_files
    return bool(terms.annotation_type and files and all(files) and terms.annotation_files_storage_type)


def _good_references(terms: Terms) -> bool:
    annotates = terms.task_type is TaskType.DataAnnotators
    paths = terms.annotation_files if annotates else terms.assets and terms.assets[1:]
    return all(map(_is_reference, paths or ()))


def _is_reference(path: str) -> bool:
    try:
        manifest_digest(path)
    except Refused:
        return False
    return True


def _expires_in_time(subject: Subject) -> bool:
    return 0 < _terms(subject).expiration_block - subject.block <= subject.constants.max_term


REWARD = Guard(
    "RewardTooLow",
    "The reward is below the existential deposit.",
    lambda s: _terms(s).pays_amount >= s.constants.existential_deposit,
    "Pay at least 0.001 a result.",
    argued=True,
)
ASSIGNMENTS = Guard(
    "BadAssignments",
    f"The number of results to buy must lie between 1 and {MAX_ASSIGNMENTS:,}.",
    lambda s: 1 <= _terms(s).max_assignments <= MAX_ASSIGNMENTS,
    "Ask for a number between these.",
    argued=True,
)
EXPIRATION = Guard(
    "BadExpiration",
    "The expiration block must lie after this block and within the longest term.",
    _expires_in_time,
    "Choose a later block, within the longest term.",
    argued=True,
    detail=lambda s: f"This is block {s.block:,}; the longest term is {s.constants.max_term:,} blocks.",
)
QUESTION = Guard(
    "QuestionEmpty",
    "The question is empty.",
    lambda s: bool(_terms(s).question.strip()),
    "Say in a sentence what is wanted.",
    argued=True,
)
FIELDS = Guard(
    "FieldsMissing",
    "A field that this type of task needs is missing.",
    lambda s: _has_fields(_terms(s)),
    "A contributor's task needs its script's path and storage type, an engineer's its path and storage "
    "type, an annotators' task its annotation type, files and their storage type.",
    argued=True,
)
ASSETS = Guard(
    "BadReference",
    "The path of what a task ships must end in #sha256= and the digest of its manifest.",
    lambda s: _good_references(_terms(s)),
    "Upload the folder; a reference without a digest cannot be verified.",
    argued=True,
)
CREATE_OVERFLOW = Guard(
    "Overflow",
    "The reward times the number of results does not fit the chain's numbers.",
    lambda s: (
        _terms(s).pays_amount * _terms(s).max_assignments <= MAX_AMOUNT and s.view.next_task_id <= MAX_U32
    ),
    "Pay less, or buy fewer results.",
    argued=True,
)

# assign_task

NOT_EXPIRED = Guard(
    "TaskExpired",
    "The task has expired: it can no longer be taken.",
    lambda s: s.block <= s.task.terms.expiration_block,
    "Look for another task.",
    detail=lambda s: f"Its last block was {s.task.terms.expiration_block:,}, this is {s.block:,}.",
)
NOT_CLOSED = Guard("TaskClosed", "The task is closed.", lambda s: not s.task.closed, "Look for another task.")
NOT_CLOSED_YET = msgspec.structs.replace(NOT_CLOSED, hint="What nobody could earn has gone back already.")
HAS_SLOT = Guard(
    "TaskFull",
    "Every slot of the task is taken or paid.",
    lambda s: s.task.live + s.task.accepted < s.task.terms.max_assignments,
    "Wait until a slot is free, or time out one that is overdue.",
)
UNDER_CAP = Guard(
    "TooManySubmissions",
    "The task has had as many submissions as it may: three times the results it buys.",
    lambda s: s.task.live + s.task.accepted + s.task.rejected < 3 * s.task.terms.max_assignments,
    "Look for another task.",
)
FIRST_TIME = Guard(
    "AlreadyTaken",
    "This account has taken this task before.",
    lambda s: not s.view.has_taken(s.task.id, s.caller),
    "A worker takes a task once; look for another.",
)
ASSIGN_OVERFLOW = Guard(
    "Overflow",
    "The chain has no further submission number.",
    lambda s: s.view.next_submission_id <= MAX_U32,
    "Use another chain.",
)

# Deliveries and decisions


def _has_result(subject: Subject) -> bool:
    call = _call(subject, SendTaskResult)
    if call.result is not None and not call.result:
        return False
    annotates = subject.task.terms.task_type is TaskType.DataAnnotators
    return bool(call.result_path) or (annotates and bool(call.result))


def _good_reference(subject: Subject) -> bool:
    path = _call(subject, SendTaskResult).result_path
    return path is None or _is_reference(path)


def _same_digest(subject: Subject) -> bool:
    call = subject.call
    assert isinstance(call, ValidateTaskResults | AcceptTaskResults | RejectTaskResults | RequestChanges)
    return call.digest == subject.submission.digest


def _has_reason(subject: Subject) -> bool:
    call = subject.call
    assert isinstance(call, RejectTaskResults | RequestChanges)
    return bool(call.reason.strip())


NOT_OVERDUE = Guard(
    "Overdue",
    "The work period is over.",
    lambda s: not s.overdue,
    "The slot can only be timed out now.",
    detail=lambda s: f"It ended {count(s.elapsed - s.constants.work_period, 'block')} ago.",
)
IS_OVERDUE = Guard(
    "NotOverdue",
    "The work period is not over yet.",
    lambda s: s.overdue,
    "Wait until it is.",
    detail=lambda s: f"It ends in {count(s.constants.work_period + 1 - s.elapsed, 'block')}.",
)
RESULT = Guard(
    "ResultMissing",
    "There is no result: a path is needed, or, of an annotator, a text that is not empty.",
    _has_result,
    "Upload the result folder and send its reference.",
    argued=True,
)
RESULT_STORAGE = Guard(
    "StorageTypeMissing",
    "A result's path needs its storage type.",
    lambda s: (
        _call(s, SendTaskResult).result_path is None
        or _call(s, SendTaskResult).result_storage_type is not None
    ),
    "Say where the result is stored.",
    argued=True,
)
REFERENCE = Guard(
    "BadReference",
    "A result's path must end in #sha256= and the digest of its manifest.",
    _good_reference,
    "Upload the folder again; a reference without a digest cannot be verified.",
    argued=True,
)
DIGEST = Guard(
    "ResultChanged",
    "The result delivered last is not the one meant.",
    _same_digest,
    "Look at the result again; the worker has sent another one since.",
    argued=True,
)
REPORT = Guard(
    "ReportMissing",
    "There is no validation report.",
    lambda s: bool(_call(s, ValidateTaskResults).report_path.strip()),
    "Validate the result, so that there is a report to publish.",
    argued=True,
)
REPORT_DIGEST = Guard(
    "BadDigest",
    "The report's digest must be 64 lower-case hexadecimal digits.",
    lambda s: re.fullmatch("[0-9a-f]{64}", _call(s, ValidateTaskResults).report_digest) is not None,
    "Give the SHA-256 of the report's bytes.",
    argued=True,
)
REASON = Guard(
    "ReasonMissing", "A reason is needed.", _has_reason, "Say in a sentence what is wrong.", argued=True
)
IN_REVIEW = Guard(
    "ReviewPeriodOver",
    "The review period is over.",
    lambda s: s.waited <= s.constants.review_period,
    "The result can only be accepted, or claimed by anyone.",
    detail=lambda s: f"It ended {count(s.waited - s.constants.review_period, 'block')} ago.",
)
REVIEW_OVER = Guard(
    "ReviewPeriodNotOver",
    "The review period is not over yet.",
    lambda s: s.waited > s.constants.review_period,
    "Wait for the creator's decision until it is.",
    detail=lambda s: f"It ends in {count(s.constants.review_period + 1 - s.waited, 'block')}.",
)
REQUESTS_LEFT = Guard(
    "TooManyRequests",
    f"Changes can be requested {MAX_CHANGE_REQUESTS} times a submission.",
    lambda s: s.submission.requests < MAX_CHANGE_REQUESTS,
    "Accept the result, or reject it.",
)
