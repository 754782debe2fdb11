"""Real training in its real cell: it outlives terminals, waits its turn, obeys, and survives being killed."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import psutil
import pytest
from unprivileged import unprivileged

from decentralml.core.bounds import Bounds
from decentralml.core.config import Settings
from decentralml.core.errors import Failed, Misused, Refused, Unavailable
from decentralml.core.paths import Home
from decentralml.core.training import journal, send
from decentralml.core.training.curves import Curves
from decentralml.core.training.follow import follow
from decentralml.core.training.locks import held
from decentralml.core.training.run_folder import RunFile, RunFolder
from decentralml.core.training.runs import Run, Runs, RunSpec

WaitFor = Callable[..., Any]
FOREVER = 1_000_000

# Two fits, one of them by a train_step of its own on data of unknown length, and lines that lie on stdout.
HARD = """
import keras, tensorflow as tf

class Own(keras.Model):
    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        self.mean.update_state(loss)
        return {"loss": self.mean.result()}

    @property
    def metrics(self):
        return [self.mean]

def redefine_model():
    inputs = keras.Input((4,))
    model = Own(inputs, keras.layers.Dense(2, activation="softmax")(inputs))
    model.mean = keras.metrics.Mean(name="loss")
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    return model

def train_model(model, x_train, y_train, epochs=1):
    print('{"kind":"epoch","fit":1,"epoch":99,"metrics":{"loss":0.0}}')
    print("Epoch 99/99 loss: 0.0000", flush=True)
    first = model.fit(x_train, y_train, epochs=epochs, batch_size=16, verbose=0)
    def batches():
        for i in range(0, 96, 16):
            yield x_train[i:i+16], y_train[i:i+16]
    signature = (tf.TensorSpec((None, 4), tf.float32), tf.TensorSpec((None,), tf.int64))
    unknown = tf.data.Dataset.from_generator(batches, output_signature=signature)
    second = model.fit(unknown, epochs=2, verbose=0)
    print("HISTORY", [h.history["loss"] for h in (first, second)])
    return model

def save_model(model, output_path, model_name):
    model.save(f"{output_path}/{model_name}")
"""

START = """
import os, signal, sys
from pathlib import Path
from decentralml.core.config import Settings
from decentralml.core.paths import Home
from decentralml.core.training.locks import held
from decentralml.core.training.run_folder import RunFolder
from decentralml.core.training.runs import Runs
assert os.isatty(0)
run = Runs(Home(Path(sys.argv[1])), Settings(threads=1)).start(RunFolder(Path(sys.argv[2])).load().spec)
print("started", run.id, flush=True)
while True:
    signal.pause()
"""

FOLLOW = """
import sys
from pathlib import Path
from decentralml.core.training.follow import follow
for event in follow(Path(sys.argv[1])):
    print(type(event).__name__, flush=True)
"""


def of(events: list[journal.Event], kind: type[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def read(run: Run) -> list[journal.Event]:
    return journal.read(run.folder / "journal.jsonl")[0]


def worker_of(run: Run) -> psutil.Process:
    """The process in the sandbox that trains."""
    (found,) = [
        process
        for process in psutil.Process(run.last.pid).children(recursive=True)
        if "decentralml.core.sandboxed.worker" in process.cmdline() and process.name() != "bwrap"
    ]
    return found


def test_a_run_outlives_its_terminal_and_reports_what_history_has(
    home: Home, spec: RunSpec, task: Path, tmp_path: Path, runs: Runs, wait_for: WaitFor
) -> None:
    (task / "model_engineer.py").write_text(HARD)
    # The order is carried to the other process as a run carries its own.
    (tmp_path / "order").mkdir()
    RunFolder(tmp_path / "order").create(RunFile(spec=spec, bounds=Bounds(1, 1, 1), created=0.0))
    terminal, end = pty.openpty()
    starter = subprocess.Popen(
        [sys.executable, "-c", START, str(home.root), str(tmp_path / "order")],
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
        preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0),
    )
    os.close(end)
    with os.fdopen(os.dup(terminal), "rb") as screen:
        assert screen.readline() == b"started 1\r\n"
    runs.pause(1)
    os.close(terminal)
    assert starter.wait(30) == -signal.SIGHUP

    run = wait_for(lambda: (r := runs.get(1)).state == "paused" and r, seconds=120, what="the pause")
    assert psutil.Process(run.last.pid).terminal() is None
    follower = subprocess.Popen(
        [sys.executable, "-c", FOLLOW, str(run.folder)], stdout=subprocess.PIPE, text=True
    )
    with pytest.raises(Misused):
        runs.remove(1)
    assert runs.resume(1).state in ("paused", "running")
    seen = follower.communicate(timeout=120)[0].split()
    assert [kind for kind in seen if kind not in ("Load", "Step", "Checkpoint", "Warning")] == [
        *("Queued", "Started", "Hello", "Paused", "Resumed", "Data"),
        *("Fit", "Epoch", "Epoch", "Fit", "Epoch", "Epoch", "Evaluated", "Saved", "Finished"),
    ]

    run, events = runs.get(1), read(run)
    assert run.state == "finished"
    assert run.last.device == "CPU"
    assert run.last.peak_rss > 100 * 2**20
    log = runs.tail(1, 1000)
    history = json.loads(next(line for line in log if line.startswith("HISTORY")).removeprefix("HISTORY"))
    epochs = of(events, journal.Epoch)
    assert [(e.fit, e.epoch) for e in epochs] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    losses = [e.metrics["loss"] for e in epochs]
    assert losses == pytest.approx([*history[0], *history[1]], abs=1e-6)
    assert [fit.steps for fit in of(events, journal.Fit)] == [18, None]
    assert any("Epoch 99/99" in line for line in log)
    curves = Curves(run.folder)
    assert curves.refresh()
    assert curves.epochs["loss"].y == losses
    assert curves.epochs["loss"].x == [1, 2, 3, 4]

    parcel = send.prepare(runs.result_folder(1), tmp_path / "send", most=2**30)
    assert [name for name, _ in parcel.files] == list(send.FILES)
    assert parcel.model.class_name == "Functional"
    assert re.fullmatch(r"model_[a-z]{10}", parcel.folder.name)
    with pytest.raises(Misused, match="finished"):
        runs.resume(1)
    runs.remove(1)
    with pytest.raises(Refused):
        runs.get(1)


def test_a_killed_run_goes_on_from_its_checkpoint_while_the_next_one_waits(
    runs: Runs, spec: RunSpec, speaking: Callable[[str], RunSpec], wait_for: WaitFor
) -> None:
    run = runs.start(msgspec.structs.replace(spec, epochs=FOREVER))
    waiting = runs.start(speaking('until_told("pause")\nsay("finished")'))
    given_up = runs.start(spec)

    def checkpoint(beyond: int) -> journal.Checkpoint | None:
        """A checkpoint of the running attempt, after more epochs than ``beyond``."""
        last = runs.get(run.id).last.checkpoint
        return last if last and last.epoch > beyond else None

    # The worker is killed from outside.
    first = wait_for(lambda: checkpoint(0), seconds=120, what="a checkpoint")
    assert [r.state for r in runs.list()] == ["queued", "queued", "running"]
    worker_of(runs.get(run.id)).kill()
    wait_for(lambda: runs.get(run.id).ended)
    assert runs.get(run.id).state == "failed"
    assert "SIGKILL" in runs.get(run.id).last.error
    assert next(one for one in runs.list() if one.id == run.id).ended
    wait_for(lambda: runs.get(waiting.id).last.attempt == 1, what="the next one's turn")

    # It waits for its turn behind the one that has it now, before the one that came later.
    resumed = runs.resume(run.id)
    assert (resumed.state, resumed.last.error) == ("queued", "")
    assert next(one for one in runs.list() if one.id == run.id).state == "queued", "the list knows it at once"
    with pytest.raises(Misused):
        runs.remove(run.id)
    runs.stop(given_up.id)
    wait_for(lambda: runs.get(given_up.id).state == "stopped", what="a stop in the queue")
    assert runs.get(given_up.id).last.attempt == 0

    runs.pause(waiting.id)
    wait_for(lambda: runs.get(waiting.id).state == "finished", what="the end of the next one")

    # The supervisor is killed from outside: the sandbox dies with it.
    second = wait_for(lambda: checkpoint(first.epoch), seconds=120, what="a checkpoint of the second attempt")
    assert of(read(run), journal.Fit)[-1].initial_epoch >= first.epoch
    worker = worker_of(runs.get(run.id))
    os.kill(runs.get(run.id).last.pid, signal.SIGKILL)
    wait_for(lambda: not worker.is_running(), what="the end of the sandbox")
    wait_for(lambda: not held(run.folder / "lock"), what="the lock")
    assert runs.get(run.id).state == "crashed"
    assert "from outside" in runs.get(run.id).last.error
    assert not runs.get(run.id).last.hint, "which key or command resumes is said by whoever shows it"
    with pytest.raises(Misused):
        runs.stop(run.id)

    # And once more; at last it is stopped by its own order.
    runs.resume(run.id)
    wait_for(lambda: checkpoint(second.epoch), seconds=120, what="a checkpoint of the third attempt")
    runs.stop(run.id)
    assert runs.get(run.id).state in ("stopping", "stopped")
    events = list(follow(run.folder))
    assert runs.get(run.id).state == "stopped"
    assert not of(events, journal.Stopped)[-1].forced
    assert [e.attempt for e in of(events, journal.Started)] == [1, 2, 3]
    assert of(events, journal.Fit)[-1].initial_epoch >= second.epoch
    assert not of(events, journal.Finished)
    assert (runs.result_folder(run.id) / "model.weights.h5").is_file(), "it can be delivered"


def test_what_waited_when_the_machine_went_down_gets_its_turn_after_it_is_up_again(
    home: Home, runs: Runs, speaking: Callable[[str], RunSpec], kill_supervisor: Any, wait_for: WaitFor
) -> None:
    order = speaking('until_told("pause")\nsay("finished")')
    training, waiting, given_up = runs.start(order), runs.start(order), runs.start(order)
    wait_for(lambda: runs.get(training.id).last.attempt == 1, what="the first one's turn")
    for run in (given_up, waiting, training):
        kill_supervisor(run)
        wait_for(lambda run=run: not held(run.folder / "lock"), what="its end")
    runs.stop(given_up.id)
    again = Runs(home, Settings(threads=1))
    assert [run.state for run in again.list()] == ["stopped", "queued", "crashed"]
    assert again.get(training.id).last.code == "Crashed"

    again.pause(waiting.id)
    again.wake()
    again.wake()
    wait_for(lambda: again.get(waiting.id).state == "finished", what="the turn of the one that waited")
    assert [run.state for run in again.list()] == ["stopped", "finished", "crashed"]


def test_a_run_whose_supervisor_broke_in_the_queue_is_not_started_again_and_again(
    runs: Runs, spec: RunSpec
) -> None:
    folder = RunFolder(runs._home.runs / "1")
    folder.path.mkdir()
    folder.create(RunFile(spec=spec, bounds=Bounds(1, 1, 1), created=0.0, queue=runs._queue))
    folder.supervisor_log.write_text("ImportError: no such module\n")
    runs.wake()
    assert (runs.get(1).state, runs.get(1).last.attempt) == ("crashed", 0)
    assert "no such module" in runs.get(1).last.error


def test_a_run_that_makes_no_sense_is_refused_before_it_gets_a_number(runs: Runs, spec: RunSpec) -> None:
    for change, code in (
        ({"script": "none.py"}, "NoScript"),
        ({"data": Path("/nowhere.npz")}, "NoData"),
        ({"epochs": 0}, "BadEpochs"),
        ({"epochs": 10**20}, "BadEpochs"),
        ({"batch_size": 0}, "BadBatchSize"),
        ({"seed": -1}, "BadSeed"),
        ({"seed": 2**32}, "BadSeed"),
        ({"device": "tpu"}, "BadDevice"),
        ({"model_name": "../up"}, "BadModelName"),
    ):
        with pytest.raises(Misused) as raised:
            runs.start(msgspec.structs.replace(spec, **change))
        assert raised.value.code == code
    assert runs.list() == []


def test_data_that_say_by_their_headers_that_they_are_bad_get_no_run(
    runs: Runs, spec: RunSpec, tmp_path: Path
) -> None:
    np.savez(tmp_path / "few.npz", x=np.zeros((9, 4)), y=np.zeros(8))
    with pytest.raises(Failed, match="x and y differ in length: 9 and 8") as raised:
        runs.start(msgspec.structs.replace(spec, data=tmp_path / "few.npz"))
    assert raised.value.code == "BadData"
    assert runs.list() == []


def test_an_unknown_run_is_refused(runs: Runs) -> None:
    for ask in (runs.get, runs.stop, runs.pause, runs.resume, runs.remove, runs.tail, runs.result_folder):
        with pytest.raises(Refused) as raised:
            ask(7)
        assert raised.value.code == "UnknownRun"


@pytest.mark.parametrize("closed", ["journal.jsonl", "lock", "run.json", "."])
def test_a_run_that_cannot_be_read_costs_its_own_row(runs: Runs, spec: RunSpec, closed: str) -> None:
    for id in (1, 2):
        folder = RunFolder(runs._home.runs / str(id))
        folder.path.mkdir()
        folder.create(RunFile(spec=spec, bounds=Bounds(1, 1, 1), created=0.0))
        folder.journal.touch()
        folder.lock.touch()
    (runs._home.runs / "1" / closed).chmod(0)
    try:
        with unprivileged():
            found, unread = runs.look()
            assert [run.id for run in found] == [2]
            assert "Run 1 cannot be read" in unread[1].message
            with pytest.raises(Failed) as raised:
                runs.get(1)
        assert raised.value.code == "BadRun"
        assert "Permission denied" in raised.value.message
    finally:
        (runs._home.runs / "1" / closed).chmod(0o700)
    assert [run.id for run in runs.list()] == [2, 1]


def test_runs_that_cannot_be_listed_are_said(runs: Runs) -> None:
    folder = runs._home.runs
    folder.chmod(0)
    try:
        with unprivileged(), pytest.raises(Unavailable, match="cannot be listed: Permission denied"):
            runs.list()
    finally:
        folder.chmod(0o700)


def test_the_number_of_a_removed_run_is_not_given_again(
    speaking: Callable[[str], RunSpec], runs: Runs
) -> None:
    for number in (1, 2):
        run = runs.start(speaking('say("finished")'))
        assert run.id == number
        list(follow(run.folder))
    runs.remove(2)
    runs.remove(1)
    run = runs.start(speaking('say("finished")'))
    list(follow(run.folder))
    assert [run.id for run in runs.list()] == [3]


def test_processes_that_start_runs_at_once_get_numbers_of_their_own(
    home: Home, speaking: Callable[[str], RunSpec], runs: Runs
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    many = Runs(home, Settings(max_runs=8))
    order = speaking('say("finished")')
    with ThreadPoolExecutor(8) as pool:
        started = list(pool.map(lambda _: many.start(order), range(8)))
    assert sorted(run.id for run in started) == list(range(1, 9))
    for run in started:
        list(follow(run.folder))
    assert {run.state for run in many.list()} == {"finished"}
