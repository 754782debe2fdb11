"""The market: every task, one line each, and what one can do with it next."""

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.timer import Timer
from textual.widgets import Input, Static

from decentralml.core.errors import DecentralMLError, Misused, Refused
from decentralml.tui import keys
from decentralml.tui.screens.base import Thing
from decentralml.tui.screens.saved_filters import SavedFilters
from decentralml.tui.widgets.paged_table import Column, PagedTable, Row
from decentralml.tui.widgets.prose import Prose

if TYPE_CHECKING:
    from decentralml.tui.pulse import Pulse
    from decentralml.tui.session import Session
    from decentralml.tui.task.market_list import MarketList
    from decentralml.tui.task.preview import Preview

VIEWS = ("open", "mine", "all")
ORDERS = ("id", "pays", "ends", "slots", "question")
COLUMNS = (
    Column("id", "ID", 6, right=True, priority=100),
    Column("question", "QUESTION", 18, flexible=True, priority=99),
    Column("kind", "KIND", 11, priority=60, narrow=5),
    Column("pays", "PAYS", 9, right=True, priority=90),
    Column("slots", "FREE", 7, right=True, priority=70),
    Column("ends", "ENDS", 5, right=True, priority=50),
    Column("next", "NEXT", 14, priority=80),
)
WIDE = 126
_TWO = 100
# Fewer rows than that show nothing of a task worth the space.
PREVIEW_ROWS = 9
REST_SECONDS = 0.1
# "4 d", "3 h": what stands in ENDS is read again after so many blocks without an event.
_STALE_BLOCKS = 10


class Tasks(SavedFilters):
    """A virtual list over the chain's own index: it reads only the page it shows."""

    SCOPE = "tasks"
    AUTO_FOCUS = "PagedTable"

    def __init__(self) -> None:
        super().__init__()
        self.view = "open"
        self.filter = ""
        self.order = "id"
        self.descending = True
        self._restored = False
        self._read_at = 0
        self._list: MarketList | None = None
        self._preview: Preview | None = None
        self._resting: Timer | None = None

    def body(self) -> ComposeResult:
        with Vertical(id="filtering"):
            with Horizontal(id="filterbar"):
                yield Static("", id="shown")
                yield Input(
                    placeholder=keys.said("{filter} type:contributor pays:>5 words"),
                    id="filter",
                    compact=True,
                )
                yield Static("", id="count")
            yield Static("", id="language")
        with Horizontal(id="panes"):
            yield PagedTable(COLUMNS, self._fetch)
            with VerticalScroll(id="preview", can_focus=False):
                yield Prose(id="terms")
                yield Prose(id="history")

    def on_mount(self) -> None:
        self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        """The preview stands beside the list, or in the rows that a short list leaves below it.

        Below, the task's history has a column of its own where the terminal is wide enough for ``-two``.
        """
        panes, listed = self.query_one("#panes"), self.table.total + 2
        beside = self.size.width >= WIDE
        below = not beside and panes.size.height - listed >= PREVIEW_ROWS and self.table.total > 0
        layout = {"-beside": beside, "-below": below, "-two": below and self.size.width >= _TWO}
        if any(panes.has_class(name) != wanted for name, wanted in layout.items()):
            for name, wanted in layout.items():
                panes.set_class(wanted, name)
            self._show_preview()
        self.table.styles.height = listed if below else "1fr"

    async def refresh_data(self) -> None:
        if not self._restored:
            await self._restore()
        self._read_at = self.app.pulse.head.block if self.app.pulse else 0
        await self.table.reload()

    async def _restore(self) -> None:
        """Be where the person was: view, filter, order, row."""
        self._restored = True
        view, order = self.kept("view", self.view), self.kept("order", self.order)
        self.view = view if view in VIEWS else self.view
        self.order = order if order in ORDERS else self.order
        self.descending = self.kept("descending", self.descending)
        self.filter = self.kept("filter", self.filter)
        task_id, near = self.kept("task", 0), self.kept("row", 0)
        with self.prevent(Input.Changed):
            self.query_one("#filter", Input).value = self.filter
        await self.table.reload()
        self.table.move_to(await self._place_of(task_id, near) if task_id else near)

    def moved(self, pulse: "Pulse", *, events: bool) -> None:
        stale = pulse.head.block - self._read_at >= _STALE_BLOCKS
        super().moved(pulse, events=events or stale)

    def select(self, filter: str) -> None:
        """Show all tasks that fit a filter: a list of many has no one place for what leads here."""
        self._restored = True
        self.view = "all"
        self.keep("view", self.view)
        self.use_filter(filter)

    # Reading

    async def _fetch(self, offset: int, limit: int) -> tuple[Sequence[Row], int]:
        if self.app.session is None:
            return [], 0
        if self._list is None:
            self._list = await self.call(_open_list, self.session)
        asked = (self.view, self.filter)
        rows, total = await self.call(
            self._list.page, *asked, self.order, offset, limit, descending=self.descending
        )
        if asked == (self.view, self.filter):  # a page of an earlier filter may come late
            self._say_what_is_shown(total)
        return rows, total

    async def _place_of(self, task_id: int, near: int) -> int:
        """Where a task stands now that stood at ``near``; there where it is not in the list any more."""
        if self._list is None:
            return near
        found = await self.call(
            self._list.place, task_id, self.view, self.filter, self.order, near, descending=self.descending
        )
        return near if found is None else found

    def _say_what_is_shown(self, total: int) -> None:
        self.table.order = (self.order, self.descending)
        if self._list is not None:
            self.table.empty = self._list.why_empty(self.view, self.filter)
        self._set("#shown", "my tasks" if self.view == "mine" else f"{self.view} tasks")
        if not self.query_one("#count").has_class("-bad"):  # else it says what is wrong with the filter
            self._set("#count", f"{total:,} shown")
        self.call_after_refresh(self._lay_out)

    def _set(self, part: str, text: str) -> None:
        widget = self.query_one(part, Static)
        if str(widget.content) != text:
            widget.update(Text(text), layout=len(str(widget.content)) != len(text))

    # The row one is on

    @on(PagedTable.Moved)
    def moved_to(self) -> None:
        if self.table.row is not None:
            self.keep("task", self.table.row.key, now=False)
            self.keep("row", self.table.cursor, now=False)
        self._show_preview()

    def _show_preview(self) -> None:
        """Read the row's preview once the cursor rests."""
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(REST_SECONDS, self._rests)

    def _rests(self) -> None:
        if self.app.session is not None:
            self.work(self._read_preview(), group="preview")

    async def _read_preview(self) -> None:
        """Terms, escrow, deadlines and reasons of the row under the cursor."""
        row = self.table.row
        try:
            preview = await self.call(_read_preview, self.session, row.key) if row else None
        except Refused:  # withdrawn by a fork, a moment ago
            preview = None
        if row != self.table.row:
            return
        self._preview = preview
        terms, history = self.query_one("#terms", Prose), self.query_one("#history", Prose)
        if preview is None:
            terms.show([])
            history.show([])
        else:
            from decentralml.tui.task import preview as words

            terms.show(words.blocks(preview, terms.size.width))
            history.show(words.history(preview, self.query_one("#preview").size.height))

    def why_not(self, action: str) -> DecentralMLError | None:
        preview, row = self._preview, self.table.row
        if action in ("take", "try_first", "train") and row is None:
            return Misused(
                "NoTask",
                "There is no task under the cursor.",
                keys.said("{view} shows others, {filter} filters."),
            )
        known = preview is not None and row is not None and preview.task.id == row.key
        refusals = {"take": preview.cannot_take, "train": preview.cannot_train} if known and preview else {}
        return refusals.get(action) or super().why_not(action)

    # Acting

    @property
    def thing(self) -> Thing | None:
        return Thing("task", self.table.row.key) if self.table.row else None

    def action_new(self) -> None:
        from decentralml.tui.screens.create import CreateTask

        self.app.push_screen(CreateTask())

    @on(PagedTable.Opened)
    def action_open(self) -> None:
        self._with_task(self._open)

    def action_try_first(self) -> None:
        self._with_task(self._open, "try_first")

    def action_train(self) -> None:
        self._with_task(self._open, "train")

    def action_take(self) -> None:
        self._with_task(self._take)

    def _with_task(self, act: Callable[..., Coroutine[Any, Any, None]], *args: str) -> None:
        if self.table.row is not None:
            self.work(act(int(self.table.row.key), *args), group="act")

    async def _open(self, task_id: int, then: str = "") -> None:
        """Open the task's own screen, and do ``then`` there."""
        from decentralml.tui.screens.task import TaskDetail

        detail = TaskDetail(task_id)
        await self.app.push_screen(detail)
        if then:
            await self.app.run_action(then, detail)

    async def _take(self, task_id: int) -> None:
        """Take a slot, and be where one works on it."""
        from decentralml.tui.task import verbs

        if await verbs.take(self, task_id) is not None:
            self.app.places.lead(("task", task_id))

    def action_copy(self) -> None:
        if self.table.row is not None:
            self.app.copy(str(self.table.row.key))

    # Filtering and sorting

    def action_filter(self) -> None:
        self.set_focus(self.query_one("#filter", Input))

    def action_back(self) -> None:
        """Out of the filter first; then back to where one was."""
        if self.query_one("#filter", Input).has_focus:
            self.table.focus()
        else:
            super().action_back()

    @on(Input.Changed, "#filter")
    def filter_typed(self, event: Input.Changed) -> None:
        """Filter as one types; a last word that is not finished yet narrows nothing."""
        from decentralml.tui.task.market_list import problem

        wrong = problem(event.value)
        self.query_one("#count").set_class(bool(wrong), "-bad")
        if wrong:
            self._set("#count", wrong)
        finished = event.value.rpartition(" ")[0] if wrong else event.value
        if problem(finished):
            return
        self.filter = finished
        self._show_again("filter", self.filter)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Say what a filter may hold, to whom types one: the first paint does not wait for what knows it."""
        if event.widget.id == "filter":
            from decentralml.core.task_filter import HELP

            self._set("#language", HELP)

    @on(Input.Submitted, "#filter")
    def filter_done(self) -> None:
        self.table.focus()

    def action_view(self) -> None:
        self.view = VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)]
        self._show_again("view", self.view)

    def action_sort(self) -> None:
        self._sort_by(ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)])

    def _sort_by(self, column: str) -> None:
        self.order = column
        self._show_again("order", self.order)

    def action_reverse(self) -> None:
        self.descending = not self.descending
        self._show_again("descending", self.descending)

    @on(PagedTable.HeaderClicked)
    def header_clicked(self, event: PagedTable.HeaderClicked) -> None:
        if event.column == self.order:
            self.action_reverse()
        elif event.column in ORDERS:
            self._sort_by(event.column)

    def _show_again(self, name: str, value: Any) -> None:
        self.keep(name, value)
        if self.app.session is not None:
            self.work(self.table.reload(keep_cursor=False), group="reload")

    def use_filter(self, text: str) -> None:
        self.query_one("#filter", Input).value = text
        self.table.focus()


def _open_list(session: "Session") -> "MarketList":
    from decentralml.tui.task.market_list import MarketList

    return MarketList(session)


def _read_preview(session: "Session", task_id: int) -> "Preview":
    from decentralml.tui.task.preview import read_preview

    return read_preview(session, task_id)
