"""A line chart that draws again only the cells that changed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual import events, getters
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from decentralml.tui.run import plot
from decentralml.tui.run.plot import Grid, Line
from decentralml.tui.run.window import Stops, Window

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp

TONES = ("train", "held", "first", "second", "third", "raw", "axis", "title", "cross")
WEIGHTS = (0.0, 0.6, 0.9)

Cell = tuple[str, str]
"""A character and its tone."""
_EMPTY: Cell = (" ", "")
_LEVEL = "◀"


@dataclass(frozen=True)
class Picture:
    """What a chart shows: curves over ``0..end`` of an axis in ``unit``; ``marks`` are (place, word).

    ``levels`` are (value, word): figures of the whole, each a tick at the right.
    """

    title: str
    lines: tuple[Line, ...] = ()
    end: float = 1.0
    unit: str = "epoch"
    marks: tuple[tuple[float, str], ...] = ()
    levels: tuple[tuple[float, str], ...] = ()

    @property
    def newest(self) -> float:
        """Where on the axis the last point is."""
        return max((line.newest for line in self.lines), default=0.0)

    @property
    def empty(self) -> bool:
        """Whether no curve has a point."""
        return not any(line.x for line in self.lines)


@dataclass(frozen=True)
class View:
    """How it is looked at: ``smooth`` is one of `WEIGHTS`.

    ``cross`` is where on the axis the crosshair stands, or None; beyond the newest point it stands there.
    """

    log: bool = False
    smooth: float = 0.0
    cross: float | None = None
    window: Window = Window()


class Chart(Widget):
    """Title and newest values, curves in braille (in ASCII mode: in ASCII), an axis on the left and below."""

    if TYPE_CHECKING:
        app = getters.app(DecentralMLApp)

    COMPONENT_CLASSES = {f"chart--{tone}" for tone in TONES}  # noqa: RUF012 - Textual's own form
    DEFAULT_CSS = """
    Chart { width: 1fr; height: 1fr; }
    Chart .chart--title { text-style: bold; }
    Chart .chart--axis { color: $text-dim; }
    Chart .chart--raw { color: $border-soft; }
    Chart .chart--cross { color: $foreground; }
    Chart .chart--train { color: $primary; }
    Chart .chart--held { color: $success; }
    Chart .chart--first { color: $warning; }
    Chart .chart--second { color: $secondary; }
    Chart .chart--third { color: $foreground; }
    """

    class Wheel(Message):
        """The wheel was turned at ``place`` on the axis: ``by`` 1 up, -1 down."""

        def __init__(self, place: float, by: int) -> None:
            super().__init__()
            self.place, self.by = place, by

    class Pointed(Message):
        """The chart was clicked at ``place`` on the axis."""

        def __init__(self, place: float) -> None:
            super().__init__()
            self.place = place

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._picture = Picture("")
        self._view = View()
        self._rows: list[list[Cell]] = []
        self._columns = 1
        self._margin = 0

    def show(self, picture: Picture, view: View) -> None:
        """Draw another picture, or the same in another view; equal ones draw nothing."""
        if (picture, view) != (self._picture, self._view):
            self._picture, self._view = picture, view
            self._draw()

    @property
    def picture(self) -> Picture:
        """What it shows."""
        return self._picture

    @property
    def seen(self) -> tuple[float, float]:
        """The part of the axis that is seen."""
        return self._view.window.seen(self._picture.newest, self._picture.end)

    @property
    def stops(self) -> Stops:
        """Where the crosshair may stand."""
        return Stops(self._picture.lines, self.seen, self._columns)

    @property
    def plain(self) -> str:
        """What it shows, as text."""
        return "\n".join("".join(char for char, _ in row).rstrip() for row in self._rows)

    def on_resize(self, event: events.Resize) -> None:
        self._rows = []
        self._draw()
        self.refresh()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, by: int) -> None:
        event.stop()
        self.post_message(self.Wheel(self._place(event.x), by))

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.Pointed(self._place(event.x)))

    def _place(self, x: int) -> float:
        """Where on the axis a cell of the chart ends."""
        start, end = self.seen
        share = (x - self._margin + 1) / self._columns
        return start + min(max(share, 0.0), 1.0) * (end - start)

    # Drawing

    def _draw(self) -> None:
        width, height = self.size
        if width < 16 or height < 3:
            rows = [_cells(self._picture.title[:width], "title", width)][:height]
        else:
            rows = self._composed(width, height)
        before, self._rows = self._rows, rows
        if [len(row) for row in before] != [len(row) for row in rows]:
            self.refresh()  # it has another size, whether it was told so yet or not
            return
        changed = [
            Region(x, y, end - x, 1)
            for y, (old, new) in enumerate(zip(before, rows, strict=True))
            if old != new
            for x, end in _changes(old, new)
        ]
        if changed:
            self.refresh(*changed)

    def _composed(self, width: int, height: int) -> list[list[Cell]]:
        """Title, plot with its axis on the left, labels below."""
        picture, view = self._picture, self._view
        if picture.empty:
            blank = [[_EMPTY] * width for _ in range(height - 1)]
            _write(blank[(height - 2) // 2], 2, self._why_empty(), "axis")
            return [self._title(width), *blank]
        rows, seen = height - 2, self.seen
        guess = width - 8
        across = 1 if self.app.ascii else 2
        # The labels decide how wide the plot is, and that what falls into a column.
        for _ in range(2):
            sampled = [plot.sample(line, *seen, guess * across) for line in picture.lines]
            if view.log:
                sampled = [plot.logarithms(columns) for columns in sampled]
            found = plot.span([*sampled, self._levels()])
            low, high, labels = self._scale(*(found or (0.0, 1.0)), rows)
            labels = labels if found else {}
            margin = max((len(text) for text in labels.values()), default=4) + 2
            if width - margin == guess:
                break
            guess = width - margin
        columns = self._columns = max(width - margin, 1)
        self._margin = margin
        sampled = [s[: columns * across] for s in sampled]
        grid = Grid(columns, rows, ascii=self.app.ascii)
        for line, raw in reversed(list(zip(picture.lines, sampled, strict=True))):
            if view.smooth:
                grid.draw(raw, low, high, line, "raw")
                grid.draw(plot.smoothed(raw, view.smooth), low, high, line)
            else:
                grid.draw(raw, low, high, line)
        body = self._body(grid, labels, margin)
        for bucket in self._levels():
            if found and bucket is not None and bucket is not plot.BREAK:
                row = rows - 1 - round((bucket.low - low) / (high - low) * (rows - 1))
                body[row][-1] = (_LEVEL, "held")
        if found is None:
            _write(body[rows // 2], margin + 2, self._why_empty(), "axis")
        return [self._title(width), *body, self._below(width, margin, columns)]

    def _levels(self) -> plot.Sampled:
        """The heights of the levels, as what falls into a column."""
        levels: plot.Sampled = [plot.Bucket(value, value, value, value) for value, _ in self._picture.levels]
        return plot.logarithms(levels) if self._view.log else levels

    @property
    def _cross(self) -> float | None:
        """Where the crosshair stands; None where there is none, or it is not seen."""
        if self._view.cross is None or self._picture.empty:
            return None
        start, end = self.seen
        place = min(self._view.cross, self._picture.newest)
        return place if start <= place <= end else None

    def _why_empty(self) -> str:
        if self._picture.empty:
            return "no value yet"
        return "nothing above zero: no logarithm" if self._view.log else "no finite value"

    def _scale(self, low: float, high: float, rows: int) -> tuple[float, float, dict[int, str]]:
        """The range of the axis on the left, and its labels by row: at both ends, and where there is room."""
        if self._view.log:
            low, high = plot.log_bounds(low, high)
            found = [(math.log10(value), plot.number(value)) for value in plot.decades(low, high)]
        else:
            low, high, step = plot.bounds(low, high, max(rows // 3, 2))
            found = [(tick, plot.number(tick, step)) for tick in plot.ticks(low, high, step)]
        labels: dict[int, str] = {}
        for place, text in [min(found), max(found), *found]:
            row = rows - 1 - round((place - low) / (high - low) * (rows - 1))
            if not any(near in labels for near in (row - 1, row, row + 1)):
                labels[row] = text
        return low, high, labels

    def _body(self, grid: Grid, labels: dict[int, str], margin: int) -> list[list[Cell]]:
        bar, tick, dots = ("|", "|", ":") if self.app.ascii else ("│", "┤", "┊")
        seen, place = self.seen, self._cross
        cross = None if place is None else plot.column(place, seen, grid.columns)
        marks = {
            plot.column(place, seen, grid.columns): word
            for place, word in self._picture.marks
            if seen[0] < place < seen[1]
        }
        body = []
        for row in range(grid.rows):
            cells = _cells(labels.get(row, "").rjust(margin - 1), "axis", margin - 1)
            cells.append((tick if row in labels else bar, "axis"))
            for column in range(grid.columns):
                char = grid.cell(column, row)
                if char:
                    cells.append((char, grid.tones[row][column]))
                elif column == cross:
                    cells.append((bar, "cross"))
                elif column in marks:
                    cells.append((dots, "axis"))
                else:
                    cells.append(_EMPTY)
            body.append(cells)
        for column, word in marks.items():
            if all(cell == _EMPTY for cell in body[0][margin + column + 1 : margin + column + len(word) + 2]):
                _write(body[0], margin + column + 1, word, "axis")
        return body

    def _title(self, width: int) -> list[Cell]:
        """Name, and each curve's value: the newest, or that under the crosshair."""
        picture, cross = self._picture, self._cross
        where = picture.newest if cross is None else cross
        place = f"{where:.3f}".rstrip("0").rstrip(".")
        # Where there is little room a curve is named shortly, or by its sign alone; at last what fits stays.
        for room in ("all", "wide", "short", "none", "tight"):
            gap, digits = (" ", 3) if room == "tight" else ("  ", 4)
            cells = _cells(picture.title, "title")
            if cross is not None:
                cells += _cells(
                    f"  {picture.unit} {place}" if room in ("all", "wide") else f" @{place}", "cross"
                )
            told = [
                (self._sign(line), line.name, line.short, line.value(where, over=cross is None), line.tone)
                for line in picture.lines
            ]
            if room == "all":
                told += [(_LEVEL, word, "", value, "held") for value, word in picture.levels]
            for sign, long, short, value, tone in told:
                name = {"all": long, "wide": long, "short": short or long}.get(room, "")
                said = _cells(f"{sign} {name}{' ' * bool(name)}{_said(value, digits)}", tone)
                if room != "tight" or len(cells) + len(gap) + len(said) <= width:
                    cells += [*_cells(gap), *said]
            if len(cells) <= width:
                break
        notes = ["log" if self._view.log else "", "smooth" if self._view.smooth else ""]
        note = "  ".join(word for word in notes if word)
        if note and len(cells) + len(note) + 2 <= width:
            cells += _cells(f"  {note}", "axis")
        return [*cells, *[_EMPTY] * (width - len(cells))][:width]

    def _sign(self, line: Line) -> str:
        if self.app.ascii:
            return line.sign or "-"
        return "┄" if line.dotted else "─"

    def _below(self, width: int, margin: int, columns: int) -> list[Cell]:
        """Labels of the axis below."""
        row = [_EMPTY] * width
        picture = self._picture
        _write(row, width - len(picture.unit), picture.unit, "axis")
        free = width - len(picture.unit) - 1
        start, end = self.seen
        step = plot.nice_step(end - start, max(columns // 8, 1))
        if (start, end) == (0, picture.end):
            step = max(step, 1.0)
        past = 0
        for tick in plot.ticks(start, end, step):
            text = plot.number(tick, step)
            at = (
                margin
                + min(int((tick - start) / (end - start) * columns), columns - 1)
                - (len(text) - 1) // 2
            )
            if at >= past and at + len(text) <= free:
                _write(row, at, text, "axis")
                past = at + len(text) + 1
        return row

    def render_line(self, y: int) -> Strip:
        style = self.rich_style
        width = self.size.width
        if y >= len(self._rows):
            return Strip.blank(width, style)
        styles: dict[str, Style] = {"": style}
        segments: list[Segment] = []
        run, tone_of_run = "", ""
        for char, tone in self._rows[y]:
            # A blank has no colour: it may stand in the run of whatever is beside it.
            if tone != tone_of_run and char != " ":
                if run:
                    segments.append(Segment(run, styles[tone_of_run]))
                run, tone_of_run = "", tone
                if tone not in styles:
                    styles[tone] = style + self.get_component_rich_style(f"chart--{tone}", partial=True)
            run += char
        if run:
            segments.append(Segment(run, styles[tone_of_run]))
        return Strip(segments).adjust_cell_length(width, style)


def _said(value: float | None, digits: int) -> str:
    if value is None:
        return "-"
    return "nan" if math.isnan(value) else plot.number(value, digits=digits)


def _cells(text: str, tone: str = "", width: int | None = None) -> list[Cell]:
    cells = [(char, tone) for char in text]
    return cells if width is None else [*cells, *[_EMPTY] * (width - len(cells))][:width]


def _write(row: list[Cell], at: int, text: str, tone: str) -> None:
    for offset, char in enumerate(text):
        if 0 <= at + offset < len(row):
            row[at + offset] = (char, tone)


def _changes(old: Sequence[Cell], new: Sequence[Cell]) -> list[tuple[int, int]]:
    """Where two lines differ: (first, past the last) of stretches; near ones are one."""
    stretches: list[tuple[int, int]] = []
    for x, (before, after) in enumerate(zip(old, new, strict=True)):
        if before != after:
            if stretches and x - stretches[-1][1] < 6:
                stretches[-1] = stretches[-1][0], x + 1
            else:
                stretches.append((x, x + 1))
    return stretches
