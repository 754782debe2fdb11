"""With --readonly nothing is signed or changed: by no key, no command, no dialog; and the screen says so."""

import hashlib
from pathlib import Path

import pytest
from textual.widgets import Input

from decentralml.core.cli import table
from decentralml.core.paths import Home
from decentralml.tui import keys
from decentralml.tui.failures import Failure
from decentralml.tui.screens.failure import FailureStory
from decentralml.tui.screens.who import Who

from .conftest import Place, settled, text_of, until
from .test_ways import acting, back_to, go
from .trainings import fit, started

REFUSED = "Nothing is signed or changed with --readonly."
# The command that means the same as a row that signs nothing on the chain.
_COMMANDS = {
    "set_up": "task setup",
    "train": "task train",
    "try_first": "task try",
    "evaluate": "task validate",
    "evaluate_all": "task validate",
    "write": "federate run",
    "pause": "run pause",
    "stop": "run stop",
    "retry": "run resume",
    "use": "config set",
    "import": "account import",
    "export": "account export",
    "password": "account password",
    "remember": "account remember",
    "fund": "account fund",
    "forget": "account forget",
}


def everything(home: Home) -> dict[Path, str]:
    """What the home keeps, by file; but where the person was, what they copied, and what was fetched."""
    own = {home.state_dir / name for name in ("tui.json", ".tui.json.lock", "copied.txt")} | {home.failures}
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in home.data_dir.rglob("*")
        if path.is_file() and path not in own and home.assets not in path.parents
    }


@pytest.mark.parametrize(("method", "command"), _COMMANDS.items())
def test_a_key_is_refused_where_its_command_is(method: str, command: str) -> None:
    assert keys.writes(method) == table.BY_NAME[command].writes


def test_what_signs_is_refused() -> None:
    assert all(keys.writes(row.method) for row in keys.TABLE if row.call is not None)


@pytest.mark.usefixtures("quick_looks")
@pytest.mark.parametrize(
    "scope", [*keys.MODES, "task", "report", "label", "statement", "record", "address_book"]
)
async def test_no_key_leaves_a_trace(market_home: Place, train, scope: str) -> None:
    train(1).die()
    before = everything(market_home.home)
    async with market_home.running(size=(100, 30), readonly=True) as (app, pilot):
        await go(app, pilot, scope, market_home)
        screen = app.screen
        for row in acting(screen):
            app.clear_notifications()
            await pilot.press(row.keys.partition(",")[0])
            if row.refused_readonly:
                assert any(said.message.startswith(REFUSED) for said in app._notifications), row.name
                assert app.screen is screen, f"{row.name} opens nothing"
            await settled(pilot)
            await back_to(app, pilot, screen)
        for name, _, run in list(screen.commands()):
            run()
            await settled(pilot)
            assert app.screen is screen, f"{name} asks nothing"
    assert everything(market_home.home) == before


async def test_a_key_file_outlives_what_used_to_delete_it(market_home: Place) -> None:
    async with market_home.running(size=(120, 30), readonly=True) as (app, pilot):
        await pilot.press("5")
        await settled(pilot)
        await pilot.press("F", *"ada", "ctrl+g", "escape")
        await settled(pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: f"Not now: {REFUSED}" in text_of(app), "the help")
    assert market_home.accounts.get("ada").path.exists()


async def test_a_label_is_not_given(market_home: Place) -> None:
    market_home.take("bo", 3)
    async with market_home.running(as_="bo", readonly=True) as (app, pilot):
        await go(app, pilot, "label", market_home)
        await until(pilot, lambda: "no label yet" in text_of(app), "the first file")
        for pressed in ("1", "enter"):
            app.clear_notifications()
            await pilot.press(pressed)
            assert any(said.message.startswith(REFUSED) for said in app._notifications)
        assert "no label yet" in text_of(app)
    assert not (market_home.home.data_dir / "answers").exists()


async def test_a_theme_is_tried_and_a_filter_used_but_neither_is_kept(market_home: Place) -> None:
    async with market_home.running(readonly=True) as (app, pilot):
        app.looks.choose("light")
        app.screen.query_one("#filter", Input).value = "pays:>5"
        await settled(pilot)
        assert app.theme == "light"
        assert not [name for name, _, _ in app.screen.commands() if name == "save this filter"]
        await pilot.press("M")
        await until(pilot, lambda: "Saved filters" in text_of(app), "the dialog")
        assert "under a name" not in text_of(app)
    assert not market_home.home.config.exists()


async def test_no_run_is_removed_and_nobody_is_noted(market_home: Place, train) -> None:
    train(1).die()
    async with market_home.running(as_="bo", readonly=True) as (app, pilot):
        await pilot.press("2")
        await until(pilot, lambda: app.screen.run is not None, "the run")
        assert list(app.screen.commands()) == []
        app.places.lead(("task", 1))
        await settled(pilot)
        await until(pilot, lambda: app.screen.facts, "the task")
        assert not [name for name, _, _ in await app.screen.related() if name.startswith("note ")]


async def test_what_went_wrong_is_not_tried_again_by_its_story(market_home: Place) -> None:
    done: list[str] = []
    failure = Failure(0.0, "trying", "Odd", "It broke.", again=lambda: done.append("again"))
    async with market_home.running(readonly=True) as (app, pilot):
        await app.push_screen(FailureStory(failure))
        assert not app.screen.query("#again")
        await pilot.press("exclamation_mark")
        assert isinstance(app.screen, FailureStory)
        assert REFUSED in text_of(app)
    assert done == []


async def test_without_an_account_no_page_leads_to_a_key_that_is_refused(tmp_path: Path, clock) -> None:
    place = Place(tmp_path / "home", clock)
    async with place.running(readonly=True, size=(100, 24)) as (app, pilot):
        await until(pilot, lambda: "without --readonly one can be made" in text_of(app), "Tasks")
        assert "U makes" not in text_of(app)
        await pilot.press("U")
        await until(pilot, lambda: isinstance(app.screen, Who))
        assert "There is no account yet. Without --readonly one can be made." in text_of(app)
        await pilot.press("escape", "5")
        await until(pilot, lambda: "There is no account yet. Without --readonly" in text_of(app), "Accounts")
        assert "n makes" not in text_of(app)
    place.close()


@pytest.mark.parametrize("width", [60, 80, 100])
async def test_read_only_is_always_told_and_training_gives_way_first(
    market_home: Place, train, width: int
) -> None:
    train(5, *started(), *fit(20, 2), alive=True)
    async with market_home.running(size=(width, 24), readonly=True) as (app, pilot):
        await until(pilot, lambda: app.pulse.training == "run 5  10 %", "the training")
        line = text_of(app).splitlines()[1]
        assert line.rstrip().endswith("read-only")
        assert ("run 5" in line) == (width == 100)
        assert (".." in line) == (width > 60), "the address goes next"
        assert "local" in line


async def test_what_can_be_done_now_with_a_task_is_said_without_what_signs_or_changes(
    market_home: Place,
) -> None:
    async with market_home.running(size=(80, 24), as_="bo", readonly=True) as (app, pilot):
        await go(app, pilot, "task", market_home)
        await until(pilot, lambda: "now   " in text_of(app), "what can be done")
        now = next(line for line in text_of(app).splitlines() if "now   " in line)
        assert now.split() == ["now", "T", "try"]
