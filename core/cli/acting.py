"""A call from the command line: checked and previewed by the rules, asked about, signed, answered."""

from collections.abc import Callable, Iterable
from typing import Any

from decentralml.core.amount import format_amount
from decentralml.core.chain import rules
from decentralml.core.chain.base import Receipt
from decentralml.core.chain.calls import Call
from decentralml.core.cli.chain_values import receipt_data
from decentralml.core.cli.confirm import confirm
from decentralml.core.cli.context import App
from decentralml.core.domain import Balance, Submission, Task
from decentralml.core.errors import Refused
from decentralml.core.market import Market

Facts = Iterable[tuple[str, str]]


def preview(app: App, call: Call) -> list[tuple[str, str]]:
    """Who would sign ``call`` and what it would do to every balance, by the chain's own rules.

    Raises `Refused` with the chain's code where it would be refused.
    """
    address = app.account().address
    with app.chain.view() as view:
        outcome = rules.apply(view, call, address, view.block)
        before = view.balance(address)
    facts = [("signed by", app.person(address))]
    changes: dict[str, Balance] = {}
    for move in outcome.moves:
        so_far = changes.get(move.account, Balance())
        changes[move.account] = Balance(so_far.free + move.free, so_far.held + move.held)
    mine = changes.pop(address, Balance())
    facts.append(("free", _change(before.free, mine.free)))
    if mine.held:
        facts.append(("held", _change(before.held, mine.held)))
    for account, change in changes.items():
        if change.free:
            facts.append(("another's", f"{_signed(change.free)} free, {app.person(account)}"))
        if change.held:
            facts.append(("another's", f"{_signed(change.held)} held, {app.person(account)}"))
    return facts


def act(
    app: App, action: str, facts: Facts, call: Call, do: Callable[[Market], Receipt]
) -> tuple[Market, Receipt]:
    """Ask about ``call`` with what it does, unlock the account, and ``do`` it."""
    try:
        effects = preview(app, call)
    except Refused:
        # The same call may have landed before a crash; the market answers with its receipt then.
        if not app.market().landed(call, app.account().address):
            raise
        effects = [("again", "an earlier try was cut off; what landed then is not signed again")]
    confirm(app, action, [*facts, *effects])
    market = app.market(signing=True)
    return market, do(market)


def answer(app: App, receipt: Receipt, text: str, more: dict[str, Any] | None = None) -> None:
    """The answer of a command that signed: the receipt, where its task or submission stands now (``status``),
    and ``text`` for people.
    """
    fee = f", fee {format_amount(receipt.fee)}" if receipt.fee else ""
    app.out.done(
        {**receipt_data(receipt), "status": _status(app, receipt), **(more or {})},
        lambda: app.out.say(f"{text} ({receipt.stage} in block {receipt.block:,}{fee})"),
    )


def task_facts(app: App, task: Task) -> list[tuple[str, str]]:
    """The task that a call is about, as it is asked about."""
    return [("task", f"{task.id}  {task.terms.question}"), ("creator", app.person(task.creator))]


def submission_facts(app: App, submission: Submission) -> list[tuple[str, str]]:
    """The submission that a call is about, and its task."""
    task = app.chain.task(submission.task_id)
    return [
        *task_facts(app, task),
        ("submission", str(submission.id)),
        ("worker", app.person(submission.worker)),
    ]


def _status(app: App, receipt: Receipt) -> str:
    """Of the submission that a call was about, else of the task."""
    if receipt.submission_id is not None:
        return app.chain.submission(receipt.submission_id).status.value
    assert receipt.task_id is not None, "every call is about a task"
    return app.chain.task(receipt.task_id).status.value


def _change(before: int, change: int) -> str:
    if not change:
        return f"{format_amount(before)}, unchanged"
    return f"{format_amount(before)} -> {format_amount(before + change)} ({_signed(change)})"


def _signed(change: int) -> str:
    return f"+{format_amount(change)}" if change > 0 else format_amount(change)
