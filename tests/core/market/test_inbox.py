"""What waits for whom, and until when."""

from collections.abc import Callable

import many_results

from decentralml.core.chain.base import Receipt
from decentralml.core.domain import ResultSubmissionStatus
from decentralml.core.inbox import Waiting, waiting
from decentralml.core.market import Market

Publish = Callable[..., Receipt]


def inbox(market: Market) -> list[tuple[Waiting, str, int | None]]:
    return [(i.why, i.call, i.due_block) for i in waiting(market.chain, market.signer.address)]


def test_nothing_waits_on_an_empty_market(ada: Market) -> None:
    assert inbox(ada) == []


def test_a_slot_waits_for_its_worker_until_the_work_period_ends(
    ada: Market, bob: Market, publish: Publish
) -> None:
    bob.assign_task(publish(ada).task_id)
    assert inbox(bob) == [(Waiting.deliver, "send_task_result", 80)]
    assert inbox(ada) == []


def test_a_result_waits_for_its_creator_until_the_review_period_ends(
    ada: Market, bob: Market, publish: Publish, clock: object
) -> None:
    submission = bob.assign_task(publish(ada).task_id).submission_id
    clock.pass_blocks(5)
    bob.send_task_result(submission, result="x")
    assert inbox(ada) == [(Waiting.judge, "validate_task_results", 15)]
    assert inbox(bob) == []


def test_silence_is_the_workers_to_claim(ada: Market, bob: Market, publish: Publish, clock: object) -> None:
    submission = bob.assign_task(publish(ada).task_id).submission_id
    bob.send_task_result(submission, result="x")
    clock.pass_blocks(11)
    assert inbox(bob) == [(Waiting.claim, "claim_task_result", None)]


def test_an_idle_slot_and_an_expired_task_are_the_creators_to_end(
    ada: Market, bob: Market, publish: Publish, clock: object
) -> None:
    bob.assign_task(publish(ada, slots=2).task_id)
    clock.pass_blocks(1001)
    assert {why for why, _, _ in inbox(ada)} == {Waiting.time_out, Waiting.close}


def test_what_is_due_first_stands_first(ada: Market, bob: Market, publish: Publish, clock: object) -> None:
    first = bob.assign_task(publish(ada).task_id).submission_id
    clock.pass_blocks(3)
    second = bob.assign_task(publish(ada).task_id).submission_id
    assert [i.submission_id for i in waiting(bob.chain, bob.signer.address)] == [first, second]


def test_twenty_thousand_results_all_wait_and_the_last_taken_may_be_due_first(ada: Market) -> None:
    waits = ResultSubmissionStatus.PendingValidation
    many_results.add(ada.chain.path, ada.address, tasks=20, each=1000, status=waits)
    items = waiting(ada.chain, ada.address)
    assert [item.submission_id for item in items] == list(range(20_000, 0, -1))
    assert (items[0].due_block, items[0].task_id) == (11, 20)
