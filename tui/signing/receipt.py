"""What a call did, in words, from its receipt alone."""

from collections.abc import Mapping

from decentralml.core.amount import format_amount
from decentralml.core.chain.base import Event, Receipt
from decentralml.core.text import clean
from decentralml.tui.words import person

_SENTENCES = {
    "TaskCreated": "task {task} is published, {amount} in escrow",
    "TaskAssigned": "{submission} takes a slot{of_task}, deposit {deposit}",
    "ResultSent": "the result of {submission} is delivered",
    "ResultValidated": "the report on {submission} is published",
    "ResultAccepted": "{submission} is accepted, {amount} paid to {worker}",
    "ResultRejected": "{submission} is rejected: {reason}",
    "ChangesRequested": "{submission} goes back to {worker} for changes: {reason}",
    "TaskAbandoned": "{submission} is given back",
    "SubmissionTimedOut": "{submission} is timed out",
    "DeliveryRestored": "the earlier delivery of {submission} stands again",
    "SlotReleased": "{amount} of its escrow go back to the creator",
    "TaskClosed": "task {task} is closed, {amount} go back to {creator}",
    "Funded": "the faucet gives {account} {amount}",
}
_ADDRESSES = ("worker", "creator", "by")
_AMOUNTS = ("amount", "deposit")


def words(receipt: Receipt, names: Mapping[str, str], me: str | None = None) -> str:
    """One line: what its events say happened, its block, and how far it has come; as `event_words`."""
    happened = "; ".join(event_words(event, names, me, called="submission ") for event in receipt.events)
    happened = happened or receipt.call
    return f"{happened[0].upper()}{happened[1:]} (block {receipt.block:,}, {receipt.stage})."


def event_words(
    event: Event,
    names: Mapping[str, str],
    me: str | None = None,
    *,
    in_task: bool = False,
    called: str = "#",
) -> str:
    """What one event says, in a few words, with ``names`` for addresses; of a kind unknown here its name.

    ``in_task``: it stands among those of its task alone. ``called`` stands before a submission's number.
    """
    values = {name: clean(value) for name, value in event.data.items()}
    for name in _ADDRESSES:
        if name in values:
            values[name] = person(values[name], names, me)
    for name in _AMOUNTS:
        if values.get(name, "").isdecimal():
            values[name] = format_amount(int(values[name]))
    values["task"] = str(event.task_id)
    values["of_task"] = "" if in_task else f" of task {event.task_id}"
    values["submission"] = f"{called}{event.submission_id}"
    values["account"] = person(event.account or "", names, me)
    try:
        return _SENTENCES[event.name].format_map(values)
    except KeyError:
        return clean(event.name)
