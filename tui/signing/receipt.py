"""What a call did, in words, from its receipt alone."""

from decentralml.core.amount import format_amount
from decentralml.core.chain.base import Event, Receipt
from decentralml.core.text import clean, short_address

_SENTENCES = {
    "TaskCreated": "task {task} is published, {amount} in escrow",
    "TaskAssigned": "submission {submission} of task {task} is taken, a deposit of {deposit} is held",
    "ResultSent": "the result of submission {submission} is delivered",
    "ResultValidated": "the report on submission {submission} is published",
    "ResultAccepted": "submission {submission} is accepted, {amount} paid to {worker}",
    "ResultRejected": "submission {submission} is rejected: {reason}",
    "ChangesRequested": "submission {submission} goes back to {worker} for changes: {reason}",
    "TaskAbandoned": "submission {submission} is given back",
    "SubmissionTimedOut": "submission {submission} is timed out",
    "DeliveryRestored": "the earlier delivery of submission {submission} stands again",
    "SlotReleased": "{amount} of its escrow go back to the creator",
    "TaskClosed": "task {task} is closed, {amount} go back to {creator}",
    "Funded": "{account} has {amount} more",
}
_ADDRESSES = ("worker", "creator", "by")
_AMOUNTS = ("amount", "deposit")


def words(receipt: Receipt) -> str:
    """One line: what its events say happened, its block, and how far it has come."""
    happened = "; ".join(event_words(event) for event in receipt.events) or receipt.call
    return f"{happened[0].upper()}{happened[1:]} (block {receipt.block:,}, {receipt.stage})."


def event_words(event: Event) -> str:
    """What one event says, in a few words; an event of a kind unknown here by its name."""
    values = {name: clean(value) for name, value in event.data.items()}
    for name in _ADDRESSES:
        if name in values:
            values[name] = short_address(values[name])
    for name in _AMOUNTS:
        if values.get(name, "").isdecimal():
            values[name] = format_amount(int(values[name]))
    values["task"] = str(event.task_id)
    values["submission"] = str(event.submission_id)
    values["account"] = short_address(event.account or "")
    try:
        return _SENTENCES[event.name].format_map(values)
    except KeyError:
        return clean(event.name)
