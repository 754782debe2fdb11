"""The Validate screen's way to decide: shown, then signed or kept as a draft; drafts signed together."""

from functools import partial

from msgspec.structs import replace
from textual import on
from textual.widgets import Button

from decentralml.core.amount import format_amount
from decentralml.core.drafts import Draft, Word
from decentralml.core.errors import DecentralMLError, Misused, Refused
from decentralml.core.report import Decision, Report
from decentralml.core.validation import opinion
from decentralml.core.words import count
from decentralml.tui import keys
from decentralml.tui.judging import decisions
from decentralml.tui.judging.desk import Desk, Look
from decentralml.tui.judging.words import said
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
        entry, seen, word = self.entry, self._seen, _WORDS.get(action)
        if word is not None and self.marked:
            return super().why_not(action)  # of each of them the card says it
        if word is not None and entry is None:
            return Refused(
                "NothingDelivered",
                "There is no result under the cursor.",
                keys.said("{down} and {up} choose one."),
            )
        if word is not None and seen is not None:
            return seen.refusals[decisions.CALLS[word]]
        if action == "sign_drafts" and not self._drafts_to_sign:
            return Misused(
                "NoDrafts",
                "There is no draft to sign.",
                keys.said("{accept}, {reject} and {request_changes} make one of a result."),
            )
        if action == "take_back" and (entry is None or entry.draft is None):
            return Misused("NoDraft", "This result has no draft.", "Rows with one say so.")
        return super().why_not(action)

    @property
    def _seen(self) -> Look | None:
        """What is shown, where it is of the result under the cursor: that may still be on its way."""
        row, look = self.table.row, self.look
        return look if row is not None and look is not None and look.submission.id == row.key else None

    @property
    def _drafts_to_sign(self) -> set[int]:
        """Those that are marked, where any result is."""
        return self.drafted & self.table.marked if self.table.marked else self.drafted

    @property
    def marked(self) -> list[int]:
        """The results that are marked and listed: a decision is for all of them, where there are any."""
        return [number for number in self.entries if number in self.table.marked]

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
        looks = await self._looks()
        drafts = [
            Draft(submission_id=look.submission.id, digest=look.submission.digest, word=word)
            for look in looks
            if look.submission.digest is not None
        ]
        if not drafts:
            raise Refused(
                "NothingDelivered",
                "There is no result under the cursor.",
                keys.said("{down} and {up} choose one."),
            )
        refused = [look.refusals[decisions.CALLS[word]] for look in looks]
        able = [look for look, problem in zip(looks, refused, strict=True) if problem is None]
        if not able:
            raise next(problem for problem in refused if problem is not None)
        if word is Word.accept:
            unseen = [look for look in able if look.report is None]
            if unseen and not await self._unseen(unseen):
                return
        else:
            reason = await self.app.push_screen_wait(self._ask_reason(able, word))
            if reason is None:
                return
            drafts = [replace(draft, reason=reason) for draft in drafts]
        plans = await self.call(self.desk.plans, drafts)
        if not any(plan.calls for plan in plans):
            raise next(plan.problem for plan in plans if plan.problem is not None)
        await self._sign(plans, able, may_keep=True)

    async def _looks(self) -> list[Look]:
        """What a decision is for, as it is seen; of what is not, as it is read now."""
        row, seen = self.table.row, self._seen
        if seen is not None and not self.marked:
            return [seen]
        numbers = self.marked or ([row.key] if row is not None else [])
        return [await self.call(self.desk.look, number) for number in numbers]

    async def _unseen(self, looks: list[Look]) -> bool:
        """Whether the person pays for what nobody has measured."""
        pays = format_amount(sum(look.task.terms.pays_amount for look in looks))
        several = len(looks) > 1
        text = (
            f"Nothing was measured of result{'s' * several} {_named(looks)}, which "
            f"{'their workers' if several else 'its worker'} sent unwatched.\n\n"
            f"Accepting pays {pays} for {'them' if several else 'it'}, and cannot be taken back. "
            f"{keys.said('{evaluate_all} evaluates them' if several else '{evaluate} evaluates it')} first."
        )
        ask = Ask("Pay unseen?", text, yes="Pay unseen", danger=True)
        return await self.app.push_screen_wait(ask) is True

    def _ask_reason(self, looks: list[Look], word: Word) -> AskReason:
        """Of one result with what was drafted, or what its report says against it."""
        against = ""
        if len(looks) == 1:
            draft, report = looks[0].draft, looks[0].report
            if draft is not None and draft.word is word:
                against = draft.reason
            elif word is Word.reject and report is not None:
                against = _against(report)
        about = " ".join([word, *(look.submission.digest or "" for look in looks)])
        if word is Word.reject:
            reader = "The worker reads it." if len(looks) == 1 else "Their workers read it."
            return AskReason(f"Reject {_named(looks)}", f"Why? {reader}", against, about)
        return AskReason(f"Ask changes of {_named(looks)}", "What should change?", against, about)

    async def _sign(self, plans: list[decisions.Plan], looks: list[Look], *, may_keep: bool = False) -> None:
        """Show the ``plans`` and what speaks for the results, seen by ``looks``; sign or keep them."""
        await self.call(self.session.unlock_remembered)
        opinion = _opinions(looks) if looks else ""
        signed = await self.app.push_screen_wait(SignAll(plans, opinion=opinion, may_keep=may_keep))
        if signed is None:
            return
        if signed.keep:
            kept = [plan.draft for plan in plans if plan.calls]
            for draft in kept:
                await self.call(self.desk.keep, draft)
            said = "Kept as a draft." if len(kept) == 1 else f"Kept as {len(kept)} drafts."
            one = "this one" if len(kept) == 1 else "one"
            ways = keys.said("{sign_drafts} signs all drafts, {take_back} takes {one} back.", one=one)
            self.app.say(f"{said} {ways}")
            self.table.marked -= {draft.submission_id for draft in kept}
        self.table.marked -= set(signed.decided)
        for number in signed.decided:
            await self.call(self.desk.take_back, number)
        drafts = {plan.draft.submission_id: plan.draft for plan in plans}
        for number in signed.decided:
            self.app.failures.settled(_signing(drafts[number]))
        for number, error in signed.failures:
            draft = drafts[number]
            self.app.note(error, _signing(draft), partial(self._sign_again, draft))
        if signed.receipts:
            calls, results = count(len(signed.receipts), "call"), count(len(signed.decided), "result")
            self.app.say(f"{calls} signed, {results} decided.")
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
        look = await self.call(self.desk.look, draft.submission_id)
        await self._sign([plan], [look], may_keep=True)

    def action_sign_drafts(self) -> None:
        self.work(self._sign_drafts())

    async def _sign_drafts(self) -> None:
        wanted = self._drafts_to_sign
        drafts = [d for d in await self.call(self.desk.my_drafts) if d.submission_id in wanted]
        plans = await self.call(self.desk.plans, drafts)
        looks = [await self.call(self.desk.look, plan.draft.submission_id) for plan in plans if plan.calls]
        await self._sign(plans, looks)

    def action_take_back(self) -> None:
        self.work(self._take_back())

    async def _take_back(self) -> None:
        row = self.table.row
        gone = await self.call(self.desk.take_back, row.key) if row else None
        if gone is None:
            raise Misused("NoDraft", "This result has no draft.", "Rows with one say so.")
        self.app.say(f"The draft on #{gone.submission_id} is taken back: {WORDS[gone.word]}.")
        await self.read()


def _signing(draft: Draft) -> str:
    """What is being done while it is signed."""
    return f"signing: {WORDS[draft.word]} result {draft.submission_id}"


def _named(looks: list[Look]) -> str:
    """``#1, #4``."""
    return ", ".join(f"#{look.submission.id}" for look in looks)


def _opinions(looks: list[Look]) -> str:
    """What the policy says of one result, or its figures, as its page does; of several each its word."""
    if len(looks) == 1:
        report = looks[0].report
        if report is None:
            return "opinion: this result was not evaluated here"
        who, word, why = said(report)
        return f"{who}: {word}: {why}" if word else f"{who}: {why}"
    return "opinions: " + ", ".join(f"#{look.submission.id} {_in_a_word(look.report)}" for look in looks)


def _in_a_word(report: Report | None) -> str:
    """``policy accept``, ``better``."""
    if report is None:
        return "not evaluated here"
    who, word, _ = said(report)
    figures = {True: "better", False: "no better", None: "without figures"}[report.better]
    return f"{who} {word}" if word else figures


def _against(report: Report) -> str:
    """What a report says against a result; "" where it is in favour, or undecided."""
    decision = report.verdict.decision if report.verdict else Decision.undecided
    if report.verdict is not None and decision is Decision.reject:
        return report.verdict.reason
    poor = report.refused or report.better is False or (report.answers and not report.answers.complete)
    return opinion(report) if poor and decision is Decision.undecided else ""
