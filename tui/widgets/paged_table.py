"""A table of any length that holds only the pages it shows."""

import asyncio
import textwrap
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events, getters
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from decentralml.core.text import clean
from decentralml.tui.widgets.cells import TONES, Cell, Column, Row, cut, fitting, joined

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp

__all__ = ["Cell", "Column", "PagedTable", "Row"]

PAGE = 100
_KEPT_PAGES = 8


Fetch = Callable[[int, int], Awaitable[tuple[Sequence[Row], int]]]
"""(offset, limit) -> the rows there, and how many rows there are in all."""


class _FromTable(Message):
    """What a table says, with the row under its cursor."""

    def __init__(self, table: "PagedTable") -> None:
        super().__init__()
        self.table = table
        self.row = table.row

    @property
    def control(self) -> "PagedTable":
        return self.table


class PagedTable(ScrollView, can_focus=True, inherit_bindings=False):
    """Draws only the lines on screen, from pages fetched when first shown."""

    if TYPE_CHECKING:
        app = getters.app(DecentralMLApp)

    COMPONENT_CLASSES = {  # noqa: RUF012
        "table--header",
        "table--cursor",
        "table--empty",
        *(f"table--{tone}" for tone in TONES),
    }

    cursor: reactive[int] = reactive(0, repaint=False)

    class Opened(_FromTable):
        """Enter or a click on ``row``, the one under the cursor."""

    class Moved(_FromTable):
        """The cursor is on another ``row`` (None: the table is empty, or the row is still on its way)."""

    class HeaderClicked(_FromTable):
        """A click on the title of ``column``."""

        def __init__(self, table: "PagedTable", column: str) -> None:
            super().__init__(table)
            self.column = column

    def __init__(
        self, columns: Sequence[Column], fetch: Fetch, *, empty: str = "nothing here", id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._fetch = fetch
        self.empty = empty
        self._pages: dict[int, Sequence[Row]] = {}
        self._asked: set[int] = set()
        self._generation = 0
        self._reading = asyncio.Lock()
        self._newest = asyncio.Event()
        self.total = 0
        self.loaded = False
        self.marked: set[Any] = set()
        self.order: tuple[str, bool] = ("", False)
        self._drawn: dict[int, Any] = {}
        self._fitted: tuple[int, list[tuple[Column, int]]] | None = None

    # Data

    async def reload(self, *, keep_cursor: bool = True) -> None:
        """Fetch again what is shown. The cursor stays on its row where the row stays near.

        Only lines that changed are drawn again. One is read at a time, and of those that wait the newest
        alone; overtaken by another, it returns with that one.
        """
        read = self._newest = asyncio.Event()
        self._generation += 1
        try:
            async with self._reading:
                if read is self._newest:
                    await self._read(keep_cursor=keep_cursor)
        finally:
            read.set()
        while not self._newest.is_set():
            await self._newest.wait()

    async def _read(self, *, keep_cursor: bool) -> None:
        key = self.row.key if keep_cursor and self.row else None
        generation = self._generation
        first = max(0, self._top // PAGE * PAGE) if keep_cursor else 0
        rows, total = await self._fetch(first, PAGE * 2)
        if generation != self._generation:
            return
        if not rows and total:  # the list became shorter than where one was
            first = (total - 1) // PAGE * PAGE
            rows, total = await self._fetch(first, PAGE * 2)
            if generation != self._generation:
                return
        self._pages = {first // PAGE: rows[:PAGE]}
        if rows[PAGE:]:
            self._pages[first // PAGE + 1] = rows[PAGE:]
        self._asked = set(self._pages)
        self.total = total
        self.loaded = True
        self.virtual_size = Size(0, total + 1)
        here = next((first + i for i, row in enumerate(rows) if row.key == key), None)
        if here is None:
            here = self.cursor if keep_cursor else 0
        self.cursor = max(0, min(here, total - 1))
        if not keep_cursor:
            self.scroll_to(y=0, animate=False, immediate=True)
        for y, drawn in self._drawn.items():  # also while it is hidden: what was drawn is shown again
            if self._line(y) != drawn:
                self.refresh(Region(0, y, self.size.width, 1))
        self.post_message(self.Moved(self))

    def _line(self, y: int) -> Any:
        """What decides how line ``y`` looks, to be compared with what it was."""
        index = self._top + y - 1
        if y == 0 or index >= self.total:
            return (self.order, self.loaded, self.total == 0 and self.empty)
        page = self._pages.get(index // PAGE, ())
        row = page[index % PAGE] if index % PAGE < len(page) else None
        return (index == self.cursor, row and (row.key, row.cells, row.key in self.marked))

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
            self.post_message(self.Moved(self))

    # Drawing

    @property
    def _width(self) -> int:
        """Cells a line has: the scrollbar takes its own."""
        return self.scrollable_content_region.width

    @property
    def _top(self) -> int:
        return int(self.scroll_offset.y)

    def heading(self, column: Column) -> str:
        """What stands above a column."""
        return column.title

    def _head(self, column: Column) -> str:
        title, arrow = self.heading(column), self._arrow(column)
        width = next((cells for one, cells in self._fitting() if one is column), 0)
        return title + (arrow if len(title + arrow) <= width else arrow.strip())

    def render_line(self, y: int) -> Strip:
        width = self._width
        self._drawn[y] = self._line(y)
        if y == 0:
            cells: dict[str, Cell] = {c.name: self._head(c) for c in self._columns}
            return self._strip(cells, self.get_component_rich_style("table--header"), " ")
        index = self._top + y - 1
        if index >= self.total:
            words = self._why_empty()
            if index < len(words):
                style = self.get_component_rich_style("table--empty")
                return Strip([Segment(f"  {words[index]}", style)]).adjust_cell_length(width, style)
            return Strip.blank(width, self.rich_style)
        row = self._row(index)
        if row is None:
            return Strip([Segment("  …", self.rich_style)]).adjust_cell_length(width, self.rich_style)
        style, cells = self.rich_style, row.cells
        if index == self.cursor:
            style = self.get_component_rich_style("table--cursor")
            if self.app.native_ansi_color:  # of sixteen colours few can be read on the cursor's
                cells = {name: cell[0] if isinstance(cell, tuple) else cell for name, cell in cells.items()}
        mark = "›" if index == self.cursor else " "
        if row.key in self.marked:
            mark = "●"
        if self.app.ascii:
            mark = {"›": ">", "●": "*"}.get(mark, mark)
        return self._strip(cells, style, mark)

    def _why_empty(self) -> list[str]:
        """What stands where no row is, line by line."""
        if self.total or not self.loaded:
            return []
        return textwrap.wrap(clean(self.empty), max(self._width - 3, 1))

    def _strip(self, cells: dict[str, Cell], style: Style, mark: str) -> Strip:
        runs: list[tuple[str, Style]] = [(f"{mark} ", style)]
        for column, width in self._fitting():
            cell = cells.get(column.name, "")
            if width < column.width:
                cell = cells.get(f"{column.name}.narrow", cell)
            if isinstance(cell, Text):
                runs += self._rich(cell, width, style, right=column.right)
            else:
                text, tone = (cell, "") if isinstance(cell, str) else cell
                text = cut(text, width)
                blanks = (" " * (width - cell_len(text)), style)
                toned = (text, self._toned(style, tone))
                runs += [blanks, toned] if column.right else [toned, blanks]
            runs.append(("  ", style))
        return Strip(joined(runs)).adjust_cell_length(self._width, style)

    def _rich(self, cell: Text, width: int, style: Style, *, right: bool) -> list[tuple[str, Style]]:
        text = cell.copy()
        text.no_wrap, text.end = True, ""
        text.truncate(width, overflow="ellipsis")
        text.align("right" if right else "left", width)
        segments = text.render(self.app.console)
        return [(part.text, style + part.style if part.style else style) for part in segments]

    def _fitting(self) -> list[tuple[Column, int]]:
        if self._fitted is None or self._fitted[0] != self._width:
            self._fitted = (self._width, fitting(self._columns, self._width - 2))
        return self._fitted[1]

    def _toned(self, style: Style, tone: str) -> Style:
        if tone not in TONES:
            return style
        return style + Style(color=self.get_component_rich_style(f"table--{tone}").color)

    def _arrow(self, column: Column) -> str:
        by, descending = self.order
        return "" if column.name != by else " v" if descending else " ^"

    # Moving

    def move(self, by: int) -> None:
        """Move the cursor by rows; it stays inside the table."""
        self.move_to(self.cursor + by)

    def go_to(self, key: Any) -> bool:
        """Put the cursor on the row with ``key``; whether it is among the pages that are here."""
        for page, rows in self._pages.items():
            for place, row in enumerate(rows):
                if row.key == key:
                    self.move_to(page * PAGE + place)
                    return True
        return False

    def move_to(self, index: int) -> None:
        """Put the cursor on a row by its index, and bring it into view."""
        self.cursor = max(0, min(index, self.total - 1))
        self._into_view(self.cursor)

    def watch_cursor(self, before: int, after: int) -> None:
        self._into_view(after)
        for index in (before, after):
            self.refresh(Region(0, index - self._top + 1, self.size.width, 1))
        self.post_message(self.Moved(self))

    def _into_view(self, index: int) -> None:
        height = self.size.height - 1
        target = min(max(self._top, index - height + 1), index)
        if target == self._top or height <= 0:
            return
        if self.allow_vertical_scroll and target <= self.max_scroll_y:
            self.scroll_to(y=target, animate=False, immediate=True)
        else:  # the list has just grown: there once it is laid out
            self.call_after_refresh(self.scroll_to, y=target, animate=False)

    def on_resize(self) -> None:
        self._into_view(self.cursor)

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
        if event.y == 0:
            self._click_header(event.x)
            return
        if not 0 <= index < self.total:
            return
        if index == self.cursor and self.row is not None:
            self.post_message(self.Opened(self))
        self.move_to(index)

    def _click_header(self, x: int) -> None:
        left = 2
        for column, width in self._fitting():
            if left <= x < left + width:
                self.post_message(self.HeaderClicked(self, column.name))
                return
            left += width + 2

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.refresh()
