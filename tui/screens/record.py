"""How an account behaved on this chain, as creator and as worker."""

from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal

from decentralml.core.amount import format_amount
from decentralml.core.chain.base import CreatorRecord, Tally, WorkerRecord
from decentralml.core.domain import Constants
from decentralml.core.text import clean, short
from decentralml.core.words import count
from decentralml.tui.screens.base import MarketScreen, Thing
from decentralml.tui.widgets.prose import Block, Field, Prose
from decentralml.tui.widgets.reading import Reading
from decentralml.tui.words import duration


class RecordScreen(MarketScreen):
    """Both sides of an account's record, counted by the chain; beside each other where there is room."""

    SCOPE = "record"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (78, "-wide")]  # noqa: RUF012

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address

    @property
    def place(self) -> list[Any]:
        return ["record", self._address]

    @property
    def thing(self) -> Thing:
        return Thing("account", self._address)

    @property
    def mover(self) -> Reading:
        return self.query_one(Reading)

    def body(self) -> ComposeResult:
        yield Prose(id="headline")
        with Reading(), Horizontal(id="sides"):
            yield Prose(id="creator")
            yield Prose(id="worker")

    def on_mount(self) -> None:
        self.mover.focus()

    async def refresh_data(self) -> None:
        chain = self.session.chain
        record = await self.call(chain.record, self._address)
        name = await self.call(self.session.name_of, self._address)
        me = self._address == self.session.address
        who = "you" if me else short(clean(name), 40) if name else "an account"
        self.query_one("#headline", Prose).show(
            [
                (("Record of ", "dim"), (who, "title"), f"  {self._address}"),
                (("counted by the chain; who has two accounts can work for themselves", "dim"),),
            ]
        )
        self.query_one("#creator", Prose).show(_as_creator(record.creator, chain.constants))
        self.query_one("#worker", Prose).show(_as_worker(record.worker))

    def action_copy(self) -> None:
        self.app.copy(self._address)


def _as_creator(creator: CreatorRecord, constants: Constants) -> list[Block]:
    pace = creator.median_decision_blocks
    unread = f"{creator.unread:,} paid unread" if creator.unread else ""
    fields: list[Field] = [
        ("tasks", (f"{creator.tasks:,}",)),
        ("accepted", _tally(creator.accepted, "worker", unread)),
        ("rejected", _tally(creator.rejected, "worker")),
        ("silent", _tally(creator.silent, "worker", "paid by silence, or still to be claimed")),
        ("to judge", _tally(creator.undecided, "worker", "wait now")),
        ("decides in", ("-" if pace is None else f"{duration(pace * constants.block_time)}  (median)",)),
        ("workers", (f"{creator.workers:,}  different ones",)),
        ("paid", (format_amount(creator.paid),)),
    ]
    return [(("AS CREATOR", "dim"),), fields]


def _as_worker(worker: WorkerRecord) -> list[Block]:
    fields: list[Field] = [
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
    return [(("AS WORKER", "dim"),), fields]


def _tally(tally: Tally, party: str, more: str = "") -> tuple[str]:
    """So many, of how many different people, and what was offered for them in all."""
    if not tally.count:
        return ("0",)
    people = count(tally.counterparties, party)
    return (f"{tally.count:,}  of {people}, {format_amount(tally.amount)}{f'; {more}' if more else ''}",)
