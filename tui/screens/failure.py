"""One failure with its whole story: what was being done, why it broke, where, and a way to do it again."""

import time

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Button, Static

from decentralml.core.errors import Refused
from decentralml.core.text import visible
from decentralml.tui.failures import Failure
from decentralml.tui.screens.dialog import Dialog
from decentralml.tui.widgets.buttons import Buttons


class FailureStory(Dialog[bool]):
    """Answers True where it is to be done again."""

    def __init__(self, failure: Failure) -> None:
        super().__init__("What went wrong")
        self._failure = failure

    def body(self) -> ComposeResult:
        with VerticalScroll(id="text", can_focus=False):
            yield Static(_told(self._failure))
        with Buttons():
            if self.app.refusal_of(self, "retry") is None:
                yield Button(self.label("Again", "retry"), id="again", variant="primary", compact=True)
            yield Button(self.label("Copy", "copy"), id="copy", compact=True)
            yield Button(self.label("Close", "back"), id="close", compact=True)

    def on_mount(self) -> None:
        self.query_one("#close").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "copy":
            self.action_copy()
        else:
            self.dismiss(event.button.id == "again")

    def why_not(self, action: str) -> Refused | None:
        if action == "retry" and self._failure.again is None:
            return Refused("NothingToRetry", "This cannot be tried again from here.", "")
        return None

    def action_retry(self) -> None:
        self.dismiss(True)

    def action_copy(self) -> None:
        self.app.copy(_told(self._failure).plain)


def _told(failure: Failure) -> Text:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(failure.when))
    text = Text()
    text.append(f"{when}  {visible(failure.code)}  {visible(failure.doing)}\n\n", "dim")
    text.append(visible(failure.message, keep_newlines=True), "bold")
    if failure.hint:
        text.append(f"\n{visible(failure.hint, keep_newlines=True)}")
    if failure.story:
        text.append(f"\n\n{visible(failure.story, keep_newlines=True)}", "dim")
    return text
