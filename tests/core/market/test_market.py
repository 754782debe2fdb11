"""What the verbs promise, on a real ledger and a real store."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import many_results
import pytest

from decentralml.core.amount import UNIT
from decentralml.core.chain.base import Receipt
from decentralml.core.chain.calls import SendTaskResult
from decentralml.core.domain import ResultSubmissionStatus as S
from decentralml.core.domain import StorageType, TaskStatus, ValidationStrategy
from decentralml.core.errors import DecentralMLError, Refused, Unavailable
from decentralml.core.judging import Judge, Judgement, ranking
from decentralml.core.market import Market

Publish = Callable[..., Receipt]
NOWHERE = "local:#sha256=" + "7" * 64
LABELS = json.dumps({"a.txt": "cat", "b.txt": "dog"})


def free(market: Market) -> int:
    return market.chain.balance(market.signer.address).free


def deliver(worker: Market, task_id: int, result: str = LABELS) -> int:
    submission = worker.assign_task(task_id).submission_id
    worker.send_task_result(submission, result=result)
    return submission


def judge(creator: Market, submission: int) -> Judgement:
    with Judge(creator, data=None) as found:
        return creator.validate_task_results(submission, found)


def test_a_task_is_created_with_its_assets_and_its_whole_reward_held(ada: Market, publish: Publish) -> None:
    receipt = publish(ada, slots=3)
    task = ada.chain.task(receipt.task_id)
    assert (task.held, free(ada)) == (6 * UNIT, 94 * UNIT)
    assert [file.name for file in ada.storage.manifest(task.terms.assets[1]).files] == ["a.txt", "b.txt"]


def test_what_the_rules_refuse_is_refused_before_anything_is_uploaded(ada: Market, publish: Publish) -> None:
    with pytest.raises(Refused) as refused:
        publish(ada, pays=1000 * UNIT)
    assert refused.value.code == "InsufficientBalance"
    blobs = Path(ada.storage.root) / "blobs"
    assert not any(path.is_file() for path in blobs.rglob("*"))


@contextmanager
def money_spent(ada: Market, publish: Publish) -> Iterator[None]:
    publish(ada, pays=90 * UNIT)
    yield


@contextmanager
def ledger_locked(ada: Market, publish: Publish) -> Iterator[None]:
    with closing(sqlite3.connect(ada.chain.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def outbox_blocked(ada: Market, publish: Publish) -> Iterator[None]:
    folder = ada.home.intents
    folder.rename(folder.with_name("aside"))
    folder.write_text("not a folder")
    yield
    folder.unlink()


@contextmanager
def interrupted(ada: Market, publish: Publish) -> Iterator[None]:
    def interrupt(*arguments: object, **options: object) -> Receipt:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ada.chain, "submit", interrupt)
        yield


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (money_spent, "InsufficientBalance"),
        (ledger_locked, "LedgerLocked"),
        (outbox_blocked, "NoHome"),
        (interrupted, "Interrupted"),
    ],
)
def test_a_create_that_fails_after_the_upload_names_what_was_uploaded(
    ada: Market, publish: Publish, monkeypatch: pytest.MonkeyPatch, trouble: Any, code: str
) -> None:
    put = ada.storage.put
    trouble = trouble(ada, publish)

    def then_trouble(*arguments: object, **options: object) -> str:
        reference = put(*arguments, **options)
        monkeypatch.setattr(ada.storage, "put", put)
        trouble.__enter__()
        return reference

    monkeypatch.setattr(ada.storage, "put", then_trouble)
    with pytest.raises(DecentralMLError) as raised:
        publish(ada, pays=20 * UNIT, question="Another one?")
    trouble.__exit__(None, None, None)
    assert raised.value.code == code
    assert "#sha256=" in raised.value.hint
    reference = raised.value.hint.split()[-1]
    receipt = publish(ada, pays=UNIT, question="Another one?", annotation_files=reference)
    assert ada.chain.task(receipt.task_id).terms.assets[1] == reference


def test_assets_are_on_the_workers_machine_and_verified_before_a_slot_is_held(
    ada: Market, bob: Market, publish: Publish
) -> None:
    task = ada.chain.task(publish(ada).task_id)
    bob.assign_task(task.id)
    assert sorted(path.name for path in bob.fetch_assets(task).iterdir()) == ["a.txt", "b.txt"]


def test_a_slot_is_not_taken_when_the_assets_cannot_be_had(
    ada: Market, bob: Market, publish: Publish
) -> None:
    task = ada.chain.task(publish(ada).task_id)
    for blob in (Path(ada.storage.root) / "blobs").rglob("*"):
        if blob.is_file():
            blob.unlink()
    with pytest.raises(DecentralMLError):
        bob.assign_task(task.id)
    assert bob.chain.task(task.id).live == 0


def test_a_delivered_result_is_judged_accepted_and_paid(ada: Market, bob: Market, publish: Publish) -> None:
    task = publish(ada).task_id
    submission = deliver(bob, task)
    judge(ada, submission)
    ada.accept_task_results(submission)
    assert (free(bob), ada.chain.task(task).status) == (102 * UNIT, TaskStatus.Completed)


def test_autoaccept_pays_at_delivery(ada: Market, bob: Market, publish: Publish) -> None:
    deliver(bob, publish(ada, validation_strategy=ValidationStrategy.AutoAccept).task_id, "anything")
    assert free(bob) == 102 * UNIT


def test_customaccept_without_a_policy_is_undecided_and_never_pays(
    ada: Market, bob: Market, publish: Publish
) -> None:
    submission = deliver(bob, publish(ada, validation_strategy=ValidationStrategy.CustomAccept).task_id)
    judge(ada, submission)
    assert ada.chain.submission(submission).status is S.Validated


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('return ("accept", "labels fit") if report["answers"] else ("reject", "no")', S.Accepted),
        ('return "reject", "I do not like it " * 200', S.Rejected),
        ("raise ValueError(report)", S.Validated),
        ("return 1", S.Validated),
    ],
)
def test_customaccept_does_what_the_creators_script_clearly_says(
    ada: Market, bob: Market, publish: Publish, tmp_path: Path, body: str, status: S
) -> None:
    policy = tmp_path / "validation.py"
    policy.write_text(f"def decide(report):\n    {body}\n")
    submission = deliver(bob, publish(ada, validation_strategy=ValidationStrategy.CustomAccept).task_id)
    with Judge(ada, data=None, policy=policy) as found:
        ada.validate_task_results(submission, found)
    settled = ada.chain.submission(submission)
    assert settled.status is status
    assert len((settled.reason or "").encode()) <= 1024


def test_an_evaluation_without_a_signature_leaves_the_chain_alone(
    ada: Market, bob: Market, publish: Publish
) -> None:
    submission = deliver(bob, publish(ada).task_id)
    before = ada.chain.last_cursor()
    with Judge(ada, data=None) as found:
        judgement = ada.validate_task_results(submission, found, sign=False)
    assert judgement.report.answers.complete
    assert ada.chain.last_cursor() == before


def test_results_are_ranked_with_what_was_judged_first(
    ada: Market, bob: Market, person: Callable[[str], Market], publish: Publish
) -> None:
    task = publish(ada, slots=2).task_id
    first, second = deliver(bob, task), deliver(person("eve"), task)
    judge(ada, second)
    found = ranking(ada, task)
    assert {c.submission.id: c.report is not None for c in found} == {first: False, second: True}


def test_a_rejection_needs_a_report_and_reopens_the_slot(ada: Market, bob: Market, publish: Publish) -> None:
    task = publish(ada).task_id
    submission = deliver(bob, task)
    with pytest.raises(Refused) as refused:
        ada.reject_task_results(submission, "no")
    assert refused.value.code == "WrongState"
    judge(ada, submission)
    ada.reject_task_results(submission, "too short")
    assert (ada.chain.task(task).free_slots, free(bob)) == (1, 100 * UNIT)


def test_a_task_whose_files_nobody_has_holds_no_money(ada: Market, publish: Publish) -> None:
    with pytest.raises(Unavailable) as unavailable:
        publish(ada, annotation_files=NOWHERE)
    assert unavailable.value.code == "NotStored"
    assert free(ada) == 100 * UNIT


def test_what_cannot_be_had_is_reported_and_can_be_rejected(
    ada: Market, bob: Market, person: Callable[[str], Market], publish: Publish, tmp_path: Path
) -> None:
    """Or a reference to nothing would be paid for by silence, and hold up all that waits behind it."""
    task = publish(ada, slots=2).task_id
    nothing = bob.assign_task(task).submission_id
    with pytest.raises(Unavailable):
        bob.send_task_result(nothing, result_path=NOWHERE)
    bob.send(SendTaskResult(nothing, result_path=NOWHERE, result_storage_type=StorageType.Local))
    eve = person("eve")
    unlabelled = eve.assign_task(task).submission_id
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "other.json").write_text("{}")
    eve.send_task_result(unlabelled, result_path=tmp_path / "result")
    codes = []
    for submission in (nothing, unlabelled):
        codes.append(judge(ada, submission).report.refused.code)
        ada.reject_task_results(submission, "It is not there.")
    assert codes == ["NotStored", "NoSuchFile"]
    assert free(ada) == 100 * UNIT - 4 * UNIT


def test_a_slot_that_only_an_overdue_worker_holds_is_offered_with_a_time_out(
    ada: Market, bob: Market, person: Callable[[str], Market], publish: Publish, clock: object
) -> None:
    task = publish(ada).task_id
    idle = bob.assign_task(task).submission_id
    eve = person("eve")
    assert eve.overdue_slot(task) is None
    clock.pass_blocks(81)
    assert eve.overdue_slot(task).id == idle
    eve.time_out(idle)
    assert eve.assign_task(task).submission_id != idle


def test_whoever_has_no_key_may_read_but_not_sign(ada: Market, publish: Publish) -> None:
    task = publish(ada).task_id
    reader = Market(ada.chain, ada.storage, ada.home, ada.settings)
    assert reader.list_task().total == 1
    with pytest.raises(Unavailable) as refused:
        reader.close(task)
    assert refused.value.code == "NoSigner"


def test_a_stale_nonce_is_signed_again(
    ada: Market, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two terminals of one account at once: the second finds its nonce used up, and signs anew."""
    sign, raced = ada.chain.sign, []

    def sign_and_lose(call: object, signer: object) -> object:
        extrinsic = sign(call, signer)
        if not raced:
            raced.append(True)
            publish(ada, question="The other terminal's?")
        return extrinsic

    monkeypatch.setattr(ada.chain, "sign", sign_and_lose)
    publish(ada, question="Mine?")
    assert {task.terms.question for task in ada.list_task().items} == {"Mine?", "The other terminal's?"}


def test_no_result_of_a_task_is_left_out_of_its_list_however_many_were_given_back(ada: Market) -> None:
    many_results.add(ada.chain.path, ada.address, tasks=1, each=12_000, status=S.Abandoned)
    assert len(ada.list_task_results(1).items) == 12_000
