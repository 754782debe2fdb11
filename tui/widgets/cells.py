"""What stands in a table: its columns, of which those are shown that fit, and the cells of a row."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from decentralml.core.text import clean


@dataclass(frozen=True)
class Column:
    """A column of ``width`` cells (``flexible``: at least). When narrow, low ``priority`` goes first.

    One with a ``narrow`` width shrinks to it before anything goes; its cell is then ``<name>.narrow``.
    """

    name: str
    title: str
    width: int
    right: bool = False
    flexible: bool = False
    priority: int = 10
    narrow: int | None = None


Cell = str | Text | tuple[str, str]
TONES = ("accent", "good", "bad", "dim")


@dataclass(frozen=True)
class Row:
    """A row: a key that stays the same while others come and go, and a cell a column, by name.

    A cell is text, or (text, tone) with a tone of `TONES`.
    """

    key: Any
    cells: dict[str, Cell]

    @property
    def plain(self) -> str:
        """What its cells say, whole: as it is copied."""
        words = (str(cell[0] if isinstance(cell, tuple) else cell) for cell in self.cells.values())
        return "  ".join(filter(None, words))


def fitting(columns: Iterable[Column], room: int) -> list[tuple[Column, int]]:
    """The columns that fit, with their widths: some shrink, the least important go, the flexible grow."""
    widths = {column: column.width for column in columns}

    def needed() -> int:
        return sum(widths.values()) + 2 * (len(widths) - 1)

    for column in sorted(widths, key=lambda column: column.priority):
        if needed() > room and column.narrow is not None:
            widths[column] = column.narrow
    while len(widths) > 1 and needed() > room:
        del widths[min(widths, key=lambda column: column.priority)]
    for column in sorted(widths, key=lambda column: -column.priority):
        if widths[column] < column.width and needed() + column.width - widths[column] <= room:
            widths[column] = column.width
    flexible = [column for column in widths if column.flexible]
    spare = max(0, room - needed())
    for number, column in enumerate(flexible):
        widths[column] += spare // len(flexible) + (number < spare % len(flexible))
    return list(widths.items())


def cut(text: str, width: int) -> str:
    """``text`` in at most ``width`` cells, the cut marked by an ellipsis."""
    if not text.isprintable():
        text = clean(text)
    if cell_len(text) <= width:
        return text
    return f"{set_cell_size(text, width - 1)}…" if width > 0 else ""


def joined(runs: list[tuple[str, Style]]) -> list[Segment]:
    """Segments of ``runs``: neighbours of one style are one, and blanks belong to what stands before them."""
    segments: list[Segment] = []
    for text, style in runs:
        if segments and (segments[-1].style == style or text.isspace()):
            segments[-1] = Segment(segments[-1].text + text, segments[-1].style)
        elif text:
            segments.append(Segment(text, style))
    return segments
