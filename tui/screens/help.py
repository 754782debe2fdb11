"""What every key does on one screen: from the table of keys, and from the table of the market's rules."""

from collections.abc import Callable, Sequence

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Button, Static

from decentralml.core.chain import rules
from decentralml.core.errors import DecentralMLError
from decentralml.core.text import clean
from decentralml.core.words import either
from decentralml.tui.keys import MOVING, Key
from decentralml.tui.screens.dialog import Show
from decentralml.tui.widgets.buttons import Buttons

# Where a scope is no page's name.
_PLACES = {
    "task": "of a task",
    "viewer": "of a file",
    "statement": "of a statement",
    "address_book": "of the address book",
    "first_start": "of the first page",
    "label": "for labelling",
    "report": "of a report",
    "dialog": "of this question",
    "create": "of this form",
    "record": "of a record",
}


class Help(Show):
    """The rows of `keys.TABLE` that a screen has, those that act first.

    ``why_not`` gives the reason why an action is not offered just now.
    """

    def __init__(
        self,
        scope: str,
        rows: Sequence[Key],
        why_not: Callable[[str], DecentralMLError | None],
    ) -> None:
        super().__init__(f"Keys {_PLACES.get(scope, f'of {scope.capitalize()}')}", "")
        self._rows = rows
        self._why_not = why_not

    def body(self) -> ComposeResult:
        acting = [key for key in self._rows if key.method not in MOVING | {"tab"}]
        moving = [key for key in self._rows if key.method in MOVING | {"tab"}]
        with VerticalScroll(id="text", can_focus=False):
            yield Static(self._table(acting))
            yield Static(Text("\nMoving", "bold"))
            yield Static(self._table(moving))
        with Buttons():
            yield Button(self.label("Close", "back"), id="close", variant="primary", compact=True)

    def _table(self, rows: list[Key]) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(justify="right", no_wrap=True, style="bold", min_width=6)
        table.add_column(no_wrap=True, min_width=14)
        table.add_column(ratio=1, style="dim")
        for key in rows:
            table.add_row(Text(key.shown), key.label, self._about(key))
        return table

    def _about(self, key: Key) -> Text:
        about = Text(key.about)
        if key.call is not None:
            rule = rules.rule(key.call)
            about.append(f". For {rule.who.role}")
            if rule.sources:
                about.append(f", when it is {either(rule.sources)}")
        refusal = self._why_not(key.method)
        if refusal is not None:
            about.append(f"\nNot now: {clean(refusal.message)}", "not dim italic")
        return about
