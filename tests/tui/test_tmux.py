"""The app in a real tmux, as on a server over ssh: walked by keys, left and found again."""

import os
import signal
import sys
import time
from collections.abc import Iterator
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
from .tmux import APP, Tmux, attached, server

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
# Runs a program that the signal of a resize does not reach.
_DEAF = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture
def tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tmux]:
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("DECENTRALML_DEBUG")
    with server(tmp_path) as name:
        yield Tmux(name, tmp_path)


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


def _fits(tmux: Tmux, rows: int) -> None:
    """Wait until the app's last line is the terminal's."""
    tmux.until(lambda: tmux.rows == rows and "help" in tmux.screen.splitlines()[-1], f"{rows} rows")


def test_a_walk_over_the_six_tabs_a_slot_taken_a_lost_link_and_a_hangup(place: Place, tmux: Tmux) -> None:
    app = (APP, "--home", str(place.home.root), "--account", "bo")
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

    tmux.press("enter")
    tmux.sees("escrow", "creator", "take")
    tmux.press("t")
    tmux.sees("Take a slot of task 1", "deposit")
    tmux.press("y")
    tmux.sees("Password of this account")
    tmux.type(PASSWORD)
    tmux.press("enter")
    tmux.sees("Submission 1 takes a slot of task 1", "finalised")
    assert PASSWORD not in tmux.screen.split()

    # The link drops, with the terminal under it: the app stays, and the next terminal has another size.
    with attached(tmux, 80, 24):
        pass
    with attached(tmux, 100, 30):
        _fits(tmux, 30)
        tmux.press("5")
        tmux.sees("ADDRESS", "in use", "held")

    # A hangup in the middle of a word ends the app, and the next start is where the person was.
    tmux.press("1")
    tmux.sees("T try", "terms")
    tmux.press("escape")
    tmux.sees("open tasks")
    tmux.press("m")
    tmux.sees("my tasks", "yours: train")
    tmux.press("slash")
    tmux.type("pays:>1")
    tmux.sees("pays:>1")
    os.kill(tmux.pid, signal.SIGHUP)
    tmux.again(*app)
    tmux.sees("my tasks", "pays:>1", "yours: train", "locked")
    tmux.press("5")
    tmux.sees("ADDRESS", "in use")
    tmux.press("q")
    tmux.again(*app)
    tmux.sees("ADDRESS", "in use")


def test_leaving_is_immediate_and_the_run_goes_on_and_is_found_again(place: Place, tmux: Tmux) -> None:
    app = (APP, "--home", str(place.home.root), "--account", "bo")
    tmux.start(*app)
    tmux.sees("Which side of")
    tmux.press("r")
    tmux.sees("Train task 1", "network", "none")
    tmux.type("data.npz")
    tmux.sees("x 64x4")
    tmux.press("enter")
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


def test_a_size_left_in_the_environment_does_not_hold_and_a_resize_that_was_missed_is_made_up_for(
    place: Place, tmux: Tmux, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = (APP, "--home", str(place.home.root), "--account", "bo")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    tmux.start(*app)
    tmux.sees("Which side of")
    with attached(tmux, 100, 30):
        _fits(tmux, 30)
    tmux.press("q")

    tmux.again(sys.executable, "-c", _DEAF, *app)
    tmux.sees("Which side of")
    with attached(tmux, 90, 26):
        _fits(tmux, 26)
