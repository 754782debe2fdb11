"""A call that was cut off between its signature and its receipt is done once, and only once."""

import os
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from decentralml.core.amount import UNIT
from decentralml.core.chain import genesis
from decentralml.core.chain.base import Receipt
from decentralml.core.chain.calls import CreateTask, ValidateTaskResults
from decentralml.core.chain.ledger import Ledger
from decentralml.core.domain import ResultSubmissionStatus
from decentralml.core.errors import Refused
from decentralml.core.judging import Judge
from decentralml.core.market import Market


class Cut(BaseException):
    """Stands for a kill: nothing may catch it."""


def cut_off(
    market: Market, monkeypatch: pytest.MonkeyPatch, do: Callable[[], object], *, lands: bool
) -> None:
    """``do``, killed when its call has landed, or just before."""
    submit = market.chain.submit

    def die(*arguments: object, **options: object) -> Receipt:
        if lands:
            submit(*arguments, **options)
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(market.chain, "submit", die)
        with pytest.raises(Cut):
            do()


def test_a_call_that_landed_but_was_not_heard_of_is_not_sent_again(
    ada: Market, publish: Callable[..., Receipt], monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(ada, monkeypatch, lambda: publish(ada), lands=True)
    # Blocks later the same task has another last block: it is still the same wish.
    again = publish(ada, expiration_block=1010)
    assert again.task_id == 1
    assert ada.list_task().total == 1


def test_a_call_that_never_landed_is_sent(
    ada: Market, publish: Callable[..., Receipt], monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(ada, monkeypatch, lambda: publish(ada), lands=False)
    publish(ada)
    assert ada.list_task().total == 1


@pytest.mark.parametrize("lands", [True, False])
def test_what_was_cut_off_lets_no_other_call_upload_what_will_be_refused(
    ada: Market,
    publish: Callable[..., Receipt],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    lands: bool,
) -> None:
    cut_off(ada, monkeypatch, lambda: publish(ada), lands=lands)
    (tmp_path / "texts" / "c.txt").write_text("a third")
    stored = sorted(ada.storage.root.rglob("*"))
    with pytest.raises(Refused, match="1,000"):
        publish(ada, pays=1000 * UNIT)
    assert sorted(ada.storage.root.rglob("*")) == stored


def test_a_delivery_that_landed_unheard_of_is_answered_though_its_state_is_left(
    ada: Market, bob: Market, publish: Callable[..., Receipt], monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = bob.assign_task(publish(ada).task_id).submission_id
    cut_off(bob, monkeypatch, lambda: bob.send_task_result(submission, result="{}"), lands=True)
    assert bob.send_task_result(submission, result="{}").submission_id == submission
    with pytest.raises(Refused):
        bob.require("send_task_result", submission_id=submission)


def delivered(bob: Market, submission: int) -> Receipt:
    return bob.send_task_result(submission, result="{}")


def grown_old(market: Market) -> None:
    """Let two days pass over what was noted."""
    for path in market.home.intents.iterdir():
        os.utime(path, (time.time() - 2 * 86_400,) * 2)


def test_a_task_that_landed_unheard_of_days_ago_is_not_made_twice(
    ada: Market, publish: Callable[..., Receipt], monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(ada, monkeypatch, lambda: publish(ada), lands=True)
    grown_old(ada)
    publish(ada, pays=3 * UNIT)  # another call comes between
    assert publish(ada).task_id == 1
    assert ada.list_task().total == 2


def test_what_never_landed_is_dropped_once_no_chain_would_take_it(
    ada: Market, publish: Callable[..., Receipt], monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(ada, monkeypatch, lambda: publish(ada), lands=False)
    publish(ada, pays=3 * UNIT)
    assert len(list(ada.home.intents.iterdir())) == 1
    grown_old(ada)
    publish(ada, pays=3 * UNIT)
    assert list(ada.home.intents.iterdir()) == []


def test_what_landed_on_another_chain_is_not_dropped_from_this_one(
    ada: Market, tmp_path: Path, publish: Callable[..., Receipt], monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(ada, monkeypatch, lambda: publish(ada), lands=True)
    grown_old(ada)
    genesis.create(tmp_path / "other.sqlite")
    with closing(Ledger(tmp_path / "other.sqlite")) as other:
        other.fund(ada.address, 100 * UNIT)
        elsewhere = Market(other, ada.storage, ada.home, ada.settings, ada.signer)
        elsewhere.send(CreateTask(ada.chain.task(1).terms))
    assert publish(ada).task_id == 1
    assert ada.list_task().total == 1


def test_the_same_result_is_sent_again_when_changes_were_requested(
    ada: Market, bob: Market, publish: Callable[..., Receipt], monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = bob.assign_task(publish(ada).task_id).submission_id
    cut_off(bob, monkeypatch, lambda: delivered(bob, submission), lands=True)
    with Judge(ada, data=None) as judge:
        ada.validate_task_results(submission, judge)
    ada.request_changes(submission, "Look again.")
    delivered(bob, submission)
    assert ada.chain.submission(submission).status is ResultSubmissionStatus.PendingValidation


def test_a_report_that_landed_unheard_of_is_not_published_twice(
    ada: Market, bob: Market, publish: Callable[..., Receipt], monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = bob.assign_task(publish(ada).task_id).submission_id
    delivered(bob, submission)
    digest = ada.delivered_digest(submission)
    report = ValidateTaskResults(submission, digest, "local:#sha256=" + "a" * 64, "b" * 64)
    cut_off(ada, monkeypatch, lambda: ada.send(report), lands=True)
    rows = ada.chain.last_cursor()
    ada.send(report)
    assert ada.chain.last_cursor() == rows


def test_the_same_task_may_be_published_twice_on_purpose(
    ada: Market, publish: Callable[..., Receipt]
) -> None:
    assert [publish(ada).task_id, publish(ada).task_id] == [1, 2]


def test_an_intent_that_cannot_be_read_is_dropped(ada: Market, publish: Callable[..., Receipt]) -> None:
    publish(ada)
    for path in ada.home.intents.iterdir():
        path.write_bytes(b"{")
    assert publish(ada).task_id == 2
