"""The inbox as a table: a delivered result a row, and what stands next for it."""

from decentralml.core.domain import Constants, Submission
from decentralml.core.text import short, short_address
from decentralml.tui.judging.canvas import change, number
from decentralml.tui.judging.desk import Entry
from decentralml.tui.judging.work import Job, Stage
from decentralml.tui.widgets.paged_table import Column, Row
from decentralml.tui.words import left

COLUMNS = (
    Column("id", "#", 5, right=True, priority=100),
    Column("task", "TASK", 5, right=True, priority=50),
    Column("question", "QUESTION", 24, flexible=True, priority=20),
    Column("worker", "WORKER", 10, flexible=True, priority=40),
    Column("figure", "FIGURE", 8, right=True, priority=30),
    Column("gain", "+/-", 7, right=True, priority=80),
    Column("state", "STATE", 14, priority=90),
    Column("due", "DUE", 8, right=True, priority=70),
)


def row(entry: Entry, job: Job | None, due: str) -> Row:
    """A result that waits; ``job``: its evaluation, ``due``: the time left for a decision against it."""
    submission, report = entry.submission, entry.report
    main = report.candidate.main if report and report.candidate else ""
    gain = report.differences.get(main) if report and main else None
    return Row(
        submission.id,
        {
            "id": str(submission.id),
            "task": (str(submission.task_id), "dim"),
            "question": short(entry.task.terms.question, 200),
            "worker": short(entry.worker, 40) or short_address(submission.worker),
            "figure": number(report.candidate.values[main]) if report and report.candidate else "",
            "gain": change(main, gain) if gain is not None else "",
            "state": _state(entry, job),
            "due": (due, "dim"),
        },
    )


def due(submission: Submission, block: int, constants: Constants) -> str:
    """The time in which a decision against a result is still possible."""
    if submission.delivered is None:
        return ""
    return left((submission.delivered + constants.review_period - block) * constants.block_time)


def _state(entry: Entry, job: Job | None) -> str | tuple[str, str]:
    """What is being done about a result, or what stands next for it."""
    if job is not None and job.stage is Stage.working:
        return f"{job.doing}…"
    if job is not None and job.stage is Stage.waiting:
        return f"queue {job.place}"
    if job is not None and job.stage is Stage.failed and entry.draft is None:
        return ("failed", "bad")
    return (entry.state, "bad" if entry.state in ("draft: stale", "refused") else "accent")
