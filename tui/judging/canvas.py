"""What panels about results are drawn on, and how their figures are written."""

from dataclasses import dataclass

from decentralml.core.models.metrics import lower_is_better
from decentralml.core.report import TOLERANCE
from decentralml.tui.widgets.columns import Cell, Tone
from decentralml.tui.widgets.heatmap import Shade


@dataclass(frozen=True)
class Canvas:
    """What a panel is drawn on: the cells and lines that are seen at once, and the theme's styles."""

    width: int
    height: int
    tone: Tone
    shade: Shade


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
