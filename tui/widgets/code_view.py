"""A text of any length, coloured as code, of which only the lines on screen are drawn."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.text import Text
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from decentralml.core.text import visible

Piece = tuple[str, str]
"""(text, one of `KINDS` or "")."""

KINDS = ("keyword", "name", "string", "number", "comment", "heading")
MOST_COLOURED = 300_000
_TAB = 4
_MARGIN = 2


def highlight(text: str, name: str, width: int | None = None) -> list[list[Piece]]:
    """The lines of ``text``, as the language that ``name`` ends in. Control characters become escapes.

    With a ``width`` longer lines go on below, at a word. Blocks. A text of more than `MOST_COLOURED`
    characters stays plain.
    """
    shown = visible(text.replace("\r\n", "\n"), keep_newlines=True).expandtabs(_TAB)
    if width is not None:
        shown = _folded(shown, width)
    pieces = [(shown, "")] if len(shown) > MOST_COLOURED else _coloured(shown, name)
    lines: list[list[Piece]] = [[]]
    for part, kind in pieces:
        first, *others = part.split("\n")
        if first:
            lines[-1].append((first, kind))
        lines += [[(other, kind)] if other else [] for other in others]
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    return lines


def _folded(text: str, width: int) -> str:
    console = Console()
    lines = (line for long in text.split("\n") for line in Text(long).wrap(console, width))
    return "\n".join(line.plain.rstrip() for line in lines)


def _coloured(text: str, name: str) -> list[Piece]:
    from pygments.lexers import get_lexer_for_filename
    from pygments.token import Comment, Keyword, Literal, Name, Number, Token
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_for_filename(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return [(text, "")]
    kinds = (
        (Comment, "comment"),
        (Keyword, "keyword"),
        (Number, "number"),
        (Literal, "string"),
        (Name.Function, "name"),
        (Name.Class, "name"),
        (Name.Decorator, "name"),
        (Token.Generic.Heading, "heading"),
    )
    return [
        (part, next((word for token, word in kinds if kind in token), ""))
        for kind, part in lexer.get_tokens(text)
    ]


class CodeView(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines with their numbers; moves by line, page, and to the right where lines are longer."""

    COMPONENT_CLASSES = {"code--gutter", *(f"code--{kind}" for kind in KINDS)}  # noqa: RUF012
    DEFAULT_CSS = """
    CodeView { height: 1fr; }
    CodeView .code--gutter { color: $text-dim; }
    CodeView .code--keyword { color: $primary; }
    CodeView .code--name { text-style: bold; }
    CodeView .code--string { color: $success; }
    CodeView .code--number { color: $secondary; }
    CodeView .code--comment { color: $text-dim; }
    CodeView .code--heading { text-style: bold; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[list[Piece]] = ()
        self._numbers = True

    @property
    def room(self) -> int:
        """Cells of a line without numbers, also where there are so many that they scroll."""
        return max(self.size.width - self.styles.scrollbar_size_vertical - 1 - _MARGIN, 1)

    def show(self, lines: Sequence[list[Piece]], *, numbers: bool = True) -> None:
        """Show ``lines`` from the top."""
        self._lines = lines
        self._numbers = numbers
        # Without numbers they are short and few enough to be measured; else as wide as they can be.
        cells = cell_len if not numbers else len
        widest = max((sum(cells(part) for part, _ in line) for line in lines), default=0)
        width = widest * 2 if numbers and self._wide else widest + self._gutter + _MARGIN
        self.virtual_size = Size(width, len(lines))
        self.scroll_to(0, 0, animate=False)
        self.refresh()

    @property
    def _wide(self) -> bool:
        """Whether some character may be two cells wide."""
        return any(not part.isascii() for line in self._lines for part, _ in line)

    @property
    def _gutter(self) -> int:
        return len(str(len(self._lines))) + 2 if self._numbers else 1

    def render_line(self, y: int) -> Strip:
        x, top = self.scroll_offset
        index, width = int(top) + y, self.size.width
        if not 0 <= index < len(self._lines):
            return Strip.blank(width, self.rich_style)
        line = Text(no_wrap=True, end="")
        for part, kind in self._lines[index]:
            line.append(part, self._style(kind))
        base = self.rich_style
        gutter = f"{index + 1:>{self._gutter - 2}}  " if self._numbers else " "
        text = Strip(line.render(self.app.console)).crop(int(x), int(x) + width - self._gutter)
        number = Strip(Text(gutter, self._style("gutter"), end="").render(self.app.console))
        return Strip.join([number, text]).apply_style(base).adjust_cell_length(width, base)

    def _style(self, kind: str) -> Style:
        if not kind:
            return Style()
        style = self.get_component_rich_style(f"code--{kind}")
        return Style(color=style.color, bold=style.bold)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.refresh()

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_x(old_value, new_value)
        self.refresh()
