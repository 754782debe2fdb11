"""Whatever a worker delivers can be rejected; what is wrong on the creator's side changes nothing."""

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from killed_inside import Killer
from msgspec.structs import replace
from unprivileged import unprivileged

from decentralml.core.chain.base import Receipt
from decentralml.core.chain.calls import SendTaskResult
from decentralml.core.config import Settings
from decentralml.core.domain import ResultSubmissionStatus as S
from decentralml.core.domain import StorageType, ValidationStrategy
from decentralml.core.errors import DecentralMLError, Failed, Refused
from decentralml.core.judging import Judge, is_published, own_report, published_report, ranking
from decentralml.core.market import Market
from decentralml.core.models import session
from decentralml.core.models.evaluate import Evaluator
from decentralml.core.storage.base import File, Manifest
from decentralml.core.storage.local import LocalStorage, reference
from decentralml.core.storage.manifest import encode

Publish = Callable[..., Receipt]
ANSWERS = b'{"a.txt": "cat", "b.txt": "dog"}'
TIB = 2**40
# Nothing is too large for it: what a list of files announces is looked for, or asked room for.
GENEROUS = Settings(result_size=2**30)


class Worker:
    """Somebody of the store's group, who writes into it what he likes and delivers a reference to it."""

    def __init__(self, market: Market, submission: int) -> None:
        self.market, self.submission = market, submission
        self.root = Path(market.storage.root)

    def deliver(self, path: str, storage_type: StorageType = StorageType.Local) -> None:
        self.market.send(SendTaskResult(self.submission, result_path=path, result_storage_type=storage_type))

    def blob(self, content: bytes = ANSWERS) -> Path:
        return self._at("blobs", hashlib.sha256(content).hexdigest())

    def put(self, content: bytes = ANSWERS, name: str = "answers.json") -> Path:
        """Deliver one file as everybody does; where its list lies."""
        self.blob(content).write_bytes(content)
        return self.forge(File(name, len(content), hashlib.sha256(content).hexdigest()))

    def forge(self, *files: File) -> Path:
        """Deliver a list of files, whatever it says."""
        return self.write(encode(Manifest(files)))

    def write(self, manifest: bytes) -> Path:
        digest = hashlib.sha256(manifest).hexdigest()
        place = self._at("manifests", digest)
        place.write_bytes(manifest)
        self.deliver(reference(digest))
        return place

    def _at(self, kind: str, name: str) -> Path:
        place = self.root / kind / name[:2] / name
        place.parent.mkdir(parents=True, exist_ok=True)
        return place


def absent(size: int) -> File:
    return File("answers.json", size, "0" * 64)


def link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


DELIVERIES: dict[str, tuple[Callable[[Worker], object], str]] = {
    "on a storage of his own": (
        lambda w: w.deliver("ipfs://x#sha256=" + "0" * 64, StorageType.IPFS),
        "OtherStorage",
    ),
    "a reference of another storage": (lambda w: w.deliver("ipfs://x#sha256=" + "0" * 64), "OtherStorage"),
    "nothing": (lambda w: w.deliver(reference("7" * 64)), "NotStored"),
    "a list that nobody may read": (lambda w: w.put().chmod(0), "StorageDenied"),
    "a link for a list": (lambda w: link(w.put()), "NotStored"),
    "another list": (lambda w: w.put().write_bytes(b"{}"), "ContentDiffers"),
    "a list that is none": (lambda w: w.write(b"{}"), "BadManifest"),
    "a file that nobody may read": (lambda w: (w.put(), w.blob().chmod(0)), "StorageDenied"),
    "a link for a file": (lambda w: (w.put(), link(w.blob())), "ContentMissing"),
    "a file that is gone": (lambda w: (w.put(), w.blob().unlink()), "ContentMissing"),
    "a file cut short": (lambda w: (w.put(), os.truncate(w.blob(), 3)), "ContentDiffers"),
    "another file": (lambda w: (w.put(), w.blob().write_bytes(ANSWERS[::-1])), "ContentDiffers"),
    "more bytes than any disk has, and none of them": (
        lambda w: w.forge(absent(300 * TIB)),
        "ContentMissing",
    ),
    "an absurd size": (lambda w: w.forge(absent(2**63 - 1)), "TooLarge"),
    "too many files": (
        lambda w: w.forge(*(File(f"{n:04}", 0, hashlib.sha256().hexdigest()) for n in range(1001))),
        "TooManyFiles",
    ),
    "a folder without answers": (lambda w: w.put(b"{}", "notes.json"), "NoSuchFile"),
    "answers that are none": (lambda w: w.put(b"[]"), "BadAnswers"),
}


@pytest.fixture
def ada(ada: Market) -> Market:
    return Market(ada.chain, ada.storage, ada.home, GENEROUS, ada.signer)


@pytest.fixture
def worker(ada: Market, bob: Market, publish: Publish) -> Worker:
    return Worker(bob, bob.assign_task(publish(ada).task_id).submission_id)


def reject(ada: Market, submission: int, judge: Judge) -> str:
    """Validate and reject; the code of the report's refusal."""
    with unprivileged():
        refused = ada.validate_task_results(submission, judge).report.refused
    ada.reject_task_results(submission, "This is not what was asked for.")
    assert ada.chain.submission(submission).status is S.Rejected
    assert refused.message
    return refused.code


@pytest.mark.parametrize("what", DELIVERIES)
def test_whatever_a_worker_delivers_can_be_rejected(ada: Market, worker: Worker, what: str) -> None:
    deliver, code = DELIVERIES[what]
    deliver(worker)
    with Judge(ada, data=None) as judge:
        assert reject(ada, worker.submission, judge) == code


def breaking(ada: Market, code: str) -> Market:
    """The same market, whose transfers break off."""

    class Breaks(LocalStorage):
        def get(self, *arguments: object, **options: object) -> Manifest:
            raise Failed(code, "It broke off.")

    return Market(ada.chain, Breaks(Path(ada.storage.root)), ada.home, ada.settings, ada.signer)


def test_so_can_what_is_cut_short_while_it_is_fetched(ada: Market, worker: Worker) -> None:
    worker.put()
    away = breaking(ada, "Truncated")
    with Judge(away, data=None) as judge:
        assert reject(away, worker.submission, judge) == "Truncated"


def test_files_that_change_between_fetching_and_measuring_are_not_those_that_were_delivered(
    ada: Market, bob: Market, digits: Path, models: Path, evaluator: Evaluator,
    contributors: Callable[..., int],
) -> None:  # fmt: skip
    class Changes(LocalStorage):
        def get(self, reference: str, destination: Path, **options: object) -> Manifest:
            found = super().get(reference, destination, **options)
            for file in destination.rglob("result.json"):  # of a result alone
                file.unlink()
            return found

    submission = bob.assign_task(contributors(ada)).submission_id
    shutil.copytree(models / "c", folder := models.parent / "with_claims")
    (folder / "result.json").write_text('{"metrics": {"accuracy": 0.5}}')
    bob.send_task_result(submission, result_path=folder)
    market = Market(ada.chain, Changes(Path(ada.storage.root)), ada.home, ada.settings, ada.signer)
    with Judge(market, data=digits, evaluator=evaluator) as judge:
        refused = judge.evaluate(submission).report.refused
    assert (refused.step, refused.code) == ("digest", "ResultChanged")


METRICS = """
import numpy as np
def metrics(y, p):
    return {"hit": float(np.mean(p[np.arange(len(y)), y] >= p.max(axis=1)))}
"""


@pytest.mark.parametrize(
    ("model", "policy", "step", "code"),
    [
        ("three_classes", METRICS, "metrics", "PolicyFailed"),
        ("three_classes", None, "metrics", "LabelsDontFit"),
        ("regression", METRICS, "predict", "EvaluationFailed"),
        ("lambda", METRICS, "inspect", "ForeignCode"),
    ],
)
def test_so_can_a_model_that_nothing_of_the_creators_can_measure(
    ada: Market, bob: Market, digits: Path, models: Path, evaluator: Evaluator, tmp_path: Path,
    contributors: Callable[..., int], model: str, policy: str | None, step: str, code: str,
) -> None:  # fmt: skip
    submission = bob.assign_task(contributors(ada)).submission_id
    bob.send_task_result(submission, result_path=models / model)
    script = tmp_path / "validation.py" if policy else None
    if script:
        script.write_text(policy)
    with Judge(ada, data=digits, policy=script, evaluator=evaluator) as judge:
        assert reject(ada, submission, judge) == code
        assert judge.evaluate(submission).report.refused.step == step


def test_an_evaluation_that_something_kills_keeps_the_figures_that_there_are(
    ada: Market, bob: Market, digits: Path, models: Path, evaluator: Evaluator,
    contributors: Callable[..., int], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(session, "_POLL", 0.01)
    task = contributors(ada)
    id = bob.assign_task(task).submission_id
    bob.send_task_result(id, result_path=models / "c")
    with Judge(ada, data=digits, evaluator=evaluator) as judge:
        judge.bench(ada.chain.task(task))  # what kills begins after the baseline
        killed = judge.evaluate(id, cancelled=Killer(evaluator, 99)).report
        assert killed.refused.code == "EvaluatorDied", "better than none: its creator can decide by it"
        measured = judge.evaluate(id).report
        with pytest.raises(Failed) as failed:
            judge.evaluate(id, cancelled=Killer(evaluator, 99))
    assert failed.value.code == "EvaluatorDied"
    assert own_report(ada.home, ada.chain.submission(id)) == measured


@pytest.fixture
def contributors(models: Path, tmp_path: Path) -> Callable[..., int]:
    """Publish a contributor's task with a base model."""

    def call(creator: Market, **changes: object) -> int:
        folder = tmp_path / "task"
        folder.mkdir()
        (folder / "model_contributor.py").write_text(
            "def load_model(): ...\ndef train_model(): ...\ndef save_model(): ...\n"
        )
        shutil.copytree(models / "base", folder / "base_model")
        offer = {
            "question": "Digits?",
            "pays_amount": 10**12,
            "expiration_block": 1000,
            "max_assignments": 2,
            "validation_strategy": ValidationStrategy.ManualAccept,
            "model_contributor_script_path": folder,
        }
        return creator.create_task_model_contributor(**{**offer, **changes}).task_id

    return call


def fails(ada: Market, submission: int, judge: Judge, *, privileged: bool = True) -> DecentralMLError:
    """What validating raises, after which nothing has changed."""
    before = ada.chain.last_cursor()
    with nullcontext() if privileged else unprivileged(), pytest.raises(DecentralMLError) as raised:
        ada.validate_task_results(submission, judge)
    assert ada.chain.last_cursor() == before
    assert ada.chain.submission(submission).status is S.PendingValidation
    return raised.value


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (lambda root: root.rename(root.with_name("away")), "NoStorage"),
        (lambda root: root.chmod(0), "StorageDenied"),
        (lambda root: shutil.rmtree(root / "manifests"), "NotStored"),
    ],
)
def test_a_storage_that_is_away_as_a_whole_is_nobodys_bad_result(
    ada: Market, worker: Worker, harm: Callable[[Path], object], code: str
) -> None:
    worker.put()
    harm(worker.root)
    with Judge(ada, data=None) as judge:
        assert fails(ada, worker.submission, judge, privileged=False).code == code


def test_a_disk_that_is_too_full_for_a_result_is_this_sides_and_says_what_else_can_be_done(
    ada: Market, worker: Worker
) -> None:
    size = shutil.disk_usage(ada.home.assets).free + 2**30
    worker.forge(absent(size))
    blob = worker.root / "blobs" / "00" / ("0" * 64)
    blob.parent.mkdir(parents=True, exist_ok=True)
    blob.touch()
    os.truncate(blob, size)
    with Judge(ada, data=None) as judge:
        failed = fails(ada, worker.submission, judge)
    assert (failed.code, "result-size" in failed.hint) == ("DiskFull", True)
    strict = Market(ada.chain, ada.storage, ada.home, Settings(), ada.signer)
    with Judge(strict, data=None) as judge:
        assert reject(strict, worker.submission, judge) == "TooLarge"


@pytest.mark.parametrize("code", ["Stalled", "TransferBroken", "Unreadable"])
def test_a_disk_that_hangs_or_breaks_while_a_result_is_fetched_is_this_sides(
    ada: Market, worker: Worker, code: str
) -> None:
    worker.put()
    away = breaking(ada, code)
    with Judge(away, data=None) as judge:
        assert fails(away, worker.submission, judge).code == code


def test_so_is_a_cache_that_cannot_be_made(ada: Market, worker: Worker) -> None:
    worker.put()
    cache = ada.home.assets
    shutil.rmtree(cache)
    cache.write_text("a file in its place")
    with Judge(ada, data=None) as judge:
        assert fails(ada, worker.submission, judge).code == "NoHome"


def test_what_lies_in_a_results_place_is_this_sides(ada: Market, worker: Worker) -> None:
    worker.put()
    (ada.home.assets / ada.chain.submission(worker.submission).digest).write_text("mine")
    with Judge(ada, data=None) as judge:
        assert fails(ada, worker.submission, judge).code == "DestinationTaken"


@pytest.mark.parametrize(
    ("policy", "data", "code"),
    [
        ("def metrics(y, p):\n    return 1 / 0\n", {}, "PolicyFailed"),
        ("def metrics(y, p):\n    return {'name': 'text'}\n", {}, "BadMetrics"),
        ("def decide(report", {}, "BadPolicy"),
        (None, {"y": np.arange(20)[:, None] * np.ones((20, 7))}, "LabelsDontFit"),
        (None, {"x": np.zeros((20, 5), np.float32)}, "BadShape"),
        (None, {"z": np.zeros(3)}, "BadData"),
    ],
)
def test_a_creators_own_broken_policy_and_wrong_data_are_no_workers_fault(
    ada: Market, bob: Market, models: Path, evaluator: Evaluator, tmp_path: Path,
    contributors: Callable[..., int], policy: str | None, data: dict[str, object], code: str,
) -> None:  # fmt: skip
    submission = bob.assign_task(contributors(ada)).submission_id
    bob.send_task_result(submission, result_path=models / "c")
    held_out = {"x": np.zeros((20, 28, 28), np.float32), "y": np.arange(20) % 10, **data}
    np.savez(tmp_path / "held_out.npz", **({"z": data["z"]} if "z" in data else held_out))
    script = tmp_path / "validation.py" if policy else None
    if script:
        script.write_text(policy)
    before = ada.chain.last_cursor()
    with (
        pytest.raises(DecentralMLError) as raised,
        Judge(ada, data=tmp_path / "held_out.npz", policy=script, evaluator=evaluator) as judge,
    ):
        ada.validate_task_results(submission, judge)
    assert raised.value.code == code
    assert ada.chain.last_cursor() == before


def test_a_report_is_read_where_the_creators_files_are_wherever_the_result_was(
    ada: Market, worker: Worker
) -> None:
    worker.deliver("ipfs://x#sha256=" + "0" * 64, StorageType.IPFS)
    with Judge(ada, data=None) as judge:
        ada.validate_task_results(worker.submission, judge)
    found = published_report(worker.market, ada.chain.submission(worker.submission))
    assert found.refused.code == "OtherStorage"


def test_a_report_with_another_digest_than_the_chains_is_refused(ada: Market, worker: Worker) -> None:
    worker.deliver("ipfs://x#sha256=" + "0" * 64, StorageType.IPFS)
    with Judge(ada, data=None) as judge:
        ada.validate_task_results(worker.submission, judge)
    lying = replace(ada.chain.submission(worker.submission), report_digest="0" * 64)
    with pytest.raises(Refused, match="another digest"):
        published_report(worker.market, lying)


def test_looking_for_a_report_makes_no_folder(ada: Market, worker: Worker) -> None:
    worker.deliver("ipfs://x#sha256=" + "0" * 64, StorageType.IPFS)
    submission = ada.chain.submission(worker.submission)
    assert ranking(ada, submission.task_id)[0].report is None
    assert not is_published(ada.home, replace(submission, report_digest="0" * 64))
    assert not any(ada.home.reports.iterdir())


def test_one_broken_report_hides_no_other_and_is_told(
    ada: Market, person: Callable[[str], Market], publish: Publish, tmp_path: Path
) -> None:
    task = publish(ada, slots=2).task_id
    answers = tmp_path / "answers"
    answers.mkdir()
    (answers / "answers.json").write_bytes(ANSWERS)
    submissions = []
    for name in ("bob", "eve"):
        market = person(name)
        submissions.append(market.assign_task(task).submission_id)
        market.send_task_result(submissions[-1], result_path=answers)
    with Judge(ada, data=None) as judge:
        spoiled, _ = [judge.evaluate(number) for number in submissions]
        (spoiled.folder / "report.json").write_text("{")
        assert [(c.submission.id, c.broken) for c in ranking(ada, task)] == [
            (submissions[1], False), (submissions[0], True)
        ]  # fmt: skip
        assert own_report(ada.home, ada.chain.submission(submissions[0])) is None
        judge.evaluate(submissions[0])
    assert not any(c.broken for c in ranking(ada, task))
