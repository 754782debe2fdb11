"""One task: what it shows of money, people, deadlines and files, what one may do, and why not the rest."""

import asyncio
import shutil
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from decentralml.core.domain import ResultSubmissionStatus
from decentralml.tui import keys
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.hints import explain
from decentralml.tui.screens.activity import Activity
from decentralml.tui.screens.dialog import Ask
from decentralml.tui.screens.record import RecordScreen
from decentralml.tui.screens.sign import Sign
from decentralml.tui.screens.submission import SubmissionDetails
from decentralml.tui.screens.task import PANELS, TaskDetail
from decentralml.tui.screens.viewer import Viewer
from decentralml.tui.task import facts as task_facts
from decentralml.tui.task import verbs
from decentralml.tui.task import words as task_words
from decentralml.tui.widgets.prose import Prose

from ..conftest import PASSWORD, Place, opened, settled, text_of, until

WORK = 100_800
HOSTILE = "\x1b[31mred \u202egnp.exe 数字の認識 zero\u200bwidth\u2066 [b]markup[/] \x07" + "and on " * 60


async def shown(app: DecentralMLApp, pilot: Pilot[None], task_id: int) -> TaskDetail:
    """The task's screen, once everything on it was read."""
    await app.push_screen(TaskDetail(task_id))
    screen = app.screen  # the one that an earlier start left open, if it is of this task
    assert isinstance(screen, TaskDetail)
    await until(pilot, lambda: screen.facts and screen.query_one("#history-table").loaded, "the task")
    await pilot.pause()
    return screen


def said(app: DecentralMLApp) -> str:
    """All that the screen in front says in words, without its line breaks."""
    lines = []
    for block in (block for prose in app.screen.query(Prose) for block in prose._blocks):
        for label, spans in block if isinstance(block, list) else [("", block)]:
            lines.append("".join(span if isinstance(span, str) else span[0] for span in (label, *spans)))
    return "\n".join(lines)


async def sign(app: DecentralMLApp, pilot: Pilot[None]) -> None:
    """Say yes to what is proposed."""
    await until(pilot, lambda: isinstance(app.screen, Sign), "the question")
    dialog = app.screen
    locked = app.session.signer is None
    await pilot.press("y", *((*PASSWORD, "enter") if locked else ()))
    await until(pilot, lambda: app.screen is not dialog, "the receipt")


async def test_the_head_says_terms_escrow_who_is_next_and_what_one_may_do(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await shown(app, pilot, 1)
        text = text_of(app)
        assert "Digits, round 3" in text
        assert "pays 12.00 each, 3 wanted" in text
        assert "24.00 for 1 at work, 1 to judge" in text
        assert "12.00 open" in text
        assert "you judge #1 by block" in text
        now = next(line for line in text.splitlines() if line.strip().startswith("now "))
        assert "v evaluate" in now
        assert "t take" not in now


async def test_a_worker_s_head_is_a_line_each_at_80_columns(market_home: Place) -> None:
    async with market_home.running(as_="chi") as (app, pilot):
        screen = await shown(app, pilot, 1)
        for line in ("question", "headline", "can"):
            assert screen.query_one(f"#{line}").region.height == 1, line
        assert "b abandon" in text_of(app)


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
async def test_the_escrow_is_said_whole_on_a_small_screen(market_home: Place, size: tuple[int, int]) -> None:
    async with market_home.running(as_="chi", size=size) as (app, pilot):
        await shown(app, pilot, 1)
        assert "24.00 for 1 at work, 1 to judge  12.00 open" in text_of(app)


async def test_a_long_reason_cuts_no_name_in_the_history(market_home: Place) -> None:
    ada, digest = market_home.market("ada"), market_home.chain.submission(1).digest
    report = market_home.home.folder(market_home.home.cache_dir / "report")
    (report / "report.json").write_text("{}")
    ada.publish_report(1, report, digest)
    ada.reject_task_results(1, "It is no better than what there was. " * 8, digest=digest)
    async with market_home.running(as_="bo") as (app, pilot):
        screen = await shown(app, pilot, 1)
        screen.show_panel("history")
        await until(pilot, lambda: "ada: #1 is rejected: It is no better" in text_of(app))
        screen.work(screen._open_submission(1))
        await until(pilot, lambda: isinstance(app.screen, SubmissionDetails), "the submission")
        assert said(app).count("It is no better than what there was.") == 8, "whole where one looks closer"


async def test_what_one_may_do_comes_before_what_is_refused(market_home: Place) -> None:
    async with market_home.running(as_="chi", size=(80, 60)) as (app, pilot):
        await shown(app, pilot, 1)
        text = text_of(app)
        offered = text[text.index("WHAT YOU MAY DO") :]
        assert offered.index("deliver") < offered.index("take"), "who holds a slot takes no other"


async def test_every_panel_is_reached_and_says_its_part(market_home: Place) -> None:
    async with market_home.running(as_="bo") as (app, pilot):
        screen = await shown(app, pilot, 1)
        assert market_home.address("ada") in text_of(app)
        assert "to deliver" in text_of(app)
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "model_contributor.py" in text_of(app))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "to judge" in text_of(app))
        assert "at work" in text_of(app)
        assert "none yet" in text_of(app), "each worker's record stands beside the submission"
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "#2 takes a slot" in text_of(app))
        await pilot.press("left_square_bracket", "left_square_bracket", "left_square_bracket")
        assert screen.panel == PANELS[0]


async def test_the_panel_one_was_in_survives_a_restart(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await shown(app, pilot, 1)
        await pilot.press("right_square_bracket")
        app.finish()
    async with market_home.running() as (app, pilot):
        assert (await shown(app, pilot, 1)).panel == "assets"


@pytest.mark.parametrize(("width", "together"), [(80, 1), (120, 4), (160, 4)])
async def test_where_there_is_room_the_panels_stand_beside_each_other(
    market_home: Place, width: int, together: int
) -> None:
    async with market_home.running(size=(width, 48)) as (app, pilot):
        screen = await shown(app, pilot, 1)
        visible = [name for name in PANELS if screen.query_one(f"#{name}").display]
        assert len(visible) == together
        assert app.screen.query_one("TopBar #tabs").display
        if width == 160:
            places = {screen.query_one(f"#{name}").region.x for name in PANELS}
            assert len(places) == 3


async def test_a_slot_is_taken_with_a_signature_and_not_before(market_home: Place) -> None:
    bo = market_home.address("bo")
    async with market_home.running(as_="bo") as (app, pilot):
        await shown(app, pilot, 4)
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, Sign))
        await pilot.press("escape")
        assert not market_home.chain.has_taken(4, bo)
        await pilot.press("t")
        await sign(app, pilot)
        assert market_home.chain.has_taken(4, bo)
        await until(pilot, lambda: "you deliver #4" in text_of(app), "who is next")
        assert "d deliver" in text_of(app)


async def test_an_overdue_slot_is_timed_out_and_then_taken(market_home: Place) -> None:
    task_id = market_home.create("ada", "One slot", slots=1, blocks=300_000)
    late = market_home.take("bo", task_id)
    market_home.clock.blocks(market_home.chain.constants.work_period + 1)
    async with market_home.running(as_="chi") as (app, pilot):
        await shown(app, pilot, task_id)
        assert "t take" in text_of(app)
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, Ask))
        assert "Two calls" in text_of(app)
        await pilot.press("y")
        await sign(app, pilot)
        assert market_home.chain.submission(late).status is ResultSubmissionStatus.TimedOut
        await sign(app, pilot)
        assert market_home.chain.has_taken(task_id, market_home.address("chi"))


async def test_why_an_action_is_not_offered_is_said_before_and_when_its_key_is_pressed(
    market_home: Place,
) -> None:
    async with market_home.running(size=(160, 48)) as (app, pilot):
        screen = await shown(app, pilot, 1)
        assert "The creator of a task cannot work on it." in said(app)
        pairs = {"t": "take", "d": "deliver", "b": "abandon", "O": "time_out", "J": "claim"}
        for key, action in pairs.items():
            app.clear_notifications()
            await pilot.press(key)
            assert [said.message for said in app._notifications] == [explain(screen.why_not(action))]


async def test_the_help_and_the_screen_give_the_same_reason(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        screen = await shown(app, pilot, 1)
        reasons = dict(task_words.acts(screen.facts))
        for action in task_facts.CALLS:
            refusal = screen.why_not(action)
            assert reasons[action] == (None if refusal is None else explain(refusal))
            assert _call_of(action) in (None, task_facts.CALLS[action])


def _call_of(action: str) -> str | None:
    return next(key.call for key in keys.TABLE if key.method == action)


async def test_readonly_offers_nothing_that_signs(market_home: Place) -> None:
    async with market_home.running(as_="bo", readonly=True, size=(160, 48)) as (app, pilot):
        screen = await shown(app, pilot, 4)
        now = next(line for line in text_of(app).splitlines() if line.strip().startswith("now "))
        assert "take" not in now
        assert "Nothing is signed or changed with --readonly." in said(app)
        await pilot.press("t", "b", "C")
        await pilot.pause()
        assert app.screen is screen


async def test_money_and_deadlines_follow_what_others_do_meanwhile(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await shown(app, pilot, 4)
        assert "a slot can be taken until" in text_of(app)
        market_home.take("bo", 4)
        await until(pilot, lambda: "9.50 for 1 at work" in text_of(app), "the other's call")
        market_home.clock.blocks(market_home.chain.constants.work_period + 1)
        await until(pilot, lambda: "is overdue since block" in text_of(app), "the deadline")
        await until(pilot, lambda: "O time out" in text_of(app))
        await pilot.press("O")
        await sign(app, pilot)
        await until(pilot, lambda: "expired: closing gives 9.50 back" in text_of(app))


async def test_silence_pays_and_the_creator_closes(market_home: Place) -> None:
    market_home.clock.blocks(market_home.chain.constants.review_period + 1)
    async with market_home.running(as_="bo") as (app, pilot):
        await shown(app, pilot, 1)
        assert "you may claim the pay" in text_of(app)
        await pilot.press("J")
        await sign(app, pilot)
        assert market_home.chain.submission(1).claimed
    async with market_home.running() as (app, pilot):
        await shown(app, pilot, 1)
        await pilot.press("C")
        await sign(app, pilot)
        assert market_home.chain.task(1).closed


async def test_giving_a_slot_back_says_what_becomes_of_the_deposit(market_home: Place) -> None:
    async with market_home.running(as_="chi") as (app, pilot):
        await shown(app, pilot, 1)
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, Sign))
        assert "- 0.12 = " in text_of(app), "what is held shrinks by the deposit"
        await sign(app, pilot)
        assert market_home.chain.submission(2).status is ResultSubmissionStatus.Abandoned


async def test_enter_on_a_file_fetches_verifies_and_shows_it(market_home: Place) -> None:
    shutil.rmtree(market_home.home.assets)
    async with market_home.running(as_="chi") as (app, pilot):
        screen = await shown(app, pilot, 4)
        assert not screen.facts.fetched
        await pilot.press("right_square_bracket", "j", "enter")
        await until(pilot, lambda: isinstance(app.screen, Viewer), "the viewer")
        await until(pilot, lambda: "import" in text_of(app), "the script")
        assert [handle.state for handle in app.transfers.newest()] == ["done"]
        await pilot.press("escape")
        await until(pilot, lambda: "verified" in text_of(app))


async def test_a_file_that_comes_late_does_not_open_over_the_page_that_one_is_on(
    market_home: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(market_home.home.assets)
    left, fetch = asyncio.Event(), verbs.fetch

    async def once_left(*args: Any) -> None:
        await left.wait()
        await fetch(*args)

    monkeypatch.setattr(verbs, "fetch", once_left)
    async with market_home.running(as_="chi") as (app, pilot):
        await shown(app, pilot, 4)
        await pilot.press("right_square_bracket", "j", "enter", "6")
        await until(pilot, lambda: app.current_mode == "activity")
        left.set()
        await until(pilot, lambda: [one.state for one in app.transfers.newest()] == ["done"], "the files")
        await settled(pilot)
        assert isinstance(app.screen, Activity)
        await pilot.press("1")
        await until(pilot, lambda: "verified" in text_of(app), "the task, as it was left")


async def test_enter_on_a_submission_shows_all_of_it_and_leads_on(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        screen = await shown(app, pilot, 1)
        await pilot.press("right_square_bracket", "right_square_bracket", "enter")
        await until(pilot, lambda: isinstance(app.screen, SubmissionDetails))
        await until(pilot, lambda: "digest" in said(app))
        text = said(app)
        assert market_home.address("bo") in text
        assert market_home.chain.submission(1).digest in text
        assert "decide by" in text
        await pilot.press("full_stop")
        await until(pilot, lambda: "record of" in text_of(app), "the ways")
        ways = app.screen.query_one(OptionList)
        names = [str(way.prompt) for way in ways.options]
        ways.highlighted = next(number for number, name in enumerate(names) if "its worker" in name)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RecordScreen))
        await until(pilot, lambda: "AS WORKER" in text_of(app))
        await pilot.press("escape")
        assert app.screen is screen


async def test_evaluate_goes_to_the_inbox(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await shown(app, pilot, 1)
        await pilot.press("v")
        await until(pilot, lambda: app.current_mode == "validate")
        await until(pilot, lambda: app.screen.table.row and app.screen.table.row.key == 1, "the result")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TaskDetail), "back where one was")


async def test_what_is_copied_is_what_the_cursor_is_on(market_home: Place) -> None:
    copied = market_home.home.state_dir / "copied.txt"
    async with market_home.running() as (app, pilot):
        await shown(app, pilot, 1)
        await pilot.press("Y")
        await until(pilot, copied.exists)
        assert copied.read_text() == market_home.chain.task(1).terms.assets[1]
        copied.unlink()
        await pilot.press("right_square_bracket", "right_square_bracket", "Y")
        await until(pilot, copied.exists)
        assert copied.read_text() == market_home.address("bo")
        copied.unlink()
        await pilot.press("right_square_bracket", "Y")
        await until(pilot, copied.exists)
        assert copied.read_text() == "0  now  bo: the result of #1 is delivered"


async def test_all_that_its_creator_can_do_stands_in_one_line(market_home: Place) -> None:
    """At 80 columns, when everything may be done at once."""
    market_home.clock.blocks(WORK + 1)
    async with market_home.running(size=(80, 24)) as (app, pilot):
        screen = await shown(app, pilot, 1)
        can = "T try  e set up  r train  v evaluate  J claim  O time out  C close task"
        assert f" now   {can}" in text_of(app)
        assert screen.query_one("#can").size.height == 1


async def test_strings_of_strangers_are_harmless(bare_home: Place) -> None:
    task_id = bare_home.create("bo", HOSTILE)
    async with bare_home.running(size=(80, 24)) as (app, pilot):
        await shown(app, pilot, task_id)
        text = text_of(app)
        assert "[b]markup[/]" in text
        assert not {"\x1b", "\u202e", "\u200b", "\u2066", "\x07"} & set(text)
        assert "escrow" in text


async def test_files_that_are_not_in_the_storage_are_said_to_be_missing(market_home: Place) -> None:
    shutil.rmtree(market_home.home.storage)
    shutil.rmtree(market_home.home.assets)
    async with market_home.running(as_="chi", size=(160, 40)) as (app, pilot):
        await shown(app, pilot, 4)
        text = text_of(app)
        assert "pays 9.50 each" in text
        assert "storage" in text.lower()


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 40), (160, 48)])
def test_a_task_looks_as_it_did(market_home: Place, snap_compare, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await shown(pilot.app, pilot, 1)

    assert snap_compare(market_home.app(as_="chi"), terminal_size=size, run_before=show)


@pytest.mark.parametrize("panel", PANELS[1:])
def test_each_panel_looks_as_it_did(market_home: Place, snap_compare, panel: str) -> None:
    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot)
        screen = await shown(pilot.app, pilot, 1)
        screen.show_panel(panel)
        await pilot.pause()

    assert snap_compare(market_home.app(), terminal_size=(80, 24), run_before=show)
