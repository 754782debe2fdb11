"""The first start: become somebody, or look at a market that is alive."""

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from decentralml.core.amount import UNIT
from decentralml.core.errors import DecentralMLError
from decentralml.core.wallet.accounts import Account
from decentralml.tui import keys
from decentralml.tui.account import facts as account_facts
from decentralml.tui.pulse import Pulse
from decentralml.tui.screens import account_dialogs
from decentralml.tui.screens.base import MarketScreen
from decentralml.tui.signing import proposals

_GRANT = 100 * UNIT
_WELCOME = (
    "People publish tasks: train this model on your data, better that model, label these scans. Others do "
    "them for money that a chain holds until the result is judged. Only models travel; data stays put."
)
_CHOICES = (
    ("new", "Create an account", "A key of your own on this machine, and 12 words to get it back with."),
    ("import", "Import an account", "From words, a seed, or a polkadot-js file that you have already."),
    ("demo", "Try the demo market", "A living market to look around in: others work, nothing is kept."),
)


class FirstStart(MarketScreen):
    """Three ways in; then straight to the tasks."""

    SCOPE = "first_start"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (24, "-tall")]  # noqa: RUF012

    _becoming = False

    def body(self) -> ComposeResult:
        with VerticalScroll(id="welcome", can_focus=False):
            yield Static("Sell your training time, or buy other people's.", id="claim")
            yield Static(_WELCOME, id="about")
            yield OptionList(*(_option(*choice) for choice in _CHOICES), id="choices")
            yield Static(
                keys.said(
                    "{back}: look around as nobody, {who} comes back here.  {help} says what every key does."
                ),
                id="later",
            )

    def on_mount(self) -> None:
        self.choices.focus()

    def moved(self, pulse: Pulse, *, events: bool) -> None:
        """Who is somebody meanwhile, an account that a command made, needs none of these choices."""
        super().moved(pulse, events=events)
        if pulse.address is not None and self.is_current and not self._becoming:
            self.dismiss()

    @property
    def choices(self) -> OptionList:
        return self.query_one(OptionList)

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        if event.option.id == "demo":
            self.app.leave_for_demo()
        elif event.option.id == "import":
            self.action_import()
        else:
            self.action_new()

    def action_new(self) -> None:
        self.work(self._become(account_dialogs.create), group="who")

    def action_import(self) -> None:
        self.work(self._become(account_dialogs.import_), group="who")

    async def _become(self, flow: account_dialogs.Flow) -> None:
        account = await flow(self.app)
        if account is None:
            return
        self._becoming = True  # what comes yet is asked over this page
        await self.app.identity.be(account)
        await self._offer_money(account)
        self.dismiss()

    async def _offer_money(self, account: Account) -> None:
        """On a ledger whose faucet is open to this account: the first units, if it has none."""
        balance = await self.call(self.session.chain.balance, account.address)
        if balance.free or account_facts.no_faucet(self.session) is not None:
            return
        await self.propose(proposals.fund, account.address, _GRANT)

    def why_not(self, action: str) -> DecentralMLError | None:
        return None if action == "open" else super().why_not(action)  # a choice is always under the cursor

    # Moving

    def action_down(self) -> None:
        self.choices.action_cursor_down()

    def action_up(self) -> None:
        self.choices.action_cursor_up()

    def action_top(self) -> None:
        self.choices.action_first()

    def action_bottom(self) -> None:
        self.choices.action_last()

    def action_page_down(self) -> None:
        self.choices.action_last()

    def action_page_up(self) -> None:
        self.choices.action_first()

    def action_open(self) -> None:
        self.choices.action_select()

    def action_back(self) -> None:
        """To the market as nobody: it can be read without an account."""
        self.dismiss()
        self.app.say(keys.said("The market can be read without an account. {who} comes back to this page."))


def _option(name: str, title: str, sentence: str) -> Option:
    return Option(Text.assemble((title, "bold"), f"\n{sentence}\n"), id=name)
