"""What stands on the terminal, cell by cell: an update of the screen writes only what differs from it.

Textual writes an update from the left edge of its widget on: a row for a digit, a panel for a line.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from rich.cells import cell_len, get_character_cell_size
from rich.console import Console
from rich.control import Control
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

Cell = tuple[str, Style | None, int]
"""Text, style, and which cell of it: a text with characters that are not of one cell stays whole."""

# As many cells that did not change cost less than to begin anew behind them.
_BRIDGED = 8


class Written:
    """What was written last, line by line."""

    def __init__(self) -> None:
        self._lines: dict[int, list[Cell]] = {}

    def only_changes(self, update: Any) -> Any:
        """What a compositor gave, without the cells that stand there. A whole screen is written whole."""
        return _Changes(update, self._lines) if isinstance(update, CompositorUpdate) else update


class _Changes(CompositorUpdate):
    def __init__(self, update: CompositorUpdate, lines: dict[int, list[Cell]]) -> None:
        self._update = update
        self._lines = lines

    def render_segments(self, console: Console) -> str:
        """What is to be written now; from then on it stands there."""
        if isinstance(self._update, ChopsUpdate):
            pieces = _pieces(self._update)
            return "".join(part for piece in pieces for part in self._differing(*piece, console))
        self._lines.clear()
        if isinstance(self._update, LayoutUpdate):
            for y, strips in enumerate(self._update.strips, self._update.region.y):
                self._lines[y] = [cell for strip in strips for cell in _cells(strip)]
        return self._update.render_segments(console)

    def _differing(self, x: int, y: int, strip: Strip, console: Console) -> Iterator[str]:
        line, cells = self._lines.setdefault(y, []), _cells(strip)
        before = line[x : x + len(cells)]
        if before == cells:
            return
        for start, end in _runs(before, cells):
            yield Control.move_to(x + start, y).segment.text
            yield strip.crop(start, end).render(console)
        line += [(" ", None, -1)] * (x - len(line))
        line[x : x + len(cells)] = cells


def _pieces(update: ChopsUpdate) -> Iterator[tuple[int, int, Strip]]:
    """The parts of an update: column, line, and what is to stand there."""
    for y, first, last in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            start, stop = max(first, x), min(last, end)
            if strip is not None and start < stop:
                yield start, y, strip.crop(start - x, stop - x)


def _cells(strip: Strip) -> list[Cell]:
    cells: list[Cell] = []
    for text, styled, _ in strip:
        style = _look(styled)
        if text.isascii() or all(get_character_cell_size(character) == 1 for character in text):
            cells += [(character, style, 0) for character in text]
        else:
            cells += [(text, style, place) for place in range(cell_len(text))]
    return cells


@lru_cache(maxsize=4096)
def _look(style: Style | None) -> Style | None:
    """What of a style is seen: Textual notes in it where in its widget a text stands."""
    return style and style.clear_meta_and_links()


def _runs(before: list[Cell], now: list[Cell]) -> Iterator[tuple[int, int]]:
    """From where to where ``now`` differs."""
    before = before + [(" ", None, -1)] * (len(now) - len(before))
    start = end = -1
    for place, (old, new) in enumerate(zip(before, now, strict=True)):
        if old == new:
            continue
        if start >= 0 and place - end > _BRIDGED:
            yield _whole(start, end, now)
            start = -1
        start, end = (place if start < 0 else start), place + 1
    yield _whole(start, end, now)


def _whole(start: int, end: int, cells: list[Cell]) -> tuple[int, int]:
    """From ``start`` to ``end``, and all of a text that has to stay together."""
    while cells[start][2] > 0:
        start -= 1
    while end < len(cells) and cells[end][2] > 0:
        end += 1
    return start, end
