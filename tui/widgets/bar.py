"""A bar of parts: an escrow's, or how far something has come. Told apart by signs as well as by colour."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text
from textual import getters
from textual.widget import Widget

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp

TONES = ("good", "accent", "bad", "dim")
_SIGNS = {"good": ("█", "#"), "accent": ("▓", "="), "bad": ("▒", "!"), "dim": ("░", "-")}


class Bar(Widget):
    """Parts of (amount, tone of `TONES`), drawn from left to right in the room there is.

    An amount above zero is at least one cell, so that nothing that is there is invisible.
    """

    if TYPE_CHECKING:
        app = getters.app(DecentralMLApp)

    COMPONENT_CLASSES = {f"bar--{tone}" for tone in TONES}  # noqa: RUF012 - Textual's own form
    DEFAULT_CSS = "Bar { height: 1; width: 1fr; }"

    def __init__(self, parts: Sequence[tuple[float, str]] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._parts = tuple(parts)

    def show(self, parts: Sequence[tuple[float, str]]) -> None:
        """Draw other parts; the same again draw nothing."""
        if tuple(parts) != self._parts:
            self._parts = tuple(parts)
            self.refresh()

    def render(self) -> Text:
        text = Text(no_wrap=True)
        for (_, tone), cells in zip(
            self._parts, shares([p[0] for p in self._parts], self.size.width), strict=True
        ):
            sign = _SIGNS[tone][self.app.ascii]
            text.append(sign * cells, self.get_component_rich_style(f"bar--{tone}", partial=True))
        return text


def shares(amounts: Sequence[float], width: int) -> list[int]:
    """How many of ``width`` cells each amount gets: in proportion, none that is above zero without any."""
    total = sum(amounts)
    if total <= 0 or width <= 0:
        return [0] * len(amounts)
    cells = [max(int(width * amount / total), 1 if amount > 0 else 0) for amount in amounts]
    spare = width - sum(cells)
    largest = max(range(len(amounts)), key=lambda i: amounts[i])
    cells[largest] += max(spare, 0)
    while sum(cells) > width:  # more parts than cells: the last ones give way
        last = max(i for i, count in enumerate(cells) if count)
        cells[last] -= 1
    return cells
