"""What is told of a fit while it goes on, whatever the script's own callbacks and losses are."""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from decentralml.core.sandboxed.channel import EVENT_BYTES, TEXT_CHARS, Channel, Control, Stopped, finite
from decentralml.core.sandboxed.script import TRACEBACK_CHARS
from decentralml.core.training import journal


@pytest.fixture(scope="module")
def many_fits(make_job: Callable[..., Any]) -> Any:
    job = make_job("many_fits.py", epochs=2)
    assert job.run() == 0, job.log
    return job


def logged(job: Any, name: str) -> Any:
    found = re.search(rf"^{name} (.*)$", job.log, re.MULTILINE)
    assert found
    return json.loads(found[1])


def test_every_fit_shows_whatever_its_callbacks_are(many_fits: Any) -> None:
    assert [event["fit"] for event in many_fits.events("fit")] == [1, 2, 3, 4]
    assert [(e["fit"], e["epoch"]) for e in many_fits.events("epoch")] == [
        (fit, epoch) for fit in (1, 2, 3, 4) for epoch in (1, 2)
    ]


def test_the_scripts_own_callbacks_still_run(many_fits: Any) -> None:
    assert logged(many_fits, "SEEN") == 3 * 2


def test_the_losses_of_a_train_step_of_its_own_are_historys(many_fits: Any) -> None:
    histories = logged(many_fits, "HISTORIES")
    for fit, history in enumerate(histories, 1):
        told = [event["metrics"] for event in many_fits.events("epoch") if event["fit"] == fit]
        assert {"loss", "twice"} <= set(history)
        for name, values in history.items():
            assert [metrics[name] for metrics in told] == pytest.approx(values, abs=1e-6)


def test_validation_figures_are_told_beside_the_training_ones(many_fits: Any) -> None:
    (last,) = [e for e in many_fits.events("epoch") if (e["fit"], e["epoch"]) == (2, 2)]
    assert "val_loss" in last["metrics"]


def test_data_of_unknown_length_have_no_steps(many_fits: Any) -> None:
    assert [event["steps"] for event in many_fits.events("fit")] == [12, 9, None, 12]
    assert {event["steps"] for event in many_fits.events("step") if event["fit"] == 3} == {None}


def test_a_subclassed_functional_is_saved_as_a_plain_one(many_fits: Any) -> None:
    config = json.loads((many_fits.out / many_fits.event("saved")["folder"] / "config.json").read_text())
    assert (config["class_name"], config["registered_name"]) == ("Functional", "Functional")


def test_steps_are_told_at_most_ten_times_a_second(many_fits: Any) -> None:
    told = Counter((event["fit"], event["epoch"]) for event in many_fits.events("step"))
    assert {fit for fit, _ in told} == {1, 2, 3, 4}
    for epoch in many_fits.events("epoch"):
        assert told[epoch["fit"], epoch["epoch"]] <= 1 + epoch["seconds"] / 0.09


# The channel


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


def test_the_old_descriptor_leads_nowhere_and_no_child_inherits_the_new_one(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    channel = Channel(writing)
    os.write(writing, b'{"kind": "forged"}\n')
    os.system(f"echo forged >&{writing}")
    channel.emit("finished")
    assert json.loads(os.read(reading, 1000)) == {"kind": "finished"}


def test_values_that_are_no_finite_numbers_become_null_and_are_named() -> None:
    found = {"loss": float("nan"), "top": float("inf"), "count": 10**400, "ok": 1, "matrix": [1, 2]}
    values, bad = finite(found)
    assert values == {"loss": None, "top": None, "count": None, "ok": 1.0}
    assert bad == ["loss", "top", "count"]


def test_an_event_never_grows_beyond_its_bound(pipe: tuple[int, int]) -> None:
    channel = Channel(pipe[1])
    channel.emit("epoch", metrics={"m" * 10_000 + str(n): 1.0 for n in range(1000)})
    assert len(os.read(pipe[0], 100_000)) < EVENT_BYTES
    with pytest.raises(ValueError, match="bytes"):
        channel.emit("warning", text="x" * EVENT_BYTES)


def test_the_longest_failure_fits_an_event_whatever_it_is_written_in(pipe: tuple[int, int]) -> None:
    failure = {"error": "😀" * TEXT_CHARS, "hint": "\ud800" * TEXT_CHARS, "traceback": "😀" * TRACEBACK_CHARS}
    Channel(pipe[1]).emit("failed", **failure)
    found = journal.from_worker(os.read(pipe[0], EVENT_BYTES).rstrip(b"\n"))
    assert isinstance(found, journal.Failed)
    assert (found.error, found.traceback) == (failure["error"], failure["traceback"])
    assert set(found.hint) == {"?"}


def test_no_control_file_or_a_torn_one_means_run(pipe: tuple[int, int], tmp_path: Path) -> None:
    channel = Channel(pipe[1])
    control = Control(tmp_path / "control.json", channel, clock=iter(range(100)).__next__)
    control.obey()
    for torn in ('{"comm', '["stop"]', '{"command": "dance"}'):
        (tmp_path / "control.json").write_text(torn)
        control.obey()
    channel.emit("finished")
    assert json.loads(os.read(pipe[0], 1000)) == {"kind": "finished"}, "it neither paused nor stopped"


def test_stop_stays_stop_though_a_script_swallows_it(pipe: tuple[int, int], tmp_path: Path) -> None:
    control = Control(tmp_path / "control.json", Channel(pipe[1]), clock=iter(range(100)).__next__)
    (tmp_path / "control.json").write_text('{"command": "stop"}')
    for _ in range(3):
        with pytest.raises(Stopped):
            control.obey()
    assert os.read(pipe[0], 1000).count(b"stopping") == 1
