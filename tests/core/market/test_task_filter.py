"""The filter language, word by word."""

from collections.abc import Callable

import pytest

from decentralml.core.amount import UNIT
from decentralml.core.chain.base import Receipt, TaskQuery
from decentralml.core.domain import TaskStatus, TaskType
from decentralml.core.errors import Misused
from decentralml.core.market import Market
from decentralml.core.task_filter import parse


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", TaskQuery()),
        ("type:contributor", TaskQuery(task_type=TaskType.ModelContributor)),
        ("kind:annotator", TaskQuery(task_type=TaskType.DataAnnotators)),
        ("why: so", TaskQuery(text="why: so")),
        ("status:progress free", TaskQuery(status=TaskStatus.InProgress, takeable=True)),
        ("pays:>5 pays:<7.5", TaskQuery(pays_min=5 * UNIT, pays_max=75 * UNIT // 10)),
        ("ends:>10 ends:<20 slots:>1 slots:2", TaskQuery(expires_after=10, expires_before=20, slots_min=2)),
        ("mine by digits round", TaskQuery(creator="5me", text="by digits round")),
        ("by:5x worker:5y id:7", TaskQuery(creator="5x", worker="5y", ids=(7,))),
    ],
)
def test_a_filter_means(text: str, query: TaskQuery) -> None:
    assert parse(text, me="5me") == query


def test_whom_a_name_means_is_asked_for() -> None:
    known = {"ada": "5a"}
    query = parse("by:ada worker:5b", address_of=lambda name: known.get(name, name))
    assert query == TaskQuery(creator="5a", worker="5b")


def test_without_an_account_nothing_is_mine(ada: Market, publish: Callable[..., Receipt]) -> None:
    publish(ada)
    assert ada.chain.tasks(parse("mine", me=ada.address)).total == 1
    assert ada.chain.tasks(parse("mine")).total == 0


@pytest.mark.parametrize(
    "text", ["slots:<3", "id:>7", "id:<7", "type:>contributor", "status:<open", "by:>5x", "worker:<5y"]
)
def test_a_sign_that_a_field_does_not_take_is_refused_by_name(text: str) -> None:
    with pytest.raises(Misused, match=f"{text.partition(':')[0]}: takes no [<>]"):
        parse(text)


def test_a_filter_narrows_what_it_is_given() -> None:
    base = TaskQuery(order="pays", takeable=True)
    assert parse("digits", base=base) == TaskQuery(order="pays", takeable=True, text="digits")


@pytest.mark.parametrize(
    "text",
    [
        "type:robot",
        "pays:much",
        "pays:>-1",
        "id:x",
        "slots:1e9",
        "nope:1",
        "pays>>5",
        "pays:>>5",
        "pays:>abc",
        "ends<7",
        "type:",
        "pays:>",
    ],
)
def test_what_is_not_understood_is_said(text: str) -> None:
    with pytest.raises(Misused) as refused:
        parse(text)
    assert refused.value.code == "BadFilter"
    assert "pays:>5" in refused.value.hint
