"""What no screenshot and no clipboard gets: text that a person may see, and a line in which it is typed."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.text import Text
from textual import events
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

_DOTS = 40  # of every line, so that not even the length of a word is seen


class Secret(Widget):
    """Shows ``text`` on the terminal. While it is `covered`, and once it is wiped, only dots or nothing."""

    DEFAULT_CSS = "Secret { height: auto; width: 1fr; }"

    def __init__(self, text: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text = text
        self.covered = False

    def render(self) -> Text:
        if self.covered:
            return Text("\n".join("•" * _DOTS for _ in self._text.splitlines()))
        return Text(self._text)

    def cover(self, covered: bool) -> None:
        """Draw dots instead of the text, or the text again."""
        self.covered = covered
        self.refresh()

    def wipe(self) -> None:
        """Forget the text."""
        self._text = ""
        self.refresh(layout=True)


class SecretInput(Input):
    """A line of dots. Textual's would copy what they stand for."""

    def __init__(self, value: str = "", *, placeholder: str = "", id: str | None = None) -> None:
        super().__init__(value, placeholder=placeholder, password=True, id=id, compact=True)

    def _on_paste(self, event: events.Paste) -> None:
        """All its lines as one: words may stand one a line, and Textual's takes the first alone."""
        event.text = " ".join(event.text.splitlines())

    def action_copy(self) -> None:
        """Nothing."""

    def action_cut(self) -> None:
        self.delete_selection()


@contextmanager
def covered(screen: Screen[object]) -> Iterator[None]:
    """While a picture of ``screen`` is taken, what is secret on it is dots."""
    secrets = [secret for secret in screen.query(Secret) if not secret.covered]
    for secret in secrets:
        secret.cover(True)
    try:
        yield
    finally:
        for secret in secrets:
            secret.cover(False)
