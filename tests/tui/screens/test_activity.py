"""Activity: what waits, what happened, what goes on, and what went wrong with its whole story."""

import re
import shutil
import time

import many_results
import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from decentralml.core.amount import UNIT
from decentralml.core.domain import ResultSubmissionStatus, ValidationStrategy
from decentralml.core.errors import Failed, Interrupted, Refused
from decentralml.core.storage.base import Progress
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.activity import Activity
from decentralml.tui.screens.failure import FailureStory
from decentralml.tui.screens.sign import Sign
from decentralml.tui.screens.task import TaskDetail
from decentralml.tui.screens.try_task import TryTask
from decentralml.tui.signing.proposal import Transfer
from decentralml.tui.transfers import Transfers

from ..conftest import ASSETS, Place, opened, settled, text_of, until

REVIEW = 43_200
WORK = 100_800


async def go_to_activity(app: DecentralMLApp, pilot: Pilot[None]) -> Activity:
    await pilot.press("6")
    await until(pilot, lambda: isinstance(app.screen, Activity) and app.screen._part("events").loaded)
    await settled(pilot)
    assert isinstance(app.screen, Activity)
    return app.screen


# What waits


async def test_what_waits_is_listed_with_the_time_it_has(market_home: Place) -> None:
    async with market_home.running(size=(140, 40)) as (app, pilot):
        await go_to_activity(app, pilot)
        shown = text_of(app)
        assert re.search(r"result 1 of task 1: Digits, round 3.* enter: judge +3 d", shown)
        assert re.search(r"your work on task 2: A better head.* enter: work +7 d", shown)


async def test_each_event_says_who_acted_as_one_calls_people(market_home: Place) -> None:
    async with market_home.running(size=(140, 40)) as (app, pilot):
        await go_to_activity(app, pilot)
        shown = text_of(app)
        assert re.search(r" you +task 1 is published", shown)
        assert re.search(r" bo +the result of #1 is delivered", shown)
        assert re.search(r" faucet +the faucet gives you", shown)
        await pilot.press("slash", *"bo deliv", "enter")
        await settled(pilot)
        assert app.screen._part("events").total == 1


async def test_without_the_chain_what_went_wrong_is_listed_all_the_same(market_home: Place) -> None:
    ledger = market_home.home.ledger
    async with market_home.running() as (app, pilot):
        ledger.rename(ledger.with_name("aside"))
        await until(pilot, lambda: len(app.failures), "the error")
        await pilot.press("6")
        await until(pilot, lambda: "no longer there" in str(app.screen._part("failed").row), "the failure")


async def test_of_twenty_thousand_that_wait_the_first_are_listed_and_the_rest_counted(
    market_home: Place,
) -> None:
    many_results.add(
        market_home.home.ledger,
        market_home.address("ada"),
        tasks=20,
        each=1000,
        status=ResultSubmissionStatus.PendingValidation,
        first=1000,
    )
    async with market_home.running(size=(140, 40)) as (app, pilot):
        screen = await go_to_activity(app, pilot)
        await pilot.press("G")
        await settled(pilot)
        assert screen._part("waits").total == 1001
        assert re.search(r"\+19,\d{3} more", text_of(app))
        await pilot.press("enter")
        assert app.screen is screen


async def test_enter_goes_where_it_can_be_done(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        screen = await go_to_activity(app, pilot)
        await pilot.press("j", "enter")
        await until(pilot, lambda: app.screen.SCOPE == "task")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("k", "enter")
        await until(pilot, lambda: app.screen.SCOPE == "validate")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)


async def test_j_is_paid_for_a_result_on_which_its_creator_stayed_silent(market_home: Place) -> None:
    async with market_home.running(as_="bo") as (app, pilot):
        screen = await go_to_activity(app, pilot)
        assert screen.why_not("claim").code == "NotThis"
        market_home.clock.blocks(REVIEW + 1)
        await until(pilot, lambda: "J: be paid" in text_of(app), "the pay to claim")
        assert screen.why_not("claim") is None
        await pilot.press("J")
        await until(pilot, lambda: isinstance(app.screen, Sign))
        await pilot.press("y", *"demo", "enter")
        await until(pilot, lambda: "J: be paid" not in text_of(app) and app.screen is screen)
    assert market_home.chain.submission(1).claimed
    assert market_home.chain.balance(market_home.address("bo")).free == (1000 - 80 * 2 + 12) * UNIT


async def test_o_ends_what_is_overdue_and_says_so_where_nothing_is(market_home: Place) -> None:
    async with market_home.running(as_="bo", size=(140, 40)) as (app, pilot):
        screen = await go_to_activity(app, pilot)
        await pilot.press("O")
        await until(
            pilot, lambda: any(str(screen.why_not("time_out")) == n.message for n in app._notifications)
        )
        market_home.clock.blocks(WORK + 1)
        await until(pilot, lambda: "O: time out" in text_of(app), "the overdue submission")
        while screen.why_not("time_out") is not None:
            await pilot.press("j")
        await pilot.press("O")
        await until(pilot, lambda: isinstance(app.screen, Sign))
        await pilot.press("y", *"demo", "enter")
        await until(pilot, lambda: app.screen is screen and "O: time out" not in text_of(app))
    assert market_home.chain.submission(3).status == "TimedOut"


async def test_of_several_that_are_overdue_each_row_says_which_it_is(market_home: Place) -> None:
    task = market_home.market("ada").create_task_model_engineer(
        question="Slow ones",
        pays_amount=UNIT,
        expiration_block=10_000,
        max_assignments=2,
        validation_strategy=ValidationStrategy.ManualAccept,
        model_engineer_path=ASSETS / "model_engineer",
    )
    late = [market_home.take(who, task.task_id) for who in ("bo", "chi")]
    async with market_home.running(size=(80, 24)) as (app, pilot):
        await go_to_activity(app, pilot)
        market_home.clock.blocks(WORK + 1)
        for number in late:
            row = f"overdue #{number} of task {task.task_id}: Slow"
            await until(pilot, lambda row=row: row in text_of(app), row)


# What happened


async def test_events_come_in_by_themselves_newest_first(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await go_to_activity(app, pilot)
        market_home.create("chi", "Fresh")
        await until(pilot, lambda: "task 5 is published" in text_of(app), "the new event")
        lines = text_of(app).splitlines()
        newest = next(index for index, line in enumerate(lines) if "WHAT HAPPENED" in line) + 1
        assert "task 5 is published" in lines[newest]


@pytest.mark.parametrize("wrong", ["task:abc", "kind:foo", "pays>>5"])
async def test_what_the_filter_does_not_understand_it_says(market_home: Place, wrong: str) -> None:
    async with market_home.running() as (app, pilot):
        screen = await go_to_activity(app, pilot)
        before = screen._part("events").total
        await pilot.press("slash", *wrong)
        await until(pilot, lambda: f"The filter does not understand {wrong}." in text_of(app))
        await pilot.press(*["backspace"] * len(wrong))
        await until(pilot, lambda: f"{before} events" in text_of(app))


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (100, 30)])
async def test_no_list_is_a_heading_alone(market_home: Place, size: tuple[int, int]) -> None:
    async with market_home.running(size=size) as (app, pilot):
        for number in range(9):
            app.transfers.start(f"files {number}", Transfer())
            app.note(Failed("Broken", f"Number {number} broke.", ""), "doing it")
        screen = await go_to_activity(app, pilot)
        await until(pilot, lambda: screen._part("failed").total == 9)
        await settled(pilot)
        shown = text_of(app)
        assert "files 8" in shown
        assert "Number 8 broke." in shown


async def test_what_waits_has_the_room_that_the_other_lists_leave(market_home: Place) -> None:
    for number in range(14):
        market_home.take("ada", market_home.create("chi", f"Number {number}"))
    async with market_home.running(size=(80, 24)) as (app, pilot):
        screen = await go_to_activity(app, pilot)
        assert "WAITS FOR YOU  16" in text_of(app)
        assert "Number 10" in text_of(app)
        assert screen._part("events").size.height > 4


async def test_the_filter_takes_mine_a_task_and_words(market_home: Place) -> None:
    async with market_home.running(as_="chi") as (app, pilot):
        screen = await go_to_activity(app, pilot)
        table = screen._part("events")
        everything = table.total
        await pilot.press("slash", *"task:1")
        await until(pilot, lambda: 0 < table.total < everything)
        assert "task 2" not in text_of(app)
        await pilot.press("ctrl+u", *"mine")
        await until(pilot, lambda: table.total == 3, "funded, published, taken")
        await pilot.press("ctrl+u", *"DELIVERED")
        await until(pilot, lambda: table.total == 1)
        await pilot.press("enter", "enter")
        await until(pilot, lambda: app.screen.SCOPE == "task")
    again = market_home.app(as_="chi")
    async with again.run_test() as pilot:
        await opened(pilot)
        screen = await go_to_activity(again, pilot)
        assert screen.query_one("#filter", Input).value == "DELIVERED"
        assert screen._part("events").total == 1


async def test_older_events_are_read_when_one_gets_there(
    bare_home: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from decentralml.tui.screens import activity

    monkeypatch.setattr(activity, "_FIRST_EVENTS", 4)
    for _ in range(9):
        bare_home.chain.fund(bare_home.address("ada"), UNIT)
    async with bare_home.running() as (app, pilot):
        screen = await go_to_activity(app, pilot)
        table = screen._part("events")
        assert table.total == 4
        assert "G reads older" in text_of(app)
        await pilot.press("right_square_bracket", "G")
        await until(pilot, lambda: table.total == 12, "all of them")
        assert "G reads older" not in text_of(app)
        assert table.cursor == 3, "the cursor stays on its event"


# What goes on, and what went wrong


async def test_a_transfer_is_shown_while_it_moves_and_tried_again_when_it_failed(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_activity(app, pilot)
        tried = []
        handle = app.transfers.start("upload of task 7", again=lambda: tried.append(7))
        handle.on_progress(Progress(50, 100, 10.0, 5.0, "weights.h5"))
        await until(pilot, lambda: re.search(r"upload of task 7 +running +50 %", text_of(app)))
        error = Failed("DiskFull", "The disk is full.", "Make room.")
        handle.end(error)
        app.show_error(error, "uploading", handle.again)
        await until(pilot, lambda: re.search(r"upload of task 7 +failed", text_of(app)))
        await pilot.press("right_square_bracket", "exclamation_mark")
        await until(pilot, lambda: tried == [7])
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "uploading: The disk is full." in text_of(app))
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: tried == [7, 7], "the retry from the failure")


async def test_enter_on_a_transfer_says_why_it_broke_or_that_there_is_no_more(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        screen = await go_to_activity(app, pilot)
        handle = app.transfers.start("upload of task 7")
        await until(pilot, lambda: "upload of task 7" in text_of(app), "its row")
        await pilot.press("right_square_bracket", "enter")
        await until(pilot, lambda: any("no more to see" in n.message for n in app._notifications), "a word")
        error = Failed("DiskFull", "The disk is full.", "Make room.")
        handle.end(error)
        app.show_error(error, "uploading")
        await until(pilot, lambda: "uploading: The disk is full." in text_of(app), "the failure")
        screen._part("work").focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, FailureStory) and "DiskFull" in text_of(app))


async def test_a_fetch_is_tried_again_after_the_dialog_that_asked_was_closed(
    market_home: Place,
) -> None:
    async with market_home.running(size=(120, 40), as_="bo") as (app, pilot):
        shutil.rmtree(market_home.home.storage)
        await pilot.press("T")
        await until(pilot, lambda: isinstance(app.screen, TryTask) and app.failures, "the failure")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TaskDetail))
        screen = await go_to_activity(app, pilot)
        await until(pilot, lambda: re.search(r"files of task 4 +failed", text_of(app)), "its row")
        screen._part("work").focus()
        app._said = ("", 0.0)  # the same words are not said twice within a moment
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: len(app.failures) == 2, "the same failure again")
        assert app.is_running
        assert [handle.state for handle in app.transfers.newest()] == ["failed", "failed"]


async def test_a_transfer_that_is_done_says_its_size_and_how_long_it_took(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_activity(app, pilot)
        handle = app.transfers.start("upload of task 7")
        handle.on_progress(Progress(100, 100, 10.0, 0.0, "weights.h5"))
        handle.end()
        await until(pilot, lambda: re.search(r"upload of task 7 +done +100 B in less than 1 s", text_of(app)))


async def test_a_failure_is_kept_with_its_whole_story(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        screen = await go_to_activity(app, pilot)
        app.show_error(Refused("TaskFull", "Task 3 has no free slot.", "Wait for one.\x1b[31m"))
        await until(pilot, lambda: "WENT WRONG" in text_of(app))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: screen.table.id == "failed")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, FailureStory))
        shown = text_of(app)
        assert "TaskFull" in shown
        assert "Wait for one.\\x1b[31m" in shown
        assert time.strftime("%Y-%m-%d") in shown
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: any(str(screen.why_not("retry")) == n.message for n in app._notifications))


async def test_a_list_that_does_not_fit_says_how_many_rows_it_has(market_home: Place) -> None:
    async with market_home.running(size=(80, 24)) as (app, pilot):
        app.switch_to("activity")
        await until(pilot, lambda: "WENT WRONG" not in text_of(app) and "WAITS FOR YOU" in text_of(app))
        for number in range(30):
            app.failures.append(Refused("TaskFull", f"Task {number} has no free slot.", "Wait."))
        await until(pilot, lambda: "WENT WRONG  30" in text_of(app), "the count")


def test_of_transfers_that_ended_only_the_newest_are_kept() -> None:
    transfers = Transfers()
    first = transfers.start("still on its way")
    for number in range(300):
        transfers.start(str(number)).end()
    kept = transfers.newest()
    assert first in kept
    assert kept[0].name == "299"
    assert len(kept) <= 101


def test_files_that_are_looked_at_again_have_one_row() -> None:
    transfers = Transfers()
    for _ in range(3):
        transfers.start("files of task 3").end()
    going = transfers.start("files of task 3")
    assert transfers.newest() == [going], "until it is there they are on their way"
    going.end(Interrupted("Cancelled", "It was stopped.", ""))
    transfers.start("files of task 3").end()
    assert [one.state for one in transfers.newest()] == ["done", "stopped"], "what went wrong stays"


# Pictures


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 40)])
def test_activity_looks_as_it_did(
    market_home: Place, snap_compare, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr("decentralml.tui.failures.time.time", lambda: 1_750_000_000.0)

    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot)
        app = pilot.app
        app.transfers.start("upload").on_progress(Progress(50, 100, 10.0, 5.0, "数字の認識\u202e.h5"))
        app.failures.append(Refused("TaskFull", "Task 3 \x1b[31mhas no\u200b free slot.", "Wait."))
        screen = await go_to_activity(app, pilot)
        await until(pilot, lambda: screen._part("failed").total)
        await settled(pilot)

    assert snap_compare(market_home.app(), terminal_size=size, run_before=show)


def test_activity_with_nothing_in_it_looks_as_it_did(bare_home: Place, snap_compare) -> None:
    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await go_to_activity(pilot.app, pilot)

    assert snap_compare(bare_home.app(), terminal_size=(140, 40), run_before=show)
