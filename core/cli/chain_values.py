"""Values of the chain as commands answer with them: for programs, and in words."""

from collections.abc import Iterable
from typing import Any

from decentralml.core.amount import format_amount
from decentralml.core.chain import rules
from decentralml.core.chain.base import Receipt, Record, Tally
from decentralml.core.cli.output import duration
from decentralml.core.domain import Constants, Submission, Task
from decentralml.core.words import count


def receipt_data(receipt: Receipt) -> dict[str, Any]:
    """What became of a call: its fields, and the task and submission it was about."""
    return {
        **{name: getattr(receipt, name) for name in receipt.__struct_fields__},
        "stage": receipt.stage.value,
        "task_id": receipt.task_id,
        "submission_id": receipt.submission_id,
    }


def task_data(task: Task, block: int) -> dict[str, Any]:
    """A task with what is derived from it, as of ``block``."""
    return {
        **{name: getattr(task, name) for name in task.__struct_fields__},
        "status": task.status.value,
        "held": task.held,
        "free_slots": task.free_slots,
        "takeable": rules.takeable(task, block),
    }


def submission_data(submission: Submission) -> dict[str, Any]:
    """A submission, field by field."""
    return {name: getattr(submission, name) for name in submission.__struct_fields__}


def record_fields(record: Record, constants: Constants) -> list[tuple[str, str]]:
    """Both sides of an account's record, a line each."""
    creator, worker = record.creator, record.worker
    pace = ""
    if creator.median_decision_blocks is not None:
        pace = f"; decides in {duration(creator.median_decision_blocks * constants.block_time)} (median)"
    unread = f", of them {creator.unread:,} unread" if creator.unread else ""
    decided = (
        (creator.accepted, f"accepted{unread}"),
        (creator.rejected, "rejected"),
        (creator.silent, "silent"),
        (creator.undecided, "to judge"),
    )
    done = (
        (worker.accepted, "accepted"),
        (worker.rejected, "rejected"),
        (worker.silent, "left silent"),
        (worker.timed_out, "timed out"),
        (worker.abandoned, "given back"),
        (worker.open, "open"),
    )
    workers = f"; {count(creator.workers, 'worker')}" if creator.workers else ""
    creators = f"; {count(worker.creators, 'creator')}" if worker.creators else ""
    as_creator = (
        f"{count(creator.tasks, 'task')}: {_tallies(decided, 'worker')}{pace}{workers}; "
        f"paid {format_amount(creator.paid)}"
    )
    as_worker = (
        f"{worker.taken:,} taken: {_tallies(done, 'creator')}{creators}; "
        f"earned {format_amount(worker.earned)}"
    )
    return [
        ("as creator", as_creator if creator.tasks else "no task yet"),
        ("as worker", as_worker if worker.taken else "nothing taken yet"),
    ]


def _tallies(tallies: Iterable[tuple[Tally, str]], party: str) -> str:
    """``50 accepted (1 worker, 100.00), 0 rejected``: beside each number, of how many and for how much."""
    return ", ".join(
        f"{tally.count:,} {word} ({count(tally.counterparties, party)}, {format_amount(tally.amount)})"
        if tally.count
        else f"0 {word}"
        for tally, word in tallies
    )


def when(block: int, now_block: int, constants: Constants) -> str:
    """A block as people read it: the number and how far it is from now."""
    seconds = (block - now_block) * constants.block_time
    away = f"in {duration(seconds)}" if seconds > 0 else f"{duration(-seconds)} ago"
    return f"{block:,} ({away})"
