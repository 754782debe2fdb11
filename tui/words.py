"""Short words for the market's values, as tables and panes show them."""

from collections.abc import Mapping, Sequence

import msgspec

from decentralml.core.amount import format_amount
from decentralml.core.chain import rules
from decentralml.core.domain import Constants, Submission, Task, TaskType
from decentralml.core.domain import ResultSubmissionStatus as S
from decentralml.core.machine import Machine
from decentralml.core.storage.base import Progress
from decentralml.core.text import clean, short, short_address
from decentralml.core.words import size


def duration(seconds: float) -> str:
    """Two units at most: ``6 d 3 h``, ``12 m``, ``45 s``; ``over`` when negative."""
    if seconds < 0:
        return "over"
    parts: list[str] = []
    for name, length in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, seconds = divmod(int(seconds), length)
        if count or (parts and name != "s"):
            parts.append(f"{count} {name}")
        if len(parts) == 2 or (parts and parts[0].endswith("m")):
            break
    return " ".join(part for part in parts if not part.startswith("0 ")) or "0 s"


def left(seconds: float) -> str:
    """As `duration`, for a column of eight cells: where both units do not fit, the first."""
    words = duration(seconds)
    return words if len(words) <= 8 else " ".join(words.split(" ")[:2])


def age(seconds: float, *, units: int = 2) -> str:
    """How old something is: ``now`` within a minute, as seconds would be drawn again with every block."""
    words = duration(max(seconds, 0)).split(" ")
    return "now" if words[1] == "s" else " ".join(words[: 2 * units])


def ago(seconds: float, *, units: int = 2) -> str:
    """The same in a sentence: ``just now``, ``3 h ago``."""
    words = age(seconds, units=units)
    return "just now" if words == "now" else f"{words} ago"


def ahead(seconds: float) -> str:
    """How far something is in the future: ``now``, ``in 3 h 5 m``."""
    return f"in {duration(seconds)}" if seconds >= 1 else "now"


def blocks_left(until: int | None, block: int, constants: Constants, *, units: int = 1) -> str:
    """The time until a block has passed, in ``units`` units; empty without one."""
    if until is None:
        return ""
    words = duration((until - block) * constants.block_time).split(" ")
    return " ".join(words[: 2 * units])


def person(address: str, names: Mapping[str, str], me: str | None = None, width: int = 24) -> str:
    """``you``, what this person calls ``address``, or the address cut short."""
    return "you" if address == me else short(names.get(address) or short_address(address), width)


def next_step(
    task: Task,
    mine: Submission | None,
    waiting: int,
    late: Sequence[Submission],
    me: str | None,
    block: int,
    constants: Constants,
    free: int | None = None,
    *,
    trained: bool = False,
) -> tuple[str, str]:
    """What ``me`` can do next with a task, and its tone.

    ``waiting``: results its creator is to judge; ``late``: submissions whose workers are overdue; ``free``:
    what money is there for a deposit; ``trained``: a result lies here, to be delivered.
    """
    if me == task.creator:
        return _as_creator(task, waiting, len(late), block)
    if mine is not None:
        return _as_worker(task, mine, block, constants, trained=trained)
    poor = free is not None and not rules.affordable(task, free, constants)
    if rules.takeable(task, block):
        return ("fund first", "") if poor else ("take it", "accent")
    vacated = msgspec.structs.replace(task, live=task.live - 1)
    if any(one.delivered is None for one in late) and rules.takeable(vacated, block):
        return ("time out" if poor else "time out, take"), "accent"
    if task.closed:
        return "closed", "dim"
    return ("expired", "dim") if block > task.terms.expiration_block else ("full", "dim")


def _as_creator(task: Task, waiting: int, late: int, block: int) -> tuple[str, str]:
    if waiting:
        return f"judge {waiting}", "accent"
    if late:
        return f"time out {late}", "accent"
    if task.free_slots and block > task.terms.expiration_block:
        return "close: refund", "accent"
    if task.live:
        return f"{task.live} at work", ""
    if task.closed or task.accepted == task.terms.max_assignments:
        return "done", "dim"
    if task.accepted:
        return f"{task.accepted} paid, {task.free_slots} free", "dim"
    return "no takers yet", "dim"


def _as_worker(
    task: Task, mine: Submission, block: int, constants: Constants, *, trained: bool
) -> tuple[str, str]:
    if mine.status is S.Assigned:
        if rules.overdue(mine, constants, block):
            return "overdue", "bad"
        labels = task.terms.task_type is TaskType.DataAnnotators
        verb = "label" if labels else "deliver" if trained else "train"
        return "changes asked" if mine.requests else f"yours: {verb}", "accent"
    if mine.status in (S.PendingValidation, S.Validated):
        delivered = mine.delivered or 0
        if block - delivered > constants.review_period:
            return "claim your pay", "accent"
        return "being judged", ""
    if mine.status is S.Accepted:
        return f"paid {format_amount(task.terms.pays_amount)}", "good"
    return {S.Rejected: "rejected", S.Abandoned: "given back", S.TimedOut: "timed out"}[mine.status], "dim"


def reason_is(submission: Submission) -> str:
    """What the reason on a submission is: why it was rejected, or what its creator asked to change."""
    return "why" if submission.status is S.Rejected else "to change"


def transfer(progress: Progress) -> str:
    """A transfer in one line: how much of how much, how fast, how long still, and which file."""
    percent = 100 * progress.done // progress.total if progress.total else 100
    parts = [f"{percent:3d} %", f"{size(progress.done)} of {size(progress.total)}"]
    if progress.done < progress.total:
        parts.append(f"{size(progress.rate)}/s")
        if progress.eta is not None:
            parts.append(f"{duration(progress.eta)} left")
    return "  ".join([*parts, clean(progress.name)])


def transferred(total: int, seconds: float) -> str:
    """A transfer that is over: how much it was, and how long it took."""
    took = duration(seconds) if seconds >= 1 else "less than 1 s"
    return f"{size(total)} in {took}"


def machine(found: Machine) -> list[str]:
    """How busy this machine is, in parts, of which the last can be left out."""
    busy = f"{found.cores} cores" if found.busy is None else f"{found.busy:.1f} of {found.cores} cores busy"
    parts = [busy, f"{size(found.memory_free)} free"]
    for number, gpu in enumerate(found.gpus):
        name = f"GPU {number}:" if len(found.gpus) > 1 else "GPU"
        use = "" if gpu.use is None else f" {100 * gpu.use:.0f} %,"
        parts.append(f"{name}{use} {size(gpu.memory_used)} of {size(gpu.memory)} used")
    return [*parts, f"load {found.load:.1f}"]
