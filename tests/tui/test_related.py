"""From every screen to what belongs to what one is on, and back."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from decentralml.core.amount import UNIT
from decentralml.core.paths import Home
from decentralml.core.wallet.accounts import Accounts
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.activity import Activity
from decentralml.tui.screens.base import MarketScreen, Thing
from decentralml.tui.screens.dialog import Choose
from decentralml.tui.screens.form import Form
from decentralml.tui.screens.label import LabelFiles
from decentralml.tui.screens.runs import RunsScreen
from decentralml.tui.screens.tasks import Tasks
from decentralml.tui.screens.viewer import Viewer

from .conftest import ASSETS, PASSWORD, SCRYPT_N, Place, settled, until
from .trainings import Training, finished

pytestmark = pytest.mark.usefixtures("quick_looks")

Opener = Callable[[Place, DecentralMLApp, Pilot[None]], Awaitable[None]]


@pytest.fixture
def belonging(market_home: Place) -> Iterator[Place]:
    """ada works on 3 of bo's task 2, with run 1; of chi she accepted 4 of task 4, to judge is bo's 1."""
    place = market_home
    accepted = place.take("chi", 4)
    place.deliver("chi", accepted)
    place.market("ada").accept_task_results(accepted)
    genesis = place.chain.genesis
    run = Training(place.home.runs / "1", finished(), task_id=2, submission_id=3, chain=genesis)
    yield place
    run.die()


def thing(app: DecentralMLApp) -> Thing | None:
    """What the screen in front is about, once it is there."""
    screen = app.screen
    return screen.thing if isinstance(screen, MarketScreen) and screen.is_mounted else None


async def tab(app: DecentralMLApp, pilot: Pilot[None], number: int) -> None:
    await pilot.press(str(number))
    await settled(pilot)


async def led_to(app: DecentralMLApp, pilot: Pilot[None], *to: str | int) -> None:
    app.places.lead(to)
    await until(pilot, lambda: to[0] == app.screen.SCOPE and thing(app), f"{to}")


async def at_row(pilot: Pilot[None], fits: Callable[[Thing], bool]) -> None:
    """Move down until the cursor is on what ``fits``."""
    for _ in range(40):
        if (here := thing(pilot.app)) is not None and fits(here):
            return
        await pilot.press("j")
        await pilot.pause()
    raise AssertionError("no such row")


async def tasks(place: Place, app: DecentralMLApp, pilot: Pilot[None]) -> None:
    await pilot.press("m", "m")
    await settled(pilot)
    await at_row(pilot, lambda here: here == Thing("task", 1))


async def task(place: Place, app: DecentralMLApp, pilot: Pilot[None]) -> None:
    await led_to(app, pilot, "task", 4)
    await until(pilot, lambda: app.screen.facts)


async def row_of_a_task(place: Place, app: DecentralMLApp, pilot: Pilot[None]) -> None:
    app.places.lead(("task", 2, 3))
    await until(pilot, lambda: thing(app) == Thing("submission", 3))


async def runs(place: Place, app: DecentralMLApp, pilot: Pilot[None]) -> None:
    await tab(app, pilot, 2)
    await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.run)


async def validate(place: Place, app: DecentralMLApp, pilot: Pilot[None]) -> None:
    await tab(app, pilot, 3)
    await until(pilot, lambda: thing(app) == Thing("submission", 1))


async def federate(place: Place, app: DecentralMLApp, pilot: Pilot[None]) -> None:
    await tab(app, pilot, 4)
    await until(pilot, lambda: thing(app) == Thing("submission", 4))


async def accounts(place: Place, app: DecentralMLApp, pilot: Pilot[None]) -> None:
    await tab(app, pilot, 5)
    await until(pilot, lambda: thing(app) == Thing("account", place.address("ada")))


async def address_book(place: Place, app: DecentralMLApp, pilot: Pilot[None]) -> None:
    app.session.address_book.add("the second ward", place.address("bo"))
    await led_to(app, pilot, "address_book")


async def statement(place: Place, app: DecentralMLApp, pilot: Pilot[None]) -> None:
    """On what was paid for 4."""
    app.places.lead(("statement", place.address("ada")))
    await until(pilot, lambda: app.screen.SCOPE == "statement" and thing(app))
    await at_row(pilot, lambda here: here == Thing("submission", 4))


async def record(place: Place, app: DecentralMLApp, pilot: Pilot[None]) -> None:
    await led_to(app, pilot, "record", place.address("bo"))


async def waits(place: Place, app: DecentralMLApp, pilot: Pilot[None]) -> None:
    await tab(app, pilot, 6)
    await at_row(pilot, lambda here: here == Thing("submission", 1))


async def events(place: Place, app: DecentralMLApp, pilot: Pilot[None]) -> None:
    await tab(app, pilot, 6)
    assert isinstance(app.screen, Activity)
    app.screen._part("events").focus()
    await at_row(pilot, lambda here: here == Thing("submission", 4))


async def viewer(place: Place, app: DecentralMLApp, pilot: Pilot[None]) -> None:
    await task(place, app, pilot)
    await app.push_screen(Viewer(ASSETS / "model_contributor", "model_contributor.py"))


async def report(place: Place, app: DecentralMLApp, pilot: Pilot[None]) -> None:
    await led_to(app, pilot, "report", 4)


async def label(place: Place, app: DecentralMLApp, pilot: Pilot[None]) -> None:
    await app.push_screen(LabelFiles(3))
    await settled(pilot)


SCREENS: dict[str, tuple[Opener, set[str]]] = {
    "tasks": (
        tasks,
        {"task 1", "submission 1", "submission 2", "validate 1", "record of you"},
    ),
    "task": (task, {"federate 4", "record of you"}),
    "row of a task": (row_of_a_task, {"run 1", "record of you", "record of bo"}),
    "runs": (runs, {"task 2", "submission 3", "record of you", "record of bo"}),
    "validate": (validate, {"task 1", "submission 1", "record of bo", "record of you"}),
    "federate": (federate, {"task 4", "submission 4", "record of chi", "record of you"}),
    "accounts": (
        accounts,
        {"record of you", "statement", "its tasks", "its work", "submission 3", "run 1"},
    ),
    "address book": (
        address_book,
        {"record of bo", "statement", "account", "its tasks", "its work", "submission 1"},
    ),
    "statement": (statement, {"task 4", "submission 4", "federate 4", "record of chi", "record of you"}),
    "record": (record, {"statement", "account", "its tasks", "its work", "submission 1"}),
    "waits": (waits, {"task 1", "submission 1", "validate 1", "record of bo", "record of you"}),
    "events": (events, {"task 4", "submission 4", "federate 4", "record of chi", "record of you"}),
    "viewer": (viewer, {"task 4", "submission 4", "federate 4", "record of you"}),
    "report": (report, {"task 4", "submission 4", "federate 4", "record of chi", "record of you"}),
    "label": (label, {"task 3", "record of chi"}),
}


def arrived(app: DecentralMLApp, place: Place, name: str) -> bool:
    """Whether the screen in front is about what a way is called by."""
    screen = app.screen
    if not isinstance(screen, MarketScreen):
        return False
    kind, _, rest = name.partition(" ")
    number = int(rest) if rest.isdigit() else 0
    who = place.address("ada" if rest == "of you" else rest.removeprefix("of ")) if kind == "record" else ""
    return {
        "task": (screen.SCOPE, thing(app)) == ("task", ("task", number)),
        "submission": (screen.SCOPE, thing(app)) == ("task", ("submission", number)),
        "run": (screen.SCOPE, thing(app)) == ("runs", ("run", number)),
        "validate": (screen.SCOPE, thing(app)) == ("validate", ("submission", number)),
        "federate": (screen.SCOPE, thing(app)) == ("federate", ("submission", number)),
        "record": screen.place == ["record", who],
        "statement": screen.SCOPE == "statement",
        "account": screen.SCOPE == "accounts" and thing(app) is not None,
        "its": isinstance(screen, Tasks) and screen.filter.startswith(("by:5", "worker:5")),
    }[kind]


@pytest.mark.parametrize("name", SCREENS)
async def test_what_belongs_to_what_one_is_on_is_offered_and_reached_and_back_returns(
    belonging: Place, name: str
) -> None:
    opens, expected = SCREENS[name]
    async with belonging.running(size=(100, 30)) as (app, pilot):
        await opens(belonging, app, pilot)
        origin = (app.screen.SCOPE, thing(app))
        names = [way for way, _, _ in await app.screen.related()]
        assert set(names) == expected
        for number, way in enumerate(names):
            await pilot.press("full_stop")
            if len(names) > 1:
                await until(pilot, lambda: isinstance(app.screen, Choose), "the list")
                app.screen.query_one(OptionList).highlighted = number
                await pilot.press("enter")
            await until(pilot, lambda way=way: arrived(app, belonging, way), f"{way}, not {app.screen}")
            await settled(pilot)
            await pilot.press("escape")
            await until(pilot, lambda: (app.screen.SCOPE, thing(app)) == origin, f"back from {way}")
            await settled(pilot)


async def test_the_palette_has_the_same_ways(belonging: Place) -> None:
    async with belonging.running() as (app, pilot):
        await validate(belonging, app, pilot)
        await pilot.press("colon", *"record of bo")
        while app.screen.query("CommandInput"):
            await pilot.press("enter")
            await pilot.pause()
        await until(pilot, lambda: arrived(app, belonging, "record of bo"), "the worker's record")


async def test_where_nothing_belongs_the_reason_is_said(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        for number in (1, 2, 3, 4, 6):
            await tab(app, pilot, number)
            app.clear_notifications()
            await pilot.press("full_stop")
            reason = app.screen.why_not("related")
            assert [said.message for said in app._notifications] == [str(reason)], number
            assert reason.code == "NothingHere"
        assert not app.failures, "nothing went wrong"


async def test_a_strangers_address_is_noted_from_where_it_is_seen(market_home: Place, tmp_path: Path) -> None:
    away = Accounts(Home(tmp_path / "away"), scrypt_n=SCRYPT_N)
    stranger = away.import_seed("eve", PASSWORD, "0x" + "ee" * 32)
    market_home.chain.fund(stranger.address, 10 * UNIT)
    market_home._signers["eve"] = away.unlock("eve", PASSWORD)
    submission = market_home.take("eve", 4)
    market_home.deliver("eve", submission)
    async with market_home.running(size=(100, 30)) as (app, pilot):
        app.places.lead(("validate", submission))
        await until(pilot, lambda: thing(app) == Thing("submission", submission))
        ways = [way for way, _, _ in await app.screen.related()]
        note = next(way for way in ways if way.startswith("note "))
        await pilot.press("full_stop")
        await until(pilot, lambda: isinstance(app.screen, Choose), "the list")
        app.screen.query_one(OptionList).highlighted = ways.index(note)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Form), "the form")
        assert app.screen.query_one("#address", Input).value == stranger.address
        app.screen.query_one("#name", Input).value = "Eve of the ward"
        await pilot.press("enter", "enter")
        await until(pilot, lambda: app.session.address_book.name_of(stranger.address), "the entry")
        await until(pilot, lambda: app.screen.SCOPE == "validate")
        names = [way for way, _, _ in await app.screen.related()]
        assert "record of Eve of the ward" in names
        assert not [way for way in names if way.startswith("note ")], "nobody notes whom they know"
