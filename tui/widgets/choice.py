"""One of a few words, in a line of a form."""

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widget import Widget

from decentralml.tui import keys


class Choice(Widget, can_focus=True):
    """Left, right, space and a click change it, which it tells; enter is the form's."""

    BINDINGS = [  # noqa: RUF012
        keys.binding("right", "change(1)"),
        keys.binding("left", "change(-1)"),
        keys.binding("mark", "change(1)"),
        Binding("enter", "screen.next_field", show=False),
        Binding("backspace", "nothing", show=False),  # a slip that would close the form
    ]
    DEFAULT_CSS = "Choice { height: 1; width: 1fr; }"

    class Changed(Message):
        """A person has chosen a word."""

    def __init__(self, choices: Sequence[str], *, id: str) -> None:
        super().__init__(id=id)
        self._choices = choices
        self._chosen = 0

    @property
    def value(self) -> str:
        """The word that is chosen."""
        return self._choices[self._chosen]

    def choose(self, word: str) -> None:
        """Choose ``word`` without telling."""
        self._chosen = self._choices.index(word)
        self.refresh()

    def render(self) -> Text:
        line = Text(no_wrap=True)
        for index, choice in enumerate(self._choices):
            chosen = index == self._chosen
            style = ("reverse" if self.has_focus else "bold") if chosen else "dim"
            line.append(f" {choice} ", style)
            line.append(" ")
        return line

    def action_change(self, by: int) -> None:
        self._take((self._chosen + by) % len(self._choices))

    def action_nothing(self) -> None:
        """The key does nothing here."""

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        left = 0
        for index, choice in enumerate(self._choices):
            right = left + len(choice) + 3
            if left <= event.x < right:
                self._take(index)
            left = right

    def _take(self, index: int) -> None:
        self._chosen = index
        self.refresh()
        self.post_message(self.Changed())
