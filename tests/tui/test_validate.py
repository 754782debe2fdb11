"""Judging on the screen: what it shows of a result, and that nothing is signed by surprise."""

import threading
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from textual.widget import Widget
from textual.widgets import Button, Input, TextArea
from textual.widgets._toast import Toast

from decentralml.core import judging as judging_core
from decentralml.core.domain import ResultSubmissionStatus as S
from decentralml.core.domain import ValidationStrategy
from decentralml.core.drafts import Drafts, Word
from decentralml.core.models import mistakes
from decentralml.core.report import Decision, Verdict
from decentralml.core.validation import opinion
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.judging.work import Setup
from decentralml.tui.screens.dialog import Ask
from decentralml.tui.screens.held_out import HeldOut
from decentralml.tui.screens.reason import AskReason
from decentralml.tui.screens.sign_all import SignAll
from decentralml.tui.screens.validate import PANELS, Validate
from decentralml.tui.widgets.pane import Pane

from . import judged
from .conftest import PASSWORD, Place, opened, settled, text_of, until


@pytest.fixture
def known(bare_home: Place) -> Place:
    judged.known_market(bare_home)
    return bare_home


async def judging(pilot, *keys: str) -> None:
    await pilot.press("3")
    await until(pilot, lambda: pilot.app.screen.table.loaded, "the inbox")
    await settled(pilot)
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


async def whole(pilot, panel: str) -> str:
    """Everything that a panel says of the result under the cursor."""
    screen = pilot.app.screen
    screen.panel = panel
    screen.show_panels()
    await pilot.pause()
    return screen.query_one("#first").plain


def drafts(place: Place) -> dict[int, Word]:
    return {number: draft.word for number, draft in Drafts(place.home, place.chain.genesis).all().items()}


async def dialog(pilot, kind: type) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, kind), kind.__name__)


async def test_every_field_of_a_report_stands_in_a_panel(known: Place) -> None:
    async with known.running(size=(100, 40)) as (app, pilot):
        await judging(pilot, "j")
        shown = "\n".join([await whole(pilot, panel) for panel in PANELS])
        found = judged.figures(known.chain.submission(2), 0.871, 0.402, 0.99)
        for value in (
            *(found.worker, found.result_digest, found.base_digest, found.dataset_digest),
            *(found.policy_digest, "30 samples", "standard", "0.8710", "0.9210", "-0.0500", "0.9900"),
            *("by 0.1190 too good", "seed", "e" * 64, "101,770", "412.3 kB", "5" * 64, "Sequential"),
            *("keras-folder", "(None, 10)", "4.1200", "43.4%", "0.9100", "1 tensor unmatched"),
            *(
                "units: 10 → 12",
                "layers/dropout",
                "odd but harmless",
                "bwrap 0.8.0",
                "decentralml 0.1.0",
                "reject: no better",
            ),
            *("not finite: calibration", "0 as 1", "0.90", "0.70"),
        ):
            assert value in shown, value
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert not list(app.failures)


async def test_what_was_refused_and_what_was_answered_is_said(known: Place) -> None:
    async with known.running(size=(100, 40)) as (_, pilot):
        await judging(pilot, "j", "j")
        assert "ForeignCode" in await whole(pilot, "figures")
        await pilot.press("G")
        await settled(pilot)
        said = await whole(pilot, "figures")
        assert "2 of 8" in said
        assert "no such label: no.png: x" in said


async def test_the_ranking_puts_the_baseline_where_it_belongs(known: Place) -> None:
    async with known.running(size=(100, 40)) as (_, pilot):
        await judging(pilot)
        lines = (await whole(pilot, "ranking")).splitlines()
        order = [
            next(i for i, line in enumerate(lines) if word in line) for word in ("bo ", "baseline", "chi ")
        ]
        assert order == sorted(order)
        mine = next(line for line in lines if "bo " in line)
        assert "measured" in mine, "as the inbox says it of what was measured here and not published"


async def test_a_wide_screen_keeps_the_lists_columns_and_says_nothing_twice(known: Place) -> None:
    async with known.running(size=(160, 48)) as (app, pilot):
        await judging(pilot, "j", "j", "j")
        shown = text_of(app)
        assert all(title in shown for title in ("TASK", "WORKER", "FIGURE", "STATE", "DUE"))
        assert shown.count("Not evaluated yet") == 1
        assert "ranked by accuracy" in shown, "the other pane is of use"
        await pilot.resize_terminal(140, 40)
        await settled(pilot)
        assert all(title in text_of(app) for title in ("TASK", "WORKER", "STATE", "DUE"))


async def test_beside_the_figures_a_panel_has_those_after_it_below_as_long_as_they_are_seen_whole(
    known: Place,
) -> None:
    async with known.running(size=(160, 48)) as (app, pilot):
        await judging(pilot, "z")
        beside = app.screen.query_one("#second", Pane)
        assert [beside.plain.count(title) for title in ("MISTAKEN", "DISTANCE BY LAYER")] == [1, 1]
        assert beside.max_scroll_y == 0
        await pilot.press("right_square_bracket")
        await settled(pilot)
        assert beside.plain.startswith("DISTANCE BY LAYER")
        await pilot.press("left_square_bracket")
        await pilot.resize_terminal(160, 24)
        await settled(pilot)
        assert [beside.plain.count(title) for title in ("MISTAKEN", "DISTANCE BY LAYER")] == [1, 0]


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
            "pay its worker from the escrow",
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
        await pilot.press("y", *PASSWORD, "enter")
        await until(pilot, lambda: known.chain.submission(2).status is S.Rejected, "the second decision")
        await until(pilot, lambda: "Close" in text_of(app), "the receipts")
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
        assert app.screen.query_one(TextArea).text == said


async def test_what_is_undecided_but_better_is_no_reason_to_reject(known: Place) -> None:
    submission = known.chain.submission(1)
    found = judged.figures(submission, 0.948, 0.191, 0.956)
    undecided = Verdict(Decision.undecided, opinion(found))
    judged.write_report(known, submission, replace(found, verdict=undecided))
    async with known.running() as (app, pilot):
        await judging(pilot, "R")
        await dialog(pilot, AskReason)
        assert not app.screen.query_one(TextArea).text


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


async def test_readonly_offers_no_decision(known: Place) -> None:
    async with known.running(readonly=True) as (app, pilot):
        await judging(pilot, "a")
        assert len(app.screen_stack) == 1
        assert all(
            app.screen.query_one(f"#{name}", Button).disabled for name in ("accept", "reject", "changes")
        )


async def test_the_inbox_filters_sorts_and_marks(known: Place) -> None:
    async with known.running(size=(140, 40)) as (app, pilot):
        await judging(pilot, "slash", *"task:2", "enter")
        assert app.screen.table.total == 1
        await pilot.press("slash", *["backspace"] * 6, "enter")
        await settled(pilot)
        await pilot.press("s")
        await settled(pilot)
        assert app.screen.order == "gain"
        assert app.screen.table.row.key == 1
        await pilot.press("space")
        assert app.screen.table.marked == {1}


@pytest.mark.parametrize(
    ("words", "fit"),
    [
        ("to judge", {4}),
        ("measured", {5}),
        ("says reject", {2}),
        ("refused", {3}),
        ("PendingValidation", set()),
    ],
)
async def test_the_filter_takes_the_words_that_the_list_shows(
    known: Place, words: str, fit: set[int]
) -> None:
    async with known.running(size=(140, 40)) as (app, pilot):
        await judging(pilot)
        app.screen.query_one("#filter", Input).value = words
        await settled(pilot)
        assert set(app.screen.entries) == fit


async def test_how_many_wait_is_said_whole_in_80_columns(known: Place, tmp_path: Path) -> None:
    free = threading.Event()
    async with known.running(size=(80, 24)) as (app, pilot):
        await judging(pilot)
        app.judging.do(Setup(), lambda judge, cancelled: free.wait(30))
        for number in (1, 2, 3):
            app.judging.evaluate(number, Setup(tmp_path / "none.npz"))
        app.screen.show_progress()
        await pilot.pause()
        assert "3 wait behind it" in text_of(app)
        assert "nothing is signed" not in text_of(app), "it is said whole or not at all"
        free.set()
        await until(pilot, lambda: len(app.judging.failed()) == 3, "the end of the queue")


async def test_a_filter_that_nothing_fits_says_so(known: Place) -> None:
    async with known.running() as (app, pilot):
        await judging(pilot, "j", "j", "j")
        assert "reject, ask changes not now" in text_of(app)
        app.screen.query_one("#filter", Input).value = "nobody-of-this-name"
        await until(pilot, lambda: "No result fits this filter" in text_of(app))
        assert "not now" not in text_of(app), "nothing is said of a result that is not shown"


async def test_one_question_serves_all_tasks_whose_results_wait(
    bare_home: Place, trained: Path, contributors_folder: Path
) -> None:
    for _ in range(2):
        task = bare_home.create("ada")
        bare_home.deliver("bo", bare_home.take("bo", task))
    async with bare_home.running(size=(120, 40)) as (app, pilot):
        await judging(pilot, "V")
        await dialog(pilot, HeldOut)
        assert "Evaluate results of tasks 1 and 2" in text_of(app)
        app.screen.query_one("#data", Input).value = str(trained / "held-out.npz")
        await pilot.press("ctrl+g")
        await until(pilot, lambda: len(app.screen_stack) == 1, "the dialog to close")
        await until(pilot, lambda: app.judging.job(1) and app.judging.job(2), "both in the queue")


async def test_a_file_that_is_no_data_does_not_leave_the_dialog(known: Place, tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_text("a text")
    async with known.running(size=(100, 40)) as (app, pilot):
        await judging(pilot, "j", "j", "j", "v")
        await dialog(pilot, HeldOut)
        app.screen.query_one("#data", Input).value = str(tmp_path / "x.npz")
        await pilot.press("ctrl+g")
        await until(pilot, lambda: "x.npz is no .npz" in text_of(app), "the refusal")
        assert isinstance(app.screen, HeldOut)
        assert not app.state.get("validate.setups", {})


async def test_data_that_turn_out_bad_are_asked_for_again_with_the_reason(
    bare_home: Place, trained: Path, tmp_path: Path
) -> None:
    task = judged.publish_with_base(bare_home, trained, ValidationStrategy.ManualAccept)
    numbers = [judged.send(bare_home, who, task, trained / "honest") for who in ("bo", "chi")]
    data = tmp_path / "x.npz"
    np.savez(data, x=np.full((20, 28, 28), np.nan), y=np.arange(20) % 10)
    async with bare_home.running(size=(120, 40)) as (app, pilot):
        await judging(pilot, "v")
        await dialog(pilot, HeldOut)
        app.screen.query_one("#data", Input).value = str(data)
        await pilot.press("ctrl+g")
        await until(pilot, lambda: app.judging.failed(), "the failure")
        await until(
            pilot, lambda: "The evaluation failed. The data cannot be used: x holds NaN" in text_of(app)
        )
        assert "Not evaluated yet" not in text_of(app)
        assert "v asks again by what to measure it" in text_of(app)
        assert not app.state.get("validate.setups"), "nor would another start take it"
        await pilot.press("j", "v")
        await dialog(pilot, HeldOut)
        assert app.screen.query_one("#data", Input).value == str(data)
        assert f"Result {numbers[0]} was not measured: The data cannot be used" in text_of(app)
        app.screen.query_one("#data", Input).value = str(trained / "held-out.npz")
        await pilot.press("ctrl+g")
        await until(pilot, lambda: evaluated(app, numbers[1:]), "the report")
        await pilot.press("k", "v")
        await until(pilot, lambda: evaluated(app, numbers), "both reports, asked no more")


async def test_results_are_evaluated_in_the_background_and_nothing_is_signed(
    bare_home: Place, trained: Path, tmp_path: Path
) -> None:
    task = judged.publish_with_base(bare_home, trained, ValidationStrategy.CustomAccept)
    numbers = [
        judged.send(bare_home, who, task, trained / name)
        for who, name in (("bo", "honest"), ("chi", "boasts"))
    ]
    async with bare_home.running(size=(120, 40)) as (app, pilot):
        await judging(pilot, "V")
        await dialog(pilot, HeldOut)
        app.screen.query_one("#data", Input).value = str(tmp_path / "no.npz")
        await pilot.press("enter")
        await until(pilot, lambda: "There is no file" in text_of(app), "the refusal")
        app.screen.query_one("#data", Input).value = str(trained / "held-out.npz")
        policy = Path(judged.ASSETS / "model_creator" / "validation.py")
        app.screen.query_one("#policy", Input).value = str(policy)
        await pilot.press("enter")
        await until(pilot, lambda: len(app.screen_stack) == 1, "the dialog to close")
        await pilot.press("j", "k")
        await until(pilot, lambda: evaluated(app, numbers), "both reports")
        await settled(pilot)
        assert "says accept" in text_of(app)
        assert "says reject" in text_of(app)
        assert {bare_home.chain.submission(n).status for n in numbers} == {S.PendingValidation}
        assert app.judging.busy() == (0, 0)
        assert app.state.get("validate.setups")
        assert "SUREST MISTAKES" in await whole(pilot, "matrix")
        assert "▀" in await whole(pilot, "matrix")


def evaluated(app: DecentralMLApp, numbers: list[int]) -> bool:
    entries = app.screen.entries
    return all(number in entries and entries[number].report for number in numbers)


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
@pytest.mark.parametrize("panel", ["figures", "matrix", "layers", "model", "ranking", "report"])
def test_validate_looks_as_it_did(known: Place, snap_compare, size: tuple[int, int], panel: str) -> None:
    async def show(pilot) -> None:
        await until(pilot, lambda: pilot.app.pulse is not None)
        await judging(pilot)
        await whole(pilot, panel)

    assert snap_compare(known.app(), terminal_size=size, run_before=show)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_what_it_is_wrong_about_looks_as_it_did(known: Place, snap_compare, size: tuple[int, int]) -> None:
    keep_mistakes(known, 1)

    async def show(pilot) -> None:
        await until(pilot, lambda: pilot.app.pulse is not None)
        await judging(pilot, "z")
        await whole(pilot, "matrix")
        if size < (100, 0):
            await pilot.press("l", "G")
            await settled(pilot)

    assert snap_compare(known.app(), terminal_size=size, run_before=show)


def keep_mistakes(place: Place, submission_id: int) -> None:
    """Real digits, of which a model says that each is the next one."""
    with np.load(judged.ASSETS / "mnist5k.npz") as data:
        x, y = data["x"][:60], data["y"][:60]
    digest = place.chain.submission(submission_id).digest
    assert digest is not None
    judging_core.keep_mistakes(
        place.home, submission_id, digest, mistakes.find(x, y, np.eye(10)[(y + 1) % 10])
    )


@pytest.mark.parametrize("row", ["refused", "new", "answers"])
def test_what_has_no_figures_looks_as_it_did(known: Place, snap_compare, row: str) -> None:
    async def show(pilot) -> None:
        await until(pilot, lambda: pilot.app.pulse is not None)
        await judging(pilot, *"j" * {"refused": 2, "new": 3, "answers": 4}[row])

    assert snap_compare(known.app(), terminal_size=(80, 24), run_before=show)


def test_an_empty_inbox_looks_as_it_did(bare_home: Place, snap_compare) -> None:
    async def show(pilot) -> None:
        await until(pilot, lambda: pilot.app.pulse is not None)
        await judging(pilot)

    assert snap_compare(bare_home.app(), terminal_size=(80, 24), run_before=show)


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
