"""Two people and a cheat play the whole market, from the first start to the federated model.

Everything is real: the ledger, the store, Keras in the sandbox, runs under their supervisor.
"""

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from decentralml.core.paths import Home
from decentralml.tui.app import DecentralMLApp

from . import tmux
from .conftest import ASSETS, text_of
from .loop_watch import watching
from .play import SIZE, Person, ada_begins, ada_judges, bo_and_eve_work, homes, is_settled
from .tmux import Tmux

_BASE = """
import sys, keras
keras.utils.set_random_seed(3)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(2, "softmax")])
model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.save(sys.argv[1], zipped=False)
"""

# Trains twice, judges and federates with all that this machine leaves: no promise about speed.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """What both brought along: a task folder with a base model, and data of their own."""
    task = tmp_path / "task"
    shutil.copytree(
        ASSETS / "model_contributor", task, ignore=shutil.ignore_patterns("__init__.py", "__pycache__")
    )
    base = subprocess.Popen(
        [sys.executable, "-c", _BASE, task / "base_model"],
        env={"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "HOME": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )
    rng = np.random.default_rng(1)
    for name, count in (("held-out", 200), ("bo", 400), ("eve", 400)):
        x = rng.normal(size=(count, 4)).astype(np.float32)
        y = (x.sum(axis=1) > 0).astype(np.uint8)
        np.savez(tmp_path / f"{name}.npz", x=x, y=1 - y if name == "eve" else y)
    assert base.wait(120) == 0
    return tmp_path


class Here:
    """The app in this process, under Textual's pilot."""

    def __init__(self, app: DecentralMLApp, pilot: Pilot[None]) -> None:
        self._app = app
        self._pilot = pilot

    @property
    def screen(self) -> str:
        return text_of(self._app)

    @property
    def ended(self) -> bool:
        return not self._app.is_running

    async def press(self, *keys: str) -> None:
        await self._pilot.press(*keys)

    async def type(self, text: str) -> None:
        for char in text:
            self._app.post_message(events.Key(_character_to_key(char), char))
        await self._pilot.pause()

    async def wait(self) -> None:
        await self._pilot.pause(0.02)


class There:
    """The app in a pane of a real tmux."""

    def __init__(self, pane: Tmux) -> None:
        self._pane = pane

    @property
    def screen(self) -> str:
        return self._pane.screen

    @property
    def ended(self) -> bool:
        return self._pane.ended

    async def press(self, *keys: str) -> None:
        self._pane.press(*keys)

    async def type(self, text: str) -> None:
        self._pane.type(text)

    async def wait(self) -> None:
        self._pane.wait()


@asynccontextmanager
async def sitting(home: Path, **overrides: str) -> AsyncIterator[Person]:
    """The app on ``home``, from its start until the person leaves it."""
    app = DecentralMLApp(Home(home), overrides)
    try:
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            person = Person(Here(app, pilot))
            yield person
            await person.leaves()
    finally:
        app.finish()


async def test_two_people_play_the_whole_market_by_keys_and_the_loop_is_kept_free_of_blocking_calls(
    desk: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_ada, at_bo, shared = homes(desk)
    with watching(monkeypatch) as watch:
        async with sitting(at_ada) as ada:
            await ada_begins(ada, desk)
        async with sitting(at_bo, **shared) as bo:
            await bo_and_eve_work(bo, desk)
        async with sitting(at_ada) as ada:
            await ada_judges(ada, desk)
    assert watch.offences == [], "\n".join(watch.offences)
    is_settled(desk, capfd)


async def test_they_play_the_same_beside_each_other_in_a_real_tmux(
    desk: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_ada, at_bo, shared = homes(desk)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("DECENTRALML_DEBUG")
    with tmux.server(desk) as server:
        panes = [Tmux(server, desk, session=name, size=SIZE) for name in ("ada", "bo")]
        panes[0].start(tmux.APP, "--home", str(at_ada))
        ada, bo = (Person(There(pane)) for pane in panes)
        await ada_begins(ada, desk)
        leads = (word for name, value in shared.items() for word in (f"--{name}", value))
        panes[1].start(tmux.APP, "--home", str(at_bo), *leads)
        await bo_and_eve_work(bo, desk)
        await ada_judges(ada, desk)
        await bo.leaves()
        await ada.leaves()
    is_settled(desk, capfd)
