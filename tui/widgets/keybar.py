"""The bottom line: the keys that do something here, from the one table."""

from rich.text import Text
from textual.widget import Widget

from decentralml.tui.keys import Key, keys_of


class KeyBar(Widget):
    """One line of keys, cut to the width; ``?`` shows the rest."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self._scope = scope

    def render(self) -> Text:
        line = Text(no_wrap=True, overflow="ellipsis")
        tail = [key for key in self._offered() if key.action in ("help", "palette")]
        room = self.size.width - sum(len(_label(key)) + 2 for key in tail)
        for key in [key for key in self._offered() if key not in tail]:
            if len(_label(key)) + 2 > room:
                break
            room -= len(_label(key)) + 2
            self._append(line, key)
        line.append(" " * max(room, 0))
        for key in tail:
            self._append(line, key)
        return line

    def _offered(self) -> list[Key]:
        screen = self.screen
        return [
            key
            for key in keys_of(self._scope)
            if key.footer and screen.check_action(key.action, ()) is not False
        ]

    def _append(self, line: Text, key: Key) -> None:
        shown, label = _parts(key)
        line.append(shown, self.get_component_rich_style("keybar--key"))
        line.append(f" {label}  ", self.get_component_rich_style("keybar--label"))

    COMPONENT_CLASSES = {"keybar--key", "keybar--label"}  # noqa: RUF012 - Textual's own form


def _parts(key: Key) -> tuple[str, str]:
    return key.shown_as or key.keys.split(",")[0], key.label


def _label(key: Key) -> str:
    return " ".join(_parts(key))
