"""Several decisions under one signature's question: every call shown, one password, a receipt for each."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Input, Label, Static

from decentralml.core.chain.base import Receipt
from decentralml.core.drafts import Word
from decentralml.core.errors import DecentralMLError
from decentralml.core.text import clean, visible
from decentralml.tui import background
from decentralml.tui.guarded import ours
from decentralml.tui.judging.decisions import Plan
from decentralml.tui.screens.dialog import Dialog
from decentralml.tui.signing import money
from decentralml.tui.signing.receipt import words

_VERBS = {Word.accept: "accept", Word.reject: "reject", Word.changes: "ask changes of"}


@dataclass
class Signed:
    """Submissions decided, receipts in order, failures by submission; or ``keep``: as a draft."""

    decided: list[int] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    failures: list[tuple[int, DecentralMLError]] = field(default_factory=list)
    keep: bool = False


class SignAll(Dialog[Signed]):
    """Shows what the plans would call, and sends on a clear yes. What fails is named; the rest goes on.

    ``opinion`` is the policy's word. With ``may_keep`` the decision can be kept as a draft instead.
    """

    BINDINGS = [  # noqa: RUF012 - while a password is typed, these are letters
        Binding("y", "yes", "sign", show=False),
        Binding("d", "keep", "draft", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("pagedown,ctrl+d", "scroll(10)", show=False),
        Binding("pageup,ctrl+u", "scroll(-10)", show=False),
    ]
    TAKES_TYPED_AHEAD = False

    def __init__(self, plans: Sequence[Plan], *, opinion: str = "", may_keep: bool = False) -> None:
        calls = sum(len(plan.calls) for plan in plans)
        super().__init__(f"Sign {calls} call{'s' if calls != 1 else ''}")
        self._plans = [plan for plan in plans if plan.calls]
        self._blocked = [plan for plan in plans if not plan.calls]
        self._opinion = opinion
        self._may_keep = may_keep
        self._sending = False
        self._signed: Signed | None = None

    def body(self) -> ComposeResult:
        with VerticalScroll(id="text", can_focus=False):
            yield Static(self._card(), id="card")
        yield Label("Password of this account, for this session", id="label")
        yield Input(password=True, id="password", compact=True)
        yield Static("", id="problem")
        with Horizontal(id="buttons"):
            yield Button("Sign and send  y", id="yes", variant="primary", compact=True)
            if self._may_keep:
                yield Button("Keep as draft  d", id="keep", compact=True)
            yield Button("Cancel  esc", id="no", compact=True)

    def on_mount(self) -> None:
        self.query_one("#yes", Button).disabled = not self._plans
        self._ask_password()
        if not self._locked:
            self.query_one("#no", Button).focus()

    @property
    def _locked(self) -> bool:
        return bool(self._plans) and self._signed is None and self.app.session.signer is None

    def _ask_password(self) -> None:
        for part in ("#label", "#password"):
            self.query_one(part).display = self._locked
        self.set_class(not self._locked, "-unlocked")
        if self._locked:
            self.query_one("#password", Input).focus()

    # What is shown

    def _card(self) -> Table:
        session = self.app.session
        account = session.account
        card = Table.grid(padding=(0, 2, 0, 0))
        card.add_column(style="dim", no_wrap=True)
        card.add_column(ratio=1, overflow="fold")

        def row(label: str, value: str, style: str = "") -> None:
            card.add_row(label, Text(visible(value), style))

        calls = [proposal for plan in self._plans for proposal in plan.calls]
        row("to sign", _decisions(self._plans) or "nothing", "bold")
        if self._opinion:
            row("policy", self._opinion)
        for plan in self._blocked:
            row("left out", f"{_VERBS[plan.draft.word]} submission {plan.draft.submission_id}", "bold")
            row("", str(plan.problem))
        if calls:
            row("calls", ", ".join(call.call for call in calls))
            for label, text in money.rows(calls, self.app.pulse.balance if self.app.pulse else None):
                row(label, text)
            row("signed by", f"{account.name}  {account.address}" if account else "nobody")
            row("on", f"{session.chain.name}  {session.chain.genesis[:16]}")
        number = 0
        for plan in self._plans:
            if plan is not self._plans[0]:
                card.add_row("", "")
            row(_VERBS[plan.draft.word], f"submission {plan.draft.submission_id}", "bold")
            if plan.draft.reason:
                row("reason", plan.draft.reason)
            row("effect", plan.calls[-1].effect)
            for call in plan.calls:
                number += 1
                row(f"call {number} of {len(calls)}", call.call, "bold")
                if call is not plan.calls[-1]:
                    row("effect", call.effect)
                for warning in call.warnings:
                    row("take care", warning, "bold")
                for name, value in call.arguments:
                    row(name, value)
        return card

    def _say(self, text: str) -> None:
        self.query_one("#problem", Static).update(Text(visible(text)))

    # What is pressed

    @on(Input.Submitted, "#password")
    def password_given(self) -> None:
        self.action_yes()

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "yes":
            self.action_yes()
        elif event.button.id == "keep":
            self.action_keep()
        else:
            self.action_dismiss_none()

    def action_scroll(self, by: int) -> None:
        self.query_one("#text").scroll_relative(y=by, animate=False)

    def action_keep(self) -> None:
        if self._may_keep and not self._sending and self._signed is None:
            self._leave(Signed(keep=True))

    def action_dismiss_none(self) -> None:
        if not self._sending:
            self._leave(self._signed)

    def _leave(self, answer: Signed | None) -> None:
        self.query_one("#password", Input).value = ""
        self.dismiss(answer)

    def action_yes(self) -> None:
        if self._signed is not None:
            self.action_dismiss_none()
            return
        if self._sending or not self._plans:
            return
        if self._locked and not self.query_one("#password", Input).value:
            self._ask_password()
            self._say("The account is locked: type its password.")
            return
        self._sending = True
        self._say("signing…")
        self.run_worker(self.app.guarded(self._unlock_and_send()))

    # What is sent

    async def _unlock_and_send(self) -> None:
        try:
            if self._locked:
                field = self.query_one("#password", Input)
                password, field.value = field.value, ""
                await background.call(self.app.session.unlock, password)
                self._ask_password()
        except DecentralMLError as error:
            self._sending = False
            self._say(str(error))
            self._ask_password()
            return
        signed = Signed()
        for plan in self._plans:
            await self._send(plan, signed)
        self._signed = signed
        self._sending = False
        self._show_outcome(signed)

    async def _send(self, plan: Plan, signed: Signed) -> None:
        """The calls of one decision, as far as they go."""
        number = plan.draft.submission_id
        for proposal in plan.calls:
            self._say(f"submission {number}: {proposal.call}…")
            try:
                signed.receipts.append(await background.call(proposal.send))
            except Exception as error:
                signed.failures.append((number, ours(error)))
                return
        signed.decided.append(number)

    def _show_outcome(self, signed: Signed) -> None:
        """The receipts, and what failed, in the place of the question."""
        text = Text()
        for receipt in signed.receipts:
            text.append(f"{clean(words(receipt))}\n")
        for number, error in signed.failures:
            text.append(f"\nsubmission {number}: {clean(error.code)}\n", "bold")
            text.append(f"{clean(str(error))}\n")
        self.query_one("#card", Static).update(text)
        self.query_one("#text").scroll_home(animate=False)
        failed = len(signed.failures)
        again = "! in 6 Activity shows the card again, and drafts stay."
        self._say(f"{failed} of {len(self._plans)} not decided: {again}" if failed else "")
        self.query_one("#dialog").border_title = "Signed" if signed.receipts else "Nothing was signed"
        for button in self.query("#keep"):
            button.display = False
        self.query_one("#yes").display = False
        close = self.query_one("#no", Button)
        close.label = "Close  esc"
        close.focus()


def _decisions(plans: Sequence[Plan]) -> str:
    """``accept #1, #4; reject #2``."""
    numbers: dict[str, list[str]] = {}
    for plan in plans:
        numbers.setdefault(_VERBS[plan.draft.word], []).append(f"#{plan.draft.submission_id}")
    return "; ".join(f"{verb} {', '.join(these)}" for verb, these in numbers.items())
