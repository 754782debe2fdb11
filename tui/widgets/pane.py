"""A panel to read: scrolls by keys and mouse, and gives what is drawn in it the theme's styles."""

from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.color import BLACK, WHITE, Color, ColorParseError
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Static

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp

# How light red, green and blue are, and where black and white are read equally well.
_LIGHT, _HALFWAY = (0.2126, 0.7152, 0.0722), 0.18

TONES = ("head", "dim", "strong", "good", "bad", "warn", "accent")


class Pane(VerticalScroll, can_focus=True, inherit_bindings=False):
    """Shows one Text, redrawn only where it changed."""

    if TYPE_CHECKING:
        app = getters.app(DecentralMLApp)

    COMPONENT_CLASSES = {f"pane--{tone}" for tone in TONES}  # noqa: RUF012

    class Resized(Message):
        """The pane has another room than what it shows was drawn for."""

    def compose(self) -> ComposeResult:
        yield Static("", classes="content")

    def on_resize(self) -> None:
        self.post_message(self.Resized())

    def show(self, text: Text) -> None:
        """Show ``text``, from its top where it is another one."""
        part = self.query_one(".content", Static)
        if not same(part.content, text):
            part.update(text)

    @property
    def plain(self) -> str:
        """What it shows, without styles."""
        return str(self.query_one(".content", Static).content)

    @property
    def text_width(self) -> int:
        """Cells a line has."""
        return max(20, self.size.width - 1)

    @property
    def text_height(self) -> int:
        """Lines that are seen without scrolling."""
        return self.size.height

    def lines(self, text: Text) -> int:
        """Lines that ``text`` takes here, folded where it is longer than one."""
        return len(text.wrap(self.app.console, self.text_width))

    def tone(self, name: str) -> Style:
        """The style of a tone of `TONES`; of "" none."""
        if not name:
            return Style()
        found = self.get_component_rich_style(f"pane--{name}", partial=True)
        return Style(color=found.color, bold=found.bold, dim=found.dim)

    def shade(self, share: float, good: bool) -> Style | None:
        """A cell of a heat map; None where the terminal has 16 colours, none, or ASCII alone."""
        if self.app.ascii or self.app.no_color or self.app.current_theme.ansi:
            return None
        variables = self.app.theme_variables
        try:
            ground = Color.parse(variables["background"])
            colour = Color.parse(variables["success" if good else "warning"])
        except (KeyError, ColorParseError):
            return None
        mixed = ground.blend(colour, 0.12 + 0.7 * min(share, 1.0))
        light = sum(part**2.2 * weight for part, weight in zip(mixed.normalized, _LIGHT, strict=True))
        return Style(color=(BLACK if light > _HALFWAY else WHITE).rich_color, bgcolor=mixed.rich_color)


def same(shown: object, text: Text) -> bool:
    """Whether ``shown`` is ``text``, colours and all: rich compares words and spans, no base style."""
    return isinstance(shown, Text) and shown == text and shown.style == text.style
