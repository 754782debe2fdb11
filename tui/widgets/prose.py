"""Lines of text and labelled values whose colours are the theme's, redrawn only when they change."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text
from textual.widget import Widget

Span = str | tuple[str, str]
"""Text, or (text, tone): one of `TONES`, "bold" or ""."""

Line = tuple[Span, ...]
Field = tuple[Span, Line]
"""A label (dim unless it has a tone) and its value, which wraps beside it."""

Block = Line | list[Field]

TONES = ("accent", "good", "warn", "bad", "dim", "title", "work")


class Prose(Widget):
    """Shows lines, and lists of fields, one under the other."""

    COMPONENT_CLASSES = {f"prose--{tone}" for tone in TONES}  # noqa: RUF012
    DEFAULT_CSS = """
    Prose { height: auto; }
    Prose .prose--accent { color: $accent; }
    Prose .prose--good { color: $success; }
    Prose .prose--warn { color: $warning; }
    Prose .prose--bad { color: $error; }
    Prose .prose--dim { color: $text-dim; }
    Prose .prose--work { color: $primary; }
    Prose .prose--title { text-style: bold; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None, wrap: bool = True) -> None:
        super().__init__(id=id, classes=classes)
        self._blocks: Sequence[Block] = ()
        self._wrap = wrap

    def show(self, blocks: Sequence[Block]) -> None:
        """Show ``blocks``; nothing is drawn where they are those that stand there."""
        if blocks != self._blocks:
            self._blocks = list(blocks)
            self.refresh(layout=True)

    def render(self) -> RenderableType:
        return Group(*(self._fields(b) if isinstance(b, list) else self._line(b) for b in self._blocks))

    def _line(self, spans: Line) -> Text:
        line = Text(no_wrap=not self._wrap, overflow="fold" if self._wrap else "ellipsis")
        for span in spans:
            text, tone = span if isinstance(span, tuple) else (span, "")
            line.append(text, self._style(tone))
        return line

    def _fields(self, fields: list[Field]) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(ratio=1, overflow="fold")
        for label, value in fields:
            words, tone = label if isinstance(label, tuple) else (label, "dim")
            table.add_row(Text(words, self._style(tone)), self._line(value))
        return table

    def _style(self, tone: str) -> Style:
        if tone in TONES:
            style = self.get_component_rich_style(f"prose--{tone}")
            return Style(color=style.color, bold=style.bold)
        return Style(bold=True) if tone == "bold" else Style()
