"""The card before a signature: labelled rows, of which the sums are in sight on the smallest screen."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text
from textual.geometry import Size

from decentralml.core.text import visible

_TWO_COLUMNS = 32
_LOW = 16


class Card:
    """Rows for a ``screen``: a label beside its text; where that is too narrow, before it."""

    def __init__(self, screen: Size) -> None:
        self._narrow = screen.width < _TWO_COLUMNS
        self._low = self._narrow or screen.height < _LOW
        self.table = Table.grid(padding=(0, 2 * (not self._narrow), 0, 0))
        if not self._narrow:
            self.table.add_column(style="dim", no_wrap=True)
        self.table.add_column(ratio=1, overflow="fold")

    def row(self, label: str, value: str, style: str = "") -> None:
        """One row."""
        text = Text(visible(value), style)
        if self._narrow:
            self.table.add_row(Text.assemble((f"{label} " if label else "", "dim"), text))
        else:
            self.table.add_row(label, text)

    def lead(self, label: str, value: str, sums: Sequence[tuple[str, str]]) -> None:
        """What is done, then what it costs; where there is no room for both, the sums first."""
        rows = [(label, value, "bold"), *((name, text, "") for name, text in sums)]
        for row in [*rows[1:], rows[0]] if self._low else rows:
            self.row(*row)

    def gap(self) -> None:
        """An empty line."""
        self.row("", "")
