"""`decentralml task list|show`: what the chain says of tasks."""

from collections.abc import Sequence
from typing import Any

import click

from decentralml.core import task_filter
from decentralml.core.amount import format_amount
from decentralml.core.chain import rules
from decentralml.core.chain.base import TaskQuery
from decentralml.core.cli.chain_values import record_fields, submission_data, task_data, when
from decentralml.core.cli.commands import command
from decentralml.core.cli.context import App
from decentralml.core.cli.numbers import Number
from decentralml.core.cli.output import duration
from decentralml.core.cli.task_arguments import TASK
from decentralml.core.domain import Constants, Submission, Task
from decentralml.core.errors import Refused
from decentralml.core.text import short, short_address
from decentralml.core.words import KINDS, POLICIES, STATUSES, TASK_STATUSES, holding

_ORDERS = ("id", "pays", "expires", "slots", "question")
_COLUMNS = ("ID", "QUESTION", "KIND", "PAYS", "FREE", "ENDS", "STATUS")
_QUESTION = 60


@command("task list")
@click.argument("filter_words", nargs=-1, metavar="[FILTER]...")
@click.option("--order", type=click.Choice(_ORDERS), default="id", show_default=True)
@click.option("--ascending", is_flag=True, help="Smallest first.")
@click.option("--limit", type=Number(1, 10_000), default=100, show_default=True)
@click.option("--offset", type=Number(0), default=0)
def list_(
    app: App, filter_words: tuple[str, ...], order: str, ascending: bool, limit: int, offset: int
) -> None:
    """
    FILTER words narrow the list, all of them together: type:contributor pays:>5 free by:ada mine;
    words without a colon are looked for in the question.
    """
    me = app.address() if "mine" in " ".join(filter_words).split() else None
    base = TaskQuery(order=order, descending=not ascending, limit=limit, offset=offset)
    query = task_filter.parse(" ".join(filter_words), me=me, base=base, address_of=app.address)
    page, head, constants = app.chain.tasks(query), app.chain.head(), app.chain.constants
    data = {"items": [task_data(task, head.block) for task in page.items], "total": page.total}

    def show() -> None:
        if not page.items:
            app.out.say(
                "No task fits." if filter_words else "No task yet. `decentralml task create` makes one."
            )
            return
        rows = [_row(task, head.block, constants) for task in page.items]
        app.out.table(_COLUMNS, rows, right="ID PAYS FREE")
        if len(page.items) < page.total:
            app.out.note(f"{len(page.items)} of {page.total:,}; --offset {offset + limit} shows more.")

    app.out.done(data, show)


def _row(task: Task, block: int, constants: Constants) -> tuple[str, ...]:
    terms = task.terms
    left = terms.expiration_block - block
    ends = "-" if task.closed or left < 0 else duration(left * constants.block_time)
    return (
        str(task.id),
        short(terms.question, _QUESTION),
        KINDS[terms.task_type],
        format_amount(terms.pays_amount),
        f"{task.free_slots}/{terms.max_assignments}",
        ends,
        TASK_STATUSES[task.status],
    )


@command("task show")
@TASK
def show(app: App, task_id: int) -> None:
    task = app.chain.task(task_id)
    submissions = app.market().list_task_results(task_id).items
    head, constants = app.chain.head(), app.chain.constants
    record = app.chain.record(task.creator)
    me = app.me()
    may = {} if me is None else _may(app, me.address, task, submissions)
    data = {
        **task_data(task, head.block),
        "block": head.block,
        "submissions": [
            {**submission_data(s), "deadlines": rules.deadlines(task, s, constants)} for s in submissions
        ],
        "creator_record": record.creator,
        "may": {
            name: None if refusal is None else {"code": refusal.code, "message": refusal.message}
            for name, refusal in may.items()
        },
    }

    def lines() -> None:
        app.out.fields([(str(task.id), task.terms.question)])
        app.out.fields(_terms(app, task, submissions, head.block, constants))
        app.out.fields(record_fields(record, constants)[:1])
        if submissions:
            app.out.say("")
            rows = [_submission_row(app, task, s, head.block, constants) for s in submissions]
            app.out.table(("SUBMISSION", "WORKER", "STATUS", "NEXT"), rows, right="SUBMISSION")
        if may:
            app.out.say("")
            open_to_me = [name for name, refusal in may.items() if refusal is None]
            app.out.say(f"you may: {', '.join(open_to_me) or 'nothing now'}")

    app.out.done(data, lines)


def _terms(
    app: App, task: Task, submissions: Sequence[Submission], block: int, constants: Constants
) -> list[tuple[str, str]]:
    terms = task.terms
    paid = terms.pays_amount * task.accepted
    fields = [
        ("type", f"{KINDS[terms.task_type]}, {TASK_STATUSES[task.status]}"),
        ("creator", app.person(task.creator)),
        ("pays", f"{format_amount(terms.pays_amount)} each, {terms.max_assignments} wanted"),
        (
            "slots",
            f"{task.free_slots} free, {holding(submissions)}, "
            f"{task.accepted} accepted, {task.rejected} rejected",
        ),
        ("escrow", f"{format_amount(task.held)} held, {format_amount(paid)} paid"),
        ("take until", "closed" if task.closed else when(terms.expiration_block, block, constants)),
        ("judged", POLICIES[terms.validation_strategy]),
    ]
    if terms.assets:
        fields += [("stored on", terms.assets[0].value), ("files", terms.assets[1])]
    if terms.annotation_class_labels:
        fields.append(("labels", terms.annotation_class_labels))
    return fields


def _submission_row(
    app: App, task: Task, submission: Submission, block: int, constants: Constants
) -> tuple[str, ...]:
    due = rules.deadlines(task, submission, constants)
    after = submission.reason or ""
    if due.deliver is not None:
        after = f"deliver by block {when(due.deliver, block, constants)}"
    elif due.decide is not None:
        after = f"decide by block {when(due.decide, block, constants)}"
    name = app.known_name(submission.worker) or short_address(submission.worker)
    return (str(submission.id), name, STATUSES[submission.status], short(after, _QUESTION))


def _may(app: App, me: str, task: Task, submissions: Any) -> dict[str, Refused | None]:
    """Every call on the task or one of its submissions, and why ``me`` may not make it now."""
    found: dict[str, Refused | None] = {}
    with app.chain.view() as view:
        for rule in rules.TABLE:
            fields = rule.call.__struct_fields__
            if "submission_id" in fields:
                for submission in submissions:
                    found[f"{rule.name} {submission.id}"] = rules.check(
                        view, rule.name, me, submission_id=submission.id
                    )
            elif "task_id" in fields:
                found[rule.name] = rules.check(view, rule.name, me, task_id=task.id)
    return found
