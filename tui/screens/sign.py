"""Before a signature: what is called, by whom, with what effect. It is sent on a clear yes alone."""

from typing import TYPE_CHECKING

from rich.table import Table
from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Button, Static

from decentralml.core.chain.base import Receipt
from decentralml.core.errors import DecentralMLError, Interrupted
from decentralml.tui import background
from decentralml.tui.guarded import ours
from decentralml.tui.hints import explain
from decentralml.tui.screens.signing import Signing
from decentralml.tui.signing import money
from decentralml.tui.signing.card import Card
from decentralml.tui.signing.proposal import Proposal
from decentralml.tui.signing.receipt import words
from decentralml.tui.transfers import Handle
from decentralml.tui.widgets.buttons import Buttons
from decentralml.tui.words import transfer

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp

_PROGRESS_SECONDS = 0.5


class Sign(Signing[Receipt]):
    """Shows a proposal, and on a clear yes signs and sends it.

    Dismissed with the receipt, or with None where the person said no. A refusal is shown in place.
    """

    def __init__(self, proposal: Proposal) -> None:
        super().__init__(proposal.title)
        self._proposal = proposal
        self._sending = False
        self._asked_again = not proposal.again
        self._noted: Handle | None = None

    def body(self) -> ComposeResult:
        with VerticalScroll(id="text", can_focus=False):
            yield Static(self._card(), id="card")
        yield from self.question()
        with Buttons():
            yield Button(id="yes", variant="primary", compact=True)
            yield Button(self.label("Cancel", "back"), id="no", compact=True)

    @property
    def needs_key(self) -> bool:
        return self._proposal.signed and self.app.opened.signer is None

    def warnings(self) -> list[str]:
        return list(self._proposal.warnings)

    def _card(self) -> Table:
        proposal, session = self._proposal, self.app.opened
        account = session.account
        card = Card(self.app.size)
        row = card.row
        # What is to be seen first: on a small screen the rest is below the fold.
        balance = self.app.pulse.balance if self.app.pulse else None
        card.lead("effect", proposal.effect, money.rows([proposal], balance))
        row("call", proposal.call, "bold")
        for name, value in proposal.arguments:
            if name:
                row(name, value)
        signer = (
            f"{account.name}  {account.address}" if proposal.signed and account else "the ledger's faucet"
        )
        row("signed by", signer)
        row("on", f"{session.chain.name}  {session.chain.genesis[:16]}")
        # What has no name of its own, as the files that go out, must not push the effect out of sight.
        listed = [value for name, value in proposal.arguments if not name]
        if listed:
            card.gap()
        for place, value in enumerate(listed):
            row("" if place else "files", value)
        return card.table

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "yes":
            self.action_yes()
        else:
            self.action_back()

    def action_back(self) -> None:
        """Leave; while files are on their way, stop them first: nothing was signed yet."""
        if not self._sending:
            self.decline()
        elif self._proposal.transfer.moving:
            self._proposal.transfer.cancel()
            self.say("stopping the transfer…")

    def action_yes(self) -> None:
        if self._sending:
            return
        if not self._asked_again:
            self._asked_again = True
            self.yes = "Yes, all the same"
            self.ask(password=False)
            self.say(self._proposal.again)
            self.query_one("#no", Button).focus()
            return
        if not self.may_sign():
            return
        self._sending = True
        self.say("signing…")
        self.run_worker(self._unlock_and_send())

    async def _unlock_and_send(self) -> None:
        timer = self.set_interval(_PROGRESS_SECONDS, self._show_progress)
        try:
            await self.unlock()
            receipt = await self._sent()
        except Exception as error:
            self._failed(ours(error))
        else:
            self._transfer_ended(None)
            self.dismiss(receipt)
        finally:
            timer.stop()

    async def _sent(self) -> Receipt:
        """What fails here is kept for Activity too, from where it is tried again by this card."""
        self._proposal.transfer.begin()
        try:
            with self.app.failures.during(self._proposal.doing, self._again):
                return await background.call(self._proposal.send)
        except Exception as error:
            found = ours(error)
            if not isinstance(found, Interrupted):
                self.app.note(found)
            raise found from error.__cause__

    def _failed(self, error: DecentralMLError) -> None:
        self._sending = False
        self._transfer_ended(error)
        self.say(explain(error))

    @property
    def _files(self) -> str:
        """What Activity calls the files that go up or come down for it."""
        return f"files, to {self._proposal.doing}"

    def _show_progress(self) -> None:
        progress = self._proposal.transfer.progress
        if progress is not None:
            if self._noted is None:
                self._noted = self.app.transfers.start(
                    self._files, self._proposal.transfer, again=self._again
                )
            self.say(transfer(progress) if progress.done < progress.total else "signing…")

    def _transfer_ended(self, error: DecentralMLError | None) -> None:
        """What took long enough to be noted stands in Activity, however it ended."""
        if self._noted is not None:
            self._noted.end(error)
            self._noted = None
        elif error is None:
            self.app.transfers.settled(self._files)

    def _again(self) -> None:
        """The card of the same call, as the rules see it by then; what is there does not go up twice."""
        app, proposal = self.app, self._proposal

        async def ask() -> None:
            await sign(app, await background.call(proposal.rebuild) if proposal.rebuild else proposal)

        app.run_worker(app.guarded(ask()))


async def sign(app: "DecentralMLApp", proposal: Proposal) -> Receipt | None:
    """Show ``proposal``, sign and send it on a yes, and say what it did; the receipt, or None."""
    if proposal.signed:
        await background.call(app.opened.unlock_remembered)
    names = await background.call(app.opened.names)
    receipt = await app.push_screen_wait(Sign(proposal))
    if receipt is not None:
        app.say(words(receipt, names, app.opened.address))
        await app.refresh_pulse()
    return receipt
