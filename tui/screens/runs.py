"""The trainings of this machine: their list and queue, and one of them live."""

from typing import Any

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Input, Static

from decentralml.core.text import clean
from decentralml.core.training.runs import Run
from decentralml.tui import keys
from decentralml.tui.hints import explain
from decentralml.tui.pulse import Pulse
from decentralml.tui.run import words as run_words
from decentralml.tui.run.reader import Reader
from decentralml.tui.screens.run_actions import RunActions
from decentralml.tui.widgets import clicked
from decentralml.tui.widgets.paged_table import Column, PagedTable, Row
from decentralml.tui.widgets.run_panel import PANELS, RunPanel

LOOK_SECONDS = 1.0
COLUMNS = (
    Column("id", "RUN", 4, right=True, priority=100),
    Column("state", "STATE", 8, priority=99),
    Column("task", "TASK", 6, right=True, priority=60),
    Column("title", "QUESTION", 12, flexible=True, priority=95),
    Column("epoch", "EPOCH", 9, right=True, priority=98),
    Column("loss", "LOSS", 10, right=True, priority=90),
    Column("left", "LEFT", 8, right=True, priority=70),
)
_WIDE = 140
_EMPTY = "No run yet. {train} starts one."
_HIDDEN = "No run fits this filter: {filter} changes it."


class RunsScreen(RunActions):
    """The list stays in a strip above the live panel, or at its left where there is room.

    The disk is looked at once a second while the screen is shown, and what changed is drawn.
    """

    SCOPE = "runs"
    AUTO_FOCUS = "PagedTable"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-wide")]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.overlay = False
        self._reader: Reader | None = None
        self._rows: list[Row] = []
        self._timer: Timer | None = None
        self._looking = False
        self._again = False
        self._measure = True
        self._wished = False

    def body(self) -> ComposeResult:
        with Horizontal(id="runs"):
            with Vertical(id="list"):
                yield Input(
                    placeholder="words of the question, a state, a task's id…", id="filter", compact=True
                )
                yield PagedTable(COLUMNS, self._fetch, empty=keys.said(_EMPTY))
                yield Static("", id="unread")
            yield RunPanel(id="live")

    def on_mount(self) -> None:
        self.live.begin(
            self.kept("panel", ""), smooth=self.kept("smooth", 0.0), log_scale=self.kept("log", False)
        )
        self.overlay = self.kept("overlay", False)
        self.table.marked = {id for id in self.kept("marked", list[Any]()) if isinstance(id, int)}
        filter = self.query_one("#filter", Input)
        with self.prevent(Input.Changed):
            filter.value = "" if self._wished else self.kept("filter", "")
        filter.set_class(bool(filter.value), "-shown")

    @property
    def live(self) -> RunPanel:
        """The panel of the run that is looked at."""
        return self.query_one(RunPanel)

    # Looking

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self._timer is None:
            self._timer = self.set_interval(LOOK_SECONDS, self._look_soon)
        self._timer.resume()

    def on_screen_suspend(self) -> None:
        if self._timer is not None:
            self._timer.pause()

    async def refresh_data(self) -> None:
        await self.look()

    def moved(self, pulse: Pulse, *, events: bool) -> None:
        """With a block the machine is looked at too, though no run is at work."""
        self._measure = True
        super().moved(pulse, events=events)
        if not events:
            self._look_soon()

    def _look_soon(self) -> None:
        if self.app.session is None:
            return
        if self._looking:
            return
        self.work(self.look(), group="look")

    async def look(self) -> None:
        """Read what is new on disk and draw it. One at a time: a look during a look is made after it."""
        if self._looking:
            self._again = True
            return
        self._looking = True
        try:
            self._again = True
            while self._again:
                self._again = False
                if self._reader is None:
                    self._reader = Reader(self.session.runs)
                    if not self.app.readonly:
                        await self.call(self.session.runs.wake)
                overlaid = self._overlaid()
                log = self.live.wants_log
                measure, self._measure = self._measure, False
                self.seen = await self.call(
                    self._reader.look, self.selected, overlaid, log=log, machine=measure
                )
                await self._show_list()
                self.draw()
        finally:
            self._looking = False

    def _overlaid(self) -> list[int]:
        marked = self.table.marked if self.overlay else set()
        return sorted(id for id in marked if id != self.selected)

    async def _show_list(self) -> None:
        """The list, where it changed. The run that is looked at stays under the cursor."""
        self._say_unread()
        words = self.query_one("#filter", Input).value.casefold().split()
        rows = [run_words.row(run) for run in self.seen.runs]
        rows = [row for row in rows if all(word in _searched(row) for word in words)]
        ids = [row.key for row in rows]
        if self.selected not in ids:
            at_work = (run.id for run in self.seen.runs if run.id in ids and not run.ended)
            self._select(next(at_work, ids[0] if ids else None))
        if rows == self._rows and self.table.loaded and not self._wished:
            return
        self._wished = False
        self._rows = rows
        self.table.empty = keys.said(_HIDDEN if words else _EMPTY)
        self._size_list()
        await self.table.reload()
        if self.selected in ids:
            self.table.move_to(ids.index(self.selected))

    def _say_unread(self) -> None:
        """Which runs are not in the list, and why."""
        words = " ".join(map(explain, self.seen.unread.values()))
        line = self.query_one("#unread", Static)
        if str(line.content) != words:
            line.update(Text(clean(words)))
            line.set_class(bool(words), "-shown")

    def _size_list(self) -> None:
        """In a strip the list is as long as it has runs, within what the screen can spare."""
        low, high = (2, 3) if self.size.height < 30 else (4, 5)
        most = low if self.size.height < 22 else high
        narrow = self.size.width < _WIDE
        self.table.styles.height = min(max(len(self._rows), 1), most) + 1 if narrow else "1fr"

    async def _fetch(self, offset: int, limit: int) -> tuple[list[Row], int]:
        return self._rows[offset : offset + limit], len(self._rows)

    def _select(self, id: int | None) -> None:
        if id == self.selected:
            return
        self.keep("selected", id or 0)
        self._again = True
        self._look_soon()

    @on(PagedTable.Moved)
    def moved_to(self, event: PagedTable.Moved) -> None:
        if event.row is not None and event.row.key != self.selected and not self._reloading(event.row.key):
            self._select(event.row.key)
            self.draw()

    def _reloading(self, key: Any) -> bool:
        """Whether the table tells where it stood before the list grew: the cursor is about to follow."""
        return self.table.row is None or self.table.row.key != key

    def select(self, id: int) -> None:
        """Look at a run: whatever the filter hides, it is shown, with the cursor on it."""
        self.keep("selected", id)
        self._wished = True
        if self.is_mounted:
            self._show_all()
            self._again = True
            self._look_soon()

    def _show_all(self) -> None:
        """Without the filter."""
        filter = self.query_one("#filter", Input)
        filter.value = ""
        filter.remove_class("-shown")

    @property
    def selected(self) -> int | None:
        """The id of the run that is looked at."""
        return self.kept("selected", 0) or None

    @property
    def run(self) -> Run | None:
        return next((run for run in self.seen.runs if run.id == self.selected), None)

    # Drawing

    def on_resize(self, event: events.Resize) -> None:
        self._size_list()

    def draw(self) -> None:
        """Show what was seen last. Parts that did not change are left alone."""
        over = self._overlaid()
        hint = keys.said("{mark} marks the runs to draw over this one") if self.overlay and not over else ""
        self.query_one("#list").display = not self.live.zoomed
        self.set_class(self.live.inside, "-inside")
        self.live.show(self.run, self.seen, over, hint=hint)

    # Moving: in the list, or inside the panel

    def _move(self, by: int) -> None:
        if self.live.takes_keys:
            self.live.move(by)
        else:
            self.table.move(by)

    def action_down(self) -> None:
        self._move(1)

    def action_up(self) -> None:
        self._move(-1)

    def action_page_down(self) -> None:
        self._move(self._page())

    def action_page_up(self) -> None:
        self._move(-self._page())

    def _page(self) -> int:
        return self.live.page() if self.live.takes_keys else self.table.page()

    def action_top(self) -> None:
        self._to_end(top=True)

    def action_bottom(self) -> None:
        self._to_end(top=False)

    def _to_end(self, *, top: bool) -> None:
        if self.live.takes_keys:
            self.live.to_end(top=top)
        else:
            self.table.move_to(0 if top else self.table.total - 1)

    def action_left(self) -> None:
        self.live.move_cross(-1)

    def action_right(self) -> None:
        self.live.move_cross(1)

    @on(PagedTable.Opened)
    def opened(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        """Into the panel of the run; from inside it to the run's task."""
        if self.run is None:
            return
        if self.live.inside:
            self._open_task(self.run)
        else:
            self.live.inside = True
            self.draw()

    def _open_task(self, run: Run) -> None:
        if run.spec.task_id is None:
            self.app.say(f"Run {run.id} belongs to no task.")
            return
        if not run.spec.on(self.session.chain.genesis):
            self.app.say(f"Run {run.id} trained a task of another chain.")
            return
        self.app.places.lead(("task", run.spec.task_id))

    def action_back(self) -> None:
        filter = self.query_one("#filter", Input)
        if self.live.leave():
            self.draw()
        elif filter.has_class("-shown"):
            self._show_all()
            self.table.focus()
        else:
            super().action_back()

    # How it is shown

    def action_next_panel(self) -> None:
        self._turn(1)

    def action_previous_panel(self) -> None:
        self._turn(-1)

    def _turn(self, by: int) -> None:
        self._to_panel(PANELS[(PANELS.index(self.live.panel) + by) % len(PANELS)])

    def on_click(self, event: events.Click) -> None:
        if (panel := clicked.name(event, "names", PANELS)) is not None:
            self._to_panel(panel)

    def _to_panel(self, panel: str) -> None:
        self.live.to_panel(panel)
        self.keep("panel", self.live.panel)
        self._look_soon()

    def action_zoom(self) -> None:
        self.live.zoomed = not self.live.zoomed
        self.draw()

    def action_closer(self) -> None:
        self.live.zoom(1)

    def action_wider(self) -> None:
        self.live.zoom(-1)

    def action_all_epochs(self) -> None:
        self.live.see_all()

    def action_earlier(self) -> None:
        self.live.pan(-1)

    def action_later(self) -> None:
        self.live.pan(1)

    def action_log_scale(self) -> None:
        self.live.log_scale = not self.live.log_scale
        self.keep("log", self.live.log_scale)
        self.draw()

    def action_smooth(self) -> None:
        self.live.next_smooth()
        self.keep("smooth", self.live.smooth)

    def action_overlay(self) -> None:
        self.overlay = not self.overlay
        self.keep("overlay", self.overlay)
        self.draw()
        self._look_soon()

    def action_mark(self) -> None:
        self.table.toggle_mark()
        self.keep("marked", sorted(self.table.marked))
        self.draw()
        if self.overlay:
            self._look_soon()

    def action_filter(self) -> None:
        filter = self.query_one("#filter", Input)
        filter.add_class("-shown")
        filter.focus()

    @on(Input.Changed, "#filter")
    def filter_typed(self, event: Input.Changed) -> None:
        self.keep("filter", event.value)
        self._look_soon()

    @on(Input.Submitted, "#filter")
    def filter_done(self) -> None:
        filter = self.query_one("#filter", Input)
        filter.set_class(bool(filter.value), "-shown")
        self.table.focus()

    def action_copy(self) -> None:
        """What the panel shows in full; of the curves, where the run lies."""
        run = self.run
        if run is not None:
            self.app.copy(self.live.plain or str(run.result_folder or run.folder))


def _searched(row: Row) -> str:
    """What of a row the filter's words are looked for in."""
    cells = (row.cells[name] for name in ("id", "state", "task", "title"))
    return " ".join(cell if isinstance(cell, str) else str(cell[0]) for cell in cells).casefold()
