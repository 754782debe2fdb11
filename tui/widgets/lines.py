"""Lines of text in tones, of which only what changed is drawn again."""

import os
import textwrap
from collections.abc import Sequence

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

Part = tuple[str, str]
"""Text, and its tone: "" or one of `TONES`."""
LineOf = tuple[Part, ...]

_WHEEL = 3
TONES = ("title", "dim", "accent", "good", "bad", "warn", "work")


class Lines(Widget):
    """As many lines as fit, from the first on; with ``tail`` the last ones, and those above by scrolling up.

    With ``fold`` a line that is too wide, of one part, goes on in the next.
    """

    COMPONENT_CLASSES = {f"lines--{tone}" for tone in TONES}  # noqa: RUF012 - Textual's own form
    DEFAULT_CSS = """
    Lines { height: 1fr; }
    Lines .lines--title { text-style: bold; }
    Lines .lines--dim { color: $text-dim; }
    Lines .lines--accent { color: $accent; }
    Lines .lines--good { color: $success; }
    Lines .lines--bad { color: $error; }
    Lines .lines--warn { color: $warning; }
    Lines .lines--work { color: $primary; }
    """

    def __init__(self, *, id: str, tail: bool = False, fold: bool = False) -> None:
        super().__init__(id=id)
        self._all: Sequence[LineOf] = ()
        self._folded: Sequence[LineOf] = ()
        self._tail = tail
        self._fold = fold
        self._scrolled = 0
        self._drawn: list[LineOf] = []

    def show(self, lines: Sequence[LineOf]) -> None:
        """Draw other lines in place of those before."""
        self._all = lines
        self._draw()

    def _lay(self) -> None:
        """Break what is too wide."""
        width = self.size.width
        self._folded = self._all
        if self._fold and width:
            self._folded = [
                ((piece, tone),) for ((text, tone),) in self._all for piece in folded(text, width)
            ]

    def scroll_lines(self, by: int) -> None:
        """Move by lines, within what there is."""
        self._scrolled += -by if self._tail else by
        self._draw()

    def scroll_to_end(self, *, top: bool) -> None:
        """Go to the first or to the last line."""
        self._scrolled = len(self._folded) if top == self._tail else 0
        self._draw()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.scroll_lines(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.scroll_lines(-_WHEEL)

    @property
    def plain(self) -> str:
        """All lines as text, those out of sight too."""
        return "\n".join("".join(text for text, _ in line).rstrip() for line in self._all)

    def on_resize(self, event: events.Resize) -> None:
        self._drawn = []
        self._draw()
        self.refresh()

    def _draw(self) -> None:
        self._lay()
        height = self.size.height
        over = max(len(self._folded) - height, 0)
        self._scrolled = min(max(self._scrolled, 0), over)
        first = over - self._scrolled if self._tail else self._scrolled
        drawn = list(self._folded[first : first + height])
        before, self._drawn = self._drawn, drawn
        changed = [
            Region(start, y, self.size.width - start, 1)
            for y in range(max(len(before), len(drawn)))
            if (start := _first_change(_at(before, y), _at(drawn, y))) is not None
        ]
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        style = self.rich_style
        segments = [
            Segment(text, style + self.get_component_rich_style(f"lines--{tone}", partial=True))
            if tone
            else Segment(text, style)
            for text, tone in _at(self._drawn, y)
        ]
        return Strip(segments).adjust_cell_length(self.size.width, style)


def folded(text: str, width: int) -> list[str]:
    """``text`` in pieces of at most ``width`` cells; between words, where that is known."""
    if cell_len(text) <= width:
        return [text]
    return textwrap.wrap(text, width) or [""] if text.isascii() else chop_cells(text, width)


def _at(lines: list[LineOf], y: int) -> LineOf:
    return lines[y] if y < len(lines) else ()


def _first_change(before: LineOf, after: LineOf) -> int | None:
    """The first cell in which two lines differ; None where they do not."""
    if before == after:
        return None
    cells = 0
    for (old, old_tone), (new, new_tone) in zip(before, after, strict=False):
        if old_tone != new_tone:
            return cells
        if old != new:
            return cells + cell_len(os.path.commonprefix([old, new]))  # noqa: RUF071 - of characters is meant
        cells += cell_len(new)
    return cells
