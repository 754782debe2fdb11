"""The keys of the footer and the names of panels can be clicked; the wheel moves what is long."""

import pytest
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.help import Help
from decentralml.tui.screens.new_words import Words
from decentralml.tui.screens.task import TaskDetail
from decentralml.tui.widgets.lines import Lines

from .conftest import Place, text_of, until
from .test_ways import go
from .trainings import Start, at_runs, fit, shows, started


async def click(app: DecentralMLApp, pilot: Pilot[None], words: str) -> None:
    """Click ``words`` where they stand on the screen."""
    await until(pilot, lambda: words in text_of(app), words)
    lines = text_of(app).splitlines()
    y = next(y for y, line in enumerate(lines) if words in line)
    x = lines[y].index(words)
    widget, region = app.screen.get_widget_at(x, y)
    await pilot.click(widget, offset=(x - region.x, y - region.y))


async def test_a_click_goes_to_a_tab_and_to_a_row_and_opens_the_one_under_the_cursor(
    market_home: Place,
) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.click("#tab-accounts")
        await until(pilot, lambda: app.current_mode == "accounts")
        await pilot.click("#tab-tasks")
        await until(pilot, lambda: app.current_mode == "tasks")
        await pilot.click("PagedTable", offset=(10, 3))
        await until(pilot, lambda: app.screen.table.cursor == 2)
        await pilot.click("PagedTable", offset=(10, 3))
        await until(pilot, lambda: isinstance(app.screen, TaskDetail))


async def test_a_click_on_a_key_of_the_footer_does_what_the_key_does(market_home: Place) -> None:
    async with market_home.running(size=(80, 24)) as (app, pilot):
        await until(pilot, lambda: app.screen.why_not("take") is not None, "the reason")
        await click(app, pilot, "t take")
        said = [one.message for one in app._notifications]
        assert said == ["The creator of a task cannot work on it. U switches the account."]
        await click(app, pilot, "? help")
        await until(pilot, lambda: isinstance(app.screen, Help), "the help")


@pytest.mark.parametrize(
    ("scope", "name", "shown"),
    [("task", "submissions", "WORKER  "), ("task", "history", "AGO"), ("validate", "ranking", "POLICY")],
)
async def test_a_click_on_a_panels_name_shows_the_panel(
    market_home: Place, scope: str, name: str, shown: str
) -> None:
    async with market_home.running(size=(80, 24)) as (app, pilot):
        await go(app, pilot, scope, market_home)
        assert shown not in text_of(app).partition(name)[2]
        await click(app, pilot, name)
        await until(pilot, lambda: shown in text_of(app).partition(name)[2], name)


async def test_a_click_on_a_heading_sorts_the_results_by_it_and_then_the_other_way(
    market_home: Place,
) -> None:
    async with market_home.running(size=(80, 24)) as (app, pilot):
        await go(app, pilot, "validate", market_home)
        for order in ("by task ^", "by task v"):
            await click(app, pilot, "TASK")
            await until(pilot, lambda order=order: order in text_of(app), order)


async def test_the_panels_of_a_run_are_clicked_and_the_wheel_moves_its_log(
    market_home: Place, train: Start
) -> None:
    train(14, *started(), *fit(20, 3.5), log="".join(f"line {number}\n" for number in range(200)))
    async with market_home.running(size=(80, 24)) as (app, pilot):
        await at_runs(app, pilot)
        await click(app, pilot, "log")
        await shows(app, pilot, "line 199")
        log = app.screen.query_one("#log", Lines)
        log.post_message(MouseScrollUp(log, 5, 1, 0, 0, 0, False, False, False))
        await until(pilot, lambda: "line 199" not in text_of(app), "what was printed before")
        log.post_message(MouseScrollDown(log, 5, 1, 0, 0, 0, False, False, False))
        await shows(app, pilot, "line 199")


async def test_a_drag_over_words_that_are_secret_or_folded_copies_nothing(market_home: Place) -> None:
    """Textual's own selection copied secrets, and ended the app where it went on below a short text."""
    async with market_home.running() as (app, pilot):
        app.push_screen(Words("dora", "one two three four five six seven eight nine ten eleven twelve"))
        await until(pilot, lambda: "twelve" in text_of(app))
        about = app.screen.query_one("#text")
        await pilot.mouse_down(about, offset=(2, 0))
        for y in range(1, 9):
            await pilot.hover(about, offset=(40, y))
        await pilot.mouse_up(about, offset=(40, 8))
        await pilot.press("ctrl+c")
        await pilot.click("#words", times=3)
        await pilot.press("ctrl+c")
        assert app.clipboard == ""
        assert isinstance(app.screen, Words)
