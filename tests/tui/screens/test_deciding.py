"""Decisions on results: drafted, shown whole before they are signed, and none signed by surprise."""

import threading

import pytest
from msgspec.structs import replace
from textual.widget import Widget
from textual.widgets import Button, Input, TextArea
from textual.widgets._toast import Toast

from decentralml.core import judging as judging_core
from decentralml.core.domain import ResultSubmissionStatus as S
from decentralml.core.drafts import Drafts, Word
from decentralml.core.report import Decision, Verdict
from decentralml.core.validation import opinion
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.judging.desk import Desk, Look
from decentralml.tui.screens.dialog import Ask
from decentralml.tui.screens.reason import AskReason
from decentralml.tui.screens.sign_all import SignAll
from decentralml.tui.screens.validate import Validate

from .. import judged
from ..conftest import PASSWORD, Place, opened, said, settled, text_of, until
from ..forms import dialog
from ..judged import judging


def drafts(place: Place) -> dict[int, Word]:
    return {number: draft.word for number, draft in Drafts(place.home, place.chain.genesis).all().items()}


async def test_a_decision_against_a_result_needs_a_report_and_the_screen_says_so(known: Place) -> None:
    async with known.running() as (app, pilot):
        await judging(pilot, "j", "j", "j")
        assert "reject, ask changes not now" in text_of(app)
        assert app.screen.query_one("#reject", Button).disabled
        await pilot.press("R")
        await settled(pilot)
        assert any("is to judge" in said.message for said in app._notifications)
        assert not app.failures


@pytest.mark.parametrize("how", ["a", "#accept"])
async def test_accepting_shows_everything_before_it_is_signed(known: Place, how: str) -> None:
    async with known.running(size=(100, 45)) as (app, pilot):
        await judging(pilot)
        await (pilot.click(how) if how[0] == "#" else pilot.press(how))
        await dialog(pilot, SignAll)
        shown = text_of(app)
        for words in (
            "accept: better by more",
            "validate_task_results",
            "accept_task_results",
            "12.00",
            "held",
        ):
            assert words in shown
        assert known.chain.submission(1).status is S.PendingValidation
        await pilot.press("y", *PASSWORD, "enter")
        await until(pilot, lambda: known.chain.submission(1).status is S.Accepted, "the receipt")
        await until(pilot, lambda: "12.00 paid" in text_of(app), "the receipt's words")
        assert "policy: accept" not in text_of(app), "what spoke for it is no news any more"
        assert known.chain.submission(1).report_digest


async def test_what_was_not_measured_is_not_paid_without_a_second_question(known: Place) -> None:
    async with known.running(size=(100, 30)) as (app, pilot):
        await judging(pilot, "j", "j", "j")
        assert app.screen.look.submission.id == 4
        await pilot.press("a")
        await dialog(pilot, Ask)
        assert "Nothing was measured of result #4" in text_of(app)
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(app.screen, Validate)
        await pilot.press("a")
        await dialog(pilot, Ask)
        await pilot.press("y")
        await dialog(pilot, SignAll)


async def test_a_decision_is_for_the_result_under_the_cursor_while_the_one_before_is_still_seen(
    known: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, go_on = Desk.look, threading.Event()

    def slow(desk: Desk, number: int) -> Look:
        assert number != 2 or go_on.wait(60)
        return read(desk, number)

    monkeypatch.setattr(Desk, "look", slow)
    async with known.running() as (app, pilot):
        await judging(pilot)
        await pilot.press("j", "R")
        assert app.screen.look.submission.id == 1
        go_on.set()
        await dialog(pilot, AskReason)
        assert "Reject #2" in text_of(app)


async def test_enter_on_the_card_that_asks_leaves_it_and_says_that_nothing_was_signed(known: Place) -> None:
    async with known.running() as (app, pilot):
        await judging(pilot, "a")
        await dialog(pilot, SignAll)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Validate), "the way back")
        assert [notification.message for notification in app._notifications] == ["Nothing was signed."]
        assert known.chain.submission(1).status is S.PendingValidation


async def test_at_80_columns_what_a_decision_does_to_money_is_seen_without_scrolling(known: Place) -> None:
    async with known.running() as (app, pilot):
        await judging(pilot, "a")
        await dialog(pilot, SignAll)
        await pilot.pause()
        seen = text_of(app)
        for words in (
            "accept #1",
            "validate_task_results, accept_task_results",
            "- 12.00   deposit unchanged",
            "free           927.00, unchanged",
            "held           73.00 - 12.00 = 61.00",
            "fee            0.00",
            known.address("ada"),
            "the escrow.",
            "Publish the validation report",
        ):
            assert words in seen


async def test_a_word_about_something_else_covers_neither_verdict_nor_buttons(known: Place) -> None:
    app = known.app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await opened(pilot)
        await judging(pilot)
        for number in range(3):
            app.say(f"Something went well, number {number}.")
        await until(pilot, lambda: len(seen(app, Toast)) == 1, "the newest of the words")
        (toast,) = seen(app, Toast)
        for part in ("#verdict", "#decide", "#why"):
            assert not toast.region.overlaps(app.screen.query_one(part).region)


def seen(app: DecentralMLApp, kind: type) -> list[Widget]:
    """The widgets of a kind that are on the screen."""
    return [widget for widget in app.screen.walk_children(kind) if widget.region]


async def test_a_wrong_password_signs_nothing_and_leaves_the_field_empty(known: Place) -> None:
    async with known.running() as (app, pilot):
        await judging(pilot, "a")
        await dialog(pilot, SignAll)
        field = app.screen.query_one("#password", Input)
        await pilot.press("y", *"guess", "enter")
        await until(pilot, lambda: "assword" in text_of(app) and not field.value, "the refusal")
        assert known.chain.submission(1).status is S.PendingValidation


async def test_drafts_survive_a_restart_are_taken_back_and_signed_together(known: Place) -> None:
    async with known.running() as (app, pilot):
        await judging(pilot)
        await keep(pilot, "a")
        await pilot.press("j")
        await settled(pilot)
        await keep(pilot, "R", reason="It claims what it is not.")
        await pilot.press("j")
        await settled(pilot)
        await keep(pilot, "c", reason="Send a model without Lambda.")
        assert drafts(known) == {1: Word.accept, 2: Word.reject, 3: Word.changes}
        assert "draft: changes" in text_of(app)
        await pilot.press("B")
        await settled(pilot)
        assert drafts(known) == {1: Word.accept, 2: Word.reject}
        assert {known.chain.submission(n).status for n in (1, 2, 3)} == {S.PendingValidation}
    async with known.running() as (app, pilot):
        await judging(pilot)
        assert "2 drafted" in text_of(app)
        await pilot.press("D")
        await dialog(pilot, SignAll)
        assert "opinions: #1 policy accept, #2 policy reject" in text_of(app)
        await pilot.press("y", *PASSWORD, "enter")
        await until(pilot, lambda: known.chain.submission(2).status is S.Rejected, "the second decision")
        await until(pilot, lambda: "Close" in text_of(app), "the receipts")
        assert "12.00 paid to bo (" in text_of(app)
        await pilot.press("escape")
        await until(pilot, lambda: not drafts(known), "the drafts to go")
    assert known.chain.submission(1).status is S.Accepted
    assert known.chain.submission(2).reason == "It claims what it is not."


async def keep(pilot, key: str, reason: str = "") -> None:
    """Draft a decision on the result under the cursor."""
    await pilot.press(key)
    if reason:
        await dialog(pilot, AskReason)
        pilot.app.screen.query_one(TextArea).text = reason
        await pilot.press("enter")
    await dialog(pilot, SignAll)
    await pilot.press("W")
    await until(pilot, lambda: len(pilot.app.screen_stack) == 1, "the draft")
    await settled(pilot)


async def test_with_marks_a_decision_is_for_all_of_them_and_who_is_left_out_is_named(known: Place) -> None:
    async with known.running(size=(120, 45)) as (app, pilot):
        await judging(pilot, "j", "space", "space", "space")
        assert app.screen.table.marked == {2, 3, 4}
        assert "3 marked: a decision is for all of them" in text_of(app)
        await pilot.press("R")
        await dialog(pilot, AskReason)
        assert not app.screen.query_one(TextArea).text, "one reason for several is the person's own"
        app.screen.query_one(TextArea).text = "No better than the baseline."
        await pilot.press("enter")
        await dialog(pilot, SignAll)
        shown = " ".join(text_of(app).split())
        assert "reject #2, #3" in shown
        assert "left out reject submission 4" in shown
        await pilot.press("y", *PASSWORD, "enter")
        await until(pilot, lambda: known.chain.submission(3).status is S.Rejected, "both decisions")
        await until(pilot, lambda: "Close" in text_of(app), "the receipts")
        await pilot.press("escape")
        await settled(pilot)
        assert app.screen.table.marked == {4}, "what is decided is not marked any more"
    assert {known.chain.submission(n).reason for n in (2, 3)} == {"No better than the baseline."}
    assert known.chain.submission(4).status is S.PendingValidation


async def test_drafts_of_all_marked_are_kept_at_once(known: Place) -> None:
    async with known.running(size=(120, 45)) as (app, pilot):
        await judging(pilot, "space", "space")
        await keep(pilot, "R", reason="Not what was asked for.")
        assert drafts(known) == {1: Word.reject, 2: Word.reject}
        assert not app.screen.table.marked


@pytest.mark.parametrize(("row", "said"), [(0, ""), (1, "no better"), (2, "config.json names Lambda")])
async def test_the_reason_to_reject_begins_with_what_speaks_against_the_result_alone(
    known: Place, row: int, said: str
) -> None:
    async with known.running() as (app, pilot):
        await judging(pilot, *"j" * row, "R")
        await dialog(pilot, AskReason)
        assert app.screen.query_one(TextArea).text.strip() == said
        await pilot.press("x")
        assert app.screen.query_one(TextArea).text == f"{said} x".strip(), "what is typed goes on behind it"


async def test_a_reason_half_typed_is_there_after_the_link_dropped_for_that_decision_alone(
    known: Place,
) -> None:
    async with known.running() as (app, pilot):
        await judging(pilot, "j", "R")
        await dialog(pilot, AskReason)
        await pilot.press(*"on the zeros")
        app.finish()
    async with known.running() as (app, pilot):
        await judging(pilot, "R")
        await dialog(pilot, AskReason)
        area = app.screen.query_one(TextArea)
        assert area.text == "no better on the zeros"
        assert area.cursor_at_end_of_text, "one goes on writing"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Validate))
        await pilot.press("j", "R")
        await dialog(pilot, AskReason)
        assert app.screen.query_one(TextArea).text.strip() == "config.json names Lambda"


async def test_what_is_undecided_but_better_is_no_reason_to_reject(known: Place) -> None:
    submission = known.chain.submission(1)
    found = judged.figures(submission, 0.948, 0.191, 0.956)
    undecided = Verdict(Decision.undecided, opinion(found))
    judged.write_report(known, submission, replace(found, verdict=undecided))
    async with known.running() as (app, pilot):
        await judging(pilot, "R")
        await dialog(pilot, AskReason)
        assert not app.screen.query_one(TextArea).text
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Validate))
        await pilot.press("a")
        await dialog(pilot, SignAll)
        assert "opinion: accuracy 0.9480, better" in text_of(app), "no policy has spoken"


async def test_one_failure_is_named_and_the_other_drafts_are_signed(known: Place) -> None:
    store = Drafts(known.home, known.chain.genesis)
    for number, word in ((1, Word.accept), (2, Word.reject)):
        digest = known.chain.submission(number).digest
        assert digest is not None
        store.put(number, digest if number == 2 else "0" * 64, word, "no better" if number == 2 else "")
    async with known.running(size=(100, 40)) as (app, pilot):
        await judging(pilot)
        assert "draft: stale" in text_of(app)
        await pilot.press("D")
        await dialog(pilot, SignAll)
        assert "left out" in text_of(app)
        assert "delivered another result" in " ".join(text_of(app).split())
        await pilot.press("y", *PASSWORD, "enter")
        await until(pilot, lambda: known.chain.submission(2).status is S.Rejected, "the other decision")
    assert known.chain.submission(1).status is S.PendingValidation


async def test_what_another_terminal_decided_meanwhile_is_said_in_words(known: Place) -> None:
    async with known.running(size=(100, 40)) as (app, pilot):
        await judging(pilot, "a")
        await dialog(pilot, SignAll)
        digest = known.chain.submission(1).digest
        assert digest is not None
        known.market("ada").accept_task_results(1, digest=digest)
        await pilot.press("y", *PASSWORD, "enter")
        await until(pilot, lambda: "Nothing was signed" in text_of(app), "the refusal")
        said = text_of(app)
        assert "accept submission 1" in said
        assert "Submission 1 is accepted; this needs" in said
        assert "WrongState" not in said


async def test_a_draft_on_what_another_terminal_decided_is_not_asked_about_again(known: Place) -> None:
    async with known.running(size=(100, 40)) as (app, pilot):
        await judging(pilot)
        await keep(pilot, "a")
        await until(pilot, lambda: "1 drafted" in text_of(app), "the draft")
        digest = known.chain.submission(1).digest
        assert digest is not None
        known.market("ada").accept_task_results(1, digest=digest)
        await until(pilot, lambda: 1 not in app.screen.entries, "the others")
        await pilot.press("D")
        await settled(pilot)
        assert len(app.screen_stack) == 1
        assert "There is no draft to sign." in " ".join(said(app))


async def test_readonly_offers_no_decision(known: Place) -> None:
    async with known.running(readonly=True) as (app, pilot):
        await judging(pilot, "a")
        assert len(app.screen_stack) == 1
        assert all(
            app.screen.query_one(f"#{name}", Button).disabled for name in ("accept", "reject", "changes")
        )


def test_what_is_signed_looks_as_it_did(known: Place, snap_compare) -> None:
    submission = known.chain.submission(1)
    assert submission.digest is not None
    folder = judging_core.report_folder(known.home, 1, submission.digest)
    known.market("ada").publish_report(1, folder, submission.digest)

    async def show(pilot) -> None:
        await until(pilot, lambda: pilot.app.pulse is not None)
        await judging(pilot, "a")
        await dialog(pilot, SignAll)
        await pilot.pause()

    assert snap_compare(known.app(), terminal_size=(140, 40), run_before=show)
