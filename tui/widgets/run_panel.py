"""One run live: header, curves, what it takes, log, facts and epochs, in the room there is."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import events, getters, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from decentralml.core.training.runs import Run
from decentralml.tui import keys
from decentralml.tui.run import curves as run_curves
from decentralml.tui.run import facts as run_facts
from decentralml.tui.run import words as run_words
from decentralml.tui.run.reader import Drawn, Look
from decentralml.tui.run.window import Window
from decentralml.tui.widgets.chart import WEIGHTS, Chart, View
from decentralml.tui.widgets.lines import LineOf, Lines

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp

PANELS = ("curves", "log", "facts", "epochs")
_DOES = {
    "curves": (
        "{left} {right} crosshair",
        "{closer} {wider} closer",
        "{down} {up} metric",
        "{all_epochs} all epochs",
        "{earlier} {later} earlier, later",
    )
}
_MEANS = {"curves": f"train: {run_curves.NOTE}"}
# Room for curves above and log and facts below; for two charts beside each other.
_ALL_AT_ONCE = (85, 30)
_TWO_CHARTS = 68
_NOTHING = Drawn()


class RunPanel(Vertical):
    """Shows one of `PANELS`, or several where they fit. ``inside``: the moving keys move in it.

    ``cross`` is the epoch at which the crosshair stands, infinity: the newest; ``window`` the epochs that are
    seen; ``metric`` is that of the first chart.
    """

    if TYPE_CHECKING:
        app = getters.app(DecentralMLApp)

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.panel = PANELS[0]
        self.inside = False
        self.zoomed = False
        self.log_scale = False
        self.smooth = WEIGHTS[0]
        self.metric = 0
        self.cross: float | None = None
        self.window = Window()
        self._run: Run | None = None
        self._look = Look()
        self._over: Sequence[int] = ()
        self._hint = ""

    def compose(self) -> ComposeResult:
        yield Lines(id="head")
        yield Lines(id="names")
        with Horizontal(id="charts"):
            yield Chart(id="chart-0")
            yield Chart(id="chart-1")
        yield Lines(id="foot")
        with Horizontal(id="panels"):
            with Vertical(id="log-pane"):
                yield Static("LOG", classes="title")
                yield Lines(id="log", tail=True, fold=True)
            with Vertical(id="epochs-pane"):
                yield Lines(id="epochs-head")
                yield Lines(id="epochs", tail=True)
            with Vertical(id="facts-pane"):
                yield Static("FACTS", classes="title")
                yield Lines(id="facts")

    def begin(self, panel: str, *, smooth: float, log_scale: bool) -> None:
        """Show a run as runs were looked at last; what is no panel, or no weight, counts as none."""
        self.panel = panel if panel in PANELS else PANELS[0]
        self.smooth = smooth if smooth in WEIGHTS else WEIGHTS[0]
        self.log_scale = log_scale

    def show(self, run: Run | None, look: Look, over: Sequence[int] = (), *, hint: str = "") -> None:
        """Draw ``run`` as ``look`` has found it, with the curves of the runs ``over`` it.

        ``hint`` stands beside the panels' names. What did not change is left alone.
        """
        if run is None or self._run is None or run.id != self._run.id:
            self.cross, self.window, self.metric = None, Window(), 0
        self._run, self._look, self._over, self._hint = run, look, over, hint
        self.draw()

    @property
    def wants_log(self) -> bool:
        """Whether the log is on screen, and has to be read."""
        return bool(self.query_one("#log-pane").display)

    @property
    def plain(self) -> str:
        """What the panel shows, in full; nothing for the curves."""
        return "" if self.panel == "curves" else self.query_one(f"#{self.panel}", Lines).plain

    # Drawing

    def on_resize(self, event: events.Resize) -> None:
        self.draw()

    def draw(self) -> None:
        """Draw what `show` was given last."""
        run = self._run
        self.display = run is not None
        if run is None:
            return
        if self._arrange():
            # Parts that have only now a size are drawn to it.
            self.call_after_refresh(self._fill, run)
        self._fill(run)

    @property
    def _drawn(self) -> Drawn:
        return self._look.curves.get(self._run.id, _NOTHING) if self._run else _NOTHING

    def _arrange(self) -> bool:
        """Put on screen what there is room for; whether that changed anything."""
        width, height = self.size.width - 2, self.size.height
        wide = not self.zoomed and width >= _ALL_AT_ONCE[0] and height >= _ALL_AT_ONCE[1]
        several = len(run_curves.metrics(self._drawn)) > 1
        shown = {
            "#charts": wide or self.panel == "curves",
            "#chart-1": several and width >= _TWO_CHARTS and not self.zoomed,
            "#panels": wide or self.panel != "curves",
            "#log-pane": self.panel == "log" or (wide and self.panel != "epochs"),
            "#epochs-pane": self.panel == "epochs",
            "#facts-pane": self.panel == "facts" or wide,
        }
        self.set_class(wide, "-all")
        changed = False
        for part, display in shown.items():
            widget = self.query_one(part)
            changed = changed or widget.display != display
            widget.display = display
        return changed

    def _fill(self, run: Run) -> None:
        width = max(self.size.width - 2, 10)
        self.query_one("#head", Lines).show([run_words.head(run, self._look, width)])
        self.query_one("#names", Lines).show([self._names()])
        foot = self.query_one("#foot", Lines)
        under = run_words.foot(run, self._look, width, ascii=self.app.ascii)
        foot.styles.height = max(len(under), 3)
        foot.show(under)
        self._fill_charts(run)
        if self.wants_log:
            log: list[LineOf] = [((line, ""),) for line in self._look.log]
            self.query_one("#log", Lines).show(log or [(("it has printed nothing", "dim"),)])
        if self.query_one("#facts-pane").display:
            facts = self.query_one("#facts", Lines)
            facts.show(run_facts.facts(run, facts.size.width))
        if self.query_one("#epochs-pane").display:
            table = self.query_one("#epochs", Lines)
            header, lines = run_facts.epochs(self._drawn.table, table.size.width)
            self.query_one("#epochs-head", Lines).show([header])
            table.show(lines or [(("no epoch has ended", "dim"),)])

    def _fill_charts(self, run: Run) -> None:
        view = View(log=self.log_scale, smooth=self.smooth, cross=self.cross, window=self.window)
        curves = self._look.curves
        others = {id: curves[id] for id in self._over if id in curves}
        names = run_curves.metrics(self._drawn) or ["loss"]
        for number, chart in enumerate(self.query(Chart)):
            if chart.display:
                name = names[(self.metric + number) % len(names)]
                chart.show(run_curves.picture(name, run, self._drawn, others), view)

    def _names(self) -> LineOf:
        line: list[tuple[str, str]] = []
        for name in PANELS:
            here = name == self.panel
            line += [(name, ("accent" if self.inside else "title") if here else "dim"), ("   ", "")]
        hint = self._hint or _MEANS.get(self.panel, "")
        if self.inside:
            room = self.size.width - 2 - sum(len(name) for name, _ in line)
            does = (*_DOES.get(self.panel, ("{down} {up} scroll",)), "{open} task", "{back} back")
            hint = _that_fit(tuple(map(keys.said, does)), room)
        return (*line, (hint, "dim"))

    # Moving

    @property
    def takes_keys(self) -> bool:
        """Whether the moving keys move in here, and not in the list."""
        return self.inside or self.zoomed

    @property
    def _lines(self) -> Lines | None:
        return None if self.panel == "curves" else self.query_one(f"#{self.panel}", Lines)

    def move(self, by: int) -> None:
        """Scroll by lines; among curves go to the next metric."""
        if (lines := self._lines) is not None:
            lines.scroll_lines(by)
            return
        names = run_curves.metrics(self._drawn)
        self.metric = (self.metric + (1 if by > 0 else -1)) % max(len(names), 1)
        self.draw()

    def page(self) -> int:
        """Lines of a page."""
        lines = self._lines
        return 1 if lines is None else max(lines.size.height - 1, 1)

    def to_end(self, *, top: bool) -> None:
        """To the first or the last line; the crosshair to either end."""
        if (lines := self._lines) is not None:
            lines.scroll_to_end(top=top)
            return
        self._put_cross(0.0 if top else math.inf)

    @property
    def _chart(self) -> Chart | None:
        """The first chart, where one is looked at."""
        return None if self.panel != "curves" or self._run is None else self.query_one("#chart-0", Chart)

    def move_cross(self, by: int) -> None:
        """Move the crosshair to the next stop; the first time it appears at the newest values."""
        if (chart := self._chart) is None:
            return
        self.inside = True
        if self.cross is None:
            self._put_cross(math.inf)
        else:
            place = min(self.cross, chart.picture.newest)
            self._put_cross(chart.stops.after(place) if by > 0 else chart.stops.before(place))

    def _put_cross(self, place: float) -> None:
        """Put the crosshair at a stop, and the window where it is seen."""
        if (chart := self._chart) is None:
            return
        newest = chart.picture.newest
        place = chart.stops.at(place) if place < newest else newest
        self.cross = place if place < newest else math.inf
        self.window = self.window.holding(place, newest, chart.picture.end)
        self.draw()

    def zoom(self, by: int) -> None:
        """See half as many epochs, or twice as many, around the crosshair; without one up to the newest."""
        self._zoom(by, self.cross)

    def _zoom(self, by: int, around: float | None) -> None:
        if (chart := self._chart) is not None:
            factor = 0.5 if by > 0 else 2.0
            self.window = self.window.zoomed(factor, around, chart.picture.newest, chart.picture.end)
            self.draw()

    def pan(self, by: int) -> None:
        """See what is half a window earlier or later; the crosshair goes along."""
        if (chart := self._chart) is None:
            return
        before = chart.seen[0]
        self.window = self.window.panned(by / 2, chart.picture.newest, chart.picture.end)
        moved = self.window.seen(chart.picture.newest, chart.picture.end)[0] - before
        if self.cross is not None:
            self.cross = chart.stops.at(min(self.cross, chart.picture.newest) + moved)
        self.draw()

    def see_all(self) -> None:
        """See all epochs again."""
        self.window = Window()
        self.draw()

    @on(Chart.Wheel)
    def wheel_turned(self, event: Chart.Wheel) -> None:
        self._zoom(event.by, event.place)

    @on(Chart.Pointed)
    def chart_clicked(self, event: Chart.Pointed) -> None:
        self._put_cross(event.place)

    def leave(self) -> bool:
        """Take the crosshair away, see all epochs, or go back to the list; False where there is nothing."""
        if self.cross is not None:
            self.cross = None
        elif self.window != Window():
            self.window = Window()
        elif self.takes_keys:
            self.inside = self.zoomed = False
        else:
            return False
        self.draw()
        return True

    def to_panel(self, panel: str) -> None:
        """Go to another panel."""
        self.panel = panel
        self.draw()

    def next_smooth(self) -> None:
        """Smooth more, or not at all."""
        self.smooth = WEIGHTS[(WEIGHTS.index(self.smooth) + 1) % len(WEIGHTS)]
        self.draw()


def _that_fit(words: Sequence[str], room: int) -> str:
    """As many of ``words`` as there is ``room`` for."""
    while len(line := "  ".join(words)) > room and words:
        words = words[:-1]
    return line
