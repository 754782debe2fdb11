"""The task under the cursor beside the list: terms, escrow, who acts next, its creator's record, history."""

from dataclasses import dataclass

from decentralml.core.amount import format_amount
from decentralml.core.chain import rules
from decentralml.core.chain.base import CreatorRecord, Event
from decentralml.core.domain import Constants, ResultSubmissionStatus, Submission, Task, TaskType
from decentralml.core.errors import Refused
from decentralml.core.text import clean, short, short_address
from decentralml.core.words import KINDS, POLICIES, STATUSES, TASK_STATUSES
from decentralml.tui import keys
from decentralml.tui.hints import explain
from decentralml.tui.session import Session
from decentralml.tui.signing.receipt import event_words
from decentralml.tui.task import facts as task_facts
from decentralml.tui.task.words import EVENT_TONES, TONES, creator_record, escrow
from decentralml.tui.widgets.bar import shares
from decentralml.tui.widgets.prose import Block, Field, Line
from decentralml.tui.words import blocks_left, person

_MOST_SUBMISSIONS = 8
_MOST_EVENTS = 12
_LABELS = 9  # cells that labels and their gap take
_QUESTION_LINES = 3


@dataclass(frozen=True)
class Preview:
    """What was read of one task, as of ``block``; its newest ``events`` in their order.

    ``overdue_slot``: the submission to time out first, where that is all that is in the way of a slot.
    """

    task: Task
    submissions: tuple[Submission, ...]
    events: tuple[Event, ...]
    record: CreatorRecord
    names: dict[str, str]
    me: str | None
    cannot_take: Refused | None
    cannot_train: Refused | None
    overdue_slot: int | None
    block: int
    constants: Constants


def read_preview(session: Session, task_id: int) -> Preview:
    """Read a task and what belongs to it. Blocks. Raises `Refused` ("TaskNotFound")."""
    chain = session.chain
    task = chain.task(task_id)
    refusal = session.may("assign_task", task_id=task_id)
    full = refusal is not None and refusal.code == "TaskFull"
    slot = session.market.overdue_slot(task_id) if full else None
    return Preview(
        task=task,
        submissions=tuple(chain.submissions_of(task_id)),
        events=chain.events(task_id=task_id, newest=True, limit=_MOST_EVENTS),
        record=chain.record(task.creator).creator,
        names=session.names(),
        me=session.address,
        cannot_take=None if slot else refusal,
        cannot_train=task_facts.no_training(task),
        overdue_slot=slot.id if slot else None,
        block=chain.head().block,
        constants=chain.constants,
    )


def blocks(preview: Preview, width: int) -> list[Block]:
    """The preview for a `Prose` of ``width`` cells."""
    task, terms, constants = preview.task, preview.task.terms, preview.constants
    until = rules.deadlines(task, None, constants).take
    left = blocks_left(until, preview.block, constants, units=2)
    shown: list[Block] = [
        ((f"{task.id}  ", "dim"), (short(terms.question, _QUESTION_LINES * width - _LABELS), "title")),
        ("",),
        [
            ("kind", (f"{KINDS[terms.task_type]}, {TASK_STATUSES[task.status]}",)),
            ("pays", (f"{format_amount(terms.pays_amount)} each, {terms.max_assignments} wanted",)),
            ("judged", (POLICIES[terms.validation_strategy],)),
            ("ends", (f"block {until:,}  {left}" if until is not None else "closed",)),
            ("creator", (_creator(preview),)),
            ("", ((creator_record(preview.record, constants), "dim"),)),
            ("escrow", _escrow(task, max(width - _LABELS, 12))),
            ("", escrow(task, preview.submissions)),
        ],
        ("",),
    ]
    if preview.submissions:
        shown.append([_submission(preview, found) for found in preview.submissions[:_MOST_SUBMISSIONS]])
        more = len(preview.submissions) - _MOST_SUBMISSIONS
        shown.append((f"and {more} more" if more > 0 else "",))
    shown.append(_taking(preview))
    return shown


def history(preview: Preview, height: int) -> list[Block]:
    """Its newest events, as many as ``height`` lines take, the last one first."""
    events = preview.events[::-1][: max(height - 1, 0)]
    return [(("block", "dim"), ("  what happened", "dim")), [_event(preview, event) for event in events]]


def _creator(preview: Preview) -> str:
    address = preview.task.creator
    name = preview.names.get(address)
    return f"{short(name, 40)}  {short_address(address)}" if name else short_address(address)


def _event(preview: Preview, event: Event) -> Field:
    words = event_words(event, preview.names, preview.me, in_task=True)
    return f"{event.block:>5,}", ((words, EVENT_TONES.get(event.name, "")),)


def _escrow(task: Task, room: int) -> Line:
    free = task.terms.max_assignments - task.accepted - task.live - task.released
    cells = shares((task.accepted, task.live, free), room)
    signs = (("█", "good"), ("▓", "accent"), ("░", "dim"))
    return tuple((sign * count, tone) for count, (sign, tone) in zip(cells, signs, strict=True) if count)


def _submission(preview: Preview, submission: Submission) -> Field:
    until = rules.deadlines(preview.task, submission, preview.constants)
    due = until.deliver if submission.status is ResultSubmissionStatus.Assigned else until.decide
    left = blocks_left(due, preview.block, preview.constants, units=2)
    who = person(submission.worker, preview.names, preview.me)
    words, tone = STATUSES[submission.status], TONES.get(submission.status, "")
    return f"#{submission.id}", (f"{who}  ", (words, tone), (f"  {left}", "dim"))


def _taking(preview: Preview) -> Line:
    if preview.overdue_slot is not None:
        return (
            (
                keys.said(
                    "{take} times out #{late}, whose worker is overdue, and takes its slot",
                    late=preview.overdue_slot,
                ),
                "accent",
            ),
        )
    held = (one for one in preview.submissions if one.worker == preview.me)
    if any(one.status is ResultSubmissionStatus.Assigned for one in held):
        labels = preview.task.terms.task_type is TaskType.DataAnnotators
        way = (
            "{open} opens it: {deliver} there labels"
            if labels
            else "{train} trains, {runs} has what to deliver"
        )
        return ((keys.said(way), "accent"),)
    if preview.cannot_take is None:
        return ((keys.said("{take} takes a slot, {try_first} tries it first"), "accent"),)
    return ((clean(explain(preview.cannot_take)), "dim"),)
