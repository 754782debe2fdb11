"""The frame: starting, moving, telling, ending."""

import asyncio
import re
import shutil
import stat
import threading
from pathlib import Path

import pytest
from textual import events

from decentralml.core.errors import Refused
from decentralml.tui import keys
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.failures import Failures
from decentralml.tui.looks import Looks
from decentralml.tui.screens.address_book import AddressBookScreen
from decentralml.tui.screens.task import TaskDetail
from decentralml.tui.widgets.topbar import Tab

from .conftest import Place, opened, said, settled, text_of, until
from .turns import at_once, burst


async def test_who_how_much_where_and_which_block_stand_on_top(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        top = text_of(app).splitlines()[:2]
        assert "block 0" in top[0]
        assert "ada" in top[1]
        assert "locked" in top[1]
        assert "953.70 free  46.30 held" in top[1]
        market_home.clock.blocks(1234)
        await until(
            pilot, lambda: "block 1,234" in text_of(app).splitlines()[1], "below the tabs that fill a line"
        )


async def test_a_block_that_comes_while_a_page_opens_waits_for_the_page(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        below = app.front
        app.push_screen(AddressBookScreen())
        app.tell(events=True)
        assert app.front is below
        await until(pilot, lambda: isinstance(app.front, AddressBookScreen), "the page")
        app.tell(events=True)


async def test_a_block_that_comes_as_a_page_goes_is_not_told_to_it(market_home: Place) -> None:
    async with market_home.running() as (app, _):
        page = app.front
        assert page is not None
        gone = page.remove()
        assert app.front is not page
        app.tell(events=True)
        await gone
        app.tell(events=True)


async def test_a_tab_has_a_mark_where_something_waits(market_home: Place) -> None:
    async with market_home.running() as (app, _):
        assert "3 Validate ●1" in text_of(app)


async def test_back_goes_back_through_screens_and_modes(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("5")
        await until(pilot, lambda: app.current_mode == "accounts")
        await pilot.press("6")
        await until(pilot, lambda: app.current_mode == "activity")
        await pilot.press("1")
        await until(pilot, lambda: app.current_mode == "tasks")
        await settled(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TaskDetail))
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        await pilot.press("escape")
        await until(pilot, lambda: app.current_mode == "activity")
        await pilot.press("escape")
        await until(pilot, lambda: app.current_mode == "accounts")
        await pilot.press("escape", "escape", "escape")
        await until(pilot, lambda: app.current_mode == "tasks")


async def test_the_mode_one_was_in_survives_a_restart(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("5")
        await until(pilot, lambda: app.current_mode == "accounts")
        app.finish()
    async with market_home.running() as (app, pilot):
        await until(pilot, lambda: app.current_mode == "accounts")


async def test_a_page_has_its_tabs_full_names_from_its_first_frame_on(
    market_home: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, show = [], Tab.show
    monkeypatch.setattr(Tab, "show", lambda tab, **how: (drawn.append(how["narrow"]), show(tab, **how)))
    async with market_home.running(size=(80, 24)) as (app, pilot):
        await pilot.press("3")
        await until(pilot, lambda: app.current_mode == "validate", "another page")
    assert drawn
    assert not any(drawn)


async def test_a_tab_that_is_chosen_before_the_market_is_open_stays(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("3")
    app.finish()
    app = market_home.app()
    async with app.run_test() as pilot:
        app.post_message(events.Key("5", "5"))
        assert app.pulse is None
        await opened(pilot)
        assert app.current_mode == "accounts"


async def test_a_ledger_that_cannot_be_opened_is_said_on_the_page_until_it_can(
    market_home: Place, tmp_path: Path
) -> None:
    folder = tmp_path / "ledger"
    folder.mkdir()
    app = DecentralMLApp(
        market_home.home, {"account": "ada", "chain": f"local:{folder}"}, now=market_home.clock
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "is a folder, not a ledger" in " ".join(text_of(app).split()))
        await until(pilot, lambda: "tried again" in text_of(app))
        assert "Name the file in it" in " ".join(text_of(app).split())
        assert "opening" not in text_of(app)
        await pilot.press("6")
        await until(pilot, lambda: app.current_mode == "activity" and "tried again" in text_of(app))
        folder.rmdir()
        shutil.copy(market_home.home.ledger, folder)
        await until(pilot, lambda: app.session is not None, "the ledger")
        await until(pilot, lambda: "tried again" not in text_of(app))
    app.finish()


@pytest.mark.parametrize("mode", keys.MODES[1:])
async def test_an_app_that_is_left_while_a_page_opens_ends_without_a_word(
    market_home: Place, mode: str
) -> None:
    async with market_home.running() as (app, _):
        burst(app, str(keys.MODES.index(mode) + 1))
        await at_once(lambda: app.current_mode == mode)
        app.exit()
    assert app.return_code == 0


@pytest.mark.parametrize("width", [60, 80, 120])
async def test_nothing_on_top_moves_when_a_mark_comes(market_home: Place, width: int) -> None:
    """With a block of five digits, for which there is room, as for the whole names from 80 columns on."""
    market_home.clock.blocks(12_345)
    async with market_home.running(size=(width, 24), as_="chi") as (app, pilot):

        def line() -> str:
            return text_of(app).splitlines()[0]

        before = line()
        market_home.take("ada", 3)
        market_home.deliver("ada", 4)
        await until(pilot, lambda: re.search(r"3 Valid\w* ●1", line()), "the mark")
        assert re.sub(r"●\d", "  ", line()) == re.sub(r"●\d", "  ", before)
        assert "block 12,345" in text_of(app)
        assert ("Validate" in before) == (width > 60)


async def test_the_mark_of_any_number_has_the_same_room(market_home: Place) -> None:
    async with market_home.running() as (app, _):
        tab = app.screen.query_one("#tab-validate", Tab)
        shown = [tab.text(number, narrow=False).plain for number in (0, 1, 12, 123, 20_000)]
        assert shown == [f"3 Validate{mark}" for mark in ("    ", " ●1 ", " ●12", "●123", "999+")]
        shown = [tab.text(number, narrow=True).plain for number in (0, 1, 12, 123, 20_000)]
        assert shown == [f"3 Valid{mark}" for mark in ("   ", " ●1", "●12", "123", "99+")]


async def test_an_error_is_said_once_and_kept(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        for _ in range(3):
            app.screen.work(_raise(Refused("NoSlot", "Nothing \x1b[31mfree\u202e.", "Wait.")))
        await settled(pilot)
        assert [text for text in said(app) if "Nothing" in text] == ["Nothing [31mfree. Wait."]
        assert app.failures[-1].code == "NoSlot"


async def test_a_bug_becomes_words_and_the_app_goes_on(
    market_home: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DECENTRALML_DEBUG")
    async with market_home.running() as (app, pilot):
        app.screen.work(_raise(KeyError("oh")))
        await settled(pilot)
        assert app.failures[-1].code == "Bug"
        assert "KeyError" in str(app.failures[-1])


async def test_what_ends_the_app_is_said_without_the_values_of_variables(
    market_home: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    def break_off(typed: str) -> None:
        raise ZeroDivisionError(f"of {len(typed)}")

    async def run() -> None:
        async with market_home.running() as (app, pilot):
            app.call_later(break_off, "a password")
            await pilot.pause()

    with pytest.raises(ZeroDivisionError):
        await run()
    told, written = capsys.readouterr().err, market_home.home.crash.read_text()
    assert "should not have happened: ZeroDivisionError: of 10" in " ".join(told.split())
    assert str(market_home.home.crash) in told.replace("\n", "")
    assert "in break_off" in written
    assert "a password" not in told + written
    assert stat.S_IMODE(market_home.home.crash.stat().st_mode) == 0o600


async def test_what_stands_in_the_way_of_a_beat_is_said_once_and_the_chain_is_looked_at_all_the_same(
    market_home: Place,
) -> None:
    home = market_home.home
    async with market_home.running() as (app, _):
        for folder, code in ((home.runs, "NoHome"), (home.accounts, "KeyFolder")):
            app.failures = Failures(home.failures)
            aside = folder.rename(folder.with_name("aside"))
            folder.touch()
            for _ in range(2):
                market_home.clock.blocks(1)
                await app.heart.beat()
            assert [failure.code for failure in app.failures] == [code]
            assert app.pulse.head.block == app.opened.chain.head().block
            assert app.opened.account.name == "ada"
            folder.unlink()
            aside.rename(folder)
            await app.heart.beat()


@pytest.mark.parametrize("folder", ["themes", "runs"])
async def test_an_app_opens_without_a_folder_that_cannot_be_had(market_home: Place, folder: str) -> None:
    path = market_home.home.root / folder
    if path.exists():
        path.rmdir()
    path.touch()
    async with market_home.running() as (app, pilot):
        await until(pilot, lambda: len(app.failures), "what is wrong")
        await app.heart.beat()
        assert [failure.code for failure in app.failures] == ["NoHome"]
        assert f"{folder} cannot be made" in " ".join(said(app))
        assert "5 Accounts" in text_of(app)
        assert "help" in text_of(app).splitlines()[-1]
        market_home.clock.blocks(1234)
        await until(pilot, lambda: "1,234" in text_of(app), "the new block")


async def test_pages_are_laid_out_also_while_no_ledger_can_be_opened(
    market_home: Place, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.sqlite"
    broken.write_bytes(b"no ledger" * 1000)
    app = DecentralMLApp(market_home.home, {"chain": f"local:{broken}"})
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: "is not a ledger" in text_of(app), "what is wrong")
        await pilot.press("6")
        await until(pilot, lambda: "mine  task:12" in text_of(app), "the filter, beside its name")


async def _raise(error: Exception) -> None:
    raise error


async def test_a_chain_that_goes_away_is_said_once_and_found_again(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        ahead = market_home.clock.time
        market_home.create("bo", "One more")
        await until(pilot, lambda: app.screen.table.total == 5)
        market_home.clock.time = ahead - 60  # the ledger is ahead of the clock: refused, for reading too
        await until(pilot, lambda: len(app.failures), "the error")
        await app.heart.beat()
        await app.heart.beat()
        assert len([e for e in app.failures if e.code == "ClockBehind"]) == 1
        assert "Digits, round 3" in text_of(app)
        market_home.clock.time = ahead
        await until(pilot, lambda: "The chain is back." in said(app), "the chain")
        market_home.create("bo", "And another")
        await until(pilot, lambda: "And another" in text_of(app))


async def test_a_ledger_that_is_removed_is_said_and_nothing_is_signed_into_it(market_home: Place) -> None:
    file = market_home.home.ledger
    async with market_home.running() as (app, pilot):
        aside = file.rename(file.with_name("aside"))
        await until(pilot, lambda: len(app.failures), "the error")
        assert [failure.code for failure in app.failures] == ["LedgerGone"]
        (word,) = [text for text in said(app) if "no longer there" in text]
        assert "Put it back" in word
        assert "chain init" not in app.failures[0].hint
        with pytest.raises(Refused, match="no longer there"):
            app.opened.chain.fund(market_home.address("ada"), 5)
        aside.rename(file)
        await until(pilot, lambda: "The chain is back." in said(app), "the chain")


async def test_a_page_that_came_before_its_style_sheet_looks_as_any_other(
    market_home: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, shown = Looks.load_sheets, asyncio.Event()

    async def late(looks: Looks, folder: Path) -> None:
        await shown.wait()
        await load(looks, folder)

    monkeypatch.setattr(Looks, "load_sheets", late)
    app = market_home.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: app.screen.SCOPE == "validate", "the page")
        shown.set()
        await until(pilot, lambda: app.screen.query_one("#inbox").region.y == 3, "its layout")
        assert app.screen.query_one("#inbox").region.width == 80


def test_quit_does_not_wait_for_a_busy_thread(market_home: Place) -> None:
    begun, stop, ended = (threading.Event() for _ in range(3))

    def busy() -> None:
        begun.set()
        stop.wait(60)
        ended.set()

    async def run() -> int | None:
        async with market_home.running() as (app, pilot):
            app.screen.work(app.screen.call(busy))
            await until(pilot, begun.is_set, "the thread")
            await pilot.press("q")
        return app.return_code

    try:
        assert asyncio.run(run()) == 0, "as a program does, which ends its loop too"
        assert not ended.is_set()
    finally:
        stop.set()


async def test_what_ends_with_the_app_is_asked_before_it_is_left(market_home: Place) -> None:
    app = DecentralMLApp(market_home.home, {"account": "ada"}, leaving="It goes.", now=market_home.clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        for key in ("escape", "y"):
            await pilot.press("q")
            await until(pilot, lambda: "It goes." in text_of(app), "the question")
            assert app.return_code is None
            await pilot.press(key)
            await until(pilot, lambda: "It goes." not in text_of(app) or not app.is_running, key)
        await until(pilot, lambda: app.return_code == 0, "the end")
    app.finish()


async def test_words_of_welcome_are_shown_first(market_home: Place) -> None:
    app = DecentralMLApp(market_home.home, {"account": "ada"}, welcome="You are ada.", now=market_home.clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "You are ada." in text_of(app))
    app.finish()


async def test_without_an_account_there_are_choices(tmp_path: Path) -> None:
    from decentralml.core.paths import Home

    app = DecentralMLApp(Home(tmp_path / "new"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: type(app.screen).__name__ == "FirstStart")
    app.finish()


async def test_the_screen_follows_the_terminal_as_it_is_resized(market_home: Place) -> None:
    async with market_home.running(size=(160, 48)) as (app, pilot):
        for size in ((60, 20), (80, 24), (40, 10), (160, 48)):
            await pilot.resize_terminal(*size)
            await until(pilot, lambda size=size: app.screen._compositor.size == size, "the size")
            strips = app.screen._compositor.render_strips()
            assert len(strips) == size[1]
            assert {strip.cell_length for strip in strips} == {size[0]}


async def test_nothing_is_read_before_the_first_paint(market_home: Place) -> None:
    app = market_home.app()
    async with app.run_test(size=(80, 24)) as pilot:
        assert app.session is None
        assert "1 Tasks" in text_of(app)
        await opened(pilot)
