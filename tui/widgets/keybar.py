"""The bottom line: the keys that do something here, from the one table."""

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text
from textual import getters
from textual.widget import Widget

from decentralml.tui.keys import Key, keys_of

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp


class KeyBar(Widget):
    """One line of keys, cut to the width; ``?`` shows the rest."""

    if TYPE_CHECKING:
        app = getters.app(DecentralMLApp)

    COMPONENT_CLASSES = {"keybar--key", "keybar--label"}  # noqa: RUF012 - Textual's own form

    def __init__(self, scope: str) -> None:
        super().__init__()
        self._scope = scope

    def render(self) -> Text:
        line = Text(no_wrap=True, overflow="ellipsis")
        offered = self._offered()
        tail = [key for key in offered if key.method in ("help", "palette")]
        room = self.size.width - sum(self._width(key) for key in tail)
        for key in [key for key in offered if key not in tail]:
            if self._width(key) > room:
                break
            room -= self._width(key)
            self._append(line, key)
        line.append(" " * max(room, 0))
        for key in tail:
            self._append(line, key)
        line.right_crop(2)
        return line

    def _offered(self) -> list[Key]:
        screen = self.screen
        if self.app.session is None:
            return []
        return [
            key
            for key in keys_of(self._scope)
            if key.footer and screen.check_action(key.method, ()) is not False
        ]

    def _append(self, line: Text, key: Key) -> None:
        line.append(key.shown(self.app.keymap), self.get_component_rich_style("keybar--key"))
        line.append(f" {key.label}  ", self.get_component_rich_style("keybar--label"))

    def _width(self, key: Key) -> int:
        return cell_len(key.shown(self.app.keymap)) + len(key.label) + 3
