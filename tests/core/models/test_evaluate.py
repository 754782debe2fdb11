"""Predictions of a stranger's model in its sandbox: those of Keras; a failure is that of one question."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from killed_inside import Killer, kill_inside
from unprivileged import unprivileged

from decentralml.core.config import Settings
from decentralml.core.errors import Failed, Interrupted, Refused
from decentralml.core.models import session
from decentralml.core.models.evaluate import Evaluator, _shape


@pytest.fixture(scope="module")
def x() -> np.ndarray:
    with np.load(Path(__file__).parents[3] / "assets" / "mnist5k.npz") as data:
        return data["x"][::2][:300].astype(np.float32) / 255


def test_predictions_are_those_of_keras(evaluator: Evaluator, models: Path, x: np.ndarray) -> None:
    seen: list[tuple[int, int]] = []
    found = evaluator.predict(models / "c", x, on_progress=lambda done, of: seen.append((done, of)))
    assert found.shape == (300, 10)
    np.testing.assert_allclose(found, np.load(models / "c.npy"), atol=1e-5)
    assert all(0 <= done <= of == 300 for done, of in seen)


def test_a_second_question_imports_nothing_again(evaluator: Evaluator, models: Path, x: np.ndarray) -> None:
    evaluator.predict(models / "c.keras", x[:2])
    starts = evaluator.starts
    np.testing.assert_allclose(
        evaluator.predict(models / "branched", x), np.load(models / "branched.npy"), atol=1e-5
    )
    assert evaluator.starts == starts
    assert evaluator.versions["keras"].startswith("3.")


def test_a_summary_is_keras_own_table(evaluator: Evaluator, models: Path) -> None:
    assert "bidirectional" in evaluator.summary(models / "branched")


def test_how_a_candidate_was_compiled_changes_nothing(
    evaluator: Evaluator, models: Path, x: np.ndarray
) -> None:
    expected = evaluator.predict(models / "c", x)
    assert np.array_equal(evaluator.predict(models / "small_loss", x), expected)
    assert np.array_equal(evaluator.predict(models / "own_loss", x), expected)


def test_inputs_of_another_shape_fail_in_words_and_the_next_question_works(
    evaluator: Evaluator, models: Path, x: np.ndarray
) -> None:
    with pytest.raises(Failed, match="could not be run") as failed:
        evaluator.predict(models / "regression", x)
    assert failed.value.code == "EvaluationFailed"
    assert "[1m" not in failed.value.message, "Keras colours its words"
    assert "kwargs=" not in failed.value.message, "and lists its arguments"
    starts = evaluator.starts
    evaluator.predict(models / "c", x[:1])
    assert evaluator.starts == starts


def test_what_inspection_refuses_is_never_opened(evaluator: Evaluator, models: Path, x: np.ndarray) -> None:
    starts = evaluator.starts
    for name in ("lambda", "subclass"):
        with pytest.raises(Refused):
            evaluator.predict(models / name, x)
    assert evaluator.starts == starts


def test_weights_that_do_not_fit_fail_in_words(
    evaluator: Evaluator, models: Path, copy: Callable[[str], Path], x: np.ndarray
) -> None:
    folder = copy("c")
    (folder / "model.weights.h5").write_bytes((models / "wider" / "model.weights.h5").read_bytes())
    with pytest.raises(Failed, match="could not be loaded"):
        evaluator.predict(folder, x)


def test_several_threads_may_ask_at_once(evaluator: Evaluator, models: Path, x: np.ndarray) -> None:
    found: dict[str, Any] = {}

    def ask(name: str) -> None:
        found[name] = evaluator.predict(models / name, x[:50])

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("a", "b", "branched")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: len(rows) for name, rows in found.items()} == {"a": 50, "b": 50, "branched": 50}
    assert not np.array_equal(found["a"], found["b"])


def test_nothing_of_a_question_stays_behind(evaluator: Evaluator, models: Path, x: np.ndarray) -> None:
    evaluator.predict(models / "c", x[:1])
    assert evaluator._session is not None
    for folder in (evaluator._session._exchange, evaluator._session._answers):
        assert list(folder.iterdir()) == []


def test_what_a_model_left_closed_is_its_own_fault_and_the_next_question_works(
    evaluator: Evaluator, models: Path, x: np.ndarray
) -> None:
    evaluator.predict(models / "a", x)
    root = evaluator._session._root
    closed = evaluator._session._answers / "closed"
    (closed / "deeper").mkdir(parents=True)
    closed.chmod(0)
    with unprivileged(), pytest.raises(Failed) as raised:
        evaluator.predict(models / "a", x)
    assert not root.exists(), "nor does what it left closed stay behind"
    # By whoever looks first: the bound on disk once a second, or the next question.
    assert raised.value.code in ("EvaluationKilled", "EvaluationFailed")
    evaluator.predict(models / "a", x)


def test_a_process_that_died_between_two_questions_is_started_again(
    evaluator: Evaluator, models: Path, x: np.ndarray
) -> None:
    evaluator.predict(models / "c", x[:1])
    starts = evaluator.starts
    kill_inside(evaluator)
    assert evaluator.predict(models / "c", x).shape == (300, 10)
    assert evaluator.starts == starts + 1


@pytest.mark.parametrize(("times", "starts"), [(1, 1), (2, 2)])
def test_a_question_during_which_the_process_is_killed_is_asked_once_more(
    evaluator: Evaluator, models: Path, x: np.ndarray, monkeypatch: pytest.MonkeyPatch,
    times: int, starts: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(session, "_POLL", 0.01)
    evaluator.predict(models / "c", x[:1])
    before, many = evaluator.starts, np.repeat(x, 100, axis=0)
    killer = Killer(evaluator, times)
    if times == 1:
        assert evaluator.predict(models / "c", many, cancelled=killer).shape == (30_000, 10)
    else:
        with pytest.raises(Failed) as failed:
            evaluator.predict(models / "c", many, cancelled=killer)
        assert failed.value.code == "EvaluatorDied"
        assert evaluator.predict(models / "c", x[:1]).shape == (1, 10)
    assert evaluator.starts == before + starts


def test_a_process_that_does_not_even_start_says_nothing_of_the_model(models: Path, x: np.ndarray) -> None:
    with Evaluator(Settings(sandbox_memory=2048), stall=0.01) as hasty, pytest.raises(Failed) as failed:
        hasty.predict(models / "c", x)
    assert failed.value.code == "NoEvaluator"


@pytest.mark.parametrize(
    ("by", "how"),
    [(signal.SIGKILL, "was killed (SIGKILL)."), (signal.SIGTERM, "ended (exit code 143): ")],
    ids=["killed", "terminated"],
)
def test_one_that_is_ended_while_it_starts_says_how(
    models: Path, x: np.ndarray, by: signal.Signals, how: str
) -> None:
    with Evaluator(Settings(sandbox_memory=2048)) as started:

        def kill() -> bool:
            if started._session is not None and not started._session.versions:
                kill_inside(started, by)
            return False

        with pytest.raises(Failed) as failed:
            started.predict(models / "c", x, cancelled=kill)
    assert failed.value.message.startswith(f"TensorFlow does not start: The evaluating process {how}")


def test_what_the_dead_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    dead, alive = 2**22 + 1, os.getpid()
    (tmp_path / f"decentralml-evaluate-{dead}-x" / "exchange").mkdir(parents=True)
    (tmp_path / f"decentralml-evaluate-{alive}-x").mkdir()
    own = tmp_path / "own"
    own.mkdir(mode=0o755)
    (tmp_path / f"decentralml-evaluate-{dead}-link").symlink_to(own)
    session._sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "own", f"decentralml-evaluate-{alive}-x", f"decentralml-evaluate-{dead}-link"
    }  # fmt: skip
    assert own.stat().st_mode & 0o777 == 0o755


def test_a_cancel_is_heard(evaluator: Evaluator, models: Path, x: np.ndarray) -> None:
    with pytest.raises(Interrupted):
        evaluator.predict(models / "c", np.repeat(x, 300, axis=0), cancelled=lambda: True)


def test_a_model_that_gives_nothing_in_time_is_given_up(models: Path, x: np.ndarray) -> None:
    with Evaluator(Settings(sandbox_memory=2048)) as hasty:
        hasty.predict(models / "c", x[:1])
        kill_inside(hasty, signal.SIGSTOP)
        hasty._stall = 0.5
        with pytest.raises(Failed, match="nothing new") as failed:
            hasty.predict(models / "c", x)
    assert failed.value.code == "EvaluationStalled"


@pytest.mark.parametrize(
    "head",
    [
        b"", b"[", b"[1]", b'{"shape": 3}', b'{"shape": []}', b'{"shape": [1, -1]}', b'{"shape": [1.5]}',
        b'{"shape": [true]}', b'{"shape": [1e99]}', b'{"shape": [1,1,1,1,1,1,1,1,1]}', b"\xff" * 256,
        b"[" * 256,
    ],
)  # fmt: skip
def test_a_forged_answer_has_no_shape(head: bytes) -> None:
    assert _shape(head) is None


def test_predictions_that_are_not_finite_are_refused(evaluator: Evaluator, models: Path) -> None:
    with pytest.raises(Refused) as refused:
        evaluator.predict(models / "regression", np.full((4, 3), np.inf, np.float32))
    assert refused.value.code == "BadPredictions"
