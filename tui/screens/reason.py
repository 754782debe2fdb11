"""Why a result is rejected or sent back: what its worker will read, for ever."""

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import Button, Label, Static, TextArea

from decentralml.core.domain import REASON_BYTES
from decentralml.tui.screens.dialog import Dialog
from decentralml.tui.widgets.buttons import Buttons

_KEPT = "reason"


class ReasonArea(TextArea):
    """Wrapped text in which enter means done."""

    class Done(Message):
        """Enter was pressed."""

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self.post_message(self.Done())
            return
        await super()._on_key(event)


class AskReason(Dialog[str]):
    """A reason of 1 to 1024 bytes, with ``proposal`` in the field, or what was made of it so far.

    The last one that was typed is kept, over a dropped link too, for the decision that ``about`` names.
    """

    def __init__(self, title: str, label: str, proposal: str, about: str) -> None:
        super().__init__(title)
        self._label = label
        self._proposal = proposal
        self._kept_as = f"{about}\n{proposal}"

    def body(self) -> ComposeResult:
        yield Label(Text(self._label), id="label")
        kept = self.app.state.get(_KEPT, {}).get(self._kept_as)
        # What is typed goes on behind what is proposed.
        begun = kept if isinstance(kept, str) else f"{self._proposal} ".lstrip()
        yield ReasonArea(begun, id="reason", tab_behavior="focus")
        yield Static("", id="size")
        yield Static("", id="problem")
        with Buttons():
            yield Button("Go on  enter", id="yes", variant="primary", compact=True)
            yield Button(self.label("Cancel", "back"), id="no", compact=True)

    def on_mount(self) -> None:
        area = self.query_one(ReasonArea)
        area.focus()
        area.move_cursor(area.document.end)
        self._count()

    @on(TextArea.Changed)
    def typed(self) -> None:
        self._count()
        self.app.state.set(_KEPT, {self._kept_as: self.query_one(ReasonArea).text})

    def _count(self) -> None:
        used = len(self._text.encode())
        self.query_one("#size", Static).update(f"{used:,} of {REASON_BYTES:,} bytes; it is public")

    @property
    def _text(self) -> str:
        return self.query_one(ReasonArea).text.strip()

    @on(ReasonArea.Done)
    @on(Button.Pressed, "#yes")
    def done(self) -> None:
        used = len(self._text.encode())
        if 1 <= used <= REASON_BYTES:
            self.dismiss(self._text)
            return
        said = "Say why: the worker reads it." if not used else f"{used - REASON_BYTES:,} bytes too many."
        self.query_one("#problem", Static).update(said)

    @on(Button.Pressed, "#no")
    def left(self) -> None:
        self.dismiss(None)
