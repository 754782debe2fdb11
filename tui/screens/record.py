"""How an account behaved on this chain, as creator and as worker."""

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Static

from decentralml.core.amount import format_amount
from decentralml.core.chain.base import Record, Tally
from decentralml.core.domain import Constants
from decentralml.core.text import clean
from decentralml.tui.screens.working import Working
from decentralml.tui.widgets.prose import Block, Field, Prose
from decentralml.tui.words import duration


class AccountRecord(Working[None]):
    """Both sides of an account's record, counted by the chain; its address can be copied."""

    def __init__(self, record: Record, name: str, constants: Constants) -> None:
        super().__init__(clean(name) or "An account")
        self._record = record
        self._constants = constants

    def body(self) -> ComposeResult:
        with VerticalScroll(id="text", can_focus=False):
            yield Prose(id="record")
        yield Static("Counted by the chain; somebody with two accounts can work for himself.", id="problem")
        with Horizontal(id="buttons"):
            yield Button(self.label("Copy address", "copy"), id="copy", compact=True)
            yield Button(self.label("Close", "back"), id="close", variant="primary", compact=True)

    def on_mount(self) -> None:
        self.query_one("#problem").add_class("-quiet")
        self.query_one("#record", Prose).show(_blocks(self._record, self._constants))
        self.query_one("#close").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "copy":
            self.action_copy()
        else:
            self.dismiss(None)

    def action_copy(self) -> None:
        self.app.copy(self._record.address)


def _blocks(record: Record, constants: Constants) -> list[Block]:
    creator, worker = record.creator, record.worker
    pace = creator.median_decision_blocks
    as_creator: list[Field] = [
        ("tasks", (f"{creator.tasks:,}",)),
        ("accepted", _tally(creator.accepted, "worker")),
        ("rejected", _tally(creator.rejected, "worker")),
        ("silent", _tally(creator.silent, "worker", "paid by silence, or still to be claimed")),
        ("undecided", _tally(creator.undecided, "worker", "wait now")),
        ("decides in", ("-" if pace is None else f"{duration(pace * constants.block_time)}  (median)",)),
        ("workers", (f"{creator.workers:,}  different ones",)),
        ("paid", (format_amount(creator.paid),)),
    ]
    as_worker: list[Field] = [
        ("taken", (f"{worker.taken:,}",)),
        ("accepted", _tally(worker.accepted, "creator")),
        ("rejected", _tally(worker.rejected, "creator")),
        ("left silent", _tally(worker.silent, "creator")),
        ("given back", _tally(worker.abandoned, "creator")),
        ("timed out", _tally(worker.timed_out, "creator")),
        ("open", _tally(worker.open, "creator")),
        ("creators", (f"{worker.creators:,}  different ones",)),
        ("earned", (format_amount(worker.earned),)),
    ]
    return [
        (record.address,),
        ("",),
        (("AS CREATOR", "dim"),),
        as_creator,
        ("",),
        (("AS WORKER", "dim"),),
        as_worker,
    ]


def _tally(tally: Tally, party: str, more: str = "") -> tuple[str]:
    """So many, of how many different people, and what was offered for them in all."""
    if not tally.count:
        return ("0",)
    people = f"{tally.counterparties:,} {party}{'' if tally.counterparties == 1 else 's'}"
    return (f"{tally.count:,}  of {people}, {format_amount(tally.amount)}{f'; {more}' if more else ''}",)
