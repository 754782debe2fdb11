"""Runs for the tests: a home, a task to train, and a worker that says what a test wants to hear."""

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import psutil
import pytest

from decentralml.core.config import Settings
from decentralml.core.domain import TaskType
from decentralml.core.environments import Interpreter, own
from decentralml.core.paths import Home
from decentralml.core.training.runs import Run, Runs, RunSpec

ENGINEER = """
import keras

def redefine_model():
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2, activation="softmax")])
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

def train_model(model, x_train, y_train, epochs=1):
    model.fit(x_train, y_train, epochs=epochs, batch_size=16, verbose=0)

def save_model(model, output_path, model_name):
    model.save(f"{output_path}/{model_name}")
"""

# Stands in the worker's place, in its cell: `say` writes an event, and `until_told` looks at the order of the
# run, both as the worker does; `hang` ends only with its process.
SPEAKER = """
import json, os, signal, sys, time
if "decentralml.core.sandboxed.worker" in sys.orig_argv:
    def say(kind, **fields):
        raw(json.dumps({{"kind": kind, **fields}}).encode() + b"\\n")
    def raw(data):
        while data:
            data = data[os.write(3, data):]
    def until_told(word):
        while word not in open("/control/control.json").read():
            time.sleep(0.01)
    def hang():
        while True:
            signal.pause()
    try:
{code}
    except BaseException:
        import traceback
        traceback.print_exc()
        os._exit(9)
    os._exit(0)
"""


@pytest.fixture
def runs(home: Home) -> Iterator[Runs]:
    """The runs of the test's home; none outlives the test."""
    runs = Runs(home, Settings(threads=1))
    yield runs
    for run in runs.list():
        if not run.ended:
            kill_supervisor(run)


def kill_supervisor(run: Run) -> None:
    """Kill the supervisor of a run, as nothing can be cleaned up after."""
    for process in psutil.process_iter(["cmdline"]):
        if str(run.folder) in (process.info["cmdline"] or []):
            process.kill()


@pytest.fixture(name="kill_supervisor")
def kill_supervisor_fixture() -> Callable[[Run], None]:
    return kill_supervisor


@pytest.fixture
def task(tmp_path: Path) -> Path:
    """A task's folder with a script that trains four numbers into two classes."""
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "model_engineer.py").write_text(ENGINEER)
    return folder


@pytest.fixture
def spec(task: Path, tmp_path: Path) -> RunSpec:
    """An order for `task` with 320 samples."""
    x = np.random.default_rng(1).normal(size=(320, 4)).astype("float32")
    np.savez(tmp_path / "data.npz", x=x, y=(x.sum(axis=1) > 0).astype("int64"))
    return RunSpec(
        assets=task,
        script="model_engineer.py",
        task_type=TaskType.ModelEngineer,
        data=tmp_path / "data.npz",
        epochs=2,
    )


@pytest.fixture
def speaking(spec: RunSpec, tmp_path: Path) -> Callable[[str], RunSpec]:
    """``speaking(code)``: an order whose worker is ``code`` in the worker's own cell; see SPEAKER."""

    def make(code: str) -> RunSpec:
        site = tmp_path / "site"
        site.mkdir(exist_ok=True)
        body = textwrap.indent(textwrap.dedent(code), " " * 8)
        (site / "sitecustomize.py").write_text(SPEAKER.format(code=body))
        base = own()
        speaker = Interpreter(executable=base.executable, binds=base.binds, site=(site, *base.site))
        return msgspec.structs.replace(spec, interpreter=speaker)

    return make
