"""The rows of the activity screen: what waits, what happened, what goes on, what went wrong."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence

from decentralml.core.chain.base import Event
from decentralml.core.domain import Constants
from decentralml.core.inbox import Item, Waiting
from decentralml.core.text import clean
from decentralml.core.training.runs import Run
from decentralml.tui import keys
from decentralml.tui.failures import Failure
from decentralml.tui.judging.work import Job, JudgeWork, Stage
from decentralml.tui.run.words import figure
from decentralml.tui.signing.receipt import event_words
from decentralml.tui.transfers import Handle
from decentralml.tui.widgets.paged_table import Column, Row
from decentralml.tui.words import age, blocks_left, person, transfer, transferred

WAITS = (
    Column("what", "WAITS FOR YOU", 30, flexible=True, priority=100),
    Column("do", "", 14, priority=80),
    Column("due", "DUE IN", 9, right=True, priority=90),
)
WORK = (
    Column("what", "RUNS AND TRANSFERS", 22, flexible=True, priority=100),
    Column("state", "", 9, priority=90),
    Column("how", "", 34, flexible=True, priority=80),
)
FAILED = (
    Column("what", "WENT WRONG", 44, flexible=True, priority=100),
    Column("again", "", 7, priority=80),
    Column("when", "WHEN", 8, right=True, priority=90),
)
EVENTS = (
    Column("block", "BLOCK", 9, right=True, priority=50),
    Column("who", "WHO", 10, priority=80),
    Column("what", "WHAT HAPPENED", 26, flexible=True, priority=100),
    Column("ago", "AGO", 5, right=True, priority=60),
)
_DO = {
    Waiting.judge: "{open}: judge",
    Waiting.deliver: "{open}: work",
    Waiting.claim: "{claim}: be paid",
    Waiting.time_out: "{time_out}: time out",
    Waiting.close: "{open}: close",
}
_WHAT = {
    Waiting.judge: "result {submission} of task {task}",
    Waiting.deliver: "your work on task {task}",
    Waiting.claim: "silent creator of task {task}",
    Waiting.time_out: "overdue #{submission} of task {task}",
    Waiting.close: "expired task {task}",
}
_SOON = 24 * 3600
_ENDED_RUNS = 5
# The states of a run that goes on, or begins anew, when told to.
RETRYABLE = ("failed", "crashed", "stopped")
_MOST_WAITS = 1000


def waits(items: Sequence[Item], block: int, constants: Constants) -> list[Row]:
    """What waits for the account, what is due first at the top; how much more there is, at the end."""
    rows = [
        Row(
            (item.why, item.task_id, item.submission_id),
            {
                "what": f"{what(item)}: {clean(item.question)}",
                "do": (keys.said(_DO[item.why]), "accent"),
                "due": _due(item, block, constants),
            },
        )
        for item in items[:_MOST_WAITS]
    ]
    if len(items) > _MOST_WAITS:
        rows.append(Row("more", {"what": (f"+{len(items) - _MOST_WAITS:,} more", "dim")}))
    return rows


def what(item: Item) -> str:
    """What waits, in a few words: the column beside says what to do with it."""
    return _WHAT[item.why].format(task=item.task_id, submission=item.submission_id)


def _due(item: Item, block: int, constants: Constants) -> str | tuple[str, str]:
    if item.due_block is None:
        return ""
    left = blocks_left(item.due_block, block, constants, units=2)
    soon = (item.due_block - block) * constants.block_time < _SOON
    return (left, "accent") if soon else left


def event(event: Event, block: int, constants: Constants, names: Mapping[str, str], me: str | None) -> Row:
    """One event; those that ``me`` has part in stand out."""
    what = event_words(event, names, me)
    old = age((block - event.block) * constants.block_time, units=1)
    return Row(
        event.cursor,
        {
            "block": (f"{event.block:,}", "dim"),
            "who": _who(event, names, me),
            "what": (what, "accent") if concerns(event, me) else what,
            "ago": (old, "dim"),
        },
    )


def _who(event: Event, names: Mapping[str, str], me: str | None) -> str:
    """Who acted: an open faucet grants by itself, and its event is about who is given."""
    return "faucet" if event.name == "Funded" else person(event.account or "", names, me, width=10)


def fits(event: Event, filter: str, names: Mapping[str, str], me: str | None) -> bool:
    """Whether each word of ``filter`` stands in an event; ``task:12`` means that task."""
    shown = f"{event.name} {_who(event, names, me)} {event_words(event, names, me)}".casefold()
    for word in filter.casefold().split():
        name, colon, value = word.partition(":")
        if colon and name == "task":
            if str(event.task_id) != value:
                return False
        elif word not in ("mine", "all") and word not in shown:
            return False
    return True


def problem(filter: str) -> str:
    """What of a filter is not understood, as the filter of tasks says it; empty where all is."""
    for word in filter.split():
        name, colon, value = word.partition(":")
        known = name == "task" and value.isascii() and value.isdigit()
        if (colon and value and not known) or "<" in word or ">" in word:
            return f"The filter does not understand {clean(word[:40])}."
    return ""


def concerns(event: Event, address: str | None) -> bool:
    """Whether ``address`` has part in an event."""
    return address is not None and (event.account == address or address in event.data.values())


def work(transfers: Sequence[Handle], runs: Sequence[Run], judging: JudgeWork) -> list[Row]:
    """What goes on first, then what ended not long ago."""
    job = judging.current()
    rows = [_job(job, judging.busy()[1])] if job is not None else []
    moving = [handle for handle in transfers if handle.ended is None]
    rows += [_transfer(handle) for handle in moving]
    alive = [run for run in runs if not run.ended]
    rows += [_run(run) for run in alive]
    rows += [_job(job, 0) for job in judging.failed()]
    rows += [_transfer(handle) for handle in transfers if handle.ended is not None]
    return rows + [_run(run) for run in [run for run in runs if run.ended][:_ENDED_RUNS]]


def _state(state: str, tone: str, *, again: bool) -> tuple[str, str]:
    """A state, with the key that begins it again where one does."""
    return (keys.said("{state} {retry}", state=state) if again else state), tone


def _job(job: Job, behind: int) -> Row:
    tone, state = "good", job.stage.value
    if job.error is not None:
        tone, how = "bad", clean(job.error.message)
    elif job.progress is not None:
        how = transfer(job.progress)
    else:
        how = job.doing if job.stage is Stage.working else ""
    if behind:
        how += f"  {behind} more wait"
    return Row(
        ("evaluation", job.submission_id),
        {
            "what": f"evaluation of result {job.submission_id}",
            "state": _state(state, tone, again=job.error is not None),
            "how": how,
        },
    )


def _transfer(handle: Handle) -> Row:
    tone = {"running": "good", "failed": "bad"}.get(handle.state, "dim")
    how = handle.said
    if handle.error is not None:
        how = clean(handle.error.message)
    elif handle.progress is not None and handle.ended is not None:
        how = transferred(handle.progress.total, handle.ended - handle.began)
    elif handle.progress is not None:
        how = transfer(handle.progress)
    return Row(
        ("transfer", handle.started, handle.name),
        {
            "what": clean(handle.name),
            "state": _state(handle.state, tone, again=handle.error is not None and handle.again is not None),
            "how": how,
        },
    )


def _run(run: Run) -> Row:
    tone = {"failed": "bad", "crashed": "bad", "finished": "dim", "stopped": "dim"}.get(run.state, "good")
    return Row(
        ("run", run.id, run.spec.task_id),
        {
            "what": _run_name(run),
            "state": _state(run.state, tone, again=run.state in RETRYABLE),
            "how": _run_progress(run),
        },
    )


def _run_name(run: Run) -> str:
    task = "" if run.spec.task_id is None else f", task {run.spec.task_id}"
    return f"run {run.id}{task}  {clean(run.spec.title)}".rstrip()


def _run_progress(run: Run) -> str:
    last = run.last
    if run.state in ("failed", "crashed"):
        return clean(last.error)
    parts = [f"epoch {last.epoch} of {last.epochs}"] if last.epochs else []
    if last.steps and not run.ended:
        parts.append(f"step {last.step} of {last.steps}")
    loss = last.metrics.get("loss")
    if loss is not None:
        parts.append(f"loss {figure(loss)}")
    return "  ".join(parts)


def failures(kept: Sequence[Failure]) -> list[Row]:
    """Newest first; what can be done again says so. The same again is one row, with how often."""
    today = time.localtime()[:3]
    times = Counter((failure.doing, failure.message) for failure in kept)
    rows = []
    for failure in kept:
        often = times.pop((failure.doing, failure.message), 0)
        if not often:
            continue  # its newest stands above
        when = time.localtime(failure.when)
        at = time.strftime("%H:%M:%S" if when[:3] == today else "%d %b", when)
        doing = f"{clean(failure.doing)}: " if failure.doing else ""
        doing = f"{often}x {doing}" if often > 1 else doing
        rows.append(
            Row(
                failure.key,
                {
                    "what": f"{doing}{clean(failure.message)}",
                    "again": (keys.said("{retry} again") if failure.again is not None else "", "accent"),
                    "when": (at, "dim"),
                },
            )
        )
    return rows
