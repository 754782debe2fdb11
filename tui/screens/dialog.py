"""Dialogs over a screen: a question, a choice, a text to read. Each answers through its dismissal."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from rich.text import Text
from textual import events, getters, on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from decentralml.core.errors import Refused
from decentralml.core.text import short
from decentralml.tui import keys
from decentralml.tui.hints import elsewhere
from decentralml.tui.widgets.buttons import Buttons

Answer = TypeVar("Answer")
_LEAST_TEXT = 2
_HEARD_SECONDS = 8.0
_MOST_HEARD = 200
_NOWHERE = "What is typed here goes nowhere: tab leads to a field."

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp


class Dialog(ModalScreen[Answer | None], Generic[Answer]):
    """A box in the middle with a title. Going back dismisses it with None.

    Its keys are the rows of `keys.TABLE` for dialogs; it does those for which it has an ``action_<row>``.
    What is long stands in a part with the id ``text``, in which the moving keys move.
    ``TAKES_TYPED_AHEAD``: whether keys typed before it was on screen do what they do in it.
    """

    if TYPE_CHECKING:
        app = getters.app(DecentralMLApp)

    SCOPE = "dialog"
    BINDINGS = [*keys.bindings(SCOPE)]  # noqa: RUF012
    TITLE = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (64, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (24, "-high")]  # noqa: RUF012
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

    def label(self, words: str, name: str) -> str:
        """What a button says: ``words``, and the key that does the same, the row ``name`` of the table."""
        return f"{words}  {keys.row(name).shown}"

    def on_mount(self) -> None:
        texts = list(self.query("#text").results(VerticalScroll))
        self.set_class(bool(texts), "-fits")
        for part in (self.query_one("#dialog"), *texts):
            self.watch(part, "virtual_size", self._fit_soon)
        for said in list(self.app._notifications)[-1:]:  # just before it opened
            self.hear(said.message, said.time_left)

    def on_resize(self) -> None:
        self._fit_soon()

    def _fit_soon(self) -> None:
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """Where the screen is too low for all, the text scrolls, and the buttons stay in sight."""
        box = next(iter(self.query("#dialog")), None)
        shown = [child for child in box.children if child.display] if box is not None else []
        if box is None or not shown:
            return  # the dialog was left meanwhile
        for text in self.query("#text").results(VerticalScroll):
            bottom = max(child.virtual_region_with_margin.bottom for child in shown)
            room = self.size.height - box.gutter.height - (bottom - text.virtual_region.height)
            most = text.styles.base.max_height
            roomy = most is not None and room >= most.resolve(self.size, self.size)
            text.styles.max_height = None if roomy else max(room, _LEAST_TEXT)
        if not box.max_scroll_y:
            box.scroll_home(animate=False, force=True)  # to a field that was below the fold before

    def hear(self, text: str, seconds: float = _HEARD_SECONDS) -> None:
        """A word about something else, said for a moment on the border, where it covers nothing."""
        box = next(iter(self.query("#dialog")), None)
        if box is None:
            return  # it is not there yet, or not any more
        box.border_subtitle = Text(short(text, _MOST_HEARD))
        said = box.border_subtitle

        def forget() -> None:
            if box.border_subtitle == said:
                box.border_subtitle = None

        self.set_timer(seconds, forget)

    def locked(self) -> None:
        """The session was locked: passwords are emptied, and each `Secret` is covered."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offered where this dialog does it."""
        if action == "go":
            return bool(self.query("#buttons"))
        return action in keys.OF_THE_APP or hasattr(self, f"action_{action}")

    def why_not(self, action: str) -> Refused | None:
        """As a full screen's: why what this dialog does elsewhere it cannot do now."""
        return None

    def on_key(self, event: events.Key) -> None:
        """A key that this dialog has no use for says so; one that may be of a secret is not named."""
        if event.key in self.active_bindings:
            return
        secret = any(field.password and field.display for field in self.query(Input))
        if words := _NOWHERE if secret and event.is_printable else elsewhere(event.key, "in this dialog"):
            self.hear(words)

    def action_back(self) -> None:
        self.dismiss(None)

    def action_go(self) -> None:
        """The first button, whichever field one is in."""
        self.query_one("#buttons").query(Button).first().press()

    # Moving: in a list, in what is to be read, or from field to field

    def action_down(self) -> None:
        self._move(1)

    def action_up(self) -> None:
        self._move(-1)

    def _move(self, by: int) -> None:
        focused = self.focused
        if isinstance(focused, OptionList):
            focused.action_cursor_down() if by > 0 else focused.action_cursor_up()
        elif (text := self._to_read) is not None:
            text.scroll_relative(y=by, animate=False)
        else:
            self.focus_next() if by > 0 else self.focus_previous()

    @property
    def _to_read(self) -> Widget | None:
        """What there is more of than fits, where no field in it has the focus."""
        text = next(iter(self.query("#text")), None)
        within = text is not None and self.focused is not None and text in self.focused.ancestors
        typing = isinstance(self.focused, Input)
        return None if text is None or within or typing or not text.max_scroll_y else text

    def action_left(self) -> None:
        self.focus_previous()

    def action_right(self) -> None:
        self.focus_next()

    def action_page_down(self) -> None:
        self._page(1)

    def action_page_up(self) -> None:
        self._page(-1)

    def _page(self, by: int) -> None:
        if isinstance(focused := self.focused, OptionList):
            move: Callable[[], None] = focused.action_page_down if by > 0 else focused.action_page_up
            move()
        for text in self.query("#text"):
            text.scroll_relative(y=by * max(text.size.height - 1, 1), animate=False)

    def action_top(self) -> None:
        if isinstance(focused := self.focused, OptionList):
            focused.action_first()
        for text in self.query("#text"):
            text.scroll_home(animate=False)

    def action_bottom(self) -> None:
        if isinstance(focused := self.focused, OptionList):
            focused.action_last()
        for text in self.query("#text"):
            text.scroll_end(animate=False)


class Ask(Dialog[bool]):
    """Text and two buttons: yes or no. ``danger`` colours the yes."""

    TAKES_TYPED_AHEAD = False

    def __init__(self, title: str, text: str | Text, *, yes: str = "Yes", danger: bool = False) -> None:
        super().__init__(title)
        self._text = text
        self._yes = yes
        self._danger = danger

    def body(self) -> ComposeResult:
        shown = self._text
        with VerticalScroll(id="text", can_focus=False):
            yield Static(shown if isinstance(shown, Text) else Text(shown))
        with Buttons():
            yield Button(
                self.label(self._yes, "yes"),
                id="yes",
                variant="error" if self._danger else "primary",
                compact=True,
            )
            yield Button(self.label("No", "back"), id="no", compact=True)

    def on_mount(self) -> None:
        self.query_one("#no", Button).focus()

    def action_yes(self) -> None:
        self.dismiss(True)

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")


class Choose(Dialog[str]):
    """One of several named choices. Answers with the choice's id."""

    def __init__(self, title: str, choices: Sequence[tuple[str, str | Text]], *, text: str = "") -> None:
        super().__init__(title)
        self._choices = choices
        self._text = text

    def body(self) -> ComposeResult:
        if self._text:
            yield Static(Text(self._text), id="text")
        yield OptionList(*(Option(label, id=name) for name, label in self._choices), id="choices")

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    def action_open(self) -> None:
        self.query_one(OptionList).action_select()

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)


class Show(Dialog[None]):
    """Text to read and to copy, with one button."""

    def __init__(self, title: str, text: str | Text) -> None:
        super().__init__(title)
        self._text = text

    def body(self) -> ComposeResult:
        with VerticalScroll(id="text", can_focus=False):
            yield Static(self._text if isinstance(self._text, Text) else Text(self._text))
        with Buttons():
            yield Button(self.label("Close", "back"), id="close", variant="primary", compact=True)

    def on_mount(self) -> None:
        self.query_one("#close").focus()

    def action_copy(self) -> None:
        self.app.copy(str(self._text))

    @on(Button.Pressed)
    def pressed(self) -> None:
        self.dismiss(None)
