"""The whole market by keys alone: two people and a cheat, from the first start to the federated model.

Everything is real: the ledger, the store, Keras in the sandbox, runs under their supervisor. Meanwhile the
event loop's thread is watched: it touches no file, socket, database or model.
"""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot

from decentralml.core.amount import UNIT
from decentralml.core.chain.connect import connect as connect_chain
from decentralml.core.cli.main import main as run_command
from decentralml.core.paths import Home
from decentralml.core.wallet.accounts import Accounts
from decentralml.tui.app import DecentralMLApp

from .conftest import ASSETS, text_of
from .loop_watch import watching

SIZE = (100, 30)
PASSWORD = "a long password"
QUESTION = "Which side of the line?"
_PATIENCE = 60.0
_WORD = re.compile(r"(?<= )(\d+) ([a-z]+)(?=  )")
_BASE = """
import sys, keras
keras.utils.set_random_seed(3)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(2, "softmax")])
model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.save(sys.argv[1], zipped=False)
"""


class Person:
    """Somebody at a keyboard, who reads the screen and presses keys."""

    def __init__(self, app: DecentralMLApp, pilot: Pilot[None]) -> None:
        self._app = app
        self._pilot = pilot

    @property
    def screen(self) -> str:
        return text_of(self._app)

    async def sees(self, *texts: str) -> None:
        """Wait until every one of ``texts`` stands on the screen."""
        await self.until(lambda: all(text in self.screen for text in texts), " and ".join(texts))

    async def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"waited for {what}; on the screen:\n{self.screen}")
            await self._pilot.pause(0.02)
        await self._pilot.pause()

    async def press(self, *keys: str) -> None:
        await self._pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self._pilot.press(*text)

    async def reaches(self, label: str) -> None:
        """Press tab until the button ``label`` has the focus."""
        for _ in range(20):
            focused = self._app.screen.focused
            if label in str(getattr(focused, "label", "")):
                return
            await self.press("tab")
        pytest.fail(f"no button {label}; on the screen:\n{self.screen}")

    # What people do more than once

    async def makes_an_account(self, name: str) -> None:
        """From the form on: name, password, words copied on paper, three of them asked for."""
        await self.sees("New account", "Password again")
        for text in (name, PASSWORD, PASSWORD):
            await self.type(text)
            await self.press("enter")
        await self.press("enter")
        await self.sees("Write these words down on paper", "I have written them down")
        paper = dict(_WORD.findall(self.screen))
        assert len(paper) == 12
        await self.press("enter")
        await self.sees("Type them from your paper", "Check")
        asked = re.findall(r"Word (\d+)", self.screen)
        assert len(asked) == 3
        for number in asked:
            await self.type(paper[number])
            await self.press("enter")
        await self.sees(f"{name} is made")

    async def signs(self, call: str, *, locked: bool = False) -> None:
        """Read the card, say yes, see the receipt."""
        await self.sees(call, "effect", "Sign and send", *(["Password of this account"] if locked else []))
        if locked:
            await self.type(PASSWORD)
            await self.press("enter")
        else:
            await self.press("y")
        await self.until(lambda: "Sign and send" not in self.screen, f"{call} to be sent")

    async def is_funded(self) -> None:
        await self.sees("fund", "granted by the faucet", "Sign and send")
        await self.press("y")
        await self.sees("100.00 more")

    async def publishes(self, folder: Path) -> None:
        """Fill in the form from top to bottom."""
        await self.press("n")
        await self.sees("contributor", "Publish", "CHECKS")
        await self.press("tab")
        await self.type(QUESTION)
        await self.press("tab")
        await self.type(str(folder))
        await self.press("tab", "tab")
        await self.type("3")
        await self.press("tab", "backspace")
        await self.type("2")
        await self.sees("3 x 2 = 6.00", "94.00")
        await self.reaches("Publish")
        await self.press("enter")
        await self.signs("create_task", locked=True)
        await self.sees(QUESTION, "6.00 open")

    async def tries(self, data: Path) -> None:
        """Try the task under the cursor before a slot is held."""
        await self.press("T")
        await self.sees("WHAT IT MAY TOUCH", "Nothing of the task has run yet")
        await self.type(str(data))
        await self.press("enter")
        await self.sees("It runs here", "an hour", "360 samples")
        await self.press("escape")
        await self.sees(QUESTION, "escrow")

    async def takes(self, *, locked: bool) -> None:
        await self.press("t")
        await self.signs("assign_task", locked=locked)
        await self.sees("deliver")

    async def trains(self, data: Path, *, run: int) -> None:
        """From the task's screen: start a run, and watch it on the runs' until it has finished."""
        await self.press("r")
        await self.sees("network", "none")
        await self.type(str(data))
        await self.press("enter")
        await self.sees(f"run {run}  finished")

    async def delivers(self, submission: int) -> None:
        await self.press("d")
        await self.sees(f"Deliver submission {submission}", "GOES OUT", "its creator can load it")
        await self.sees("Nothing has been sent yet")
        await self.press("y")
        await self.signs("send_task_result")

    async def evaluates_all(self, data: Path) -> None:
        await self.press("V")
        await self.sees("Held-out data")
        await self.type(str(data))
        await self.press("enter")
        await self.until(lambda: self.screen.count("decide") + self.screen.count("says") >= 2, "both figures")

    async def judges(self) -> None:
        """bo's model is good, eve's is not."""
        await self.press("g")
        await self.sees("#1  task 1", "accuracy")
        await self.press("a")
        await self.signs("accept", locked=True)
        await self.sees("accept_task_results", "Close")
        await self.press("enter")
        await self.sees("#2  task 1", "accuracy")
        await self.press("R")
        await self.sees("Why? The worker reads it.")
        await self.type("worse than the baseline")
        await self.press("enter")
        await self.signs("reject")
        await self.sees("reject_task_results", "Close")
        await self.press("enter")
        await self.sees("0 to judge")

    async def federates(self) -> None:
        await self.press("4")
        await self.sees("1 accepted", "GOES IN  1")
        await self.press("w")
        await self.sees("Federate 1 result", "Held-out data")
        await self.press("enter")
        await self.sees("federated", "baseline", "made with")


@asynccontextmanager
async def sitting(home: Path, **overrides: str) -> AsyncIterator[Person]:
    """The app on ``home``, from its start until the person presses q."""
    app = DecentralMLApp(Home(home), overrides)
    try:
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            person = Person(app, pilot)
            await person.until(lambda: app.pulse is not None, "the session")
            yield person
            await person.press("q")
            await person.until(lambda: not app.is_running, "the app to end")
    finally:
        app.finish()


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


async def test_two_people_play_the_whole_market_by_keys(
    desk: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bo = desk / "ada", desk / "bo-home"
    shared = {
        "chain": f"local:{Home(ada).ledger}",
        "storage": f"local:{Home(ada).storage}",
    }

    with watching(monkeypatch) as watch:
        async with sitting(ada) as person:
            await person.sees("Create an account", "Try the demo market")
            await person.press("enter")
            await person.makes_an_account("ada")
            await person.is_funded()
            await person.sees("open tasks", "100.00 free")
            await person.publishes(desk / "task")

        async with sitting(bo, **shared) as person:
            await person.press("enter")
            await person.makes_an_account("bo")
            await person.is_funded()
            await person.sees("100.00 free", QUESTION)
            await person.tries(desk / "bo.npz")
            await person.takes(locked=True)
            await person.trains(desk / "bo.npz", run=1)
            await person.delivers(1)

            await person.press("5")
            await person.sees("ADDRESS", "in use")
            await person.press("n")
            await person.makes_an_account("eve")
            await person.press("f")
            await person.sees("Units for eve")
            await person.press("enter")
            await person.is_funded()
            await person.press("u")
            await person.sees("You are eve")
            await person.press("1", "g", "enter")
            await person.sees(QUESTION, "escrow")
            await person.takes(locked=True)
            await person.trains(desk / "eve.npz", run=2)
            await person.delivers(2)

        async with sitting(ada) as person:
            await person.press("3")
            await person.sees("2 to judge")
            await person.evaluates_all(desk / "held-out.npz")
            await person.judges()
            await person.federates()
            await person.press("5")
            await person.sees("ada", "94.00")
    assert watch.offences == [], "\n".join(watch.offences)

    assert run_command(["--home", str(ada), "--json", "chain", "verify"]) == 0
    assert json.loads(capfd.readouterr().out)["ok"]
    chain = connect_chain("local", Home(ada))
    free = {
        account: chain.balance(Accounts(Home(home)).get(account).address).free / UNIT
        for home, account in ((ada, "ada"), (bo, "bo"), (bo, "eve"))
    }
    assert (free["ada"], free["bo"]) == (94, 103)
    assert free["eve"] <= 100
    chain.close()
