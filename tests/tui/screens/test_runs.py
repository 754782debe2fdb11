"""The list of trainings, and what one can do with one."""

import shutil
from pathlib import Path

import pytest
from textual.widgets import Input

from decentralml.core.training import journal
from decentralml.tui.screens.dialog import Ask
from decentralml.tui.screens.runs import RunsScreen
from decentralml.tui.screens.send import SendResult
from decentralml.tui.screens.task import TaskDetail

from ..conftest import Place, text_of, until
from ..trainings import (
    Start,
    at_runs,
    failed,
    finished,
    fit,
    shows,
    started,
)

pytestmark = pytest.mark.usefixtures("quick_looks")


async def test_without_a_run_it_says_how_to_start_one(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await at_runs(app, pilot)
        assert "No run yet. r starts one." in text_of(app)


async def test_to_stop_is_asked_first(market_home: Place, train: Start) -> None:
    run = train(14, *started(), *fit(20, 2.5), alive=True)
    async with market_home.running() as (app, pilot):
        await at_runs(app, pilot)
        await shows(app, pilot, "running")
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Ask), "the question")
        assert "saved as a result, which can be delivered" in " ".join(text_of(app).replace("│", " ").split())
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        assert run.folder.told() == "run"
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Ask), "the question")
        await pilot.press("y")
        await until(pilot, lambda: run.folder.told() == "stop", "told")
        await shows(app, pilot, "it stops at the next batch end")


async def test_a_crashed_run_is_started_again_by_a_real_supervisor(market_home: Place, train: Start) -> None:
    """Its script has gone meanwhile, so that it soon says what is missing."""
    run = train(14, *started(), *fit(20, 2.5), alive=True, assets=market_home.home.root / "gone")
    async with market_home.running() as (app, pilot):
        await at_runs(app, pilot)
        await shows(app, pilot, "running")
        run.die()
        await shows(app, pilot, "! goes on after epoch 2")
        await pilot.press("exclamation_mark")
        await shows(app, pilot, "when the run was prepared.")
        assert sum(isinstance(event, journal.Started) for event in journal.read(run.folder.journal)[0]) == 2


async def test_panel_scale_smoothing_and_run_survive_a_restart(market_home: Place, train: Start) -> None:
    train(13, *started(), *fit(20, 20), *finished())
    train(14, *started(), *fit(20, 9.5), alive=True)
    async with market_home.running() as (app, pilot):
        await at_runs(app, pilot)
        await shows(app, pilot, "run 14")
        await pilot.press("j", "i", "underscore", "right_square_bracket", "right_square_bracket")
        await shows(app, pilot, "PROGRESS")
    app.finish()
    async with market_home.running() as (app, pilot):
        await until(pilot, lambda: isinstance(app.screen, RunsScreen), "where one was")
        screen = app.screen
        await shows(app, pilot, "run 13  finished")
        assert (screen.live.panel, screen.live.log_scale, screen.live.smooth) == ("facts", True, 0.6)


async def test_epochs_of_any_number_fit_their_column(market_home: Place, train: Start) -> None:
    train(14, *started(), *fit(4000, 350, steps=1), epochs=4000)
    train(15, *started(), *fit(120_000, 3, steps=1), epochs=120_000)
    async with market_home.running(size=(160, 48)) as (app, pilot):
        await at_runs(app, pilot)
        await until(pilot, lambda: all(text in text_of(app) for text in ("350/4000", "3/120k")))


async def test_a_filter_that_no_run_fits_says_so(market_home: Place, train: Start) -> None:
    train(14, *started(), *fit(20, 20), *finished())
    async with market_home.running() as (app, pilot):
        await at_runs(app, pilot)
        app.screen.query_one("#filter", Input).value = "nothing-like-it"
        await until(pilot, lambda: "No run fits this filter" in text_of(app))


async def test_the_filter_finds_runs_by_words_and_state(market_home: Place, train: Start) -> None:
    train(12, *started(), *fit(2, 2), *finished(), title="Castings", task_id=7)
    train(13, *started(), *fit(20, 3), failed())
    train(14, *started(), *fit(20, 9.5), alive=True)
    async with market_home.running() as (app, pilot):
        screen = await at_runs(app, pilot)
        await shows(app, pilot, "run 14")
        await pilot.press("slash", *"castings")
        await shows(app, pilot, "run 12")
        assert screen.table.total == 1
        await pilot.press("enter", "escape")
        await until(pilot, lambda: screen.table.total == 3, "all of them")


async def test_a_new_run_leaves_the_one_under_the_cursor_where_it_is(
    market_home: Place, train: Start
) -> None:
    train(13, *started(), *fit(20, 3), failed())
    async with market_home.running() as (app, pilot):
        screen = await at_runs(app, pilot)
        await shows(app, pilot, "run 13")
        train(14, *started(), alive=True)
        await until(pilot, lambda: screen.table.total == 2, "the new one")
        assert screen.selected == 13
        assert screen.table.row.key == 13


async def test_enter_goes_into_the_run_and_from_there_to_its_task(market_home: Place, train: Start) -> None:
    train(14, *started(), *fit(20, 6.5), alive=True)
    async with market_home.running() as (app, pilot):
        await at_runs(app, pilot)
        await shows(app, pilot, "run 14")
        await pilot.press("enter")
        await shows(app, pilot, "h l crosshair")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TaskDetail), "the task")
        assert app.screen.task_id == 1
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen), "back")


async def test_a_finished_run_is_delivered_for_the_slot_one_holds(
    market_home: Place, train: Start, trained: Path
) -> None:
    run = train(14, *started(), *fit(2, 2), *finished("honest"))
    shutil.copytree(trained / "honest", run.folder.out / "honest")
    async with market_home.running(as_="chi") as (app, pilot):
        await at_runs(app, pilot)
        await shows(app, pilot, "out/honest")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, SendResult), "the dialog")
        await shows(app, pilot, "GOES OUT")
    async with market_home.running(as_="ada") as (app, pilot):
        await at_runs(app, pilot)
        await shows(app, pilot, "run 14")
        await pilot.press("d")
        await until(pilot, lambda: app.failures, "the reason")
        assert "slot" in str(app.failures[-1])


async def test_an_ended_run_can_be_removed_from_the_palette(market_home: Place, train: Start) -> None:
    run = train(14, *started(), *fit(2, 2), *finished())
    async with market_home.running() as (app, pilot):
        screen = await at_runs(app, pilot)
        await shows(app, pilot, "run 14")
        [remove] = [do for name, _, do in screen.commands() if name == "remove run 14"]
        remove()
        await until(pilot, lambda: isinstance(app.screen, Ask), "the question")
        await pilot.press("y")
        await shows(app, pilot, "No run yet")
        assert not run.folder.path.exists()


async def test_a_run_that_cannot_be_read_is_named_below_the_others_and_can_be_removed(
    market_home: Place, train: Start
) -> None:
    train(13, *started(), *fit(2, 2), *finished())
    broken = train(14, *started())
    broken.folder.file.write_text("half of {")
    async with market_home.running() as (app, pilot):
        screen = await at_runs(app, pilot)
        await shows(app, pilot, "run 13")
        assert [row.key for row in screen._rows] == [13]
        assert "Run 14 cannot be read: run.json: JSON is malformed" in text_of(app)
        [remove] = [do for name, _, do in screen.commands() if name == "remove run 14"]
        remove()
        await until(pilot, lambda: isinstance(app.screen, Ask), "the question")
        await pilot.press("y")
        await until(pilot, lambda: "cannot be read" not in text_of(app), "its end")
        assert not broken.folder.path.exists()
