"""A worker from its first event to its result: the story is true, and no script can forge it."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def engineer(make_job: Callable[..., Any], scripts: Path) -> Any:
    """An engineer's script in the original's manner: what --epochs gives lands in batch_size."""
    job = make_job("engineer.py", task_dir=str(scripts / "original"), epochs=2)
    assert job.run() == 0, job.log
    return job


@pytest.fixture(scope="module")
def contributor(make_job: Callable[..., Any], scripts: Path, engineer: Any, tmp_path_factory: Any) -> Any:
    """A contributor's script in the original's manner, on the model that the engineer's run left."""
    task = tmp_path_factory.mktemp("task") / "original"
    shutil.copytree(scripts / "original", task)
    shutil.copytree(engineer.out / engineer.event("saved")["folder"], task / "models" / "first_model")
    job = make_job(
        "contributor.py", task_type="ModelContributor", task_dir=str(task), epochs=3, batch_size=20
    )
    assert job.run() == 0, job.log
    return job


def test_a_run_tells_its_story_in_order(contributor: Any) -> None:
    kinds = [event["kind"] for event in contributor.events() if event["kind"] not in ("step", "checkpoint")]
    story = ["hello", "data", "fit", "epoch", "epoch", "epoch", "evaluated", "saved", "finished"]
    assert kinds == story


def test_fits_epochs_and_steps_count_from_one(contributor: Any) -> None:
    fit = contributor.event("fit")
    assert (fit["fit"], fit["epochs"], fit["steps"], fit["initial_epoch"]) == (1, 3, 18, 0)
    assert [event["epoch"] for event in contributor.events("epoch")] == [1, 2, 3]
    steps = contributor.events("step")
    assert steps[0]["step"] == 1
    assert all(1 <= step["step"] <= 18 and 1 <= step["epoch"] <= 3 for step in steps)


def test_a_script_in_the_originals_manner_gets_epochs_as_epoch_and_its_batch_size(contributor: Any) -> None:
    assert len(contributor.events("epoch")) == 3
    assert contributor.event("fit")["steps"] == 360 / 20


def test_a_script_cannot_forge_events_by_printing_or_by_the_descriptor(contributor: Any) -> None:
    assert '"epoch": 99' in contributor.log
    assert all(event["epoch"] <= 3 for event in contributor.events("epoch"))


def test_the_journals_losses_are_historys(contributor: Any) -> None:
    history = json.loads(re.search(r"^HISTORY (.*)$", contributor.log, re.MULTILINE)[1])  # type: ignore[index]
    told = [event["metrics"] for event in contributor.events("epoch")]
    for name, values in history.items():
        assert [metrics[name] for metrics in told] == pytest.approx(values, abs=1e-6)


def test_the_worker_evaluates_whatever_the_scripts_evaluate_returns(contributor: Any) -> None:
    evaluated = contributor.event("evaluated")
    assert set(evaluated["metrics"]) == set(evaluated["baseline"]) == {"loss", "accuracy"}


def test_a_save_without_extension_becomes_a_result_folder(contributor: Any, engineer: Any) -> None:
    for job in (contributor, engineer):
        saved = job.event("saved")
        assert re.fullmatch(r"digits_[a-z]{10}", saved["folder"])
        files = {path.name for path in (job.out / saved["folder"]).iterdir()}
        assert files == {"config.json", "metadata.json", "model.weights.h5", "result.json"}
        assert {path.name for path in job.out.iterdir()} == {saved["folder"], "checkpoint"}


def test_the_same_seed_does_not_give_two_results_one_name(contributor: Any, engineer: Any) -> None:
    assert contributor.order["seed"] == engineer.order["seed"]
    assert contributor.event("saved")["folder"] != engineer.event("saved")["folder"]


def test_result_json_says_what_was_done(contributor: Any) -> None:
    result = json.loads((contributor.out / contributor.event("saved")["folder"] / "result.json").read_text())
    assert result["metrics"] == contributor.event("evaluated")["metrics"]
    assert result["baseline"] == contributor.event("evaluated")["baseline"]
    assert result["dataset_digest"] == contributor.event("data")["digest"]
    assert (result["seed"], result["samples"], result["holdout"]) == (1, 360, 40)
    assert (result["epochs"], result["batch_size"]) == (3, 20)
    assert result["history"]["loss"] == contributor.events("epoch")[-1]["metrics"]["loss"]
    assert set(result["versions"]) == {"python", "keras", "tensorflow", "numpy"}


def test_epochs_that_land_in_batch_size_are_warned_of(engineer: Any) -> None:
    assert "batch_size, not epochs" in engineer.event("warning")["text"]
    assert len(engineer.events("epoch")) == 1


def test_a_try_warns_of_epochs_that_land_in_batch_size_and_measures_that_size(
    make_job: Callable[..., Any], scripts: Path
) -> None:
    job = make_job("engineer.py", task_dir=str(scripts / "original"), epochs=7, **{"try": True})
    assert job.run() == 0, job.log
    assert "in batches of 7. The script should say epochs=7." in job.event("warning")["text"]
    assert job.event("tried")["batch"] == 7


def test_a_try_says_that_nothing_is_shown_of_a_training_without_fit(make_job: Callable[..., Any]) -> None:
    job = make_job("by_itself.py", **{"try": True})
    assert job.run() == 0, job.log
    assert any("without Model.fit" in warning["text"] for warning in job.events("warning"))


def test_a_model_without_baseline_says_so(engineer: Any) -> None:
    assert engineer.event("evaluated")["baseline"] is None


def test_a_loss_that_ruins_the_weights_ends_the_run_at_once(make_job: Callable[..., Any]) -> None:
    job = make_job("diverges.py", epochs=5)
    assert job.run() == 1
    epoch = job.event("epoch")
    assert epoch["metrics"]["loss"] is None
    assert epoch["nonfinite"] == ["loss"]
    failed = job.event("failed")
    assert failed["code"] == "NotFinite"
    assert "epoch 1" in failed["error"]
    assert "caught" not in job.log


def test_a_nan_metric_alone_is_null_and_warned_of_once(make_job: Callable[..., Any]) -> None:
    job = make_job("undefined_metric.py", epochs=2)
    assert job.run() == 0, job.log
    for epoch in job.events("epoch"):
        assert epoch["nonfinite"] == ["nowhere"]
        assert epoch["metrics"]["nowhere"] is None
        assert epoch["metrics"]["loss"] > 0
    texts = [event["text"] for event in job.events("warning")]
    assert sum("NaN" in text for text in texts) == 1
    # A trained model is not lost to a broken last step: the worker measures and saves by itself.
    assert any("no figures today" in text for text in texts)
    assert any("no disk today" in text for text in texts)
    assert (job.out / job.event("saved")["folder"] / "model.weights.h5").is_file()


def test_a_try_trains_a_few_batches_and_saves_what_it_would_send(make_job: Callable[..., Any]) -> None:
    job = make_job("slow.py", epochs=50, **{"try": True})
    assert job.run() == 0, job.log
    tried = job.event("tried")
    assert tried["peak_memory"] > 100_000_000
    assert tried["seconds_epoch"] > 0
    assert (tried["samples"], tried["batch"], tried["parameters"]) == (360, 8, 6370)
    assert (job.out / tried["folder"] / "config.json").is_file()
    # The first fit is shorter than a try; of the second, 45 batches an epoch, a few are enough.
    assert [event["fit"] for event in job.events("epoch")] == [1]
    assert job.events()[-1]["kind"] == "finished"


def test_the_contributors_asset_runs_unchanged_on_a_base_model_in_one_file(
    make_job: Callable[..., Any], engineer: Any, tmp_path: Path
) -> None:
    task = tmp_path / "task"
    shutil.copytree(Path(__file__).parents[3] / "assets" / "model_contributor", task)
    shutil.rmtree(task / "base_model", ignore_errors=True)
    # A .keras file is a zip of what an unzipped folder holds.
    model = engineer.out / engineer.event("saved")["folder"]
    shutil.make_archive(str(tmp_path / "model"), "zip", model)
    (tmp_path / "model.zip").rename(task / "base_model.keras")
    order = {"task_type": "ModelContributor", "task_dir": str(task), "try": True}
    job = make_job("model_contributor.py", **order)
    assert job.run() == 0, job.log
    assert job.event("tried")["batch"] == 32


def test_a_script_that_trains_by_itself_on_its_own_data_works(make_job: Callable[..., Any]) -> None:
    job = make_job("by_itself.py", data=None)
    assert job.run() == 0, job.log
    assert job.event("data") | {"digest": ""} == {
        "kind": "data",
        "samples": 48,
        "holdout": 16,
        "x_shape": [48, 28, 28],
        "y_shape": [48],
        "classes": 10,
        "digest": "",
    }
    texts = " ".join(event["text"] for event in job.events("warning"))
    assert "neither epochs nor epoch" in texts
    assert "without Model.fit" in texts
    assert job.event("saved")["parameters"] == 6370


def test_a_job_that_is_not_whole_is_refused(make_job: Callable[..., Any]) -> None:
    job = make_job("slow.py", model_name="../escape")
    assert job.run() == 1
    assert job.event("failed")["code"] == "BadJob"
