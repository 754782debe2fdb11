"""The Validate screen's way to decide: shown, then signed or kept as a draft; drafts signed together."""

from functools import partial

from textual import on
from textual.widgets import Button

from decentralml.core.amount import format_amount
from decentralml.core.drafts import Draft, Word
from decentralml.core.errors import DecentralMLError, Misused, Refused
from decentralml.core.validation import opinion
from decentralml.tui.judging import decisions
from decentralml.tui.judging.desk import Desk, Look
from decentralml.tui.screens.dialog import Ask
from decentralml.tui.screens.evaluating import Evaluating
from decentralml.tui.screens.reason import AskReason
from decentralml.tui.screens.sign_all import SignAll

WORDS = {Word.accept: "accept", Word.reject: "reject", Word.changes: "ask changes"}
_WORDS = {"accept": Word.accept, "reject": Word.reject, "request_changes": Word.changes}
BUTTONS = {"accept": Word.accept, "reject": Word.reject, "changes": Word.changes}


class Deciding(Evaluating):
    """Accept, reject, ask for changes: never on one key press."""

    def __init__(self) -> None:
        super().__init__()
        # The results on which a decision was drafted, whether or not the filter shows them.
        self.drafted: set[int] = set()

    @property
    def desk(self) -> Desk:
        """The reader of this session."""
        raise NotImplementedError

    def why_not(self, action: str) -> DecentralMLError | None:
        look, word = self.look, _WORDS.get(action)
        if word is not None and (look is None or look.submission.digest is None):
            return Refused("NothingDelivered", "There is no result under the cursor.", "j and k choose one.")
        if word is not None and look is not None:
            return look.refusals[decisions.CALLS[word]]
        if action == "sign_drafts" and not self._drafts_to_sign:
            return Misused("NoDrafts", "There is no draft to sign.", "a, R and c make one of a result.")
        if action == "take_back" and (look is None or look.draft is None):
            return Misused("NoDraft", "This result has no draft.", "Rows with one say so.")
        return super().why_not(action)

    @property
    def _drafts_to_sign(self) -> set[int]:
        """Those that are marked, where any result is."""
        return self.drafted & self.table.marked if self.table.marked else self.drafted

    # Deciding

    def action_accept(self) -> None:
        self.work(self._decide(Word.accept))

    def action_reject(self) -> None:
        self.work(self._decide(Word.reject))

    def action_request_changes(self) -> None:
        self.work(self._decide(Word.changes))

    @on(Button.Pressed)
    def button_pressed(self, event: Button.Pressed) -> None:
        self.work(self._decide(BUTTONS[str(event.button.id)]))

    async def _decide(self, word: Word) -> None:
        """Show what the decision would sign; sign it, keep it as a draft, or neither."""
        look = self.look
        if look is None or look.submission.digest is None:
            raise Refused("NothingDelivered", "There is no result under the cursor.", "j and k choose one.")
        refused = look.refusals[decisions.CALLS[word]]
        if refused is not None:
            raise refused
        if word is Word.accept and look.report is None and not await self._unseen(look):
            return
        reason = ""
        if word is not Word.accept:
            answer = await self.app.push_screen_wait(self._ask_reason(look, word))
            if answer is None:
                return
            reason = answer
        draft = Draft(
            submission_id=look.submission.id, digest=look.submission.digest, word=word, reason=reason
        )
        plan = await self.call(decisions.plan, self.session, draft)
        if plan.problem is not None:
            raise plan.problem
        await self._sign([plan], opinion=self._opinion(look), may_keep=True)

    async def _unseen(self, look: Look) -> bool:
        """Whether the person pays for what nobody has measured."""
        pays = format_amount(look.task.terms.pays_amount)
        text = (
            f"Nothing was measured of result #{look.submission.id}, which its worker sent unwatched.\n\n"
            f"Accepting pays {pays} for it, and cannot be taken back. v evaluates it first."
        )
        ask = Ask("Pay unseen?", text, yes="Pay unseen", danger=True)
        return await self.app.push_screen_wait(ask) is True

    def _ask_reason(self, look: Look, word: Word) -> AskReason:
        before = look.draft.reason if look.draft and look.draft.word is word else ""
        verdict = look.report.verdict if look.report else None
        said = verdict.reason if verdict else ""
        if word is Word.reject:
            return AskReason(f"Reject #{look.submission.id}", "Why? The worker reads it.", before or said)
        return AskReason(f"Ask changes of #{look.submission.id}", "What should change?", before)

    def _opinion(self, look: Look) -> str:
        if look.report is None:
            return "this result was not evaluated here"
        verdict = look.report.verdict
        return f"{verdict.decision.value}: {verdict.reason}" if verdict else opinion(look.report)

    async def _sign(self, plans: list[decisions.Plan], *, opinion: str = "", may_keep: bool = False) -> None:
        await self.call(self.session.unlock_remembered)
        signed = await self.app.push_screen_wait(SignAll(plans, opinion=opinion, may_keep=may_keep))
        if signed is None:
            return
        if signed.keep:
            await self.call(self.desk.keep, plans[0].draft)
            self.app.say("Kept as a draft. D signs all drafts, B takes this one back.")
        for number in signed.decided:
            await self.call(self.desk.take_back, number)
        for number, error in signed.failures:
            draft = next(plan.draft for plan in plans if plan.draft.submission_id == number)
            again = partial(self._sign_again, draft)
            self.app.note(error, f"signing: {WORDS[draft.word]} result {number}", again)
        if signed.receipts:
            calls, results = len(signed.receipts), len(signed.decided)
            self.app.say(
                f"{calls} call{'s' * (calls != 1)} signed, {results} result{'s' * (results != 1)} decided."
            )
            await self.app.refresh_pulse()
        await self.read()

    def _sign_again(self, draft: Draft) -> None:
        """Show the card of a decision that failed, as the rules see it now."""
        self.app.switch_to(self.SCOPE)
        self.work(self._replan(draft))

    async def _replan(self, draft: Draft) -> None:
        plan = await self.call(decisions.plan, self.session, draft)
        if plan.problem is not None:
            raise plan.problem
        await self._sign([plan], may_keep=True)

    def action_sign_drafts(self) -> None:
        self.work(self._sign_drafts())

    async def _sign_drafts(self) -> None:
        wanted = self._drafts_to_sign
        drafts = [d for d in await self.call(self.desk.my_drafts) if d.submission_id in wanted]
        await self._sign(await self.call(self.desk.plans, drafts))

    def action_take_back(self) -> None:
        self.work(self._take_back())

    async def _take_back(self) -> None:
        row = self.table.row
        gone = await self.call(self.desk.take_back, row.key) if row else None
        if gone is None:
            raise Misused("NoDraft", "This result has no draft.", "Rows with one say so.")
        self.app.say(f"The draft to {WORDS[gone.word]} #{gone.submission_id} is taken back.")
        await self.read()
