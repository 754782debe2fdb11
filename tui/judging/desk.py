"""What a creator judges by, read from chain, home and storage. Blocks: for background threads."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from decentralml.core import judging
from decentralml.core.chain.base import SubmissionQuery
from decentralml.core.domain import DELIVERED, MAX_U32, ResultSubmissionStatus, Submission, Task
from decentralml.core.drafts import Draft, Drafts
from decentralml.core.errors import DecentralMLError, Refused, Unavailable
from decentralml.core.judging import Candidate
from decentralml.core.models.metrics import lower_is_better
from decentralml.core.models.mistakes import Mistake
from decentralml.core.report import FILE, Report
from decentralml.core.text import clean
from decentralml.core.words import STATUSES
from decentralml.tui.judging import decisions
from decentralml.tui.session import Session

ORDERS = ("due", "gain", "task", "worker", "id")


@dataclass(frozen=True)
class Entry:
    """One result that waits. ``report`` is this home's own on what was delivered last."""

    submission: Submission
    task: Task
    worker: str
    report: Report | None
    draft: Draft | None

    @property
    def gain(self) -> float | None:
        """By how much the main figure beats the baseline's, more is better; None without figures."""
        if self.report is None or self.report.candidate is None:
            return None
        main = self.report.candidate.main
        change = self.report.differences.get(main)
        return None if change is None else (-change if lower_is_better(main) else change)

    @property
    def state(self) -> str:
        """What stands next for it, in a word or two."""
        if self.draft is not None:
            stale = self.draft.digest != self.submission.digest
            return "draft: stale" if stale else f"draft: {self.draft.word}"
        if self.report is None:
            return STATUSES[ResultSubmissionStatus.PendingValidation]
        if self.report.refused is not None:
            return "refused"
        verdict = self.report.verdict.decision.value if self.report.verdict else "undecided"
        return STATUSES[ResultSubmissionStatus.Validated] if verdict == "undecided" else f"says {verdict}"


@dataclass(frozen=True)
class Look:
    """Everything about one result. ``published``: the report is the one that was put on the chain, and not
    this home's; ``to_publish``: this home's is not on the chain yet; ``refusals`` by call; ``mistakes``:
    samples of one's own that it is wrong about.
    """

    submission: Submission
    task: Task
    report: Report | None
    draft: Draft | None
    candidates: tuple[Candidate, ...]
    names: dict[str, str]
    refusals: dict[str, Refused | Unavailable | None]
    published: bool = False
    to_publish: bool = False
    problem: DecentralMLError | None = None
    mistakes: tuple[Mistake, ...] = ()


@dataclass
class Desk:
    """Reads for one session; keeps the reports it has read until their files change."""

    session: Session
    _reports: dict[tuple[int, str], tuple[int, Report | None]] = field(default_factory=dict)

    @property
    def drafts(self) -> Drafts:
        return Drafts(self.session.home, self.session.chain.genesis)

    def inbox(self, words: str, order: str, descending: bool) -> list[Entry]:
        """The delivered results of my tasks that wait for a word, those that fit ``words``, in order."""
        chain, me = self.session.chain, self.session.address
        if me is None:
            return []
        page = chain.submissions(SubmissionQuery(creator=me, statuses=DELIVERED, limit=MAX_U32))
        drafts, names, tasks = self.drafts.all(), self.session.names(), {}
        entries = []
        for submission in page.items:
            if submission.task_id not in tasks:
                tasks[submission.task_id] = chain.task(submission.task_id)
            entries.append(
                Entry(
                    submission,
                    tasks[submission.task_id],
                    names.get(submission.worker, ""),
                    self.report(submission),
                    drafts.get(submission.id),
                )
            )
        wanted = [entry for entry in entries if _fits(entry, words)]
        return sorted(wanted, key=lambda entry: _key(entry, order), reverse=descending)

    def look(self, submission_id: int) -> Look:
        """Raises `Refused` ("SubmissionNotFound")."""
        session = self.session
        submission = session.chain.submission(submission_id)
        report, published, problem = self.report(submission), False, None
        if report is None and submission.report_path is not None:
            try:
                report = judging.published_report(session.market, submission)
                published = report is not None
            except DecentralMLError as error:
                problem = error
        candidates = judging.ranking(session.market, submission.task_id)
        return Look(
            submission=submission,
            task=session.chain.task(submission.task_id),
            report=report,
            draft=self.drafts.all().get(submission_id),
            candidates=candidates,
            names=session.names(),
            refusals=decisions.refusals(session, submission),
            published=published,
            to_publish=decisions.report_to_publish(session, submission) is not None,
            problem=problem,
            mistakes=judging.own_mistakes(session.home, submission),
        )

    def report(self, submission: Submission) -> Report | None:
        """This home's report on what was delivered last; a broken one counts as none."""
        if submission.digest is None:
            return None
        path = judging.report_folder(self.session.home, submission.id, submission.digest) / FILE
        try:
            stamp = os.stat(path).st_mtime_ns
        except OSError:
            return None
        key = (submission.id, submission.digest)
        known = self._reports.get(key)
        if known is None or known[0] != stamp:
            known = self._reports[key] = (stamp, judging.own_report(self.session.home, submission))
        return known[1]

    def keep(self, draft: Draft) -> None:
        """Keep a decision as a draft."""
        self.drafts.put(draft.submission_id, draft.digest, draft.word, draft.reason)

    def take_back(self, submission_id: int) -> Draft | None:
        """Forget the draft on a result; the one that was there."""
        return self.drafts.take_back(submission_id)

    def plans(self, drafts: Sequence[Draft]) -> list[decisions.Plan]:
        """The calls of each draft, or why there are none."""
        return [decisions.plan(self.session, draft) for draft in drafts]

    def my_drafts(self) -> list[Draft]:
        """The drafts on results of my tasks that wait for a word, oldest first."""
        chain, mine = self.session.chain, []
        for draft in self.drafts.all().values():
            submission = chain.submission(draft.submission_id)
            waits = submission.status in DELIVERED
            if waits and chain.task(submission.task_id).creator == self.session.address:
                mine.append(draft)
        return sorted(mine, key=lambda draft: draft.made)


def _fits(entry: Entry, words: str) -> bool:
    """Whether every word stands in the entry, its state as the list says it; ``task:3`` means that task."""
    about = (
        f"#{entry.submission.id} task:{entry.task.id} {clean(entry.task.terms.question)} "
        f"{entry.worker} {entry.submission.worker} {entry.state}"
    ).casefold()
    about = f" {about} "
    return all(f" {word} " in about if ":" in word else word in about for word in words.casefold().split())


def _key(entry: Entry, order: str) -> tuple[float | str, ...]:
    number = entry.submission.id
    if order == "due":
        return (entry.submission.delivered or 0, number)
    if order == "gain":
        return (-(entry.gain if entry.gain is not None else float("-inf")), number)
    if order == "task":
        return (entry.task.id, number)
    if order == "worker":
        return (entry.worker or entry.submission.worker, number)
    return (number,)
