"""The words of a new account: shown once, then asked for."""

import secrets
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Button, Static

from decentralml.core.errors import Refused
from decentralml.core.text import clean
from decentralml.tui.screens.dialog import Ask, Dialog
from decentralml.tui.screens.form import Field, Form
from decentralml.tui.widgets.buttons import Buttons
from decentralml.tui.widgets.secret import Secret

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp

_ASKED = 3
_WRITTEN = "I have written them down"


class Words(Dialog[bool]):
    """The words of a new account, this once. Only a clear yes leaves them."""

    def __init__(self, name: str, mnemonic: str) -> None:
        super().__init__(f"The words of {name}")
        self._account = name
        self._mnemonic = mnemonic

    def body(self) -> ComposeResult:
        with VerticalScroll(id="text", can_focus=False):
            yield Static(
                "Write these words down on paper, in their order. Who has them has the account; "
                "without them, a lost file or password cannot be mended. They are shown this once.\n"
            )
            yield Secret(_in_columns(self._mnemonic.split()), id="words")
            yield Static(f"\nOn the next page you are asked for {_ASKED} of them.")
        yield Static("", id="problem")
        with Buttons():
            yield Button(self.label(_WRITTEN, "yes"), id="yes", variant="primary", compact=True)

    def on_mount(self) -> None:
        self.query_one(Button).focus()

    def locked(self) -> None:
        self._say("They are covered while nobody is here.", button="Show them again")

    def _say(self, text: str, *, button: str = _WRITTEN) -> None:
        self.query_one("#problem", Static).update(text)
        yes = self.query_one(Button)
        if str(yes.label) != (label := self.label(button, "yes")):
            yes.label = label
            yes.refresh(layout=True)

    @on(Button.Pressed)
    def action_yes(self) -> None:
        if self.query_one(Secret).covered:
            self.run_worker(self.app.guarded(self._show_again()), group="uncover")
            return
        self._leave()

    def _leave(self) -> None:
        self.query_one(Secret).wipe()
        self._mnemonic = ""
        self.dismiss(True)

    async def _show_again(self) -> None:
        """The words again, for who knows the account's password."""
        if await self.app.push_screen_wait(_ask_password(self.app, self._account)):
            self.query_one(Secret).cover(False)
            self._say("")

    def action_back(self) -> None:
        if self.query_one(Secret).covered:
            self.run_worker(self.app.guarded(self._give_up()), group="uncover")
        else:
            self._say("They are not shown again: write them down first.")

    async def _give_up(self) -> None:
        """Without the password no key shows the words; the way out must not depend on it."""
        text = "They are never shown again. On the next page you are asked for three of them."
        if await self.app.push_screen_wait(Ask("Go on without the words?", text, yes="Go on", danger=True)):
            self._leave()


def _in_columns(words: list[str]) -> str:
    """Numbered words, down the columns, three of them."""
    height = -(-len(words) // 3)
    lines = []
    for row in range(height):
        cells = [f"{index + 1:2d} {words[index]:<10}" for index in range(row, len(words), height)]
        lines.append("   ".join(cells).rstrip())
    return "\n".join(lines)


def _ask_password(app: "DecentralMLApp", name: str) -> Form[bool]:
    """A form that answers whether the password of the account was typed."""
    accounts = app.opened.accounts

    def act(password: str) -> bool:
        accounts.unlock(name, password).lock()
        return True

    return Form(
        f"Password of {clean(name)}",
        (Field("password", "Password", secret=True),),
        act,
        text="Its words are shown again to whoever knows it.\n",
        doing="checking the password…",
        yes="Show",
    )


def words_check(name: str, mnemonic: str) -> Form[bool]:
    """A form that asks for words at random places of ``mnemonic``."""
    words = mnemonic.split()
    places = sorted(secrets.SystemRandom().sample(range(len(words)), _ASKED))
    fields = [Field(f"word-{place + 1}", f"Word {place + 1}", secret=True) for place in places]

    def check(**given: str) -> bool:
        for place in places:
            if given[f"word-{place + 1}"].strip().lower() != words[place]:
                raise Refused(
                    "WrongWord", f"Word {place + 1} is another one.", "Look at what you wrote down."
                )
        return True

    return Form(
        f"The words of {clean(name)}", fields, check, text="Type them from your paper.\n", yes="Check"
    )
