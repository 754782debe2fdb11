"""Several decisions under one signature's question: every call shown, one password, a receipt for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Button, Static

from decentralml.core.chain.base import Receipt
from decentralml.core.drafts import Word
from decentralml.core.errors import DecentralMLError, Refused
from decentralml.core.text import clean
from decentralml.core.words import count
from decentralml.tui import background, keys
from decentralml.tui.guarded import ours
from decentralml.tui.hints import explain
from decentralml.tui.judging.decisions import Plan
from decentralml.tui.screens.signing import Signing
from decentralml.tui.signing import money
from decentralml.tui.signing.card import Card
from decentralml.tui.signing.receipt import words
from decentralml.tui.widgets.buttons import Buttons

_VERBS = {Word.accept: "accept", Word.reject: "reject", Word.changes: "ask changes of"}


@dataclass
class Signed:
    """Submissions decided, receipts in order, failures by submission; or ``keep``: as a draft."""

    decided: list[int] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    failures: list[tuple[int, DecentralMLError]] = field(default_factory=list)
    keep: bool = False


class SignAll(Signing[Signed]):
    """Shows what the plans would call, and sends on a clear yes. What fails is named; the rest goes on.

    ``opinion`` is what the reports say. With ``may_keep`` the decision can be kept as a draft instead.
    """

    def __init__(self, plans: Sequence[Plan], *, opinion: str = "", may_keep: bool = False) -> None:
        self._plans = [plan for plan in plans if plan.calls]
        one = self._plans[0].calls[-1].title if len(self._plans) == 1 else ""
        super().__init__(one or f"Sign {count(len(self._plans), 'decision')}")
        self._blocked = [plan for plan in plans if not plan.calls]
        self._opinion = opinion
        self._may_keep = may_keep
        self._sending = False
        self._signed: Signed | None = None

    def body(self) -> ComposeResult:
        with VerticalScroll(id="text", can_focus=False):
            yield Static(self._card(), id="card")
        yield from self.question()
        with Buttons():
            yield Button(id="yes", variant="primary", compact=True, disabled=not self._plans)
            if self._may_keep:
                yield Button(id="keep", compact=True)
            yield Button(self.label("Cancel", "back"), id="no", compact=True)

    @property
    def needs_key(self) -> bool:
        return bool(self._plans) and self._signed is None and self.app.opened.signer is None

    def name_buttons(self, *, password: bool) -> None:
        super().name_buttons(password=password)
        self.name_button("keep", "Keep as draft" if password else self.label("Keep as draft", "keep_draft"))

    # What is shown

    def opinions(self) -> list[str]:
        return [self._opinion] if self._opinion else []

    def warnings(self) -> list[str]:
        return [text for plan in self._plans for call in plan.calls for text in call.warnings]

    def _card(self) -> Table:
        session = self.app.opened
        account = session.account
        card = Card(self.app.size)
        row = card.row
        calls = [proposal for plan in self._plans for proposal in plan.calls]
        balance = self.app.pulse.balance if self.app.pulse else None
        sums = money.rows(calls, balance) if calls else []
        card.lead("to sign", _decisions(self._plans) or "nothing", sums)
        for plan in self._blocked:
            row("left out", f"{_VERBS[plan.draft.word]} submission {plan.draft.submission_id}", "bold")
            row("", str(plan.problem))
        if calls:
            row("calls", ", ".join(call.call for call in calls))
            row("signed by", f"{account.name}  {account.address}" if account else "nobody")
            row("on", f"{session.chain.name}  {session.chain.genesis[:16]}")
        number = 0
        for plan in self._plans:
            if plan is not self._plans[0]:
                card.gap()
            row(_VERBS[plan.draft.word], f"submission {plan.draft.submission_id}", "bold")
            if plan.draft.reason:
                row("reason", plan.draft.reason)
            row("effect", plan.calls[-1].effect)
            for call in plan.calls:
                number += 1
                row(f"call {number} of {len(calls)}", call.call, "bold")
                if call is not plan.calls[-1]:
                    row("effect", call.effect)
                for name, value in call.arguments:
                    row(name, value)
        return card.table

    # What is pressed

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "yes":
            self.action_yes()
        elif event.button.id == "keep":
            self.action_keep_draft()
        else:
            self.action_back()

    def why_not(self, action: str) -> Refused | None:
        if action == "keep_draft" and self._signed is not None:
            return Refused("Signed", "It is signed already.", "")
        if action == "keep_draft" and not self._may_keep:
            return Refused(
                "Drafts", "These are drafts already.", keys.said("{back} leaves them as they are.")
            )
        return None

    def action_keep_draft(self) -> None:
        if not self._sending:
            self.leave(Signed(keep=True))

    def action_back(self) -> None:
        if self._signed is not None:
            self.leave(self._signed)
        elif not self._sending:
            self.decline()

    def action_yes(self) -> None:
        if self._signed is not None:
            self.action_back()
            return
        if self._sending or not self._plans or not self.may_sign():
            return
        self._sending = True
        self.say("signing…")
        self.run_worker(self.app.guarded(self._unlock_and_send()))

    # What is sent

    async def _unlock_and_send(self) -> None:
        try:
            names = await background.call(self.app.opened.names)
            await self.unlock()
        except DecentralMLError as error:
            self._sending = False
            self.say(explain(error))
            return
        signed = Signed()
        for plan in self._plans:
            await self._send(plan, signed)
        self._signed = signed
        self._sending = False
        self._show_outcome(signed, names)

    async def _send(self, plan: Plan, signed: Signed) -> None:
        """The calls of one decision, as far as they go."""
        number = plan.draft.submission_id
        for proposal in plan.calls:
            self.say(f"{proposal.title}…")
            try:
                signed.receipts.append(await background.call(proposal.send))
            except Exception as error:
                signed.failures.append((number, ours(error)))
                return
        signed.decided.append(number)

    def _show_outcome(self, signed: Signed, names: Mapping[str, str]) -> None:
        """The receipts, and what failed, in the place of the question."""
        me, verbs = (
            self.app.opened.address,
            {p.draft.submission_id: _VERBS[p.draft.word] for p in self._plans},
        )
        said = [Text(clean(words(receipt, names, me))) for receipt in signed.receipts]
        for number, error in signed.failures:
            what = (f"{verbs[number]} submission {number}", "bold")
            said.append(Text.assemble("\n" if said else "", what, f"\n{clean(explain(error))}"))
        self.query_one("#card", Static).update(Text("\n").join(said))
        self.query_one("#text").scroll_home(animate=False)
        failed = len(signed.failures)
        again = keys.said("{retry} in {activity} shows the card again, and drafts stay.")
        self.say(f"{failed} of {len(self._plans)} not decided: {again}" if failed else "")
        self.query_one("#dialog").border_title = "Signed" if signed.receipts else "Nothing was signed"
        for button in self.query("#keep"):
            button.display = False
        self.query_one("#yes").display = self.query_one("#care").display = False
        close = self.query_one("#no", Button)
        close.label = self.label("Close", "back")
        close.focus()


def _decisions(plans: Sequence[Plan]) -> str:
    """``accept #1, #4; reject #2``."""
    numbers: dict[str, list[str]] = {}
    for plan in plans:
        numbers.setdefault(_VERBS[plan.draft.word], []).append(f"#{plan.draft.submission_id}")
    return "; ".join(f"{verb} {', '.join(these)}" for verb, these in numbers.items())
