"""What every chain does with a result, a slot and a task in the end, and with their money."""

from typing import Any

import pytest

from decentralml.core.chain.calls import (
    AcceptTaskResults,
    CloseTask,
    RejectTaskResults,
    SendTaskResult,
    ValidateTaskResults,
)
from decentralml.core.domain import (
    StorageType,
    TaskStatus,
    ValidationStrategy,
)

from .conftest import DIGEST, PATH, PAYS, REVIEW, WORK, refused

DEPOSIT = PAYS // 100


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
