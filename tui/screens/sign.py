"""Before a signature: what is called, by whom, with what effect; after it: the receipt."""

from collections.abc import Callable
from dataclasses import dataclass, field

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Input, Label, Static

from decentralml.core.amount import format_amount
from decentralml.core.chain.base import Receipt
from decentralml.core.errors import DecentralMLError
from decentralml.core.text import visible
from decentralml.tui import background
from decentralml.tui.screens.dialog import Dialog


@dataclass(frozen=True)
class Proposal:
    """What is about to be signed. ``send`` blocks, and signs and submits; amounts are planck.

    ``free`` and ``held`` are what the call changes of the signer's balance; ``effect`` says it in words.
    """

    call: str
    arguments: list[tuple[str, str]]
    effect: str
    send: Callable[[], Receipt]
    free: int = 0
    held: int = 0
    fee: int = 0
    warnings: list[str] = field(default_factory=list)


class Sign(Dialog[Receipt]):
    """Shows a proposal, asks for the password where the account is locked, and sends on a clear yes.

    Dismissed with the receipt, or with None where the person said no. A refusal is shown in place.
    """

    def __init__(self, proposal: Proposal) -> None:
        super().__init__(f"Sign {proposal.call}")
        self._proposal = proposal
        self._sending = False

    def body(self) -> ComposeResult:
        with VerticalScroll(id="text"):
            yield Static(self._card(), id="card")
        if self.app.session.signer is None:
            yield Label("Password", id="label")
            yield Input(password=True, id="password", placeholder="unlocks the account for this session")
        yield Static("", id="problem")
        with Horizontal(id="buttons"):
            yield Button("Sign and send", id="yes", variant="primary")
            yield Button("Cancel  esc", id="no")

    def on_mount(self) -> None:
        (self.query("#password") or self.query("#no")).first().focus()

    def _card(self) -> Text:
        proposal, session = self._proposal, self.app.session
        account = session.account
        card = Text()

        def row(label: str, value: str, style: str = "") -> None:
            card.append(f"{label:<14}", "dim")
            card.append(f"{visible(value)}\n", style)

        row("call", f"DecentralMLModule.{proposal.call}", "bold")
        for name, value in proposal.arguments:
            row(name, value)
        row("signed by", f"{account.name}  {account.address}" if account else "nobody")
        row("on", f"{session.chain.name}  genesis {session.chain.genesis[:16]}…")
        row("fee", format_amount(proposal.fee))
        card.append("\n")
        row("effect", proposal.effect)
        balance = self.app.pulse.balance if self.app.pulse else None
        if balance is not None:
            row("free", _change(balance.free, proposal.free - proposal.fee))
            row("held", _change(balance.held, proposal.held))
        for warning in proposal.warnings:
            card.append(f"\n{visible(warning)}", "bold")
        return card

    @on(Input.Submitted, "#password")
    def password_given(self) -> None:
        self._send()

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "yes":
            self._send()
        elif not self._sending:
            self.dismiss(None)

    def action_dismiss_none(self) -> None:
        if not self._sending:
            self.dismiss(None)

    def _send(self) -> None:
        if self._sending:
            return
        self._sending = True
        self.query_one("#problem", Static).update("signing…")
        self.run_worker(self._unlock_and_send())

    async def _unlock_and_send(self) -> None:
        try:
            if self.app.session.signer is None:
                field = self.query_one("#password", Input)
                password, field.value = field.value, ""
                await background.call(self.app.session.unlock, password)
            receipt = await background.call(self._proposal.send)
        except DecentralMLError as error:
            self._sending = False
            self.query_one("#problem", Static).update(Text(f"{error.message} {error.hint}".strip()))
            return
        self.dismiss(receipt)


def _change(before: int, by: int) -> str:
    if not by:
        return f"{format_amount(before)} (unchanged)"
    sign = "+" if by > 0 else "-"
    return f"{format_amount(before)} {sign} {format_amount(abs(by))} = {format_amount(before + by)}"
