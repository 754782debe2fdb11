"""What panels about results are drawn on, and how their figures are written."""

from dataclasses import dataclass

from rich.text import Text

from decentralml.core.models.metrics import lower_is_better
from decentralml.core.report import TOLERANCE
from decentralml.tui.widgets.columns import Cell, Tone
from decentralml.tui.widgets.heatmap import Shade

_LEAST_BAR, _LONGEST_BAR = 12, 60


@dataclass(frozen=True)
class Canvas:
    """What a panel is drawn on: the cells and lines that are seen at once, and the theme's styles."""

    width: int
    height: int
    tone: Tone
    shade: Shade

    @property
    def plain(self) -> bool:
        """Whether the terminal has 16 colours, none, or ASCII alone."""
        return self.shade(1.0, True) is None


def number(value: float | None) -> str:
    """A figure in a column: four decimals, or scientific where these would say nothing."""
    if value is None:
        return "not finite"
    if value and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.3e}"
    return f"{value:.4f}"


def change(name: str, value: float | None) -> Cell:
    """A difference to the baseline: red only where something was lost."""
    if value is None:
        return "-"
    text = f"{value:+.4f}" if not value or 1e-4 <= abs(value) < 1e6 else f"{value:+.2e}"
    if abs(value) <= TOLERANCE:
        return (text, "dim")
    return (text, "good" if (value < 0) == lower_is_better(name) else "bad")


def bar(share: float, mark: float | None, room: int, tone: str, canvas: Canvas) -> Text:
    """``share`` of 1 as a bar of at most ``room`` cells, with a mark where the baseline is."""
    room = max(_LEAST_BAR, min(room, _LONGEST_BAR))
    filled = round(share * room)
    text = Text("━" * filled, canvas.tone(tone)).append("─" * (room - filled), canvas.tone("dim"))
    if mark is None:
        return text
    at = min(round(mark * room), room - 1)
    return Text.assemble(text[:at], ("│", canvas.tone("strong")), text[at + 1 :])
