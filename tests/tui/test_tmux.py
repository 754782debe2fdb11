"""The app in a real tmux, as on a server over ssh: walked by keys, left and found again."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from decentralml.core.amount import UNIT
from decentralml.core.chain import genesis
from decentralml.core.config import Settings
from decentralml.core.domain import ValidationStrategy
from decentralml.core.paths import Home
from decentralml.core.training.runs import Run, Runs
from decentralml.core.wallet.accounts import Accounts

from .conftest import PASSWORD, SCRYPT_N, SEEDS, Place

APP = Path(sys.executable).with_name("decentralml")
_PATIENCE = 60.0
# Trains until it is told to stop.
_SCRIPT = """
import keras

def redefine_model():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

def train_model(model, x_train, y_train, epochs=1):
    model.fit(x_train, y_train, epochs=100_000 * epochs, verbose=0)

def save_model(model, output_path, model_name):
    model.save(f"{output_path}/{model_name}")
"""

pytestmark = pytest.mark.usefixtures("own_folders")


class Tmux:
    """A tmux server of its own, with one pane of 80x24."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._folder = folder

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self.name, "-f", "/dev/null", *arguments],
            env={**os.environ},  # readline, where it is imported, leaves a size in the C environment
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def start(self, *command: str) -> None:
        self("new-session", "-d", "-x", "80", "-y", "24", "-c", str(self._folder), *command)
        self("set-option", "-g", "remain-on-exit", "on")
        self("set-option", "-g", "status", "off")

    def again(self, *command: str) -> None:
        """Run ``command`` where the one before has ended."""
        self.until(lambda: self.ended, "the pane's program to end")
        self("respawn-pane", "-k", *command)

    @property
    def screen(self) -> str:
        return self("capture-pane", "-p")

    @property
    def ended(self) -> bool:
        return self("display-message", "-p", "#{pane_dead}").strip() == "1"

    @property
    def pid(self) -> int:
        return int(self("display-message", "-p", "#{pane_pid}"))

    def press(self, *keys: str) -> None:
        self("send-keys", *keys)

    def type(self, text: str) -> None:
        self("send-keys", "-l", text)

    def sees(self, *texts: str) -> None:
        """Wait until every one of ``texts`` stands on the screen."""
        self.until(lambda: all(text in self.screen for text in texts), " and ".join(texts))

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        pause = time.sleep
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"waited for {what}; on the screen:\n{self.screen}")
            pause(0.05)

    @property
    def rows(self) -> int:
        return int(self("display-message", "-p", "#{window_height}"))

    @property
    def clients(self) -> int:
        return len(self("list-clients").splitlines())


class Link:
    """Somebody's terminal of a size, attached as over ssh, and reading what is drawn."""

    def __init__(self, tmux: Tmux, columns: int, rows: int) -> None:
        self._tmux = tmux
        self._near, far = pty.openpty()
        termios.tcsetwinsize(far, (rows, columns))
        self._client = subprocess.Popen(
            ["tmux", "-L", tmux.name, "attach"],
            stdin=far,
            stdout=far,
            stderr=far,
            env={**os.environ, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(far)
        self._gone = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        tmux.until(lambda: tmux.clients == 1, "the client")

    def _read(self) -> None:
        while not self._gone.is_set():
            if select.select([self._near], [], [], 0.05)[0]:
                with suppress(OSError):  # the client has ended before
                    os.read(self._near, 65536)
        os.close(self._near)

    def drops(self) -> None:
        """The terminal goes away under the client."""
        self._gone.set()
        self._reader.join()
        self._client.wait(_PATIENCE)
        self._tmux.until(lambda: self._tmux.clients == 0, "the link to drop")


@pytest.fixture
def tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tmux]:
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("DECENTRALML_DEBUG")
    server = Tmux(f"decentralml-{os.getpid()}", tmp_path)
    yield server
    subprocess.run(["tmux", "-L", server.name, "kill-server"], capture_output=True, check=False)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """ada's task, which trains for long, on a ledger that keeps real time; bo has data for it."""
    home = Home(tmp_path / "home")
    genesis.create(home.ledger, seen=home.seen)
    place = Place(home.root, time.time)
    for name in ("ada", "bo"):
        account = Accounts(home, scrypt_n=SCRYPT_N).import_seed(name, PASSWORD, SEEDS[name])
        place.chain.fund(account.address, 100 * UNIT)
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "model_engineer.py").write_text(_SCRIPT)
    place.market("ada").create_task_model_engineer(
        question="Which side of the line?",
        pays_amount=2 * UNIT,
        expiration_block=10_000,
        max_assignments=2,
        validation_strategy=ValidationStrategy.ManualAccept,
        model_engineer_path=folder,
    )
    x = np.random.default_rng(1).normal(size=(64, 4)).astype(np.float32)
    np.savez(tmp_path / "data.npz", x=x, y=(x.sum(axis=1) > 0).astype(np.uint8))
    yield place
    place.close()
    runs = Runs(home, Settings())
    for run in runs.list():
        if not run.ended:
            runs.stop(run.id)


def _run(home: Home) -> Run:
    return Runs(home, Settings()).list()[0]


def test_a_walk_over_the_six_tabs_a_slot_taken_a_lost_link_and_a_hangup(place: Place, tmux: Tmux) -> None:
    app = (str(APP), "--home", str(place.home.root), "--account", "bo")
    tmux.start(*app)
    tmux.sees("open tasks", "1 shown", "Which side of", "take it", "100.00 free")
    tabs = {
        "2": "No run yet",
        "3": "No result waits for you",
        "4": "No result was accepted yet",
        "5": "in use, locked",
        "6": "WAITS FOR YOU",
        "1": "open tasks",
    }
    for key, text in tabs.items():
        tmux.press(key)
        tmux.sees(text)

    tmux.press("Enter")
    tmux.sees("escrow", "creator", "take")
    tmux.press("t")
    tmux.sees("Sign assign_task", "deposit", "Password of this account")
    tmux.type(PASSWORD)
    tmux.press("Enter")
    tmux.sees("assign_task in block", "submission 1 of task 1 is taken")
    assert PASSWORD not in tmux.screen.split()

    # The link drops, with the terminal under it: the app stays, and the next terminal has another size.
    link = Link(tmux, 80, 24)
    link.drops()
    link = Link(tmux, 100, 30)
    tmux.until(lambda: tmux.rows == 30 and "help" in tmux.screen.splitlines()[-1], "the new size")
    tmux.press("5")
    tmux.sees("ADDRESS", "in use", "held")
    link.drops()

    # A hangup in the middle of a word ends the app, and the next start is where the person was.
    tmux.press("1")
    tmux.sees("says why not the rest")
    tmux.press("Escape")
    tmux.sees("open tasks")
    tmux.press("m")
    tmux.sees("mine tasks", "yours: train")
    tmux.press("/")
    tmux.type("pays:>1")
    tmux.sees("pays:>1")
    os.kill(tmux.pid, signal.SIGHUP)
    tmux.again(*app)
    tmux.sees("mine tasks", "pays:>1", "yours: train", "locked")
    tmux.press("5")
    tmux.sees("ADDRESS", "in use")
    tmux.press("q")
    tmux.again(*app)
    tmux.sees("ADDRESS", "in use")


def test_leaving_is_immediate_and_the_run_goes_on_and_is_found_again(place: Place, tmux: Tmux) -> None:
    app = (str(APP), "--home", str(place.home.root), "--account", "bo")
    tmux.start(*app)
    tmux.sees("Which side of")
    tmux.press("r")
    tmux.sees("Train task 1", "network", "none")
    tmux.type("data.npz")
    tmux.sees("x 64x4")
    tmux.press("Enter")
    tmux.until(lambda: Runs(place.home, Settings()).list(), "the run")
    tmux.sees("run 1")
    tmux.press("q")
    tmux.until(lambda: tmux.ended, "the app to end")
    assert not _run(place.home).ended

    tmux.again(*app)
    tmux.sees("run 1  running")
    tmux.press("x")
    tmux.sees("Stop run 1", "Stop it")
    tmux.press("y")
    tmux.sees("run 1  stopped")
    tmux.press("q")
    tmux.until(lambda: tmux.ended, "the app to end")
