"""A task's script as it is run: what it lacks or does wrong is said in its own lines."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from decentralml.core.sandboxed.script import accepts

SCRIPTS = Path(__file__).parent / "scripts"


def fail(job: Any) -> dict[str, Any]:
    assert job.run() == 1
    failed: dict[str, Any] = job.event("failed")
    assert job.events()[-1] == failed
    return failed


def test_missing_functions_are_named_with_their_signatures(make_job: Callable[..., Any]) -> None:
    failed = fail(make_job("no_functions.py", task_type="ModelContributor"))
    assert failed["code"] == "MissingFunction"
    assert "no function load_model, train_model, save_model" in failed["error"]
    assert "train_model(model, x_train, y_train, epochs=...)" in failed["hint"]


def test_a_missing_script_is_named(make_job: Callable[..., Any]) -> None:
    failed = fail(make_job("nowhere.py"))
    assert failed["code"] == "NoScript"
    assert "nowhere.py" in failed["error"]


def test_a_script_that_raises_shows_its_own_lines_cleaned_and_bounded(make_job: Callable[..., Any]) -> None:
    failed = fail(make_job("raises.py"))
    assert (failed["code"], failed["where"]) == ("ScriptRaised", "training")
    assert "train_model raised: ValueError" in failed["error"]
    assert len(failed["traceback"]) <= 8_001
    assert len(failed["error"]) <= 4_000
    for text in (failed["error"], failed["traceback"]):
        assert "\x1b" not in text
        assert "[2J" not in text
        assert "\u202e" not in text


def test_a_script_that_wants_too_much_memory_is_told_where_more_comes_from(
    make_job: Callable[..., Any],
) -> None:
    failed = fail(make_job("hungry.py"))
    assert (failed["code"], failed["where"]) == ("OutOfMemory", "training")
    assert "sandbox-memory" in failed["hint"]


def test_a_script_that_exits_fails_in_words(make_job: Callable[..., Any]) -> None:
    failed = fail(make_job("exits.py"))
    assert (failed["code"], failed["where"]) == ("ScriptRaised", "script")
    assert "exits.py cannot be imported: SystemExit: 3" in failed["error"]
    assert "sys.exit(3)" in failed["traceback"]
    assert "worker.py" not in failed["traceback"]


def test_a_model_that_only_its_script_can_load_is_refused_before_it_trains(
    make_job: Callable[..., Any],
) -> None:
    failed = fail(make_job("subclassed.py"))
    assert (failed["code"], failed["where"]) == ("NotSaveable", "model")
    assert "Own" in failed["error"]


@pytest.mark.parametrize("trial", [False, True])
@pytest.mark.parametrize("script", ["another.py", "another_by_batch.py", "another_by_step.py"])
def test_a_model_that_train_model_makes_for_itself_is_refused_before_its_first_batch(
    make_job: Callable[..., Any], script: str, trial: bool
) -> None:
    job = make_job(script, epochs=1000, **{"try": trial})
    failed = fail(job)
    assert (failed["code"], failed["where"]) == ("NotSaveable", "training")
    assert "Own" in failed["error"]
    assert failed["hint"].startswith("Build it of keras.layers")
    assert job.events("fit") == job.events("step") == []
    assert "TRAINED ON" not in job.log


def test_a_loop_of_steps_may_train_a_helper_first_and_then_the_model_itself(
    make_job: Callable[..., Any],
) -> None:
    job = make_job("helper_by_step.py", epochs=2)
    assert job.run() == 0, job.log
    assert json.loads((job.out / job.event("saved")["folder"] / "config.json").read_text())
    assert "TRAINED BOTH" in job.log


@pytest.mark.parametrize("trial", [False, True])
def test_a_model_that_is_trained_inside_another_is_handed_over(
    make_job: Callable[..., Any], trial: bool
) -> None:
    job = make_job("wraps.py", epochs=2, **{"try": trial})
    assert job.run() == 0, job.log
    kept = job.event("tried" if trial else "saved")["folder"]
    assert json.loads((job.out / kept / "config.json").read_text())["class_name"] == "Sequential"
    assert any("Outer" in event["text"] for event in job.events("warning"))


def test_a_trained_model_is_not_lost_to_a_save_model_that_saves_another_and_a_try_refuses_it(
    make_job: Callable[..., Any],
) -> None:
    failed = fail(make_job("saves_another.py", **{"try": True}))
    assert (failed["code"], failed["where"]) == ("NotSaveable", "result")
    job = make_job("saves_another.py")
    assert job.run() == 0, job.log
    assert any("Own" in event["text"] for event in job.events("warning"))
    assert (job.out / job.event("saved")["folder"] / "model.weights.h5").is_file()


def test_a_script_that_finds_no_data_of_its_own_asks_for_some(
    make_job: Callable[..., Any], tmp_path: Path
) -> None:
    for name in ("small.py", "plain.py"):
        shutil.copy(SCRIPTS / name, tmp_path)
    with (tmp_path / "plain.py").open("a") as script:
        script.write("\n\ndef load_data():\n    open('../digits.npz')\n")
    failed = fail(make_job("plain.py", task_dir=str(tmp_path), data=None, **{"try": True}))
    assert (failed["code"], failed["where"]) == ("NoData", "data")
    assert failed["error"].startswith("No data were given, and the load_data of plain.py found none")
    assert "'../digits.npz'" in failed["error"]
    assert failed["hint"].startswith("Give an .npz")
    assert "load_data" in failed["traceback"]


def test_a_contributors_task_without_the_creators_model_says_so(
    make_job: Callable[..., Any], scripts: Any
) -> None:
    job = make_job("contributor.py", task_type="ModelContributor", task_dir=str(scripts / "original"))
    assert fail(job)["code"] == "NoBaseModel"


def test_keywords_are_given_only_where_they_are_taken() -> None:
    assert accepts(lambda epochs: 0, "epochs")
    assert accepts(lambda **anything: 0, "epochs")
    assert not accepts(lambda epoch, /: 0, "epoch")
    assert not accepts(lambda *epochs: 0, "epochs")
