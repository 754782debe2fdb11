"""The bottom line: the keys of the page, from the one table; what cannot be done now is dim."""

from functools import partial
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events, getters
from textual.widget import Widget

from decentralml.tui.keys import MOVING, Key, keys_of, row

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp
    from decentralml.tui.screens.base import MarketScreen

_LAST = ("help", "palette")
_GAP = 2
_DIM = Style(dim=True, bold=False)


class KeyBar(Widget):
    """One line of keys: of the footer's, then of the others, each that there is still room for."""

    if TYPE_CHECKING:
        app = getters.app(DecentralMLApp)

        @property
        def screen(self) -> MarketScreen: ...  # type: ignore[override]

    COMPONENT_CLASSES = {"keybar--key", "keybar--label"}  # noqa: RUF012 - Textual's own form

    def __init__(self, scope: str) -> None:
        super().__init__()
        self._scope = scope
        self._refused: set[str] = set()

    def look(self) -> None:
        """Draw the line anew where what can be done has changed."""
        why_not = partial(self.app.refusal_of, self.screen)
        refused = {key.name for key in self._offered() if why_not(key.method) is not None}
        if refused != self._refused:
            self._refused = refused
            self.refresh()

    async def on_click(self, event: events.Click) -> None:
        """As if the key were pressed."""
        if (name := event.style.meta.get("key")) is not None:
            await self.app.run_action(row(name).dispatched, self.screen)

    def render(self) -> Text:
        line = Text(no_wrap=True, overflow="ellipsis")
        offered = self._offered()
        tail = [key for key in offered if key.method in _LAST]
        others = [key for key in offered if key not in tail]
        room = self.size.width + _GAP - sum(map(self._width, tail))
        for key in sorted(others, key=lambda key: not key.footer):
            if self._width(key) <= room:
                room -= self._width(key)
                self._append(line, key)
        line.append(" " * max(room, 0))
        for key in tail:
            self._append(line, key)
        line.right_crop(_GAP)
        return line

    def _offered(self) -> list[Key]:
        if self.app.session is None:
            return []
        return [
            key
            for key in keys_of(self._scope)
            if key.method in _LAST
            or (key.method not in MOVING | {"tab"} and self.screen.check_action(key.method, ()))
        ]

    def _append(self, line: Text, key: Key) -> None:
        refused = _DIM if key.name in self._refused else Style.null()
        refused += Style.from_meta({"key": key.name})
        key_style, label_style = map(self.get_component_rich_style, ("keybar--key", "keybar--label"))
        line.append(key.shown, key_style + refused)
        line.append(f" {key.label}{' ' * _GAP}", label_style + refused)

    def _width(self, key: Key) -> int:
        return cell_len(key.shown) + len(key.label) + 1 + _GAP
