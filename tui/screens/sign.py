"""Before a signature: what is called, by whom, with what effect. It is sent on a clear yes alone."""

from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Input, Label, Static

from decentralml.core.chain.base import Receipt
from decentralml.core.errors import DecentralMLError, Interrupted
from decentralml.core.text import visible
from decentralml.tui import background
from decentralml.tui.guarded import ours
from decentralml.tui.screens.dialog import Dialog
from decentralml.tui.signing import money
from decentralml.tui.signing.proposal import Proposal
from decentralml.tui.signing.receipt import words
from decentralml.tui.transfers import Handle
from decentralml.tui.words import transfer

__all__ = ["Proposal", "Sign"]

_PROGRESS_SECONDS = 0.5


class Sign(Dialog[Receipt]):
    """Shows a proposal, asks for the password where the account is locked, and sends on a clear yes.

    Dismissed with the receipt, or with None where the person said no. A refusal is shown in place.
    """

    BINDINGS = [  # noqa: RUF012 - while a password is typed, y is a letter
        Binding("y", "yes", "sign", show=False),
        Binding("pagedown,ctrl+d", "scroll(10)", show=False),
        Binding("pageup,ctrl+u", "scroll(-10)", show=False),
    ]
    TAKES_TYPED_AHEAD = False

    def __init__(self, proposal: Proposal) -> None:
        super().__init__(f"Sign {proposal.call}" if proposal.signed else proposal.call)
        self._proposal = proposal
        self._sending = False
        self._asked_again = not proposal.again
        self._noted: Handle | None = None

    def body(self) -> ComposeResult:
        with VerticalScroll(id="text", can_focus=False):
            yield Static(self._card(), id="card")
        yield Label("Password of this account, for this session", id="label")
        yield Input(password=True, id="password", compact=True)
        yield Static("", id="problem")
        with Horizontal(id="buttons"):
            yield Button("Sign and send  y", id="yes", variant="primary", compact=True)
            yield Button("Cancel  esc", id="no", compact=True)

    def on_mount(self) -> None:
        self._ask_password()
        if not self._locked:
            self.query_one("#no", Button).focus()

    @property
    def _locked(self) -> bool:
        return self._proposal.signed and self.app.session.signer is None

    def _ask_password(self) -> None:
        for part in ("#label", "#password"):
            self.query_one(part).display = self._locked
        self.set_class(not self._locked, "-unlocked")
        if self._locked:
            self.query_one("#password", Input).focus()

    def _card(self) -> Table:
        proposal, session = self._proposal, self.app.session
        account = session.account
        card = Table.grid(padding=(0, 2, 0, 0))
        card.add_column(style="dim", no_wrap=True)
        card.add_column(ratio=1, overflow="fold")

        def row(label: str, value: str, style: str = "") -> None:
            card.add_row(label, Text(visible(value), style))

        row("call", proposal.call, "bold")
        for name, value in proposal.arguments:
            if name:
                row(name, value)
        signer = (
            f"{account.name}  {account.address}" if proposal.signed and account else "the ledger's faucet"
        )
        row("signed by", signer)
        row("on", f"{session.chain.name}  {session.chain.genesis[:16]}")
        row("effect", proposal.effect)
        for label, text in money.rows([proposal], self.app.pulse.balance if self.app.pulse else None):
            row(label, text)
        for warning in proposal.warnings:
            row("take care", warning, "bold")
        # What has no name of its own, as the files that go out, must not push the effect out of sight.
        listed = [value for name, value in proposal.arguments if not name]
        if listed:
            card.add_row("", "")
            row("files", "\n".join(listed))
        return card

    @on(Input.Submitted, "#password")
    def password_given(self) -> None:
        self._send()

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "yes":
            self._send()
        else:
            self.action_dismiss_none()

    def action_yes(self) -> None:
        self._send()

    def action_scroll(self, by: int) -> None:
        self.query_one("#text").scroll_relative(y=by, animate=False)

    def action_dismiss_none(self) -> None:
        """Leave; while files are on their way, stop them first: nothing was signed yet."""
        if not self._sending:
            self.query_one("#password", Input).value = ""
            self.dismiss(None)
        elif self._proposal.transfer.moving:
            self._proposal.transfer.cancel()
            self._say("stopping the transfer…")

    def _say(self, text: str) -> None:
        self.query_one("#problem", Static).update(Text(visible(text)))

    def _send(self) -> None:
        password = self.query_one("#password", Input)
        if self._sending:
            return
        if self._locked and not password.value:
            self._ask_password()
            self._say("The account is locked: type its password.")
            return
        if not self._asked_again:
            self._asked_again = True
            self._say(self._proposal.again)
            yes = self.query_one("#yes", Button)
            yes.label = "Yes, all the same  y"
            yes.refresh(layout=True)
            self.query_one("#no", Button).focus()
            return
        self._sending = True
        self._say("signing…")
        self.run_worker(self._unlock_and_send())

    async def _unlock_and_send(self) -> None:
        timer = self.set_interval(_PROGRESS_SECONDS, self._show_progress)
        try:
            if self._locked:
                await self._unlock()
            receipt = await self._sent()
        except Exception as error:
            self._failed(ours(error))
        else:
            self._transfer_ended(None)
            self.dismiss(receipt)
        finally:
            timer.stop()

    async def _unlock(self) -> None:
        field = self.query_one("#password", Input)
        password, field.value = field.value, ""
        await background.call(self.app.session.unlock, password)
        self._ask_password()

    async def _sent(self) -> Receipt:
        """What fails here is kept for Activity too, from where it is tried again by this card."""
        self._proposal.transfer.begin()
        try:
            return await background.call(self._proposal.send)
        except Exception as error:
            found = ours(error)
            if not isinstance(found, Interrupted):
                self.app.note(found, f"signing {self._proposal.call}", self._again)
            raise found from error.__cause__

    def _failed(self, error: DecentralMLError) -> None:
        self._sending = False
        self._transfer_ended(error)
        self._say(str(error))
        self._ask_password()

    def _show_progress(self) -> None:
        progress = self._proposal.transfer.progress
        if progress is not None:
            if self._noted is None:
                name = f"files of {self._proposal.call}"
                self._noted = self.app.transfers.start(name, self._proposal.transfer, again=self._again)
            self._say(transfer(progress) if progress.done < progress.total else "signing…")

    def _transfer_ended(self, error: DecentralMLError | None) -> None:
        """What took long enough to be noted stands in Activity, however it ended."""
        if self._noted is not None:
            self._noted.end(error)
            self._noted = None

    def _again(self) -> None:
        """The card of the same call, as the rules see it by then; what is there does not go up twice."""
        app, proposal = self.app, self._proposal

        async def ask() -> None:
            rebuild = proposal.rebuild
            receipt = await app.push_screen_wait(
                Sign(proposal if rebuild is None else await background.call(rebuild))
            )
            if receipt is not None:
                app.say(words(receipt))
                app.tell(events=True)

        app.run_worker(app.guarded(ask()))
