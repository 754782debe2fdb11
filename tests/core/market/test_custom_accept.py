"""CustomAccept: the policy decides, a round cut off is gone on with, and what is undecided never pays."""

from collections.abc import Callable
from pathlib import Path

import pytest

from decentralml.core.chain.base import Receipt
from decentralml.core.domain import ResultSubmissionStatus as S
from decentralml.core.domain import ValidationStrategy
from decentralml.core.judging import Judge
from decentralml.core.market import Market
from decentralml.core.paths import Home

Publish = Callable[..., Receipt]
ANSWERS = '{"a.txt": "cat", "b.txt": "dog"}'


class Cut(BaseException):
    """Stands for a kill: nothing may catch it."""


def custom(worker: Market, ada: Market, publish: Publish) -> int:
    """A result that waits under CustomAccept."""
    task = publish(ada, validation_strategy=ValidationStrategy.CustomAccept).task_id
    submission = worker.assign_task(task).submission_id
    worker.send_task_result(submission, result=ANSWERS)
    return submission


@pytest.fixture
def policy(tmp_path: Path) -> Callable[[str], Path]:
    def write(answer: str) -> Path:
        path = tmp_path / "validation.py"
        path.write_text(f"def decide(report):\n    return {answer}\n")
        return path

    return write


@pytest.mark.parametrize(
    ("answer", "call", "status"),
    [
        ("'accept'", "accept_task_results", S.Accepted),
        ("('reject', 'no')", "reject_task_results", S.Rejected),
    ],
)
def test_a_decision_cut_off_after_its_report_is_signed_by_the_next_round_without_another_evaluation(
    ada: Market, bob: Market, publish: Publish, policy: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch, answer: str, call: str, status: S,
) -> None:  # fmt: skip
    submission = custom(bob, ada, publish)
    task = ada.chain.task(ada.chain.submission(submission).task_id)

    def die(*arguments: object, **options: object) -> Receipt:
        raise Cut

    with Judge(ada, data=None, policy=policy(answer)) as judge:
        with monkeypatch.context() as patch:
            patch.setattr(ada, call, die)
            with pytest.raises(Cut):
                ada.validate_task_results(submission, judge)
        assert ada.chain.submission(submission).status is S.Validated
    with Judge(ada, data=None, policy=policy(answer)) as judge:
        assert [waiting.id for waiting in judge.waiting(task)] == [submission]
        monkeypatch.setattr(judge, "evaluate", die)
        found = ada.validate_task_results(submission, judge, go_on=True)
        assert [receipt.call for receipt in found.receipts] == [call]
        assert judge.waiting(task) == ()
    assert ada.chain.submission(submission).status is status


def test_a_reason_of_blanks_still_rejects(
    ada: Market, bob: Market, publish: Publish, policy: Callable[[str], Path]
) -> None:
    submission = custom(bob, ada, publish)
    with Judge(ada, data=None, policy=policy("('reject', ' \\t ')")) as judge:
        ada.validate_task_results(submission, judge)
    assert ada.chain.submission(submission).status is S.Rejected
    assert ada.chain.submission(submission).reason == "The policy rejects it."


def test_what_a_policy_leaves_undecided_never_pays_and_is_not_asked_again_but_by_another_policy(
    ada: Market, bob: Market, publish: Publish, policy: Callable[[str], Path]
) -> None:
    submission = custom(bob, ada, publish)
    task = ada.chain.task(ada.chain.submission(submission).task_id)
    with Judge(ada, data=None, policy=policy("None")) as judge:
        ada.validate_task_results(submission, judge)
        assert judge.waiting(task) == ()
        assert ada.validate_task_results(submission, judge, go_on=True).receipts == ()
    with Judge(ada, data=None) as judge:
        assert judge.waiting(task) == ()
    assert ada.chain.submission(submission).status is S.Validated
    with Judge(ada, data=None, policy=policy("'accept'")) as judge:
        assert [waiting.id for waiting in judge.waiting(task)] == [submission]
        found = ada.validate_task_results(submission, judge, go_on=True)
    assert [receipt.call for receipt in found.receipts] == ["validate_task_results", "accept_task_results"]


def test_only_what_this_home_judged_and_only_under_customaccept_is_gone_on_with(
    ada: Market, bob: Market, publish: Publish, policy: Callable[[str], Path], tmp_path: Path
) -> None:
    with Judge(ada, data=None, policy=policy("'accept'")) as judge:
        manual = bob.assign_task(publish(ada).task_id).submission_id
        bob.send_task_result(manual, result=ANSWERS)
        ada.validate_task_results(manual, judge)
        assert judge.waiting(ada.chain.task(1)) == ()
    submission = custom(bob, ada, publish)
    with Judge(ada, data=None, policy=policy("None")) as judge:
        ada.validate_task_results(submission, judge)
    elsewhere = Market(ada.chain, ada.storage, Home(tmp_path / "elsewhere"), ada.settings, ada.signer)
    with Judge(elsewhere, data=None, policy=policy("'accept'")) as judge:
        assert judge.waiting(ada.chain.task(2)) == ()
