"""The report on one result: the one that was published, else this home's own; and what in it does not fit."""

from dataclasses import dataclass

from decentralml.core import judging
from decentralml.core.domain import Submission, Task
from decentralml.core.report import Report
from decentralml.core.text import clean, short, short_address
from decentralml.tui.judging.desk import Desk
from decentralml.tui.session import Session


@dataclass(frozen=True)
class Reading:
    """``own``: it was measured here; ``published``: it is the one that the chain names."""

    submission: Submission
    task: Task
    worker: str
    report: Report | None
    own: bool
    published: bool


def read(session: Session, submission_id: int) -> Reading:
    """Fetches what was published, unless this home wrote it. Blocks.

    Raises `Refused` ("SubmissionNotFound"), and as `judging.published_report`.
    """
    submission = session.chain.with_report(session.chain.submission(submission_id))
    published = submission.report_path is not None
    report = Desk(session).report(submission)
    own = report is not None and (not published or judging.is_published(session.home, submission))
    if published and not own:
        report = judging.published_report(session.market, submission)
    return Reading(
        submission=submission,
        task=session.chain.task(submission.task_id),
        worker=session.name_of(submission.worker) or short_address(submission.worker),
        report=report,
        own=own,
        published=published,
    )


def misfits(report: Report, submission: Submission) -> list[str]:
    """A sentence for each thing that the report says and the chain denies.

    Its own digest, task and submission need none: `judging.published_report` refuses another report.
    """
    found = []
    if report.result_digest is not None and report.result_digest != submission.digest:
        found.append(
            f"It is about another result than the one delivered: {clean(short(report.result_digest, 16))}."
        )
    if report.worker is not None and report.worker != submission.worker:
        found.append(f"It names another worker than the chain does: {clean(short(report.worker, 48))}.")
    return found
