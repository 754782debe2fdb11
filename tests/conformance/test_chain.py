"""What every chain does: each call by each role in each state, the refusals, and the money."""

from collections.abc import Callable
from typing import Any

import pytest

from decentralml.core.chain.base import Stage, SubmissionQuery, Tally, TaskQuery
from decentralml.core.chain.calls import (
    CALLS,
    AcceptTaskResults,
    AssignTask,
    CloseTask,
    CreateTask,
    RejectTaskResults,
    SendTaskResult,
    ValidateTaskResults,
    call_name,
)
from decentralml.core.domain import (
    AnnotationType,
    ResultSubmissionStatus,
    StorageType,
    TaskStatus,
    TaskType,
    ValidationStrategy,
)
from decentralml.core.errors import Refused

WORK, REVIEW = 80, 40
ED = 10**9
PAYS = 5 * 10**12
DEPOSIT = PAYS // 100
DIGEST = "a" * 64
PATH = f"local:#sha256={DIGEST}"

LIVE_STATES = ("Assigned", "Assigned late", "Revising", "Revising late")
REVIEWED_STATES = ("PendingValidation", "PendingValidation late", "Validated", "Validated late")
ENDED_STATES = ("Accepted", "Rejected", "Abandoned", "TimedOut")
STATES = LIVE_STATES + REVIEWED_STATES + ENDED_STATES

# Who may make a call, the code that others get, and what it leads to by state. Elsewhere: WrongState.
DELIVER = {
    "Assigned": "PendingValidation",
    "Assigned late": "Overdue",
    "Revising": "PendingValidation",
    "Revising late": "Overdue",
}
SUBMISSION_CALLS: dict[str, tuple[tuple[str, ...], str, dict[str, str]]] = {
    "send_task_result": (("worker",), "NotTheWorker", DELIVER),
    "validate_task_results": (("creator",), "NotTheCreator", dict.fromkeys(REVIEWED_STATES, "Validated")),
    "accept_task_results": (("creator",), "NotTheCreator", dict.fromkeys(REVIEWED_STATES, "Accepted")),
    "reject_task_results": (
        ("creator",),
        "NotTheCreator",
        {"Validated": "Rejected", "Validated late": "ReviewPeriodOver"},
    ),
    "request_changes": (
        ("creator",),
        "NotTheCreator",
        {"Validated": "Assigned", "Validated late": "ReviewPeriodOver"},
    ),
    "claim_task_result": (
        ("creator", "worker", "other"),
        "",
        {
            "PendingValidation": "ReviewPeriodNotOver",
            "PendingValidation late": "Accepted",
            "Validated": "ReviewPeriodNotOver",
            "Validated late": "Accepted",
        },
    ),
    "abandon_task": (
        ("worker",),
        "NotTheWorker",
        {
            "Assigned": "Abandoned",
            "Assigned late": "Overdue",
            "Revising": "Abandoned",
            "Revising late": "Overdue",
        },
    ),
    "time_out": (
        ("creator", "worker", "other"),
        "",
        {
            "Assigned": "NotOverdue",
            "Assigned late": "TimedOut",
            "Revising": "NotOverdue",
            "Revising late": "PendingValidation",
        },
    ),
}


def refused(world: Any, call: Any, role: str) -> str:
    """The code with which a call is refused; nothing may have changed."""
    before = [world.balance(role) for role in tuple(world.keys)]
    with pytest.raises(Refused) as caught:
        world.do(call, role)
    assert [world.balance(role) for role in tuple(world.keys)] == before
    assert caught.value.message
    return caught.value.code


def test_every_call_is_there(world: Any) -> None:
    assert world.chain.capabilities == {call_name(call) for call in CALLS}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", SUBMISSION_CALLS)
def test_a_call_does_what_the_table_says(worlds: Callable[[], Any], name: str, state: str) -> None:
    allowed, stranger_code, outcomes = SUBMISSION_CALLS[name]
    expected = outcomes.get(state, "WrongState")
    world = worlds()
    world.reach(state)
    for role in ("creator", "worker", "other"):
        if role not in allowed:
            assert refused(world, world.call(name), role) == stranger_code
    for role in allowed:
        if expected not in list(ResultSubmissionStatus):
            assert refused(world, world.call(name), role) == expected
            continue
        world = worlds()
        world.reach(state)
        receipt = world.do(world.call(name), role)
        assert (receipt.call, receipt.stage, receipt.submission_id) == (name, Stage.finalised, 1)
        assert world.submission().status == expected


@pytest.mark.parametrize("name", SUBMISSION_CALLS)
def test_a_submission_that_is_not_there(world: Any, name: str) -> None:
    assert refused(world, world.call(name, 7), "creator") == "SubmissionNotFound"


@pytest.mark.parametrize("call", [AssignTask(9), CloseTask(9)])
def test_a_task_that_is_not_there(world: Any, call: Any) -> None:
    assert refused(world, call, "worker") == "TaskNotFound"


FIELDS_OF_ENGINEER = {"task_type": TaskType.ModelEngineer, "model_engineer_path": PATH}
FIELDS_OF_ANNOTATORS = {
    "task_type": TaskType.DataAnnotators,
    "annotation_type": AnnotationType.Image,
    "annotation_files": (PATH,),
}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"pays_amount": ED - 1}, "RewardTooLow"),
        ({"pays_amount": ED - 1, "max_assignments": 0}, "RewardTooLow"),
        ({"max_assignments": 0}, "BadAssignments"),
        ({"max_assignments": 1001, "expiration_block": 0}, "BadAssignments"),
        ({"expiration_block": 0}, "BadExpiration"),
        ({"expiration_block": 5_256_001, "question": ""}, "BadExpiration"),
        ({"question": " "}, "QuestionEmpty"),
        ({"question": "ü" * 1024 + "?"}, "QuestionTooLong"),
        ({"model_contributor_script_path": None}, "FieldsMissing"),
        ({"model_contributor_script_storage_type": None}, "FieldsMissing"),
        ({"model_contributor_script_path": "x" * 513}, "PathTooLong"),
        ({"model_contributor_script_storage_credentials": "x" * 1025}, "CredentialsTooLong"),
        ({"annotation_json": "x" * 4097}, "AnnotationJsonTooLong"),
        ({"annotation_files": ("x",) * 101}, "TooManyItems"),
        (FIELDS_OF_ENGINEER, "FieldsMissing"),
        (FIELDS_OF_ANNOTATORS, "FieldsMissing"),
        ({"pays_amount": 2**127, "max_assignments": 3}, "Overflow"),
        ({"pays_amount": 2**127, "max_assignments": 1}, "InsufficientBalance"),
        ({"pays_amount": 500 * 10**12, "max_assignments": 2}, "InsufficientBalance"),
        ({"pays_amount": 2**128}, "NumberOutOfRange"),
        ({"pays_amount": -1}, "NumberOutOfRange"),
        ({"expiration_block": 2**32}, "NumberOutOfRange"),
    ],
)
def test_a_task_that_is_not_created(world: Any, changes: dict[str, Any], code: str) -> None:
    assert refused(world, CreateTask(world.terms(**changes)), "creator") == code
    assert world.chain.tasks(TaskQuery()).total == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"question": "ü" * 1024},
        {"expiration_block": 5_256_000},
        {"pays_amount": ED, "max_assignments": 1000},
        {"pays_amount": 500 * 10**12 - ED // 2},
        {**FIELDS_OF_ENGINEER, "model_engineer_storage_type": StorageType.Local},
        {**FIELDS_OF_ANNOTATORS, "annotation_files_storage_type": StorageType.Local},
    ],
)
def test_a_task_at_the_edge_is_created_as_given(world: Any, changes: dict[str, Any]) -> None:
    terms = world.terms(**changes)
    receipt = world.do(CreateTask(terms), "creator")
    assert world.task(receipt.task_id).terms == terms
    assert world.balance("creator").held == terms.pays_amount * terms.max_assignments


def test_assigning_is_refused_guard_by_guard(world: Any) -> None:
    head = world.chain.head().block
    task = world.create(max_assignments=1, expiration_block=head + 10)
    assert refused(world, AssignTask(task), "creator") == "CreatorCannotWork"
    world.assign(task)
    assert refused(world, AssignTask(task), "other") == "TaskFull"
    assert refused(world, AssignTask(task), "worker") == "TaskFull"
    world.do(world.call("abandon_task"), "worker")
    assert refused(world, AssignTask(task), "worker") == "AlreadyTaken"
    world.do(CloseTask(task), "creator")
    assert refused(world, AssignTask(task), "other") == "TaskClosed"
    world.advance(11)
    assert refused(world, AssignTask(task), "creator") == "CreatorCannotWork"
    assert refused(world, AssignTask(task), "other") == "TaskExpired"


def test_a_task_can_be_taken_up_to_its_expiration_block(world: Any) -> None:
    task = world.create(expiration_block=world.chain.head().block + 10)
    world.advance(10)
    world.assign(task)
    world.advance(1)
    assert refused(world, AssignTask(task), "other") == "TaskExpired"


def test_a_worker_without_money_cannot_take(world: Any) -> None:
    task = world.create()
    poor, rich = world.key("poor"), world.key("rich")
    for key, left in ((poor, DEPOSIT + ED - 1), (rich, DEPOSIT + ED)):
        spare = world.balance("poor" if key is poor else "rich").free - left
        terms = world.terms(pays_amount=spare, max_assignments=1)
        world.do(CreateTask(terms), "poor" if key is poor else "rich")
    assert refused(world, AssignTask(task), "poor") == "InsufficientBalance"
    submission = world.assign(task, "rich")
    assert world.balance("rich").free == ED
    assert world.submission(submission).deposit == DEPOSIT
    world.do(world.call("send_task_result", submission), "rich")


def test_three_rejections_a_result_bought_end_the_taking(world: Any) -> None:
    task = world.create(max_assignments=1)
    for number in range(1, 4):
        role = f"worker {number}"
        assert world.assign(task, role) == number
        world.do(world.call("send_task_result", number), role)
        world.do(world.call("validate_task_results", number), "creator")
        world.do(world.call("reject_task_results", number), "creator")
    assert refused(world, AssignTask(task), "other") == "TooManySubmissions"
    assert world.chain.tasks(TaskQuery(takeable=True)).total == 0
    assert world.chain.tasks(TaskQuery(takeable=False)).total == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "ResultMissing"),
        ({"result": "7"}, "ResultMissing"),
        ({"result_path": PATH, "result": "", "result_storage_type": StorageType.Local}, "ResultMissing"),
        ({"result_path": PATH}, "StorageTypeMissing"),
        ({"result_path": "local:x", "result_storage_type": StorageType.Local}, "BadReference"),
        ({"result_path": PATH.upper(), "result_storage_type": StorageType.Local}, "BadReference"),
        ({"result": "x" * 2049}, "ResultTooLong"),
    ],
)
def test_a_result_that_is_not_taken(world: Any, fields: dict[str, Any], code: str) -> None:
    world.reach("Assigned")
    assert refused(world, SendTaskResult(1, **fields), "worker") == code


def test_an_annotator_may_answer_in_the_call(world: Any) -> None:
    world.create(**FIELDS_OF_ANNOTATORS, annotation_files_storage_type=StorageType.Local)
    world.assign(1)
    assert refused(world, SendTaskResult(1, result=""), "worker") == "ResultMissing"
    world.do(SendTaskResult(1, result='{"a.png": "7"}'), "worker")
    found = world.submission()
    assert (found.result, len(found.digest)) == ('{"a.png": "7"}', 64)


def test_a_decision_names_the_result_delivered_last(world: Any) -> None:
    world.reach("Revising")
    later = "c" * 64
    world.do(
        SendTaskResult(1, result_path=f"local:#sha256={later}", result_storage_type=StorageType.Local),
        "worker",
    )
    for call in (
        ValidateTaskResults(1, DIGEST, PATH, "b" * 64),
        AcceptTaskResults(1, DIGEST),
    ):
        assert refused(world, call, "creator") == "ResultChanged"
    world.do(ValidateTaskResults(1, later, PATH, "b" * 64), "creator")
    assert refused(world, RejectTaskResults(1, DIGEST, "no"), "creator") == "ResultChanged"
    world.do(AcceptTaskResults(1, later), "creator")


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (ValidateTaskResults(1, DIGEST, " ", "b" * 64), "ReportMissing"),
        (ValidateTaskResults(1, DIGEST, PATH, "B" * 64), "BadDigest"),
        (RejectTaskResults(1, DIGEST, "\n"), "ReasonMissing"),
        (RejectTaskResults(1, DIGEST, "x" * 1025), "ReasonTooLong"),
    ],
)
def test_a_decision_that_lacks_its_grounds(world: Any, call: Any, code: str) -> None:
    world.reach("Validated")
    assert refused(world, call, "creator") == code


def test_a_wrong_report_is_corrected_by_another(world: Any) -> None:
    world.reach("Validated")
    world.do(ValidateTaskResults(1, DIGEST, PATH, "d" * 64), "creator")
    assert world.submission().report_digest == "d" * 64


def test_changes_are_requested_twice_at_most(world: Any) -> None:
    world.reach("Validated")
    for count in (1, 2):
        world.do(world.call("request_changes"), "creator")
        found = world.submission()
        assert (found.requests, found.report_digest, found.digest) == (count, None, DIGEST)
        world.do(world.call("send_task_result"), "worker")
        world.do(world.call("validate_task_results"), "creator")
    assert refused(world, world.call("request_changes"), "creator") == "TooManyRequests"


def test_the_report_for_which_changes_were_asked_can_still_be_found(world: Any) -> None:
    chain = world.chain
    world.reach("PendingValidation")
    assert chain.last_report(1) is None
    world.do(world.call("validate_task_results"), "creator")
    world.do(ValidateTaskResults(1, DIGEST, PATH, "d" * 64), "creator")
    assert chain.with_report(world.submission()) == world.submission()
    world.do(world.call("request_changes"), "creator")
    assert chain.with_report(world.submission()).report_path == PATH
    assert chain.with_report(world.submission()).report_digest == "d" * 64
    world.do(world.call("send_task_result"), "worker")
    assert chain.with_report(world.submission()).report_path is None, "what is delivered anew has none yet"
    assert chain.last_report(2) is None


def test_what_was_delivered_stands_when_a_request_is_not_answered(world: Any) -> None:
    world.reach("Revising late")
    block = world.do(world.call("time_out"), "other").block
    found = world.submission()
    assert (found.status, found.delivered, found.requests) == ("PendingValidation", block, 2)
    assert refused(world, world.call("claim_task_result"), "worker") == "ReviewPeriodNotOver"
    world.do(world.call("validate_task_results"), "creator")
    assert refused(world, world.call("request_changes"), "creator") == "TooManyRequests"
    world.advance(REVIEW + 1)
    world.do(world.call("claim_task_result"), "other")
    assert world.submission().claimed


@pytest.mark.parametrize(("passed", "code"), [(REVIEW, None), (REVIEW + 1, "ReviewPeriodOver")])
def test_the_last_block_of_the_review(world: Any, passed: int, code: str | None) -> None:
    world.reach("Validated")
    world.advance(passed)
    if code:
        assert refused(world, world.call("reject_task_results"), "creator") == code
    else:
        assert refused(world, world.call("claim_task_result"), "worker") == "ReviewPeriodNotOver"
        world.do(world.call("reject_task_results"), "creator")


@pytest.mark.parametrize(("passed", "code"), [(WORK, None), (WORK + 1, "Overdue")])
def test_the_last_block_of_the_work(world: Any, passed: int, code: str | None) -> None:
    world.reach("Assigned")
    world.advance(passed)
    if code:
        assert refused(world, world.call("send_task_result"), "worker") == code
    else:
        assert refused(world, world.call("time_out"), "other") == "NotOverdue"
        world.do(world.call("send_task_result"), "worker")


def test_an_accepted_result_is_paid_from_the_escrow(world: Any) -> None:
    worker, creator = world.balance("worker").free, world.balance("creator").free
    world.reach("PendingValidation")
    world.do(world.call("accept_task_results"), "creator")
    assert world.balance("worker").free == worker + PAYS
    assert world.balance("creator").free == creator - 2 * PAYS
    assert world.balance("creator").held == PAYS == world.task().held


def test_auto_accept_pays_in_the_same_call(world: Any) -> None:
    world.create(validation_strategy=ValidationStrategy.AutoAccept, max_assignments=1)
    before = world.balance("worker").free
    world.assign(1)
    receipt = world.do(world.call("send_task_result"), "worker")
    assert world.submission().status == "Accepted"
    assert world.balance("worker").free == before + PAYS
    assert world.task().status is TaskStatus.Completed
    assert [event.name for event in receipt.events] == ["ResultSent", "ResultAccepted"]


@pytest.mark.parametrize(("passed", "keeps"), [(WORK // 8, True), (WORK // 8 + 1, False)])
def test_abandoning_early_is_free_and_late_costs_the_deposit(world: Any, passed: int, keeps: bool) -> None:
    before = world.balance("worker").free
    world.reach("Assigned")
    creator = world.balance("creator").free
    world.advance(passed)
    world.do(world.call("abandon_task"), "worker")
    lost = 0 if keeps else DEPOSIT
    assert world.balance("worker").free == before - lost
    assert world.balance("creator").free == creator + lost


def test_abandoning_after_a_request_drops_what_was_delivered(world: Any) -> None:
    before = world.balance("worker").free
    world.reach("Revising")
    world.advance(WORK)
    world.do(world.call("abandon_task"), "worker")
    found = world.submission()
    assert (found.result_path, found.digest, found.delivered) == (None, None, None)
    assert world.balance("worker").free == before


def test_a_time_out_gives_the_deposit_to_the_creator(world: Any) -> None:
    world.reach("Assigned late")
    creator = world.balance("creator").free
    world.do(world.call("time_out"), "other")
    assert world.balance("creator").free == creator + DEPOSIT
    assert world.task().free_slots == 2


def test_closing_releases_the_free_slots_and_never_touches_a_live_one(world: Any) -> None:
    world.reach("Assigned")
    creator = world.balance("creator")
    world.do(CloseTask(1), "creator")
    assert world.balance("creator").free == creator.free + PAYS
    assert world.task().held == PAYS
    assert world.task().status is TaskStatus.InProgress
    assert refused(world, CloseTask(1), "creator") == "TaskClosed"
    world.do(world.call("send_task_result"), "worker")
    world.do(world.call("accept_task_results"), "creator")
    assert world.task().status is TaskStatus.Withdrawn
    assert world.balance("creator").held == 0


@pytest.mark.parametrize("end", ["abandon_task", "time_out", "reject_task_results"])
def test_a_slot_vacated_in_a_closed_task_is_released_at_once(world: Any, end: str) -> None:
    world.reach("Validated" if end == "reject_task_results" else "Assigned")
    world.do(CloseTask(1), "creator")
    if end == "time_out":
        world.advance(WORK + 1)
    world.do(world.call(end), "worker" if end == "abandon_task" else "creator")
    assert (world.balance("creator").held, world.task().released) == (0, 2)
    assert world.task().status is TaskStatus.Withdrawn


def test_only_the_creator_closes_before_the_expiration_and_anyone_after(world: Any) -> None:
    task = world.create(expiration_block=world.chain.head().block + 5)
    world.advance(5)
    assert refused(world, CloseTask(task), "other") == "NotTheCreator"
    world.advance(1)
    world.do(CloseTask(task), "other")
    assert world.balance("creator").held == 0
    assert refused(world, CloseTask(task), "other") == "TaskClosed"


def test_a_call_signed_before_another_is_stale(world: Any) -> None:
    chain, key = world.chain, world.key("creator")
    first, second = (chain.sign(CreateTask(world.terms()), key) for _ in range(2))
    chain.submit(first)
    with pytest.raises(Refused) as caught:
        chain.submit(second)
    assert caught.value.code == "StaleNonce"
    assert chain.receipt(second.hash) is None


def test_a_receipt_is_the_same_now_later_and_on_resubmission(world: Any) -> None:
    chain = world.chain
    extrinsic = chain.sign(CreateTask(world.terms()), world.key("creator"))
    receipt = chain.submit(extrinsic)
    assert receipt.stage is Stage.finalised
    assert chain.submit(extrinsic) == receipt == chain.receipt(extrinsic.hash)
    assert chain.tasks(TaskQuery()).total == 1


def test_events_reach_both_sides_in_order(world: Any) -> None:
    world.reach("Accepted")
    names = ["TaskCreated", "TaskAssigned", "ResultSent", "ResultAccepted"]
    events = world.chain.events(task_id=1)
    assert [event.name for event in events] == names
    assert [event.cursor for event in events] == sorted(event.cursor for event in events)
    for role, seen in (("creator", names), ("worker", names[1:]), ("other", [])):
        own = world.chain.events(account=world.key(role).address)
        assert [event.name for event in own if event.name != "Funded"] == seen
    assert world.chain.events(events[1].cursor, limit=1) == events[2:3]
    assert world.chain.events(limit=1, newest=True) == events[3:]


def test_a_record_counts_both_sides(world: Any) -> None:
    world.reach("Accepted")
    world.assign(1, "other")
    world.advance(3)
    world.do(world.call("send_task_result", 2), "other")
    world.do(world.call("validate_task_results", 2), "creator")
    world.advance(4)
    world.do(world.call("reject_task_results", 2), "creator")
    world.assign(1, "third")
    world.do(world.call("send_task_result", 3), "third")
    world.advance(REVIEW + 1)
    world.do(world.call("claim_task_result", 3), "third")
    creator = world.chain.record(world.key("creator").address).creator
    one = Tally(1, 1, PAYS)
    assert (creator.accepted, creator.rejected, creator.silent, creator.workers) == (one, one, one, 3)
    assert (creator.tasks, creator.paid, creator.median_decision_blocks) == (1, 2 * PAYS, 0)
    third = world.chain.record(world.key("third").address).worker
    assert (third.taken, third.silent, third.earned, third.creators) == (1, one, PAYS, 1)
    other = world.chain.record(world.key("other").address).worker
    assert (other.rejected, other.earned, other.open) == (one, 0, Tally())


def test_a_record_tells_many_results_of_one_from_one_of_many(world: Any) -> None:
    """Of three tasks ``worker`` is accepted in two; two others are rejected; by value too."""
    for number, pays in enumerate((PAYS, 3 * PAYS), 1):
        task = world.create(pays_amount=pays)
        for role in ("worker", "other" if number == 1 else "third"):
            submission = world.assign(task, role)
            world.do(world.call("send_task_result", submission), role)
            world.do(world.call("validate_task_results", submission), "creator")
            verb = "accept_task_results" if role == "worker" else "reject_task_results"
            world.do(world.call(verb, submission), "creator")
    creator = world.chain.record(world.key("creator").address).creator
    assert creator.accepted == Tally(2, 1, 4 * PAYS)
    assert creator.rejected == Tally(2, 2, 4 * PAYS)
    assert (creator.workers, creator.paid) == (3, 4 * PAYS)
    worker = world.chain.record(world.key("worker").address).worker
    assert (worker.accepted, worker.creators) == (Tally(2, 1, 4 * PAYS), 1)


def test_silence_and_idleness_count_from_when_they_are_over_due_not_from_when_somebody_calls_them_out(
    world: Any,
) -> None:
    world.reach("PendingValidation")
    world.assign(1, "other")
    one = Tally(1, 1, PAYS)

    def now() -> tuple[Tally, ...]:
        creator = world.chain.record(world.key("creator").address).creator
        worker = world.chain.record(world.key("worker").address).worker
        other = world.chain.record(world.key("other").address).worker
        assert worker.taken == other.taken == 1
        return creator.undecided, creator.silent, worker.open, worker.silent, other.open, other.timed_out

    world.advance(REVIEW)
    assert now() == (one, Tally(), one, Tally(), one, Tally())
    world.advance(1)
    assert now()[:4] == (Tally(), one, Tally(), one)
    world.advance(WORK)
    assert now()[4:] == (Tally(), one)
    assert world.chain.record(world.key("creator").address).creator.paid == 0


def test_a_full_task_is_obtainable_as_soon_as_a_slot_of_it_can_be_timed_out(world: Any) -> None:
    def obtainable() -> list[int]:
        page = world.chain.tasks(TaskQuery(obtainable=True, descending=False))
        assert page.total == len(page.items)
        return [task.id for task in page.items]

    last = world.chain.head().block + 3 * WORK
    free, full, delivered, closed = (
        world.create(max_assignments=slots, expiration_block=last) for slots in (1, 1, 1, 2)
    )
    for task_id in (full, delivered, closed):
        submission_id = world.assign(task_id)
        if task_id == delivered:
            world.do(world.call("send_task_result", submission_id), "worker")
    taken = world.submission(1).started
    world.do(CloseTask(closed), "creator")
    world.advance(taken + WORK - world.chain.head().block)
    assert obtainable() == [free]
    world.advance(1)
    assert obtainable() == [free, full]
    world.do(world.call("time_out"), "other")
    world.assign(full, "other")
    assert obtainable() == [free]
    world.advance(2 * WORK)
    assert obtainable() == []


def test_lists_are_filtered_ordered_and_counted(world: Any) -> None:
    head = world.chain.head().block
    for number in range(1, 7):
        world.create(
            question=f"{'ÄPFEL' if number % 2 else 'birnen'} {7 - number}",
            pays_amount=number * 10**12,
            max_assignments=7 - number,
            expiration_block=head + 10 * number,
        )
    world.assign(6)
    world.do(CloseTask(5), "creator")

    def ids(**query: Any) -> list[int]:
        page = world.chain.tasks(TaskQuery(**query))
        assert page.total >= len(page.items)
        return [task.id for task in page.items]

    assert ids() == [6, 5, 4, 3, 2, 1]
    assert ids(order="pays", descending=False, offset=1, limit=2) == [2, 3]
    assert ids(order="slots", limit=3) == [1, 2, 3]
    for offset in range(8):
        assert ids(order="pays", offset=offset, limit=2) == [6, 5, 4, 3, 2, 1][offset : offset + 2]
        assert (
            ids(text="e", offset=offset, limit=2, descending=False) == [1, 2, 3, 4, 5, 6][offset : offset + 2]
        )
    assert ids(order="expires", descending=False, expires_after=head + 20, expires_before=head + 50) == [3, 4]
    assert ids(order="question", descending=False) == [6, 4, 2, 5, 3, 1]
    assert ids(text="äpf") == [5, 3, 1]
    assert ids(takeable=True) == [4, 3, 2, 1]
    assert ids(takeable=False) == [6, 5]
    assert ids(status=TaskStatus.InProgress) == [6]
    assert ids(status=TaskStatus.Withdrawn) == [5]
    assert ids(pays_min=3 * 10**12, pays_max=4 * 10**12) == [4, 3]
    assert ids(slots_min=5) == [2, 1]
    assert ids(worker=world.key("worker").address) == [6]
    assert ids(creator=world.key("other").address) == []
    assert ids(task_type=TaskType.ModelEngineer) == []
    assert ids(ids=(1, 3, 77)) == [3, 1]
    assert ids(ids=()) == []
    world.advance(25)
    assert ids(takeable=True) == [4, 3]
    mine = SubmissionQuery(worker=world.key("worker").address, statuses=(ResultSubmissionStatus.Assigned,))
    assert [found.task_id for found in world.chain.submissions(mine).items] == [6]
    assert world.chain.has_taken(6, world.key("worker").address)
    assert not world.chain.has_taken(6, world.key("other").address)
