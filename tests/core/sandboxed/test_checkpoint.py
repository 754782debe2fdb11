"""Checkpoints: whole or none, and a run that was killed or paused goes on from them."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from decentralml.core.errors import Failed
from decentralml.core.sandboxed.checkpoint import Checkpoints, State

WaitFor = Callable[..., Any]
EPOCHS = 6


def state() -> State:
    arrays = [np.arange(6, dtype=np.float32).reshape(2, 3), np.float32([7])]
    return State(2, 1, False, {"loss": [0.5]}, [0], arrays, [np.int64(9)])


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    size = Checkpoints(tmp_path, resume=False).write(state())
    found = Checkpoints(tmp_path, resume=True).read(2)
    assert found
    assert size == (tmp_path / "fit-002.npz").stat().st_size
    assert (found.fit, found.epochs_done, found.finished, found.history) == (2, 1, False, {"loss": [0.5]})
    for kept, given in zip(found.weights + found.optimizer, state().weights + state().optimizer, strict=True):
        assert kept.dtype == given.dtype
        assert np.array_equal(kept, given)
    assert Checkpoints(tmp_path, resume=True).read(1) is None


def test_a_new_run_does_not_take_over_an_old_ones_checkpoint(tmp_path: Path) -> None:
    Checkpoints(tmp_path, resume=False).write(state())
    assert Checkpoints(tmp_path, resume=False).read(2) is None


def test_a_broken_checkpoint_is_named(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, resume=False)
    checkpoints.write(state())
    path = tmp_path / "fit-002.npz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(Failed, match=r"fit-002\.npz cannot be read"):
        checkpoints.read(2)


def logged(job: Any, name: str) -> list[str]:
    return re.findall(rf"^{name} (.*)$", job.log, re.MULTILINE)


@pytest.fixture(scope="module")
def killed(make_job: Callable[..., Any], wait_for: WaitFor) -> Any:
    """A run killed in its second fit, after a checkpoint, then run again from there."""
    job = make_job("slow.py", epochs=EPOCHS)
    job.start()
    wait_for(lambda: any(e["fit"] == 2 for e in job.events("checkpoint")), what="a checkpoint of fit 2")
    job.kill()
    assert job.wait() == -9
    job.before = job.events()
    assert job.run(resume=True) == 0, job.log
    return job


def test_a_killed_run_goes_on_after_its_last_checkpoint(killed: Any) -> None:
    last = [event for event in killed.before if event["kind"] == "checkpoint"][-1]
    fit = killed.event("fit")
    assert (fit["fit"], fit["initial_epoch"], fit["epochs"]) == (2, last["epoch"], EPOCHS)
    assert [event["epoch"] for event in killed.events("epoch")] == list(range(last["epoch"] + 1, EPOCHS + 1))


def test_a_finished_fit_gets_its_weights_and_history_instead_of_training_again(killed: Any) -> None:
    before, after = logged(killed, "WEIGHTS")
    assert float(after) == float(before)
    (histories,) = logged(killed, "HISTORIES")
    (first, first_epochs), (second, second_epochs) = json.loads(histories)
    told = {(e["fit"], e["epoch"]): e["metrics"]["loss"] for e in killed.before if e["kind"] == "epoch"}
    told |= {(e["fit"], e["epoch"]): e["metrics"]["loss"] for e in killed.events("epoch")}
    assert (first, first_epochs) == ([told[1, 1]], [0])
    assert second_epochs == list(range(EPOCHS))
    assert second == [told[2, epoch] for epoch in range(1, EPOCHS + 1)]


def test_a_resumed_run_says_that_it_is_not_exact(killed: Any) -> None:
    texts = [event["text"] for event in killed.events("warning")]
    assert any("not those of an unbroken run" in text for text in texts)


def test_pause_and_resume_are_obeyed_at_batch_ends_and_what_is_stopped_there_is_kept(
    make_job: Callable[..., Any], wait_for: WaitFor
) -> None:
    job = make_job("slow.py", epochs=100_000)
    job.start()
    wait_for(lambda: len(job.events("step")) > 2)
    job.control("pause")
    wait_for(lambda: job.events("paused"))
    paused_at = job.events()[-1]
    job.control("run")
    wait_for(lambda: job.events("resumed"))
    wait_for(lambda: sum(event["fit"] == 2 for event in job.events("epoch")) > 2)
    job.control("stop")
    assert job.wait() == 0, job.log
    assert paused_at["kind"] == "paused"
    assert "caught" not in job.log
    last = job.events("epoch")[-1]["epoch"]
    kinds = [event["kind"] for event in job.events()]
    assert kinds[kinds.index("stopping") :] == ["stopping", "checkpoint", "evaluated", "saved"]
    assert job.events("checkpoint")[-1]["epoch"] == last, "not an epoch of it is lost"
    kept = Checkpoints(job.out / "checkpoint", resume=True).read(2)
    assert kept
    assert (kept.epochs_done, len(kept.history["loss"]), kept.finished) == (last, last, False)
    (result,) = job.out.glob("digits_*")
    assert json.loads((result / "result.json").read_text())["epochs"] == last
    assert (result / "model.weights.h5").stat().st_size


def test_a_checkpoint_of_another_model_is_refused(
    make_job: Callable[..., Any], killed: Any, scripts: Path
) -> None:
    task = str(scripts / "original")
    job = make_job("engineer.py", task_dir=task, checkpoint=str(killed.out / "checkpoint"), resume=True)
    assert job.run() == 1
    assert job.event("failed")["code"] == "OtherModel"
