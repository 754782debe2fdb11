"""The creator's side of a task on this machine: results fetched, evaluated, reported, ranked, decided."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct

from decentralml.core import answers, hostile, report, task_folder
from decentralml.core.chain.base import Receipt, SubmissionQuery
from decentralml.core.domain import (
    MAX_ASSIGNMENTS,
    ResultSubmissionStatus,
    Submission,
    Task,
    TaskType,
    ValidationStrategy,
    manifest_digest,
)
from decentralml.core.errors import Failed, Misused, Refused, Unavailable
from decentralml.core.market_client import MarketClient
from decentralml.core.models.evaluate import Evaluator
from decentralml.core.models.mistakes import Mistake
from decentralml.core.paths import Home, write_atomic
from decentralml.core.policy import Policy
from decentralml.core.report import Decision, Report, Verdict
from decentralml.core.storage import manifest
from decentralml.core.storage.base import Caps, OnProgress
from decentralml.core.text import short
from decentralml.core.validation import UNCLEAR, About, Bench, OnStep, check_answers, decide, unfetched

Cancelled = Callable[[], bool]

# Why a result cannot be had, or has no answers, that is no fault of this side while the task's own files can
# be had. Whatever else ends a download is: a disk that is full or hangs, a folder that cannot be made.
_NOT_HAD = frozenset(
    {
        *("BadManifest", "ContentDiffers", "ContentMissing", "NotStored", "OtherStorage", "Truncated"),
        *("StorageDenied", "StorageUnreadable", "NameTooLong", "TooLarge", "TooManyFiles"),
        *("LinkInOutput", "NoSuchFile", "NotAFile"),
    }
)
_SMALLER = (
    "Or let results be smaller (`decentralml config set result-size MIB`): a larger one can be rejected."
)


class Judgement(Struct, frozen=True, kw_only=True):
    """An evaluated result: its report, what the policy says of it, and the folder that holds the report.

    Nothing is signed yet. ``receipts`` are those of the calls that `Market.validate_task_results` signed.
    """

    submission_id: int
    digest: str
    report: Report
    verdict: Verdict
    folder: Path
    receipts: tuple[Receipt, ...] = ()


class Candidate(Struct, frozen=True, kw_only=True):
    """One row of a task's ranking; ``report`` None where this home has not evaluated what was delivered, or
    has a report that is ``broken``.
    """

    submission: Submission
    report: Report | None
    broken: bool = False


class Judge:
    """Evaluates results, one after the other, by held-out ``data`` that only the creator has.

    Keeps TensorFlow loaded in its sandbox, and each task's baseline measured, until it is closed.
    ``data`` (.npz with x and y) may be None for annotators' tasks; ``policy`` is a validation.py or None.
    ``evaluator``: one to share among judges, which whoever made it closes.
    """

    def __init__(
        self,
        market: MarketClient,
        *,
        data: Path | None,
        policy: Path | None = None,
        unsandboxed: bool = False,
        evaluator: Evaluator | None = None,
    ) -> None:
        self._market = market
        self._data = data
        self._policy = (
            Policy(policy, market.settings, unsandboxed=unsandboxed) if policy is not None else None
        )
        self._evaluator = evaluator or Evaluator(market.settings, unsandboxed=unsandboxed)
        self._owns_evaluator = evaluator is None
        self._benches: dict[int, Bench] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the sandboxed process, unless it is shared."""
        if self._owns_evaluator:
            self._evaluator.close()

    def bench(self, task: Task, *, cancelled: Cancelled = lambda: False) -> Bench:
        """What the results of ``task`` are measured on. Raises `Misused` ("NoData") and as `Bench.open`."""
        if self._data is None:
            raise Misused(
                "NoData",
                f"Results of task {task.id} are measured on held-out data, and none were given.",
                "Name an .npz with x and y, with --data.",
            )
        if task.id not in self._benches:
            base = task_folder.base_model(self._market.fetch_assets(task))
            self._benches[task.id] = Bench.open(
                self._data, self._evaluator, base=base, policy=self._policy, cancelled=cancelled
            )
        return self._benches[task.id]

    def evaluate(
        self,
        submission_id: int,
        *,
        on_progress: OnProgress | None = None,
        on_step: OnStep = lambda step: None,
        cancelled: Cancelled = lambda: False,
    ) -> Judgement:
        """Fetch and measure what a submission delivered, write the report, ask the policy. Signs nothing.

        What is wrong with the result is in the report, also that it cannot be had (while the task's own
        files can), or is not what was delivered: without a report nobody could reject it, and silence would
        pay for it. Raises `Refused` ("NothingDelivered"), and what is wrong on this side: `Misused`,
        `Unavailable`, `Failed`, `Interrupted`; and what tells nothing of the result (`validation.UNCLEAR`),
        where there are figures already: they stay.
        """
        market = self._market
        submission = market.chain.submission(submission_id)
        task = market.chain.task(submission.task_id)
        digest = market.delivered_digest(submission_id)
        about = About(task_id=task.id, submission_id=submission.id, worker=submission.worker)
        labels = task.terms.task_type is TaskType.DataAnnotators
        bench = None if labels else self.bench(task, cancelled=cancelled)
        shipped = self._shipped(task) if labels else None
        try:
            inline = labels and submission.result is not None
            folder = None if inline else market.fetch_result(submission, on_progress=on_progress)
            raw = _answers(submission, folder) if labels else b""
        except (Refused, Unavailable, Failed) as error:
            if error.code == "DiskFull":
                error.hint += f" {_SMALLER}"
            if error.code not in _NOT_HAD:
                raise
            # Whose fault it is: a storage that is away for the task's own files as well raises here.
            self._shipped(task)
            found = unfetched(error, result_digest=digest, **about)
        else:
            if bench is None:
                known = answers.labels_of(task.terms.annotation_class_labels)
                found = check_answers(raw, known, shipped, result_digest=digest, **about)
            else:
                assert folder is not None, "only answers come inline"
                found = bench.report(
                    folder,
                    expected_digest=digest[:64],
                    cancelled=cancelled,
                    on_step=on_step,
                    on_mistakes=lambda seen: keep_mistakes(market.home, submission_id, digest, seen),
                    **about,
                )
        if found.refused and found.refused.code in UNCLEAR and _has_figures(market.home, submission):
            raise Failed(found.refused.code, found.refused.message, "What was measured before is kept.")
        verdict = decide(task.terms.validation_strategy, found, self._policy)
        found = found.with_verdict(verdict, self._policy.digest if self._policy else None)
        folder = market.home.folder(report_folder(market.home, submission_id, digest))
        report.write(found, folder)
        return Judgement(
            submission_id=submission_id, digest=digest, report=found, verdict=verdict, folder=folder
        )

    def waiting(self, task: Task) -> tuple[Submission, ...]:
        """The results of ``task`` that wait for this judge, oldest first: those without a report, and, under
        CustomAccept, those that this home validated and did not decide: an evaluation that was cut off
        before its decision was signed, or by another policy. One that this policy leaves undecided is a
        person's to decide.
        """
        statuses = [ResultSubmissionStatus.PendingValidation]
        if task.terms.validation_strategy is ValidationStrategy.CustomAccept:
            statuses.append(ResultSubmissionStatus.Validated)
        query = SubmissionQuery(task_id=task.id, statuses=tuple(statuses), limit=MAX_ASSIGNMENTS)
        return tuple(s for s in self._market.chain.submissions(query).items if self._waits(s))

    def _waits(self, submission: Submission) -> bool:
        if submission.status is ResultSubmissionStatus.PendingValidation:
            return True
        if own_report(self._market.home, submission) is None:
            return False
        found = self.left_open(submission.id)
        return found is None or found.verdict.decision is not Decision.undecided

    def left_open(self, submission_id: int) -> Judgement | None:
        """What this home found of a result that has a report and no decision, by this judge's policy (by any,
        where it has none); None where it has to be evaluated.
        """
        submission = self._market.chain.submission(submission_id)
        if submission.status is not ResultSubmissionStatus.Validated or submission.digest is None:
            return None
        found = own_report(self._market.home, submission)
        if found is None or found.verdict is None:
            return None
        if self._policy is not None and found.policy_digest != self._policy.digest:
            return None
        return Judgement(
            submission_id=submission_id,
            digest=submission.digest,
            report=found,
            verdict=found.verdict,
            folder=report_folder(self._market.home, submission_id, submission.digest),
        )

    def _shipped(self, task: Task) -> list[str] | None:
        """The names of the files that ``task`` ships, as the storage says now; None where it ships none."""
        if task.terms.assets is None:
            return None
        storage_type, reference = task.terms.assets
        return [file.name for file in self._market.storage_for(storage_type).manifest(reference).files]


def _answers(submission: Submission, folder: Path | None) -> bytes:
    """An annotator's labels: the inline answer, or answers.json of the delivered folder."""
    if folder is None:
        return (submission.result or "").encode()
    return hostile.read_bytes(folder, answers.ANSWERS, answers.MAX_BYTES)


def report_folder(home: Home, submission_id: int, digest: str) -> Path:
    """The folder of the report on one delivered result; holds nothing else, so that it can be published.

    It is made when the report is written.
    """
    return home.reports / str(submission_id) / _key(digest)


def _key(digest: str) -> str:
    return hashlib.sha256(digest.encode()).hexdigest()[:16]


def _mistakes_file(home: Home, submission_id: int, digest: str) -> Path:
    return home.mistakes / f"{submission_id}-{_key(digest)}.json"


def keep_mistakes(home: Home, submission_id: int, digest: str, seen: tuple[Mistake, ...]) -> None:
    """Keep what a delivered result was wrong about, for `own_mistakes`. Raises `OSError`."""
    write_atomic(_mistakes_file(home, submission_id, digest), msgspec.json.encode(seen))


def own_mistakes(home: Home, submission: Submission) -> tuple[Mistake, ...]:
    """The surest mistakes that this home saw of what was delivered last; none where it did not look, or
    no longer knows.
    """
    if submission.digest is None:
        return ()
    try:
        data = _mistakes_file(home, submission.id, submission.digest).read_bytes()
        return msgspec.json.decode(data, type=tuple[Mistake, ...])
    except (OSError, msgspec.MsgspecError):
        return ()


def is_published(home: Home, submission: Submission) -> bool:
    """Whether the report on the chain is the one that this home wrote on what was delivered last."""
    if submission.digest is None or submission.report_digest is None:
        return False
    folder = report_folder(home, submission.id, submission.digest)
    if not (folder / report.FILE).exists():
        return False
    return submission.report_digest == manifest.digest(manifest.scan(folder))


def own_report(home: Home, submission: Submission) -> Report | None:
    """The report that this home wrote on what ``submission`` delivered last; a broken one counts as none."""
    return _candidate(home, submission).report


def _has_figures(home: Home, submission: Submission) -> bool:
    before = own_report(home, submission)
    return before is not None and before.refused is None


def _candidate(home: Home, submission: Submission) -> Candidate:
    found, broken = None, False
    if submission.digest is not None:
        path = report_folder(home, submission.id, submission.digest) / report.FILE
        try:
            found = report.decode(path.read_bytes())
        except FileNotFoundError:
            pass
        except Refused:
            broken = True
    return Candidate(submission=submission, report=found, broken=broken)


def published_report(market: MarketClient, submission: Submission) -> Report | None:
    """The report that the creator published with the submission: their word, verified only in its digest.

    Raises as `Market.fetch`, and `Refused` ("BadReport").
    """
    if submission.report_path is None:
        return None
    if submission.report_digest != manifest_digest(submission.report_path):
        raise Refused(
            "BadReport",
            f"The report published with submission {submission.id} has another digest than the chain has.",
            "Its creator has to validate it again.",
        )
    assets = market.chain.task(submission.task_id).terms.assets
    # The creator's own words are where the creator's own files are, wherever the result may be.
    storage_type = assets[0] if assets else market.storage.type
    caps = Caps(files=1, size=report.MAX_BYTES)
    folder = market.fetch(storage_type, submission.report_path, caps=caps)
    found = report.read(folder)
    if found.submission_id not in (None, submission.id) or found.task_id not in (None, submission.task_id):
        raise Refused(
            "BadReport",
            f"The report published with submission {submission.id} is about another: "
            f"{short(str(found.submission_id), 20)}.",
            "Its creator has to validate it again.",
        )
    return found


def ranking(market: MarketClient, task_id: int) -> tuple[Candidate, ...]:
    """The submissions of a task that delivered something, the best figures first, then those without."""
    candidates = [
        _candidate(market.home, submission)
        for submission in market.list_task_results(task_id).items
        if submission.digest is not None
    ]
    order = report.rank([c.report for c in candidates if c.report is not None])
    places = {found.submission_id: place for place, found in enumerate(order)}
    return tuple(
        sorted(candidates, key=lambda c: (places.get(c.submission.id, len(places)), c.submission.id))
    )
