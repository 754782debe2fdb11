"""The trainings of this machine: their list and queue, and one of them live."""

from collections.abc import Callable, Iterable
from typing import Any

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Input, Static

from decentralml.core.domain import Submission
from decentralml.core.errors import Refused
from decentralml.core.text import clean
from decentralml.core.training.runs import Run
from decentralml.tui import run_curves, run_facts, run_words, task_facts
from decentralml.tui.run_reader import Drawn, Look, Reader
from decentralml.tui.screens.base import MarketScreen
from decentralml.tui.screens.dialog import Ask
from decentralml.tui.widgets.chart import WEIGHTS, Chart, Picture, View
from decentralml.tui.widgets.lines import LineOf, Lines
from decentralml.tui.widgets.paged_table import Column, PagedTable, Row

LOOK_SECONDS = 1.0
PANELS = ("curves", "log", "facts", "epochs")
COLUMNS = (
    Column("id", "RUN", 4, right=True, priority=100),
    Column("state", "STATE", 8, priority=99),
    Column("task", "TASK", 5, right=True, priority=60),
    Column("title", "QUESTION", 12, flexible=True, priority=50),
    Column("epoch", "EPOCH", 7, right=True, priority=98),
    Column("loss", "LOSS", 8, right=True, priority=90),
    Column("left", "LEFT", 8, right=True, priority=70),
)
_WIDE = 140
_TWO_CHARTS = 72
_NOTHING = Drawn()


class RunsScreen(MarketScreen):
    """The list stays in a strip above the live panel, or at its left where there is room.

    The disk is looked at once a second while the screen is shown, and what changed is drawn.
    """

    SCOPE = "runs"
    MODE = "runs"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_WIDE, "-wide")]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.seen = Look()
        self.selected: int | None = None
        self.panel = "curves"
        self.zoomed = False
        self.inside = False
        self.overlay = False
        self.log_scale = False
        self.smooth = 0.0
        self.metric = 0
        self.cross: float | None = None
        self._reader: Reader | None = None
        self._rows: list[Row] = []
        self._timer: Timer | None = None
        self._looking = False
        self._again = False

    def body(self) -> ComposeResult:
        with Horizontal(id="runs"):
            with Vertical(id="list"):
                yield Input(
                    placeholder="words of the question, a state, a task's id…", id="filter", compact=True
                )
                yield PagedTable(COLUMNS, self._fetch, empty="No run yet. r starts one.")
            with Vertical(id="live"):
                yield Lines(id="head")
                yield Lines(id="panel-names")
                with Horizontal(id="charts"):
                    yield Chart(id="chart-0")
                    yield Chart(id="chart-1")
                yield Lines(id="foot")
                with Horizontal(id="panels"):
                    with Vertical(id="log-pane"):
                        yield Static("LOG", classes="title")
                        yield Lines(id="log", tail=True)
                    with Vertical(id="epochs-pane"):
                        yield Lines(id="epochs-head")
                        yield Lines(id="epochs", tail=True)
                    with Vertical(id="facts-pane"):
                        yield Static("FACTS", classes="title")
                        yield Lines(id="facts")

    def on_mount(self) -> None:
        state = self.app.state
        self.selected = state.get("runs.selected", 0) or None
        self.panel = state.get("runs.panel", self.panel)
        self.log_scale = state.get("runs.log", self.log_scale)
        self.smooth = state.get("runs.smooth", self.smooth)
        if self.panel not in PANELS:
            self.panel = "curves"
        self.query_one("#filter").display = False
        self.query_one(PagedTable).focus()

    # Looking

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        wanted = self.app.state.get("runs.selected", 0)
        if wanted and wanted != self.selected:
            self.selected = wanted
        if self._timer is None:
            self._timer = self.set_interval(LOOK_SECONDS, self._look_soon)
        self._timer.resume()

    def on_screen_suspend(self) -> None:
        if self._timer is not None:
            self._timer.pause()

    async def refresh_data(self) -> None:
        await self._look()

    def _look_soon(self) -> None:
        if self.app.session is None:
            return
        if self._looking:
            return
        self.work(self._look(), group="look")

    async def _look(self) -> None:
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
                    self._reader = Reader(self.session.home, self.session.settings)
                overlaid = self._overlaid()
                log = self.query_one("#log-pane").display
                self.seen = await self.call(self._reader.look, self.selected, overlaid, log=log)
                await self._show_list()
                self.draw()
        finally:
            self._looking = False

    def _overlaid(self) -> list[int]:
        marked = self.table.marked if self.overlay else set()
        return sorted(id for id in marked if id != self.selected)

    async def _show_list(self) -> None:
        """The list, where it changed. The run that is looked at stays under the cursor."""
        words = self.query_one("#filter", Input).value.casefold().split()
        rows = [run_words.row(run) for run in self.seen.runs]
        rows = [row for row in rows if all(word in _searched(row) for word in words)]
        ids = [row.key for row in rows]
        if self.selected not in ids:
            at_work = (run.id for run in self.seen.runs if run.id in ids and not run.ended)
            self._select(next(at_work, ids[0] if ids else None))
        if rows == self._rows and self.table.loaded:
            return
        self._rows = rows
        self._size_list()
        await self.table.reload()
        if self.selected in ids:
            self.table.move_to(ids.index(self.selected))

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
        self.selected = id
        self.cross, self.metric = None, 0
        self._remember("runs.selected", id or 0)
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

    @property
    def run(self) -> Run | None:
        """The run that is looked at."""
        return next((run for run in self.seen.runs if run.id == self.selected), None)

    # Drawing

    def on_resize(self, event: events.Resize) -> None:
        self._size_list()
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Show what was seen last. Parts that did not change are left alone."""
        run = self.run
        drawn = self.seen.curves.get(self.selected or 0, _NOTHING)
        self._arrange(run, drawn)
        ascii = self.app.ascii
        head, foot = self.query_one("#head", Lines), self.query_one("#foot", Lines)
        if run is None:
            head.show([])
            foot.show([])
            for chart in self.query(Chart):
                chart.show(Picture(""), View())
            for lines in ("#log", "#facts", "#epochs", "#epochs-head"):
                self.query_one(lines, Lines).show([])
            return
        width = max(self.query_one("#live").size.width - 2, 10)
        head.show([run_words.head(run, self.seen, width)])
        under = run_words.foot(run, self.seen, width, ascii=ascii)
        foot.styles.height = max(len(under), 3)
        foot.show(under)
        self.query_one("#panel-names", Lines).show([self._tabs(width)])
        self._draw_charts(run, drawn)
        if self.query_one("#log-pane").display:
            log: list[LineOf] = [((line, ""),) for line in self.seen.log]
            self.query_one("#log", Lines).show(log or [(("it has printed nothing", "dim"),)])
        if self.query_one("#facts-pane").display:
            facts = self.query_one("#facts", Lines)
            facts.show(run_facts.facts(run, facts.size.width))
        if self.query_one("#epochs-pane").display:
            table = self.query_one("#epochs", Lines)
            header, lines = run_facts.epochs(drawn.table, table.size.width)
            self.query_one("#epochs-head", Lines).show([header])
            table.show(lines or [(("no epoch has ended", "dim"),)])

    def _draw_charts(self, run: Run, drawn: Drawn) -> None:
        view = View(log=self.log_scale, smooth=self.smooth, cross=self.cross)
        others = {id: self.seen.curves[id] for id in self._overlaid() if id in self.seen.curves}
        names = run_curves.metrics(drawn) or ["loss"]
        for number, chart in enumerate(self.query(Chart)):
            if chart.display:
                name = names[(self.metric + number) % len(names)]
                chart.show(run_curves.picture(name, run, drawn, others), view)

    def _tabs(self, width: int) -> LineOf:
        line: list[tuple[str, str]] = []
        for name in PANELS:
            here = name == self.panel
            line += [(name, ("accent" if self.inside else "title") if here else "dim"), ("   ", "")]
        if self.inside:
            does = {"curves": "h l crosshair  j k metric"}.get(self.panel, "j k scroll")
            line.append((f"{does}  enter its task  esc back", "dim"))
        elif self.overlay and not self._overlaid():
            line.append(("space marks the runs to draw over this one", "dim"))
        return tuple(line)

    def _arrange(self, run: Run | None, drawn: Drawn) -> None:
        """Which parts are on screen: all that there is room for, or the one panel."""
        wide = self.size.width >= _WIDE and self.size.height >= 34 and not self.zoomed
        shown = {
            "#list": not self.zoomed,
            "#panel-names": run is not None,
            "#charts": run is not None and (wide or self.panel == "curves"),
            "#panels": run is not None and (wide or self.panel != "curves"),
            "#log-pane": self.panel == "log" or (wide and self.panel != "epochs"),
            "#epochs-pane": self.panel == "epochs",
            "#facts-pane": self.panel == "facts" or wide,
        }
        for part, display in shown.items():
            self.query_one(part).display = display
        live = self.size.width if self.zoomed or self.size.width < _WIDE else self.size.width * 2 // 3
        several = len(run_curves.metrics(drawn)) > 1
        alone = self.zoomed and self.panel == "curves"
        self.query_one("#chart-1").display = several and live >= _TWO_CHARTS and not alone
        self.set_class(self.inside, "-inside")

    # Moving: in the list, or inside the panel

    @property
    def _lines(self) -> Lines | None:
        """The lines that the moving keys scroll; None where they move in the list or among curves."""
        if self.panel == "curves" or not (self.inside or self.zoomed):
            return None
        return self.query_one(f"#{self.panel}", Lines)

    def _move(self, by: int) -> None:
        if (lines := self._lines) is not None:
            lines.scroll_lines(by)
        elif self.inside or self.zoomed:
            names = run_curves.metrics(self.seen.curves.get(self.selected or 0, _NOTHING))
            self.metric = (self.metric + (1 if by > 0 else -1)) % max(len(names), 1)
            self.draw()
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
        return self.table.page() if self._lines is None else max(self._lines.size.height - 1, 1)

    def action_top(self) -> None:
        self._to_end(top=True)

    def action_bottom(self) -> None:
        self._to_end(top=False)

    def _to_end(self, *, top: bool) -> None:
        if (lines := self._lines) is not None:
            lines.scroll_to_end(top=top)
        elif self.inside or self.zoomed:
            self.cross = 0.0 if top else 1.0
            self.draw()
        else:
            self.table.move_to(0 if top else self.table.total - 1)

    def action_left(self) -> None:
        self._cross(-1)

    def action_right(self) -> None:
        self._cross(1)

    def _cross(self, by: int) -> None:
        """Move the crosshair by a cell; the first key puts it on the newest values."""
        if self.panel != "curves" or self.run is None:
            return
        columns = self.query_one("#chart-0", Chart).columns
        if self.cross is None:
            self.inside = True
            self.cross = 1.0
        else:
            cell = min(int(self.cross * columns), columns - 1) + by
            self.cross = min(max(cell + 0.5, 0.5), columns - 0.5) / columns
        self.draw()

    @on(PagedTable.Opened)
    def opened(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        """Into the panel of the run; from inside it to the run's task."""
        if self.run is None:
            return
        if self.inside:
            self._open_task(self.run)
        else:
            self.inside = True
            self.draw()

    def _open_task(self, run: Run) -> None:
        if run.spec.task_id is None:
            self.app.say(f"Run {run.id} belongs to no task.")
            return
        from decentralml.tui.screens.task import TaskDetail

        self.app.push_screen(TaskDetail(run.spec.task_id))

    def action_back(self) -> None:
        filter = self.query_one("#filter", Input)
        if self.cross is not None:
            self.cross = None
        elif self.zoomed or self.inside:
            self.zoomed = self.inside = False
        elif filter.display:
            filter.value = ""
            filter.display = False
            self.table.focus()
        else:
            super().action_back()
        self.draw()

    # How it is shown

    def action_next_panel(self) -> None:
        self._to_panel(1)

    def action_previous_panel(self) -> None:
        self._to_panel(-1)

    def _to_panel(self, by: int) -> None:
        self.panel = PANELS[(PANELS.index(self.panel) + by) % len(PANELS)]
        self._remember("runs.panel", self.panel)
        self.draw()
        # What has only now a size is drawn to it, and a log that was not read is read.
        self.call_after_refresh(self.draw)
        self._look_soon()

    def action_zoom(self) -> None:
        self.zoomed = not self.zoomed
        self.draw()
        self.call_after_refresh(self.draw)

    def action_log_scale(self) -> None:
        self.log_scale = not self.log_scale
        self._remember("runs.log", self.log_scale)
        self.draw()

    def action_smooth(self) -> None:
        at = WEIGHTS.index(self.smooth) if self.smooth in WEIGHTS else 0
        self.smooth = WEIGHTS[(at + 1) % len(WEIGHTS)]
        self._remember("runs.smooth", self.smooth)
        self.draw()

    def action_overlay(self) -> None:
        self.overlay = not self.overlay
        self.draw()
        self._look_soon()

    def action_mark(self) -> None:
        self.table.toggle_mark()
        self.draw()
        if self.overlay:
            self._look_soon()

    def action_filter(self) -> None:
        filter = self.query_one("#filter", Input)
        filter.display = True
        filter.focus()

    @on(Input.Changed, "#filter")
    def filter_typed(self) -> None:
        self._look_soon()

    @on(Input.Submitted, "#filter")
    def filter_done(self) -> None:
        self.query_one("#filter").display = bool(self.query_one("#filter", Input).value)
        self.table.focus()

    def _remember(self, name: str, value: Any) -> None:
        if self.app.state.set(name, value):
            self.app.save_state()

    def action_copy(self) -> None:
        """What the panel shows in full; of the curves, where the run lies."""
        run = self.run
        if run is not None:
            whole = self.panel != "curves" and self.query_one(f"#{self.panel}", Lines).plain
            self.app.copy(whole or str(run.result_folder or run.folder))

    # Doing

    def why_not(self, action: str) -> Refused | None:
        if action in ("pause", "stop", "retry", "deliver"):
            return run_words.why_not(action, self.run)
        return None

    def _able(self, action: str) -> Run:
        """The run, where ``action`` can be done with it. Raises the reason where it cannot."""
        if (refusal := self.why_not(action)) is not None:
            raise refusal
        run = self.run
        assert run is not None, "without a run there is a reason"
        return run

    def action_train(self) -> None:
        self.work(self._train())

    async def _train(self) -> None:
        from decentralml.tui.screens.train import start

        await start(self, None)
        await self._look()

    def action_pause(self) -> None:
        self.work(self._pause())

    async def _pause(self) -> None:
        run = self._able("pause")
        assert self._reader is not None, "a run was seen"
        goes_on = run.state == "paused" or self.seen.told == "pause"
        await self.call(self._reader.runs.resume if goes_on else self._reader.runs.pause, run.id)
        self.app.say(f"Run {run.id} {'goes on' if goes_on else 'pauses at its next batch end'}.")
        await self._look()

    def action_stop(self) -> None:
        self.work(self._stop())

    async def _stop(self) -> None:
        run = self._able("stop")
        assert self._reader is not None, "a run was seen"
        kept = run.last.checkpoint
        text = (
            f"Run {run.id}, {clean(run.spec.title) or run.spec.script}\n\nIt ends at its next batch end and saves "
            f"what it has; ! lets it go on later"
            + (", from its beginning." if kept is None else f", after epoch {kept.epoch}.")
        )
        if run.state == "queued":
            text = f"Run {run.id} waits and has trained nothing yet. It is taken out of the queue."
        if await self.app.push_screen_wait(Ask(f"Stop run {run.id}", text, yes="Stop it")):
            await self.call(self._reader.runs.stop, run.id)
            self.app.say(f"Run {run.id} is told to stop.")
        await self._look()

    def action_retry(self) -> None:
        self.work(self._retry())

    async def _retry(self) -> None:
        run = self._able("retry")
        assert self._reader is not None, "a run was seen"
        await self.call(self._reader.runs.resume, run.id)
        kept = run.last.checkpoint
        how = (
            "starts anew"
            if kept is None
            else f"goes on after epoch {kept.epoch}; that is not exact to the bit"
        )
        self.app.say(f"Run {run.id} {how}.")
        await self._look()

    def action_deliver(self) -> None:
        self.work(self._deliver())

    async def _deliver(self) -> None:
        run = self._able("deliver")
        submission = await self.call(self._submission, run)
        refusal = await self.call(self.session.may, "send_task_result", submission_id=submission.id)
        if refusal is not None:
            raise refusal
        from decentralml.tui.screens.send import SendResult

        await self.app.push_screen_wait(SendResult(submission.id, run.id))

    def _submission(self, run: Run) -> Submission:
        """Whose result the run is: the slot for which it was trained, or the one held since. Blocks."""
        session, task_id = self.session, run.spec.task_id
        assert task_id is not None, "a run of no task is not delivered"
        if run.spec.chain not in ("", session.chain.genesis):
            raise Refused(
                "OtherChain", f"Run {run.id} is of a task on another chain.", "--chain names that one."
            )
        if (mine := task_facts.my_submission(session, task_id)) is None:
            raise task_facts.not_taken(session.chain.task(task_id))
        return mine

    def commands(self) -> Iterable[tuple[str, str, Callable[[], Any]]]:
        run = self.run
        if run is None:
            return
        if run.spec.task_id is not None:
            yield f"go to task {run.spec.task_id}", "the task of this run", lambda: self._open_task(run)
        if run.ended:
            yield (
                f"remove run {run.id}",
                "delete it with checkpoint and result",
                lambda: self.work(self._remove(run)),
            )

    async def _remove(self, run: Run) -> None:
        assert self._reader is not None, "a run was seen"
        text = f"{run.folder}\n\nIts checkpoint, its log and its result are deleted."
        if await self.app.push_screen_wait(
            Ask(f"Remove run {run.id}", Text(text), yes="Remove", danger=True)
        ):
            await self.call(self._reader.runs.remove, run.id)
            await self._look()


def _searched(row: Row) -> str:
    """What of a row the filter's words are looked for in."""
    cells = (row.cells[name] for name in ("id", "state", "task", "title"))
    return " ".join(cell if isinstance(cell, str) else str(cell[0]) for cell in cells).casefold()
