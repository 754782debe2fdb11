"""What waits for me, what happened on the chain, what goes on here, and what went wrong."""

from typing import Any

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from decentralml.core.chain.base import Event
from decentralml.core.errors import DecentralMLError, Refused
from decentralml.core.inbox import Item, Waiting
from decentralml.core.words import count
from decentralml.tui import activity_rows, keys
from decentralml.tui.failures import Failure
from decentralml.tui.pulse import Pulse
from decentralml.tui.screens.activity_actions import ActivityActions
from decentralml.tui.screens.base import Thing
from decentralml.tui.signing import proposals
from decentralml.tui.widgets.paged_table import PagedTable, Row
from decentralml.tui.widgets.rows import Rows, fair_shares

PANELS = ("waits", "work", "failed", "events")
_FIRST_EVENTS = 500
_LOOK_SECONDS = 2.0
# Of the height, what is not about the chain takes in a narrow terminal; as in its style sheet.
_MINE = 0.75
_LEAST_ROWS = 2


class Activity(ActivityActions):
    """Four lists. In a narrow terminal those without anything in them make room."""

    SCOPE = "activity"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (130, "-wide")]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.filter = ""
        self._events: tuple[Event, ...] = ()
        self._names: dict[str, str] = {}
        self._window = _FIRST_EVENTS
        self._all_read = False
        self._reading_back = False

    def body(self) -> ComposeResult:
        with Horizontal(id="parts"):
            with Vertical(id="mine"):
                yield Rows(activity_rows.WAITS, empty="Nothing waits for you.", id="waits")
                yield Rows(activity_rows.WORK, empty="Nothing runs, nothing moves.", id="work")
                yield Rows(activity_rows.FAILED, empty="Nothing went wrong.", id="failed")
            with Vertical(id="chain"):
                with Horizontal(id="filterbar"):
                    yield Static("on the chain", id="shown")
                    yield Input(placeholder="mine  task:12  accepted…", id="filter", compact=True)
                    yield Static("", id="count")
                yield Rows(
                    activity_rows.EVENTS,
                    empty=keys.said("No event fits. {filter} changes the filter."),
                    id="events",
                )

    def on_mount(self) -> None:
        self.filter = self.kept("filter", "")
        self.query_one("#filter", Input).value = self.filter
        self._part(self._kept_panel()).focus()
        self.set_interval(_LOOK_SECONDS, self.look)

    def _kept_panel(self) -> str:
        panel = self.kept("panel", "waits")
        return panel if panel in PANELS else "waits"

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if isinstance(event.widget, Rows) and event.widget.id is not None:
            self.keep("panel", event.widget.id)

    def _part(self, name: str) -> Rows:
        return self.query_one(f"#{name}", Rows)

    # Reading

    async def refresh_data(self) -> None:
        """What goes on here first: it is there without the chain too, and may say what is wrong with that."""
        await self.show_work()
        session = self.session
        account = session.address if "mine" in self.filter.split() else None
        found = await self.call(session.chain.events, account=account, limit=self._window, newest=True)
        self._events = found[::-1]
        self._names = await self.call(session.names)
        self._all_read = len(found) < self._window
        await self._show_events()
        await self._show_waits()

    def moved(self, pulse: Pulse, *, events: bool) -> None:
        super().moved(pulse, events=events)
        if not events:
            self.work(self._show_times(), group="times", exclusive=True)

    async def _show_times(self) -> None:
        """A block later everything is a little further away."""
        await self._show_waits()
        await self._show_events()

    async def _show_waits(self) -> None:
        rows = activity_rows.waits(self._items, self._block, self.session.chain.constants)
        await self._part("waits").show(rows)
        self._share()

    async def show_work(self) -> None:
        self._runs = await self.call(self.session.runs.list)
        work = activity_rows.work(self.app.transfers.newest(), self._runs, self.app.judging)
        await self._show_or_hide("work", work)
        await self._show_or_hide("failed", activity_rows.failures(self.app.failures.newest()))

    async def _show_or_hide(self, name: str, rows: list[Row]) -> None:
        part = self._part(name)
        await part.show(rows)
        if not rows and part.has_focus:
            self._part("waits").focus()
        part.set_class(not rows, "-empty")
        self._share()

    def on_resize(self) -> None:
        self._share()

    def _share(self) -> None:
        """Above each other, the lists share the rows so that none is a heading alone."""
        parts = [part for part in self.query("#mine Rows").results(Rows) if not part.has_class("-empty")]
        room = int(self.query_one("#parts").size.height * _MINE) - len(parts)
        for part, rows in zip(parts, fair_shares([part.total + 1 for part in parts], room), strict=True):
            part.styles.max_height = None if self.has_class("-wide") else max(rows, _LEAST_ROWS)

    async def _show_events(self) -> None:
        me, block, constants = self.session.address, self._block, self.session.chain.constants
        rows = [
            activity_rows.event(event, block, constants, self._names, me)
            for event in self._events
            if activity_rows.fits(event, self.filter, self._names, me)
        ]
        await self._part("events").show(rows)
        older = "" if self._all_read else keys.said(", {bottom} reads older")
        self.query_one("#count", Static).update(f"{count(len(rows), 'event')}{older}")

    @property
    def _block(self) -> int:
        return self.app.pulse.head.block if self.app.pulse else 0

    @property
    def _items(self) -> tuple[Item, ...]:
        return self.app.pulse.inbox if self.app.pulse else ()

    @on(PagedTable.Moved, "#events")
    def reached(self, event: PagedTable.Moved) -> None:
        """At the oldest event that was read, older ones are."""
        table = self._part("events")
        at_the_end = table.has_focus and table.total and table.cursor >= table.total - 1
        if at_the_end and not self._all_read and not self._reading_back:
            self._reading_back = True
            self.work(self._read_back(), group="older")

    async def _read_back(self) -> None:
        self._window *= 4
        try:
            await self.refresh_data()
        finally:
            self._reading_back = False

    # Filter

    def action_filter(self) -> None:
        self.set_focus(self.query_one("#filter", Input))

    @on(Input.Changed, "#filter")
    def filter_typed(self, event: Input.Changed) -> None:
        wrong = activity_rows.problem(event.value)
        self.query_one("#count").set_class(bool(wrong), "-bad")
        if wrong:
            self.query_one("#count", Static).update(wrong)
            return
        mine = "mine" in self.filter.split()
        self.filter = event.value
        self.keep("filter", self.filter)
        if self.app.session is None:
            return
        if mine != ("mine" in self.filter.split()):
            self._window = _FIRST_EVENTS
            self.work(self.refresh_data(), group="filter", exclusive=True)
        else:
            self.work(self._show_events(), group="filter", exclusive=True)

    @on(Input.Submitted, "#filter")
    def filter_done(self) -> None:
        self._part("events").focus()

    def action_back(self) -> None:
        if self.query_one("#filter", Input).has_focus:
            self._part("events").focus()
        else:
            super().action_back()

    # Moving

    @property
    def table(self) -> PagedTable:
        focused = self.focused
        return focused if isinstance(focused, Rows) else self._part("waits")

    def _panel(self, by: int) -> None:
        shown = [part for part in self.query(Rows) if part.total and part.display] or [self._part("waits")]
        here = shown.index(self.table) if self.table in shown else -max(by, 0)
        shown[(here + by) % len(shown)].focus()

    def action_next_panel(self) -> None:
        self._panel(1)

    def action_previous_panel(self) -> None:
        self._panel(-1)

    def action_right(self) -> None:
        self._panel(1)

    def action_left(self) -> None:
        self._panel(-1)

    # Acting

    @property
    def thing(self) -> Thing | None:
        row = self.table.row
        match self.table.id, row and row.key:
            case "waits", (_, int(task_id), submission_id):
                return _about(task_id, submission_id)
            case "work", ("run", int(id), _):
                return Thing("run", id)
            case "work", ("evaluation", int(id)):
                return Thing("submission", id)
            case "events", int(cursor):
                event = next(event for event in self._events if event.cursor == cursor)
                return _about(event.task_id, event.submission_id, event.account)
        return None

    @property
    def _item(self) -> Item | None:
        """What waits, under the cursor of that list."""
        row = self._part("waits").row
        found = (item for item in self._items if (item.why, item.task_id, item.submission_id) == _key(row))
        return next(found, None)

    @on(PagedTable.Opened)
    def action_open(self) -> None:
        table = self.table
        row = table.row
        if row is None:
            return
        if table.id == "waits":
            self._open_item()
        elif table.id == "events":
            event = next(event for event in self._events if event.cursor == row.key)
            if event.task_id is not None:
                self._open(event.task_id, event.submission_id)
        elif (failure := self._told_by(row)) is not None:
            self.work(self._tell(failure))
        else:
            self._open_work(row)

    def _open_item(self) -> None:
        item = self._item
        if item is None:
            return
        if item.why is Waiting.judge and item.submission_id is not None:
            self.app.show("validate", item.submission_id)
        else:
            self._open(item.task_id, item.submission_id)

    def _open(self, task_id: int, submission_id: int | None) -> None:
        """The task, with the cursor on the submission that it is about, if it is about one."""
        self.app.places.lead(("task", task_id) if submission_id is None else ("task", task_id, submission_id))

    def _told_by(self, row: Row) -> Failure | None:
        """The failure whose story a row opens: its own, or that of a transfer which broke."""
        if self.table.id == "failed":
            return self.failure(row)
        handle = self.transfer(row)
        error = None if handle is None else handle.error
        return next(
            (one for one in self.app.failures.newest() if error and one.message == error.message), None
        )

    async def _tell(self, failure: Failure) -> None:
        from decentralml.tui.screens.failure import FailureStory

        if await self.app.push_screen_wait(FailureStory(failure)) and failure.again is not None:
            failure.again()

    def _open_work(self, row: Row) -> None:
        if row.key[0] == "run":
            self.app.show("runs", row.key[1])
        elif row.key[0] == "evaluation":
            self.app.show("validate", row.key[1])

    def action_claim(self) -> None:
        self._sign(proposals.claim)

    def action_time_out(self) -> None:
        self._sign(proposals.time_out)

    def _sign(self, build: Any) -> None:
        if self._item is not None:
            self.work(self.propose(build, self._item.submission_id))

    def _not_this(self, why: Waiting) -> Refused | None:
        item = self._item
        if item is not None and item.why is why:
            return None
        word = "claim" if why is Waiting.claim else "time out"
        return Refused("NotThis", f"There is nothing to {word} under the cursor of what waits.", "")

    def why_not(self, action: str) -> DecentralMLError | None:
        row = self.table.row
        if action == "open" and row is not None and self.transfer(row) and self._told_by(row) is None:
            return Refused("NothingToOpen", "There is no more to see of this transfer.", "")
        if action in ("open", "copy") and row is not None:
            return None
        if action == "claim":
            return self._not_this(Waiting.claim)
        if action == "time_out":
            return self._not_this(Waiting.time_out)
        return super().why_not(action)

    def action_copy(self) -> None:
        row = self.table.row
        if row is not None:
            self.app.copy(row.plain)


def _about(task_id: int | None, submission_id: int | None, account: str | None = None) -> Thing | None:
    """What an event or a duty is about, as narrowly as it says."""
    if submission_id is not None:
        return Thing("submission", submission_id)
    if task_id is not None:
        return Thing("task", task_id)
    return None if account is None else Thing("account", account)


def _key(row: Row | None) -> Any:
    return None if row is None else row.key
