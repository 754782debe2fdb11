"""Dialogs over a screen: a question, a text, a choice. Each answers through its dismissal."""

from typing import Generic, TypeVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, OptionList, Static
from textual.widgets.option_list import Option

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer | None], Generic[Answer]):
    """A box in the middle with a title. Escape dismisses it with None.

    ``TAKES_TYPED_AHEAD``: whether keys typed before it was on screen do what they do in it.
    """

    BINDINGS = [  # noqa: RUF012
        Binding("escape", "dismiss_none", "cancel", show=False),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]
    TITLE = ""
    TAKES_TYPED_AHEAD = True

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    @property
    def place(self) -> list[str]:
        """What it is about. Two dialogs of a kind at one place do not stack."""
        return [self._title]

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as box:
            box.border_title = Text(self._title)
            yield from self.body()

    def body(self) -> ComposeResult:
        """What is in the box."""
        raise NotImplementedError

    def locked(self) -> None:
        """The session was locked: passwords are emptied, and each `Secret` is covered."""

    def action_dismiss_none(self) -> None:
        self.dismiss(None)


class Ask(Dialog[bool]):
    """Text and two buttons: yes or no. ``danger`` colours the yes."""

    BINDINGS = [  # noqa: RUF012
        Binding("y", "answer(True)", "yes"),
        Binding("n", "answer(False)", "no"),
    ]
    TAKES_TYPED_AHEAD = False

    def __init__(self, title: str, text: str | Text, *, yes: str = "Yes", danger: bool = False) -> None:
        super().__init__(title)
        self._text = text
        self._yes = yes
        self._danger = danger

    def body(self) -> ComposeResult:
        with VerticalScroll(id="text"):
            yield Static(self._text if isinstance(self._text, Text) else Text(self._text))
        with Horizontal(id="buttons"):
            yield Button(
                f"{self._yes}  y", id="yes", variant="error" if self._danger else "primary", compact=True
            )
            yield Button("No  n", id="no", compact=True)

    def on_mount(self) -> None:
        self.query_one("#no", Button).focus()

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")


class AskText(Dialog[str]):
    """One line of text, or a secret. The secret's widget is emptied before the dialog goes."""

    def __init__(
        self, title: str, label: str, *, value: str = "", secret: bool = False, max_bytes: int = 2048
    ) -> None:
        super().__init__(title)
        self._label = label
        self._value = value
        self._secret = secret
        self._max_bytes = max_bytes

    def body(self) -> ComposeResult:
        yield Label(Text(self._label), id="label")
        yield Input(self._value, password=self._secret, id="answer", compact=True)
        yield Static("", id="problem")

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        text = event.value
        if len(text.encode()) > self._max_bytes:
            self.query_one("#problem", Static).update(
                f"{len(text.encode()):,} bytes: at most {self._max_bytes:,} fit."
            )
            return
        if self._secret:
            event.input.value = ""
        self.dismiss(text)


class Choose(Dialog[str]):
    """One of several named choices. Answers with the choice's id."""

    def __init__(self, title: str, choices: list[tuple[str, str | Text]], *, text: str = "") -> None:
        super().__init__(title)
        self._choices = choices
        self._text = text

    def body(self) -> ComposeResult:
        if self._text:
            yield Static(Text(self._text), id="text")
        yield OptionList(*(Option(label, id=name) for name, label in self._choices), id="choices")

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)


class Show(Dialog[None]):
    """Text to read, with one button."""

    BINDINGS = [Binding("enter,q", "dismiss_none", "close", show=False)]  # noqa: RUF012

    def __init__(self, title: str, text: str | Text) -> None:
        super().__init__(title)
        self._text = text

    def body(self) -> ComposeResult:
        with VerticalScroll(id="text"):
            yield Static(self._text if isinstance(self._text, Text) else Text(self._text))
        with Horizontal(id="buttons"):
            yield Button("Close  esc", id="close", variant="primary", compact=True)

    def on_mount(self) -> None:
        self.query_one("#text").focus()

    @on(Button.Pressed)
    def pressed(self) -> None:
        self.dismiss(None)
