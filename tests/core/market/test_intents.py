"""A call that was cut off between its signature and its receipt is done once, and only once."""

from collections.abc import Callable

import pytest

from decentralml.core.chain.base import Receipt
from decentralml.core.market import Market


class Cut(BaseException):
    """Stands for a kill: nothing may catch it."""


def test_a_call_that_landed_but_was_not_heard_of_is_not_sent_again(
    ada: Market, publish: Callable[..., Receipt], monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = ada.chain.submit

    def land_and_die(*arguments: object, **options: object) -> Receipt:
        submit(*arguments, **options)
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(ada.chain, "submit", land_and_die)
        with pytest.raises(Cut):
            publish(ada)
    # Blocks later the same task has another last block: it is still the same wish.
    again = publish(ada, expiration_block=1010)
    assert again.task_id == 1
    assert ada.list_task().total == 1


def test_a_call_that_never_landed_is_sent(
    ada: Market, publish: Callable[..., Receipt], monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*arguments: object, **options: object) -> Receipt:
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(ada.chain, "submit", die)
        with pytest.raises(Cut):
            publish(ada)
    publish(ada)
    assert ada.list_task().total == 1


def test_the_same_task_may_be_published_twice_on_purpose(
    ada: Market, publish: Callable[..., Receipt]
) -> None:
    assert [publish(ada).task_id, publish(ada).task_id] == [1, 2]


def test_an_intent_that_cannot_be_read_is_dropped(ada: Market, publish: Callable[..., Receipt]) -> None:
    publish(ada)
    for path in ada.home.intents.iterdir():
        path.write_bytes(b"{")
    assert publish(ada).task_id == 2
