"""Where one is: tabs, jumps and back, from whatever is open over which mode; and the same after a restart."""

from collections.abc import Iterator

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from decentralml.core.domain import TaskType
from decentralml.tui import keys, screens
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.activity import Activity
from decentralml.tui.screens.runs import RunsScreen
from decentralml.tui.screens.task import TaskDetail
from decentralml.tui.screens.validate import Validate
from decentralml.tui.state import State

from .conftest import Place, settled, until
from .trainings import Training, finished

pytestmark = pytest.mark.usefixtures("quick_looks")


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
    app.places.lead(("task", 1))


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
    app.places.lead(("task", 1))


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
        await at_the_task(app, pilot)
        app.places.lead(("runs", 1))
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


# After a restart


async def test_what_was_open_over_every_mode_is_open_after_a_restart(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await from_tasks(app, pilot)
        await at_the_task(app, pilot)
        await from_the_statement(app, pilot)
        await at_the_task(app, pilot)
        before = [screen.place for screen in app.screen_stack[1:]]
        assert before == [["statement", market_home.address("ada")], ["task", 1]]
        app.finish()
    async with market_home.running() as (app, pilot):
        await at_the_task(app, pilot)
        assert app.current_mode == "accounts"
        assert [screen.place for screen in app.screen_stack[1:]] == before
        await pilot.press("1")
        await until(pilot, lambda: app.current_mode == "tasks")
        await at_the_task(app, pilot)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.SCOPE == "tasks")


@pytest.mark.parametrize(
    "place",
    [
        ["task", 1],
        ["label", 3],
        ["viewer", "/", "etc", False],
        ["statement", "5C"],
        ["address_book"],
        ["create"],
    ],
    ids=lambda place: place[0],
)
async def test_a_screen_is_made_anew_from_its_place(market_home: Place, place: list[object]) -> None:
    async with market_home.running():
        screen = screens.reopened(place)
        assert screen is not None
        assert place[0] == screen.SCOPE
        assert screen.place == place


@pytest.mark.parametrize(
    "over", [5, {"tasks": 5}, {"tasks": [["task", "x"], ["castle"], 7]}, {"tasks": [None]}]
)
async def test_a_state_that_makes_no_sense_opens_nothing(market_home: Place, over: object) -> None:
    state = State(market_home.home)
    state.set("over", {market_home.chain.genesis[:16]: over})
    state.set("mode", "castle")
    state.save()
    async with market_home.running() as (app, _):
        assert app.screen.SCOPE == "tasks"
        assert len(app.screen_stack) == 1


async def test_what_was_open_on_another_chain_stays_there(market_home: Place) -> None:
    state = State(market_home.home)
    state.set("over", {"another": {"tasks": [["task", 1]]}})
    state.save()
    async with market_home.running() as (app, _):
        assert app.screen.SCOPE == "tasks"


async def test_the_list_of_tasks_is_at_the_same_task_though_others_came(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("j")
        await until(pilot, lambda: app.screen.table.cursor == 1)
        was = app.screen.table.row.key
        await pilot.pause()
        app.finish()
    for number in range(120):  # more than a page
        market_home.create("chi", f"New {number}", TaskType.DataAnnotators, pays=0.01, slots=1)
    async with market_home.running() as (app, pilot):
        await until(pilot, lambda: app.screen.table.row and app.screen.table.row.key == was, "the task")
        assert app.screen.table.cursor == 121


async def test_the_inbox_is_filtered_and_at_its_result_as_it_was(known: Place) -> None:
    async with known.running(size=(100, 30)) as (app, pilot):
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, Validate) and app.screen.look, "the inbox")
        await pilot.press("slash", *"task:1", "enter")
        await settled(pilot)
        await pilot.press("j", "j")
        await settled(pilot)
        was = app.screen.look.submission.id
        assert was != next(iter(app.screen.entries))
        app.finish()
    async with known.running(size=(100, 30)) as (app, pilot):
        await until(pilot, lambda: isinstance(app.screen, Validate) and app.screen.look, "the inbox")
        await until(pilot, lambda: app.screen.look.submission.id == was, "the result")
        assert app.screen.filter == "task:1"


async def test_runs_keep_filter_marks_and_overlay(market_home: Place, runs: list[Training]) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.run, "the runs")
        await pilot.press("space", "o", "slash", *"digits", "enter")
        marked = set(app.screen.table.marked)
        assert marked
        app.finish()
    async with market_home.running() as (app, pilot):
        await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.run, "the runs")
        assert app.screen.table.marked == marked
        assert app.screen.overlay
        assert app.screen.query_one("#filter", Input).value == "digits"


async def test_accounts_are_at_the_account_as_it_was(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("5")
        await until(pilot, lambda: app.screen.SCOPE == "accounts" and app.screen.table.row)
        await settled(pilot)
        await pilot.press("j", "j")
        was = app.screen.table.row.key
        await settled(pilot)
        app.finish()
    async with market_home.running() as (app, pilot):
        await until(pilot, lambda: app.screen.SCOPE == "accounts" and app.screen.table.row)
        await until(pilot, lambda: app.screen.table.row.key == was, "the account")


async def test_activity_is_in_its_list_as_it_was(market_home: Place, runs: list[Training]) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("6")
        await until(pilot, lambda: isinstance(app.screen, Activity) and app.screen._part("work").total)
        await settled(pilot)
        await pilot.press("right_square_bracket")
        assert app.screen.table.id == "work"
        await pilot.pause()
        app.finish()
    async with market_home.running() as (app, pilot):
        await until(pilot, lambda: isinstance(app.screen, Activity) and app.screen._part("work").total)
        await settled(pilot)
        assert app.screen.table.id == "work"
