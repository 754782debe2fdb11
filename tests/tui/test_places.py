"""Where one is: tabs, jumps and back, from whatever is open over which mode; and the same after a restart."""

from collections.abc import Awaitable, Callable, Iterator

import pytest
from textual.pilot import Pilot

from decentralml.tui import keys
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.activity import Activity
from decentralml.tui.screens.runs import RunsScreen
from decentralml.tui.screens.task import TaskDetail
from decentralml.tui.screens.validate import Validate

from .conftest import Place, settled, until
from .trainings import Training, finished

Way = Callable[[DecentralMLApp, Pilot[None]], Awaitable[None]]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is looked at ten times a second, so that no test waits for a second."""
    monkeypatch.setattr("decentralml.tui.screens.runs.LOOK_SECONDS", 0.1)


@pytest.fixture
def runs(market_home: Place) -> Iterator[list[Training]]:
    """Two finished runs of task 1; the first was trained for bo's submission 1."""
    place = market_home.home.runs
    made = [Training(place / "1", finished(), submission_id=1), Training(place / "2", finished())]
    yield made
    for training in made:
        training.die()


# Five ways to a task: each ends in task 1 over another screen.


async def from_tasks(app: DecentralMLApp, pilot: Pilot[None]) -> None:
    await pilot.press("G", "enter")


async def from_runs(app: DecentralMLApp, pilot: Pilot[None]) -> None:
    await pilot.press("2")
    await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.run, "the runs")
    await pilot.press("enter", "enter")


async def from_validate(app: DecentralMLApp, pilot: Pilot[None]) -> None:
    await pilot.press("3")
    await until(pilot, lambda: isinstance(app.screen, Validate) and app.screen.look, "the result")
    app.screen._open_task(1)


async def from_the_statement(app: DecentralMLApp, pilot: Pilot[None]) -> None:
    await pilot.press("5")
    await until(pilot, lambda: app.screen.SCOPE == "accounts" and app.screen.table.row, "the accounts")
    await pilot.press("H")
    await until(pilot, lambda: app.screen.SCOPE == "statement" and app.screen.table.total, "the statement")
    rows = [row for page in app.screen.table._pages.values() for row in page]
    app.screen.table.move_to(next(i for i, row in enumerate(rows) if row.key[1] == 1))
    await pilot.press("enter")


async def from_activity(app: DecentralMLApp, pilot: Pilot[None]) -> None:
    await pilot.press("6")
    await until(pilot, lambda: isinstance(app.screen, Activity) and app.screen._part("events").loaded)
    await settled(pilot)
    app.screen._open_task(1)


WAYS = {
    "tasks": from_tasks,
    "runs": from_runs,
    "validate": from_validate,
    "accounts": from_the_statement,
    "activity": from_activity,
}


async def at_the_task(app: DecentralMLApp, pilot: Pilot[None]) -> TaskDetail:
    await until(pilot, lambda: isinstance(app.screen, TaskDetail) and app.screen.facts, "the task")
    assert app.screen.task_id == 1
    return app.screen


async def goes_back(app: DecentralMLApp, pilot: Pilot[None]) -> None:
    """Back to the task: out of the run's panel first, where one is inside it."""
    await settled(pilot)
    await pilot.press("escape")
    await pilot.pause()
    if isinstance(app.screen, RunsScreen):
        await pilot.press("escape")
    await at_the_task(app, pilot)


def lit(app: DecentralMLApp) -> list[str]:
    """The tabs of the screen in front that are lit."""
    return [tab.id for tab in app.screen.query(".tab.active")]


@pytest.mark.parametrize("mode", WAYS)
@pytest.mark.parametrize("number", range(1, 7))
async def test_every_tab_can_be_reached_from_a_task_opened_anywhere(
    market_home: Place, runs: list[Training], mode: str, number: int
) -> None:
    """Its own too: that closes the task, and back opens it again."""
    async with market_home.running() as (app, pilot):
        await WAYS[mode](app, pilot)
        await at_the_task(app, pilot)
        assert lit(app) == [f"tab-{mode}"]
        await pilot.press(str(number))
        there = keys.MODES[number - 1]
        await until(pilot, lambda: there == app.screen.SCOPE, f"{there}, not {app.screen}")
        assert len(app.screen_stack) == 1
        assert lit(app) == [f"tab-{there}"]
        await goes_back(app, pilot)
        assert app.current_mode == mode


@pytest.mark.parametrize("mode", WAYS)
async def test_a_task_opened_anywhere_leads_to_the_run_of_a_submission(
    market_home: Place, runs: list[Training], mode: str
) -> None:
    async with market_home.running(as_="bo" if mode in ("tasks", "runs", "activity") else "ada") as (
        app,
        pilot,
    ):
        await WAYS[mode](app, pilot)
        detail = await at_the_task(app, pilot)
        detail._look_at_run(1)
        await until(pilot, lambda: app.screen.SCOPE == "runs" and app.screen.run is not None, "the runs")
        await until(pilot, lambda: app.screen.table.row.key == 1, "its row")
        assert app.screen.run.id == 1
        await goes_back(app, pilot)


@pytest.mark.parametrize("mode", WAYS)
async def test_a_task_opened_anywhere_leads_to_the_judging_of_a_result(
    market_home: Place, runs: list[Training], mode: str
) -> None:
    second = market_home.create("ada", "Another one")
    market_home.deliver("bo", market_home.take("bo", second))
    async with market_home.running() as (app, pilot):
        await WAYS[mode](app, pilot)
        await at_the_task(app, pilot)
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, Validate) and app.screen.look, "the inbox")
        await until(pilot, lambda: app.screen.look.submission.id == 1, "the result")
        await goes_back(app, pilot)


async def test_back_goes_where_one_came_from_step_by_step(market_home: Place, runs: list[Training]) -> None:
    async with market_home.running() as (app, pilot):
        await from_runs(app, pilot)
        await at_the_task(app, pilot)
        await pilot.press("6")
        await until(pilot, lambda: app.screen.SCOPE == "activity")
        await pilot.press("2")
        await at_the_task(app, pilot)
        await pilot.press("2")
        await until(pilot, lambda: app.screen.SCOPE == "runs")
        went = []
        for _ in range(7):  # out of the panel of the run first
            await pilot.press("escape")
            await settled(pilot)
            await pilot.pause()
            went.append(app.screen.SCOPE)
        assert went == ["runs", "task", "runs", "activity", "task", "runs", "tasks"]


async def test_a_run_that_the_filter_hides_is_shown_when_one_is_led_to_it(
    market_home: Place, runs: list[Training]
) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.run, "the runs")
        await pilot.press("slash", *"nothing", "enter")
        await until(pilot, lambda: app.screen.table.total == 0, "the filter")
        app.show("runs", 1)
        await until(pilot, lambda: app.screen.run and app.screen.run.id == 1, "the run")
        assert app.screen.table.row.key == 1


async def test_activity_leads_to_the_run_under_its_cursor(market_home: Place, runs: list[Training]) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("6")
        await until(pilot, lambda: isinstance(app.screen, Activity) and app.screen._part("work").total == 2)
        work = app.screen._part("work")
        work.focus()
        for run_id in (1, 2):
            rows = [row for page in work._pages.values() for row in page]
            work.move_to(next(i for i, row in enumerate(rows) if row.key[:2] == ("run", run_id)))
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.run, "the runs")
            await until(pilot, lambda id=run_id: app.screen.table.row.key == id, f"run {run_id}")
            assert app.screen.run.id == run_id
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, Activity))
