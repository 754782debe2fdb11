"""What every chain does from a task's terms to what is delivered."""

from typing import Any

import pytest

from decentralml.core.chain.base import TaskQuery
from decentralml.core.chain.calls import (
    AssignTask,
    CloseTask,
    CreateTask,
    SendTaskResult,
)
from decentralml.core.domain import (
    AnnotationType,
    StorageType,
    TaskType,
)

from .conftest import PATH, PAYS, refused

ED = 10**9
DEPOSIT = PAYS // 100


FIELDS_OF_ENGINEER = {"task_type": TaskType.ModelEngineer, "model_engineer_path": PATH}
FIELDS_OF_ANNOTATORS = {
    "task_type": TaskType.DataAnnotators,
    "annotation_type": AnnotationType.Image,
    "annotation_files": (PATH,),
}
ENGINEERS = {**FIELDS_OF_ENGINEER, "model_engineer_storage_type": StorageType.Local}
ANNOTATORS = {**FIELDS_OF_ANNOTATORS, "annotation_files_storage_type": StorageType.Local}


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
        ({"model_contributor_script_path": "/etc/passwd"}, "BadReference"),
        ({**ENGINEERS, "model_engineer_path": PATH.upper()}, "BadReference"),
        ({**ANNOTATORS, "annotation_files": (PATH, "x")}, "BadReference"),
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
        ENGINEERS,
        ANNOTATORS,
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
