"""What the event loop's thread is kept free of, and what the app's process never imports."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from textual.widgets import Input

from decentralml.core import config
from decentralml.core.chain.ledger import Ledger
from decentralml.core.domain import ValidationStrategy
from decentralml.core.models.weights import Weights
from decentralml.tui.screens.create import CreateTask
from decentralml.tui.screens.held_out import HeldOut
from decentralml.tui.screens.runs import RunsScreen
from decentralml.tui.screens.sign import Sign
from decentralml.tui.screens.task import TaskDetail
from decentralml.tui.screens.tasks import Tasks
from decentralml.tui.screens.validate import Validate

from . import judged
from .conftest import ASSETS, PASSWORD, START, Place, settled, until
from .crowd import fill
from .loop_watch import watching
from .trainings import Training, at_runs, finished, fit, shows, started

MANY = 100_000
LARGE = 500_000_000
_WALK = """
import asyncio, json, sys
from pathlib import Path
from decentralml.core.paths import Home
from decentralml.tui import screens
from decentralml.tui.app import DecentralMLApp

def loaded():
    return sorted({name.partition(".")[0] for name in sys.modules})

async def walk():
    app = DecentralMLApp(Home(Path(sys.argv[1])), {"account": "ada"}, now=lambda: float(sys.argv[2]))
    async with app.run_test(size=(140, 40)) as pilot:
        async def quiet():
            while app.pulse is None or any(w.is_running for w in app.workers):
                await pilot.pause(0.02)
        await quiet()
        for key in "j k ? escape".split():
            await pilot.press(key)
            await quiet()
        screens.warm()
        print(json.dumps(loaded()))
        for key in "2 3 ] ] ] ] 4 5 6 1 g enter ] ] ] escape n escape ?".split():
            await pilot.press(key)
            await quiet()
    app.finish()

asyncio.run(walk())
print(json.dumps(loaded()))
"""


def test_the_apps_process_imports_no_tensorflow_keras_or_substrate_and_starts_without_h5py(
    market_home: Place,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WALK, str(market_home.home.root), str(START)],
        capture_output=True,
        text=True,
        env={**os.environ, "DECENTRALML_DEBUG": "1"},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    at_the_start, in_the_end = (set(json.loads(line)) for line in done.stdout.splitlines()[-2:])
    assert "textual" in at_the_start
    assert "h5py" not in at_the_start
    assert not in_the_end & {"tensorflow", "keras", "substrateinterface", "torch", "jax"}


def test_the_first_paint_waits_for_nothing_of_the_market() -> None:
    script = (
        "import sys, decentralml.tui.main, decentralml.tui.app, decentralml.tui.screens.tasks\n"
        "print([name for name in sys.modules if name.startswith('decentralml.core.chain')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_these_tests_watch_for_is_seen_on_the_watched_thread_alone(
    market_home: Place, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    market_home.home.config.write_text('theme = "light"\n')

    def touch() -> None:
        config.load(market_home.home)
        Ledger(market_home.home.ledger, now=market_home.clock).close()
        Weights(trained / "honest" / "model.weights.h5").close()

    with watching(monkeypatch) as watch:
        elsewhere = threading.Thread(target=touch)
        elsewhere.start()
        elsewhere.join()
        assert watch.offences == []
        touch()
    for what in ("open ", "os.stat ", "sqlite3 execute ", "File.__init__ "):
        assert any(offence.startswith(what) for offence in watch.offences), what


async def test_the_loop_touches_no_file_socket_or_database_while_one_walks_about(
    market_home: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with watching(monkeypatch) as watch:
        async with market_home.running(size=(140, 40)) as (app, pilot):
            await pilot.press("j", "k", "G", "g", "s", "S", "m", "m")
            await settled(pilot)
            await pilot.press("slash", *"castings", "enter")
            await settled(pilot)
            await pilot.press("question_mark", "escape", "colon")
            await until(pilot, lambda: app.screen.query("CommandInput"))
            await pilot.press("escape", "Y")
            await settled(pilot)
            await pilot.press("t")
            assert app._notifications
            await app.refresh_pulse()
    assert watch.offences == [], "\n".join(watch.offences)


async def test_the_loop_touches_no_file_socket_or_database_while_tasks_load_and_a_folder_uploads(
    market_home: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(market_home.home.ledger, MANY, first=100)
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "model_engineer.py").write_bytes((ASSETS / "model_engineer" / "model_engineer.py").read_bytes())
    os.truncate(os.open(folder / "pictures.bin", os.O_CREAT | os.O_WRONLY), LARGE)
    with watching(monkeypatch) as watch:
        async with market_home.running(size=(100, 30)) as (app, pilot):
            assert isinstance(app.screen, Tasks)
            await until(pilot, lambda: app.screen.table.total > MANY // 3, "the crowd")
            await pilot.press("n")
            await until(pilot, lambda: isinstance(app.screen, CreateTask))
            await pilot.press("right", "tab", *"Large", "tab")
            app.screen.query_one("#files", Input).value = str(folder)
            await pilot.press("tab", "tab", "1", "tab", "tab", "tab", "tab")
            await until(pilot, lambda: not app.screen.query_one("#publish").disabled, "the checks")
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, Sign), "the card")
            await pilot.press("y", *PASSWORD, "enter")
            await until(pilot, lambda: isinstance(app.screen, TaskDetail), "the receipt")
            await settled(pilot)
            await pilot.press("escape")
            for keys in ("G", "g", "s", "s", "S", "m", "m", "m", "slash", "d", "i", "enter"):
                await pilot.press(keys)
                await settled(pilot)
    assert watch.offences == [], "\n".join(watch.offences)


async def test_the_loop_touches_none_while_a_result_is_looked_at_and_uploaded(
    market_home: Place, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Training(market_home.home.runs / "14", [*started(), *fit(2, 2), *finished("honest")])
    shutil.copytree(trained / "honest", run.folder.out / "honest")
    os.truncate(run.folder.out / "honest" / "model.weights.h5", LARGE)
    with watching(monkeypatch) as watch:
        async with market_home.running(size=(100, 30), as_="chi") as (app, pilot):
            await at_runs(app, pilot)
            await shows(app, pilot, "out/honest")
            await pilot.press("d")
            await shows(app, pilot, "its creator can load it")
            await pilot.press("y")
            await until(pilot, lambda: isinstance(app.screen, Sign), "the card")
            await pilot.press("y", *PASSWORD, "enter")
            await until(pilot, lambda: isinstance(app.screen, RunsScreen), "the receipt")
    sent = market_home.chain.submission(2)
    assert market_home.storage.manifest(sent.result_path).size > LARGE
    assert watch.offences == [], "\n".join(watch.offences)


async def test_the_loop_touches_none_while_models_are_evaluated(
    bare_home: Place, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = judged.publish_with_base(bare_home, trained, ValidationStrategy.ManualAccept)
    numbers = [judged.send(bare_home, who, task, trained / "honest") for who in ("bo", "chi")]
    with watching(monkeypatch) as watch:
        async with bare_home.running(size=(120, 40)) as (app, pilot):
            await pilot.press("3")
            await shows(app, pilot, "Digits, round 3")
            await pilot.press("V")
            await until(pilot, lambda: isinstance(app.screen, HeldOut), "the question for data")
            app.screen.query_one("#data", Input).value = str(trained / "held-out.npz")
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, Validate), "the evaluations")
            while not all(n in app.screen.entries and app.screen.entries[n].report for n in numbers):
                await pilot.press("j", "right_square_bracket", "k")
                await pilot.pause(0.05)
            await settled(pilot)
    assert watch.offences == [], "\n".join(watch.offences)
