"""A table of any length that holds only the pages it shows."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

PAGE = 100
_KEPT_PAGES = 8


@dataclass(frozen=True)
class Column:
    """A column of ``width`` cells (``flexible``: at least). When narrow, low ``priority`` goes first."""

    name: str
    title: str
    width: int
    right: bool = False
    flexible: bool = False
    priority: int = 10


Cell = str | Text | tuple[str, str]
TONES = ("accent", "good", "bad", "dim")


@dataclass(frozen=True)
class Row:
    """A row: a key that stays the same while others come and go, and a cell a column, by name.

    A cell is text, or (text, tone) with a tone of `TONES`.
    """

    key: Any
    cells: dict[str, Cell]


Fetch = Callable[[int, int], Awaitable[tuple[Sequence[Row], int]]]
"""(offset, limit) -> the rows there, and how many rows there are in all."""


class PagedTable(ScrollView, can_focus=True, inherit_bindings=False):
    """Draws only the lines on screen, from pages fetched when first shown."""

    COMPONENT_CLASSES = {  # noqa: RUF012
        "table--header",
        "table--cursor",
        "table--marked",
        "table--empty",
        *(f"table--{tone}" for tone in TONES),
    }

    cursor: reactive[int] = reactive(0, repaint=False)

    class Opened(Message):
        """Enter or a click on the row under the cursor."""

        def __init__(self, table: "PagedTable", row: Row) -> None:
            super().__init__()
            self.table = table
            self.row = row

        @property
        def control(self) -> "PagedTable":
            return self.table

    class Moved(Message):
        """The cursor is on another row (None: the table is empty, or the row is still on its way)."""

        def __init__(self, table: "PagedTable", row: Row | None) -> None:
            super().__init__()
            self.table = table
            self.row = row

        @property
        def control(self) -> "PagedTable":
            return self.table

    def __init__(
        self, columns: Sequence[Column], fetch: Fetch, *, empty: str = "nothing here", id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._fetch = fetch
        self._empty = empty
        self._pages: dict[int, Sequence[Row]] = {}
        self._asked: set[int] = set()
        self._generation = 0
        self.total = 0
        self.loaded = False
        self.marked: set[Any] = set()

    # Data

    async def reload(self, *, keep_cursor: bool = True) -> None:
        """Fetch again what is shown. The cursor stays on its row where the row stays near."""
        key = self.row.key if keep_cursor and self.row else None
        self._generation += 1
        generation = self._generation
        first = max(0, self._top // PAGE * PAGE) if keep_cursor else 0
        rows, total = await self._fetch(first, PAGE * 2)
        if generation != self._generation:
            return
        self._pages = {first // PAGE: rows[:PAGE]}
        if rows[PAGE:]:
            self._pages[first // PAGE + 1] = rows[PAGE:]
        self._asked.clear()
        self.total = total
        self.loaded = True
        self.virtual_size = Size(0, total + 1)
        here = next((first + i for i, row in enumerate(rows) if row.key == key), None)
        self.cursor = max(
            0, min(here if here is not None else (self.cursor if keep_cursor else 0), total - 1)
        )
        if not keep_cursor:
            self.scroll_to(y=0, animate=False)
        self.refresh()
        self.post_message(self.Moved(self, self.row))

    @property
    def row(self) -> Row | None:
        """The row under the cursor, where it is known."""
        return self._row(self.cursor)

    def _row(self, index: int) -> Row | None:
        if not 0 <= index < self.total:
            return None
        page = self._pages.get(index // PAGE)
        if page is None:
            self._ask(index // PAGE)
            return None
        return page[index % PAGE] if index % PAGE < len(page) else None

    def _ask(self, page: int) -> None:
        if page in self._asked:
            return
        self._asked.add(page)
        self.run_worker(self.app.guarded(self._bring(page, self._generation)))

    async def _bring(self, page: int, generation: int) -> None:
        rows, _ = await self._fetch(page * PAGE, PAGE)
        if generation != self._generation:
            return
        if len(self._pages) >= _KEPT_PAGES:
            here = self._top // PAGE
            furthest = max(self._pages, key=lambda kept: abs(kept - here))
            del self._pages[furthest]
            self._asked.discard(furthest)
        self._pages[page] = rows
        self.refresh()
        if self.cursor // PAGE == page:
            self.post_message(self.Moved(self, self.row))

    # Drawing

    @property
    def _top(self) -> int:
        return int(self.scroll_offset.y)

    def shown_columns(self) -> list[tuple[Column, int]]:
        """The columns that fit, with their widths: the least important go first, the flexible ones grow."""
        room = self.size.width - 2
        shown = list(self._columns)
        while len(shown) > 1 and sum(c.width + 2 for c in shown) > room:
            shown.remove(min(shown, key=lambda column: column.priority))
        spare = max(0, room - sum(c.width + 2 for c in shown))
        flexible = [c for c in shown if c.flexible]
        share = spare // len(flexible) if flexible else 0
        return [(c, c.width + share if c.flexible else c.width) for c in shown]

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y == 0:
            cells: dict[str, Cell] = {c.name: c.title for c in self._columns}
            return self._strip(cells, self.get_component_rich_style("table--header"), " ")
        index = self._top + y - 1
        if index >= self.total:
            if index == 0 and self.loaded:
                style = self.get_component_rich_style("table--empty")
                return Strip([Segment(f"  {self._empty}", style)]).adjust_cell_length(width, style)
            return Strip.blank(width, self.rich_style)
        row = self._row(index)
        if row is None:
            return Strip([Segment("  …", self.rich_style)]).adjust_cell_length(width, self.rich_style)
        style = self.rich_style
        if index == self.cursor:
            style = self.get_component_rich_style("table--cursor")
        mark = "›" if index == self.cursor else " "
        if row.key in self.marked:
            mark = "●"
        if self.app.ascii:
            mark = {"›": ">", "●": "*"}.get(mark, mark)
        return self._strip(row.cells, style, mark)

    def _strip(self, cells: dict[str, Cell], style: Style, mark: str) -> Strip:
        line = Text(f"{mark} ", no_wrap=True, end="")
        for column, width in self.shown_columns():
            cell = cells.get(column.name, "")
            text = self._text(cell)
            text.truncate(width, overflow="ellipsis")
            text.align("right" if column.right else "left", width)
            line.append_text(text)
            line.append("  ")
        segments = [
            Segment(segment.text, style + segment.style if segment.style else style)
            for segment in line.render(self.app.console)
        ]
        return Strip(segments).adjust_cell_length(self.size.width, style).crop(0, self.size.width)

    def _text(self, cell: Cell) -> Text:
        if isinstance(cell, Text):
            return cell.copy()
        if isinstance(cell, str):
            return Text(cell)
        text, tone = cell
        colour = self.get_component_rich_style(f"table--{tone}").color if tone in TONES else None
        return Text(text, Style(color=colour))

    # Moving

    def move(self, by: int) -> None:
        """Move the cursor by rows; it stays inside the table."""
        self.move_to(self.cursor + by)

    def move_to(self, index: int) -> None:
        """Put the cursor on a row by its index, and bring it into view."""
        self.cursor = max(0, min(index, self.total - 1))

    def watch_cursor(self, before: int, after: int) -> None:
        height = self.size.height - 1
        top = self._top
        if after < top:
            self.scroll_to(y=after, animate=False)
        elif after >= top + height > 0:
            self.scroll_to(y=after - height + 1, animate=False)
        for index in (before, after):
            self.refresh(Region(0, index - self._top + 1, self.size.width, 1))
        self.post_message(self.Moved(self, self.row))

    def toggle_mark(self) -> None:
        """Mark or unmark the row under the cursor."""
        if self.row is not None:
            self.marked ^= {self.row.key}
            self.refresh()

    def page(self) -> int:
        """Rows that a page has."""
        return max(1, self.size.height - 2)

    def on_click(self, event: events.Click) -> None:
        index = self._top + event.y - 1
        if event.y == 0 or not 0 <= index < self.total:
            return
        if index == self.cursor and self.row is not None:
            self.post_message(self.Opened(self, self.row))
        self.move_to(index)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.refresh()
