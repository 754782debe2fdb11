"""What every dialog that signs has: a clear yes, and after it, where the account is locked, its password."""

from typing import Generic

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.widgets import Button, Input, Label, Static

from decentralml.core.text import visible
from decentralml.tui import background
from decentralml.tui.screens.dialog import Answer, Dialog
from decentralml.tui.widgets.secret import SecretInput


class Signing(Dialog[Answer], Generic[Answer]):
    """A subclass yields `question` below its card, says what `needs_key`, and does `action_yes`.

    Before the yes nothing takes letters: all keys do what their buttons say. The password is asked for
    after it, in a field, where enter is the yes.
    """

    TAKES_TYPED_AHEAD = False
    yes = "Sign and send"

    def question(self) -> ComposeResult:
        """What must not be scrolled away with the card: opinions and warnings, the password's field, shown
        when it is needed, and the line that says how far it is.
        """
        said = [visible(text) for text in (*self.opinions(), *self.warnings())]
        pinned = Static(Text("\n".join(said)), id="care")
        pinned.display = bool(said)
        pinned.set_class(bool(self.warnings()), "-warns")
        yield pinned
        yield Label("Password of this account, for this session", id="label")
        yield SecretInput(placeholder="password", id="password")
        yield Static("", id="problem")

    def on_mount(self) -> None:
        self.ask(password=False)
        self.say("")
        self.query_one("#no", Button).focus()

    def opinions(self) -> list[str]:
        """What the policy says of it."""
        return []

    def warnings(self) -> list[str]:
        """What to take care of."""
        return []

    @property
    def needs_key(self) -> bool:
        """Whether an account is to sign whose key is locked now."""
        raise NotImplementedError

    @property
    def _field(self) -> Input:
        return self.query_one("#password", Input)

    def ask(self, *, password: bool) -> None:
        """Show the password's field, or hide it; the yes names the key that works there."""
        self._field.display = password
        self.set_class(not password, "-unlocked")
        self.name_buttons(password=password)
        if password:
            self.set_focus(self._field)

    def name_buttons(self, *, password: bool) -> None:
        """Name on each button the key that does the same now."""
        self.name_button("yes", f"{self.yes}  enter" if password else self.label(self.yes, "yes"))

    def name_button(self, id: str, label: str) -> None:
        """Give a button, where there is one, another label."""
        for button in self.query(f"#{id}").results(Button):
            button.label = label
            button.refresh(layout=True)

    def may_sign(self) -> bool:
        """Whether all is there to sign with; where it is not, the password is asked for."""
        asked = self._field.display
        if not self.needs_key or (asked and self._field.value):
            return True
        self.ask(password=True)
        self.say("The account is locked: type its password." if asked else "")
        return False

    async def unlock(self) -> None:
        """Unlock the account by what was typed, and empty the field. Raises `Refused` ("WrongPassword")."""
        if self.needs_key:
            password, self._field.value = self._field.value, ""
            await background.call(self.app.opened.unlock, password)
        self.ask(password=False)
        self.set_focus(self.query_one("#no"))

    def say(self, text: str) -> None:
        """One line on how far it is, or what went wrong."""
        problem = self.query_one("#problem", Static)
        problem.display = bool(text)
        problem.update(Text(visible(text, keep_newlines=True)))

    def decline(self) -> None:
        """Leave it unsigned, and say so."""
        self.leave(None)
        self.app.say("Nothing was signed.")

    def leave(self, answer: Answer | None) -> None:
        """Dismiss the dialog, and leave no secret behind."""
        self._field.value = ""
        self.dismiss(answer)

    def action_yes(self) -> None:
        raise NotImplementedError

    @on(Input.Submitted, "#password")
    def password_given(self) -> None:
        self.action_yes()
