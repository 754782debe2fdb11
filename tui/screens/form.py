"""A few fields to fill in and one thing that is then done with them, in the background."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Input, Label, Static

from decentralml.core.errors import DecentralMLError
from decentralml.core.text import visible
from decentralml.tui import background
from decentralml.tui.hints import explain
from decentralml.tui.screens.dialog import Dialog
from decentralml.tui.screens.file_picker import Purpose, find
from decentralml.tui.widgets.buttons import Buttons
from decentralml.tui.widgets.choice import Choice
from decentralml.tui.widgets.secret import SecretInput

Answer = TypeVar("Answer")

# What makes a person type a secret anew: it is emptied. Any other slip leaves it where it stands.
_WRONG_SECRET = ("WrongPassword", "EmptyPassword", "BadPassword", "WrongWord")


@dataclass(frozen=True)
class Field:
    """One line of a form. With ``choices`` one of them is chosen; ``repeats`` names the field it must equal.

    ``says``: a word beside it about what was typed, where that cannot be seen. ``finds``: what a path is
    browsed for.
    """

    name: str
    label: str
    value: str = ""
    secret: bool = False
    optional: bool = False
    placeholder: str = ""
    choices: tuple[str, ...] = ()
    repeats: str = ""
    says: Callable[[str], str] | None = None
    finds: Purpose | None = None


class Form(Dialog[Answer]):
    """Dismissed with what ``act`` answers; an error is shown in place, and can be mended.

    ``act`` blocks and takes the fields' texts by name. ``doing`` is what is said meanwhile. Secrets are
    emptied before the dialog goes, whichever way.
    """

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        act: Callable[..., Answer],
        *,
        text: str | Text = "",
        doing: str = "working…",
        yes: str = "Go on",
        danger: bool = False,
    ) -> None:
        super().__init__(title)
        self._fields = fields
        self._act = act
        self._text = text if isinstance(text, Text) else Text(text)
        self._doing = doing
        self._yes = yes
        self._danger = danger
        self._busy = False

    def body(self) -> ComposeResult:
        with VerticalScroll(id="text", can_focus=False):
            if self._text:
                yield Static(self._text, id="about")
            for field in self._fields:
                with Horizontal(classes="field"):
                    yield Label(Text(field.label), classes="label")
                    if field.choices:
                        yield Choice(field.choices, id=field.name)
                    elif field.secret:
                        yield SecretInput(field.value, placeholder=field.placeholder, id=field.name)
                    else:
                        yield Input(field.value, placeholder=field.placeholder, id=field.name, compact=True)
                    if field.says is not None:
                        yield Static("", id=f"{field.name}-says", classes="says")
                    if field.finds is not None:
                        yield Button(self.label("Browse", "browse"), id="browse", compact=True)
        yield Static("", id="problem")
        with Buttons():
            yield Button(
                self.label(self._yes, "go"),
                id="yes",
                variant="error" if self._danger else "primary",
                compact=True,
            )
            yield Button(self.label("Cancel", "back"), id="no", compact=True)

    def on_mount(self) -> None:
        empty = next((field for field in self._fields if not field.value), self._fields[0])
        self.query_one(f"#{empty.name}").focus()

    # Filling in

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        field = next((one for one in self._fields if one.name == event.input.id), None)
        if field is not None and field.says is not None:
            self.query_one(f"#{field.name}-says", Static).update(field.says(event.value))

    @on(Input.Submitted)
    def action_next_field(self) -> None:
        """To the field below; from the last one the form is sent."""
        names = [field.name for field in self._fields]
        here = self.focused.id if self.focused is not None else None
        if here in names and here != names[-1]:
            self.set_focus(self.query_one(f"#{names[names.index(here) + 1]}"))
        else:
            self._send()

    def _values(self) -> dict[str, str]:
        return {
            field.name: (
                self.query_one(f"#{field.name}", Choice).value
                if field.choices
                else self.query_one(f"#{field.name}", Input).value
            )
            for field in self._fields
        }

    def _missing(self, values: dict[str, str]) -> tuple[str, str] | None:
        """The first field that does not do, and why."""
        for field in self._fields:
            if not values[field.name] and not field.optional and not field.repeats:
                return field.name, f"Fill in: {field.label}."
            if field.repeats and values[field.name] != values[field.repeats]:
                return field.name, "The two passwords differ."
        return None

    # Sending

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "yes":
            self._send()
        elif event.button.id == "browse":
            self.action_browse()
        else:
            self.action_back()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "browse":
            return any(field.finds for field in self._fields)
        return super().check_action(action, parameters)

    def action_browse(self) -> None:
        if not self._busy:
            self.run_worker(self.app.guarded(self._browse()), group="browse")

    async def _browse(self) -> None:
        for field in self._fields:
            if field.finds is not None:
                path = self.query_one(f"#{field.name}", Input)
                found = await find(self.app, field.finds, path.value)
                path.value = path.value if found is None else str(found)

    def action_back(self) -> None:
        if not self._busy:
            self._empty_secrets()
            self.dismiss(None)

    def _say(self, text: str, *, bad: bool = True) -> None:
        problem = self.query_one("#problem", Static)
        problem.set_class(not bad, "-word")
        problem.update(Text(visible(text, keep_newlines=True)))

    def _send(self) -> None:
        if self._busy:
            return
        values = self._values()
        missing = self._missing(values)
        if missing is not None:
            self._say(missing[1])
            self.query_one(f"#{missing[0]}").focus()
            return
        self._busy = True
        self._say(self._doing, bad=False)
        self.run_worker(self.app.guarded(self._send_in_background(values)))

    async def _send_in_background(self, values: dict[str, Any]) -> None:
        repeats = [field.name for field in self._fields if field.repeats]
        for name in repeats:
            del values[name]
        try:
            answer = await background.call(self._act, **values)
        except DecentralMLError as error:
            self._say(explain(error))
            if error.code in _WRONG_SECRET:
                self._empty_secrets()
            return
        finally:
            values.clear()
            self._busy = False
        self._empty_secrets()
        self.dismiss(answer)

    def _empty_secrets(self) -> None:
        secrets = [field for field in self._fields if field.secret]
        for field in secrets:
            self.query_one(f"#{field.name}", Input).value = ""
        if secrets:
            self.query_one(f"#{secrets[0].name}").focus()
