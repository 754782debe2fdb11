from collections.abc import Callable
from typing import Any

from decentralml.core.training.script import accepts


def fail(job: Any) -> dict[str, Any]:
    assert job.run() == 1
    failed: dict[str, Any] = job.event("failed")
    assert job.events()[-1] == failed
    return failed


def test_missing_functions_are_named_with_their_signatures(make_job: Callable[..., Any]) -> None:
    failed = fail(make_job("no_functions.py", task_type="ModelContributor"))
    assert failed["code"] == "MissingFunction"
    assert "no function load_model, train_model, save_model" in failed["error"]
    assert "train_model(model, x_train, y_train, epochs=...)" in failed["error"]


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
        assert "\u202e" not in text


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
