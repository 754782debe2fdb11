"""What every chain tells: receipts, events, records, lists."""

from typing import Any

import pytest

from decentralml.core.chain.base import Stage, SubmissionQuery, Tally, TaskQuery
from decentralml.core.chain.calls import (
    CloseTask,
    CreateTask,
)
from decentralml.core.domain import (
    ResultSubmissionStatus,
    TaskStatus,
    TaskType,
    ValidationStrategy,
)
from decentralml.core.errors import Refused

from .conftest import PAYS, REVIEW, WORK


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


def test_what_is_paid_unread_is_no_decision_of_its_creator(world: Any) -> None:
    task = world.create(validation_strategy=ValidationStrategy.AutoAccept)
    world.do(world.call("send_task_result", world.assign(task, "worker")), "worker")
    creator = world.chain.record(world.key("creator").address).creator
    assert (creator.accepted.count, creator.unread, creator.median_decision_blocks) == (1, 1, None)
    judged = world.create()
    submission = world.assign(judged, "worker")
    world.do(world.call("send_task_result", submission), "worker")
    world.advance(5)
    world.do(world.call("validate_task_results", submission), "creator")
    world.do(world.call("accept_task_results", submission), "creator")
    creator = world.chain.record(world.key("creator").address).creator
    assert (creator.accepted.count, creator.unread, creator.median_decision_blocks) == (2, 1, 5)


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
