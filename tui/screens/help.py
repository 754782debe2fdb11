"""What every key does on one screen, from the table of keys."""

from rich.text import Text

from decentralml.tui.keys import keys_of
from decentralml.tui.screens.dialog import Show


class Help(Show):
    """The rows of `keys.TABLE` that a screen offers, most particular first."""

    def __init__(self, scope: str) -> None:
        text = Text()
        for key in keys_of(scope):
            shown = key.shown_as or key.keys.replace(",", " ")
            text.append(f"{shown:>12}  ", "bold")
            text.append(f"{key.label:<15}")
            text.append(f"{key.about}\n", "dim")
        super().__init__(f"Keys: {scope}", text)
