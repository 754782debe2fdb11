"""Pages of tasks come out the same whichever way they are found."""

from collections.abc import Callable
from typing import Any

import pytest

from decentralml.core.chain import reads
from decentralml.core.chain.base import TaskQuery
from decentralml.core.chain.calls import CreateTask
from decentralml.core.chain.ledger import Ledger

TASKS = 30


@pytest.fixture
def market(ledger: Ledger, key: Any, terms: Callable[..., Any]) -> Ledger:
    """Thirty tasks, two of three about pears, whose pay repeats and follows no other order."""
    ledger.fund(key("ada").address, 10**20)
    calls = [
        CreateTask(
            terms(
                question=f"{'Plum' if number % 3 == 0 else 'PEAR'} {number * 7 % 10}?",
                pays_amount=(1 + number * 11 % 5) * 10**12,
                expiration_block=100 + number * 13 % TASKS,
                max_assignments=1 + number * 17 % 8,
            )
        )
        for number in range(TASKS)
    ]
    ledger.submit_many(ledger.sign_many(calls, key("ada")))
    return ledger


@pytest.mark.parametrize("few", [0, 10_000])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("order", ["id", "pays", "expires", "slots", "question"])
def test_a_text_is_found_in_every_order_whether_few_or_many_have_it(
    few: int, descending: bool, order: str, market: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "_FEW", few)
    every = market.tasks(TaskQuery(order=order, descending=descending)).items
    pears = [task.id for task in every if "PEAR" in task.terms.question]
    for offset in range(0, len(pears) + 2, 3):
        page = market.tasks(
            TaskQuery(text="pear", order=order, descending=descending, offset=offset, limit=3)
        )
        assert (page.total, [task.id for task in page.items]) == (len(pears), pears[offset : offset + 3])


def test_a_text_goes_with_the_other_filters(market: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = TaskQuery(text="pear", pays_min=3 * 10**12, slots_min=4, order="pays")
    one_way = market.tasks(wanted)
    monkeypatch.setattr(reads, "_FEW", 0)
    assert market.tasks(wanted) == one_way
    assert 0 < one_way.total < TASKS
    assert all(task.terms.pays_amount >= 3 * 10**12 and task.free_slots >= 4 for task in one_way.items)
