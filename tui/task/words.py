"""A task in words: terms, money, deadlines, who is to act, records, history, and what one may do."""

from collections.abc import Iterable

from decentralml.core.amount import format_amount
from decentralml.core.chain import rules
from decentralml.core.chain.base import CreatorRecord, Event, Tally, WorkerRecord
from decentralml.core.domain import (
    Constants,
    ResultSubmissionStatus,
    Submission,
    Task,
    TaskType,
    ValidationStrategy,
)
from decentralml.core.report import Report
from decentralml.core.text import clean, short
from decentralml.core.words import KINDS, POLICIES, STATUSES, TASK_STATUSES, count, holding, judged
from decentralml.tui.hints import explain
from decentralml.tui.signing.receipt import event_words
from decentralml.tui.task.facts import CALLS, Facts
from decentralml.tui.widgets.prose import Field, Line
from decentralml.tui.words import age, ago, ahead, blocks_left, duration, left
from decentralml.tui.words import person as named

_JUDGED = {
    ValidationStrategy.AutoAccept: "whatever is delivered is paid at once",
    ValidationStrategy.ManualAccept: "the creator reads the report and decides",
    ValidationStrategy.CustomAccept: "the creator's validation.py; undecided is left to the creator",
}
TONES = {
    ResultSubmissionStatus.Accepted: "good",
    ResultSubmissionStatus.Rejected: "bad",
    ResultSubmissionStatus.Abandoned: "dim",
    ResultSubmissionStatus.TimedOut: "bad",
}
EVENT_TONES = {"ResultAccepted": "good", "ResultRejected": "bad", "SubmissionTimedOut": "bad"}
# What the screen offers, in the order in which one needs it.
_ACTS = (
    "take",
    "try_first",
    "set_up",
    "train",
    "deliver",
    "evaluate",
    "claim",
    "time_out",
    "abandon",
    "close",
)


def person(facts: Facts, address: str) -> str:
    """``you``, a name this person knows, or the address cut short."""
    return named(address, facts.names, facts.me)


def person_full(facts: Facts, address: str) -> str:
    """The whole address, with what this person calls it."""
    name = "you" if address == facts.me else facts.names.get(address)
    return f"{address}  {short(name, 40)}" if name else address


def when(block: int, facts: Facts, now: int) -> str:
    """A block, and how far it is from ``now``: ``block 108,901 (in 6 d 23 h)``."""
    seconds = (block - now) * facts.constants.block_time
    return f"block {block:,} ({ahead(seconds) if seconds >= 0 else ago(-seconds)})"


def headline(facts: Facts, now: int) -> Line:
    """Kind, status, time left; what it pays; how results are judged."""
    task, terms = facts.task, facts.task.terms
    if task.closed:
        ends: tuple[str, str] = ("closed", "dim")
    elif terms.expiration_block < now:
        ends = ("expired", "dim")
    else:  # in one unit: two do not fit in a line of 80 cells, and the terms have them
        ends = (f"{blocks_left(terms.expiration_block, now, facts.constants)} left", "")
    return (
        (KINDS[terms.task_type], "bold"),
        ("  ", ""),
        (TASK_STATUSES[task.status], ""),
        ("  ", ""),
        ends,
        ("  pays ", "dim"),
        (format_amount(terms.pays_amount), "bold"),
        (f" each, {terms.max_assignments:,} wanted", ""),
        (f"  {judged(terms.validation_strategy)}", "dim"),
    )


def escrow(task: Task, submissions: Iterable[Submission]) -> Line:
    """The parts of the escrow in money, in the tones of the bar's parts."""
    pays = task.terms.pays_amount
    parts: list[tuple[str, str]] = []
    for slots, word, tone in (
        (task.accepted, "paid", "good"),
        (task.live, f"for {holding(submissions)}", "accent"),
        (task.free_slots, "open", "dim"),
        (task.released, "went back", "dim"),
    ):
        if slots:
            parts += [("  ", ""), (f"{format_amount(pays * slots)} {word}", tone)]
    return tuple(parts[1:])


def waiting_for(facts: Facts, now: int) -> list[tuple[Line, bool]]:
    """Who must act next, what is due first at the top; and whether that is the person at the keys."""
    found: list[tuple[int, Line, bool]] = []
    task, creator = facts.task, person(facts, facts.task.creator)
    i_create = task.creator == facts.me
    for s in facts.submissions:
        due = rules.deadlines(task, s, facts.constants)
        mine, who = s.worker == facts.me, person(facts, s.worker)
        if due.deliver is not None and due.deliver >= now:
            verb = "deliver" if mine else "delivers"
            again = " again" if s.requests else ""
            found.append(
                (due.deliver, (f"{who} {verb} #{s.id}{again} by {when(due.deliver, facts, now)}",), mine)
            )
        elif due.deliver is not None:
            late = f"#{s.id} is overdue since block {due.deliver:,}: anyone may time {who} out"
            found.append((due.deliver, (late,), i_create))
        elif due.decide is not None and due.decide >= now:
            verb = "judge" if i_create else "judges"
            found.append(
                (due.decide, (f"{creator} {verb} #{s.id} by {when(due.decide, facts, now)}",), i_create)
            )
        elif due.decide is not None:
            silent = f"#{s.id} was left silent since block {due.decide:,}: {who} may claim the pay"
            found.append((due.decide, (silent,), mine))
    if rules.takeable(task, now):
        slots = "a slot" if task.free_slots == 1 else f"{task.free_slots:,} slots"
        until = when(task.terms.expiration_block, facts, now)
        line: Line = (f"{slots} can be taken until {until}",)
        found.append((task.terms.expiration_block, line, not i_create and facts.mine is None))
    elif not task.closed and task.free_slots and now > task.terms.expiration_block:
        line = (f"expired: closing gives {format_amount(task.free_slots * task.terms.pays_amount)} back",)
        found.append((0, line, i_create))
    found.sort(key=lambda item: (not item[2], item[0]))
    return [(line, mine) for _, line, mine in found]


def creator_record(record: CreatorRecord, constants: Constants) -> str:
    """``41 accepted (17 workers), 3 rejected, 0 silent, decides in 5 h (median), 20 workers``."""
    waits = f"{record.undecided.count} {STATUSES[ResultSubmissionStatus.PendingValidation]}"
    if not record.accepted.count + record.rejected.count + record.silent.count:
        return f"nothing decided yet, {waits if record.undecided.count else count(record.tasks, 'task')}"
    parts = [
        _of(record.accepted, "accepted", "worker"),
        _of(record.rejected, "rejected", "worker"),
        _of(record.silent, "silent", "worker"),
    ]
    if record.undecided.count:
        parts.append(waits)
    if record.unread:
        parts.insert(1, f"{record.unread:,} of them unread")
    if record.median_decision_blocks is not None:
        pace = duration(record.median_decision_blocks * constants.block_time)
        parts.append(f"decides in {pace} (median)")
    parts.append(count(record.workers, "worker"))
    return ", ".join(parts)


def _of(tally: Tally, what: str, whom: str) -> str:
    """Many results of one person are less than as many of many: so said where the numbers differ."""
    of = f" ({count(tally.counterparties, whom)})" if tally.counterparties < tally.count else ""
    return f"{tally.count:,} {what}{of}"


def worker_record(record: WorkerRecord, *, short: bool = False) -> str:
    """``8 accepted (2 creators), 1 rejected, 0 timed out, earned 96.00``; ``short``: ``8 ok, 1 no``…"""
    earned = format_amount(record.earned)
    paid = record.accepted.count + record.silent.count
    if short:
        return f"{paid} ok, {record.rejected.count} no, {record.timed_out.count} late, {earned}"
    parts = [_of(record.accepted, "accepted", "creator"), _of(record.rejected, "rejected", "creator")]
    if record.silent.count:
        parts.append(_of(record.silent, "left silent", "creator"))
    parts.append(_of(record.timed_out, "timed out", "creator"))
    if record.abandoned.count:
        parts.append(_of(record.abandoned, "given back", "creator"))
    return f"{', '.join(parts)}, earned {earned}"


def tally(record: WorkerRecord) -> str:
    """The same for a narrower column, without what there is none of: ``8 ok 1 no``."""
    paid = record.accepted.count + record.silent.count
    parts = ((paid, "ok"), (record.rejected.count, "no"), (record.timed_out.count, "late"))
    return " ".join(f"{count} {word}" for count, word in parts if count) or "none yet"


def standing(submission: Submission, facts: Facts, now: int) -> tuple[str, str]:
    """A submission's status as a column shows it, and its tone."""
    words, tone = STATUSES[submission.status], TONES.get(submission.status, "")
    mine, delivered = submission.worker == facts.me, submission.status.live and submission.delivered
    if submission.status is ResultSubmissionStatus.Assigned:
        if rules.overdue(submission, facts.constants, now):
            return "overdue", "bad"
        run = facts.runs.get(submission.id)
        if mine and run is not None and not run.ended:
            return run.state, "accent"
        return ("to redo" if submission.requests else words), "accent" if mine else tone
    if delivered and facts.task.creator == facts.me:
        return words, "accent"
    return ("claimed" if submission.claimed else words), tone


def due(submission: Submission, facts: Facts, now: int) -> str:
    """How long until the submission's deadline; empty where none is awaited."""
    found = rules.deadlines(facts.task, submission, facts.constants)
    block = found.deliver if found.deliver is not None else found.decide
    return "" if block is None else left((block - now) * facts.constants.block_time)


def figure(submission: Submission, facts: Facts) -> tuple[str, str]:
    """What is known of how good it is: measured by this home, or claimed by a run of it; and its tone."""
    report = facts.reports.get(submission.id)
    if report is not None:
        return measured(report)
    run = facts.runs.get(submission.id)
    if run is not None and not run.ended and run.last.epochs:
        return f"epoch {run.last.epoch} of {run.last.epochs}", ""
    if run is not None and run.last.claimed:
        return _claims(run.last.claimed), "dim"
    return "", ""


def measured(report: Report) -> tuple[str, str]:
    """The main figure of a report, its difference to the baseline; what went wrong where there is none."""
    if report.candidate is not None:
        value = report.candidate.values.get(report.candidate.main)
        change = report.differences.get(report.candidate.main)
        better = "" if change is None else f" {change:+.3f}"
        tone = {True: "good", False: "bad", None: ""}[report.better]
        return (f"{value:.3f}{better}" if value is not None else "not finite"), tone
    if report.answers is not None:
        return report.answers.given, ""
    return ("refused", "bad") if report.refused else ("", "")


def _claims(claimed: dict[str, float | None]) -> str:
    name = "accuracy" if "accuracy" in claimed else next(iter(claimed))
    value = claimed[name]
    return f"claims {value:.3f}" if value is not None else "claims no number"


def paid(submission: Submission, facts: Facts) -> str:
    """What the submission was paid; empty where nothing."""
    accepted = submission.status is ResultSubmissionStatus.Accepted
    return format_amount(facts.task.terms.pays_amount) if accepted else ""


def terms(facts: Facts, now: int) -> list[Field]:
    """Every term of the task, a field each."""
    task, found = facts.task, facts.task.terms
    paid, tasks = facts.creator.creator.paid, facts.creator.creator.tasks
    policy = found.validation_strategy
    fields: list[Field] = [
        ("creator", (person_full(facts, task.creator),)),
        ("record", (creator_record(facts.creator.creator, facts.constants),)),
        ("paid so far", (f"{format_amount(paid)} over {count(tasks, 'task')}",)),
        ("pays", (f"{format_amount(found.pays_amount)} for each accepted result",)),
        ("wanted", (_slots(facts),)),
        ("judged", (f"{POLICIES[policy]}: {_JUDGED[policy]}",)),
        ("take until", ("closed" if task.closed else when(found.expiration_block, facts, now),)),
        ("published", (when(task.created, facts, now),)),
    ]
    periods = facts.constants
    work, review = periods.work_period * periods.block_time, periods.review_period * periods.block_time
    fields.append(
        ("periods", (f"{duration(work)} to deliver, {duration(review)} to judge, then silence pays",))
    )
    fields.append(
        ("deposit", (f"{format_amount(periods.take_deposit(found.pays_amount))} while you hold a slot",))
    )
    if found.task_type is TaskType.DataAnnotators:
        fields += _annotation(facts)
    if found.assets is not None:
        fields.append(("files", (f"{found.assets[0].value}  {clean(found.assets[1])}",)))
    return fields


def _slots(facts: Facts) -> str:
    task = facts.task
    parts = [f"{task.terms.max_assignments:,}", f"{task.free_slots:,} free", holding(facts.submissions)]
    parts += [f"{task.accepted:,} accepted", f"{task.rejected:,} rejected"]
    return ", ".join(parts)


def _annotation(facts: Facts) -> list[Field]:
    found = facts.task.terms
    pairs = [
        ("media", found.annotation_type.value.lower() if found.annotation_type else None),
        ("labels", found.annotation_class_labels),
        ("samples", "; ".join(found.annotation_media_samples or ()) or None),
        ("coordinates", found.annotation_class_coordinates),
        ("more", found.annotation_json),
    ]
    return [(label, (clean(value),)) for label, value in pairs if value]


def event_row(event: Event, facts: Facts, now: int) -> dict[str, str | tuple[str, str]]:
    """Cells of one event: block, how long ago, who did what."""
    what = event_words(event, facts.names, facts.me, in_task=True)
    tone = EVENT_TONES.get(event.name, "")
    if event.account is not None:
        # Before what may be long, as the reason of a rejection is.
        what = f"{person(facts, event.account)}: {what}"
    old = age((now - event.block) * facts.constants.block_time, units=1)
    return {"block": (f"{event.block:,}", "dim"), "ago": (old, "dim"), "what": (what, tone)}


def acts(facts: Facts) -> list[tuple[str, str | None]]:
    """What the screen offers, in order: the action, and why not (None: it can be done now)."""
    offered = [action for action in _ACTS if action not in CALLS or action in facts.refusals]
    refusals = {action: facts.refusals.get(action) for action in offered}
    return [(action, None if why is None else clean(explain(why))) for action, why in refusals.items()]
