"""Aligned columns as Text, for panels that are read and not moved in."""

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from decentralml.core.text import clean
from decentralml.tui.widgets.cells import cut

Tone = Callable[[str], Style]
"""The style of a tone: head, dim, strong, good, bad, warn or accent."""

_LEAST = 10  # a column cut to fewer cells says nothing

Cell = str | tuple[str, str]
"""Text, or (text, tone). Texts are cleaned here."""


def columns(
    rows: Sequence[Sequence[Cell]],
    tone: Tone,
    *,
    right: Sequence[int] = (),
    head: bool = True,
    width: int | None = None,
    gap: int = 2,
) -> Text:
    """``rows`` below each other, columns as wide as they need be; the first row is the ``head``.

    ``right``: columns that are right-aligned. With a ``width``, columns that do not fit go, the last ones
    first, and the last that stays is cut.
    """
    cells = [[_plain(cell) for cell in row] for row in rows]
    count = max((len(row) for row in cells), default=0)
    widths = [max(cell_len(row[i][0]) for row in cells if len(row) > i) for i in range(count)]
    if width is not None:
        while len(widths) > 2 and _needed(widths, gap) > width:
            widths.pop()
        if widths:
            widths[-1] = max(1, min(widths[-1], width - sum(widths[:-1]) - gap * (len(widths) - 1)))
    text = Text(no_wrap=True)
    for number, row in enumerate(cells):
        shown = row[: len(widths)]
        for i, (words, name) in enumerate(shown):
            style = tone(name or ("head" if head and number == 0 else ""))
            words = cut(words, widths[i])
            pad = " " * (widths[i] - cell_len(words))
            text.append(f"{pad}{words}" if i in right else words, style)
            if i < len(shown) - 1:
                text.append(" " * gap if i in right else pad + " " * gap)
        text.append("\n")
    return text


def heading(words: str, tone: Tone) -> Text:
    """A line over a part of a panel."""
    return Text(f"{words}\n", tone("head"))


def side_by_side(left: Text, right: Text, gap: int) -> Text:
    """Two parts of a panel beside each other, line by line."""
    ours, theirs = left.split("\n"), right.split("\n")
    width = max(line.cell_len for line in ours) + gap
    text = Text(no_wrap=True)
    for number in range(max(len(ours), len(theirs))):
        line = ours[number] if number < len(ours) else Text()
        text.append_text(line)
        if number < len(theirs):
            text.append(" " * (width - line.cell_len)).append_text(theirs[number])
        text.append("\n")
    return text


def _needed(widths: Sequence[int], gap: int) -> int:
    """Cells that columns need at least, the last of them cut."""
    return sum(widths[:-1]) + min(widths[-1], _LEAST) + gap * (len(widths) - 1)


def _plain(cell: Cell) -> tuple[str, str]:
    words, name = (cell, "") if isinstance(cell, str) else cell
    return clean(words), name
