"""Evaluating a result: a report beside the baseline; whose fault it is where there are no figures."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from killed_inside import Killer
from unprivileged import unprivileged

from decentralml.core import report as reports
from decentralml.core.config import Settings
from decentralml.core.domain import ValidationStrategy
from decentralml.core.errors import Failed, Interrupted, Misused, Refused
from decentralml.core.models import session
from decentralml.core.models.evaluate import Evaluator
from decentralml.core.models.mistakes import Mistake
from decentralml.core.policy import Policy
from decentralml.core.report import Decision, Report
from decentralml.core.validation import (
    STEPS,
    Bench,
    decide,
    digest_of,
    opinion,
)

SETTINGS = Settings(sandbox_memory=1024, threads=1)
Copy = Callable[[str], Path]


@pytest.fixture(scope="module")
def bench(digits: Path, models: Path, evaluator: Evaluator) -> Bench:
    return Bench.open(digits, evaluator, base=models / "base")


@pytest.fixture(scope="module")
def good(bench: Bench, models: Path) -> Report:
    return bench.report(models / "c", task_id=3, submission_id=9, worker="5Grw")


def test_what_it_is_wrong_about_is_told_to_the_creator_and_not_in_the_report(
    bench: Bench, models: Path
) -> None:
    seen: list[Mistake] = []
    found = bench.report(models / "c", on_mistakes=seen.extend)
    assert found.candidate is not None
    counts = {(m.true, m.taken_for): found.candidate.confusion[m.true][m.taken_for] for m in seen}
    assert list(counts.values()) == sorted(counts.values(), reverse=True)
    assert all(bench.y[m.sample] == m.true and m.picture is not None for m in seen)
    assert found == bench.report(models / "c")
    assert b"picture" not in reports.encode(found)


def test_a_report_stands_beside_the_baseline(good: Report, bench: Bench, models: Path) -> None:
    assert good.refused is None
    assert good.candidate is not None
    assert good.baseline == bench.baseline
    assert good.baseline is not None
    assert (good.candidate.accuracy or 0) > 0.7 > (good.baseline.accuracy or 1)
    assert good.better is True
    assert good.differences["accuracy"] == good.candidate.accuracy - good.baseline.accuracy
    assert len(good.candidate.per_class) == len(good.candidate.confusion) == 10
    assert good.distance is not None
    assert {row.path for row in good.distance.layers} >= {"layers/dense", "layers/batch_normalization"}
    assert (good.distance.total or 0) > 0
    assert good.structure is not None
    assert good.structure.same
    assert good.model is not None
    assert good.model.parameters == good.structure.parameters[1]
    assert "dense" in good.summary
    assert (good.task_id, good.submission_id, good.worker, good.samples) == (3, 9, "5Grw", 300)
    assert good.protection.startswith("bwrap")
    assert {"decentralml", "keras", "tensorflow", "numpy", "python"} <= good.versions.keys()
    assert good.result_digest == digest_of(models / "c")
    assert len(good.dataset_digest or "") == len(good.base_digest or "") == 64


def test_the_same_result_gives_the_same_report(good: Report, bench: Bench, models: Path) -> None:
    again = bench.report(models / "c", task_id=3, submission_id=9, worker="5Grw")
    assert reports.encode(again) == reports.encode(good)


def test_a_small_loss_by_compile_changes_no_figure(good: Report, bench: Bench, models: Path) -> None:
    found = bench.report(models / "small_loss")
    assert found.candidate == good.candidate


def test_steps_are_told_in_order(bench: Bench, models: Path) -> None:
    told: list[str] = []
    bench.report(models / "a", on_step=told.append)
    assert tuple(told) == STEPS


def test_claims_stand_beside_what_was_measured(bench: Bench, copy: Copy) -> None:
    folder = copy("c")
    claim = {"metrics": {"accuracy": 0.999, "loss": None, "f1": 1.0}, "seed": 4, "versions": {"keras": "3"}}
    (folder / "result.json").write_text(json.dumps(claim))
    found = bench.report(folder)
    assert found.claimed is not None
    assert found.claimed.seed == 4
    assert found.candidate is not None
    assert found.claim_gaps == {"accuracy": 0.999 - (found.candidate.accuracy or 0), "loss": None}
    assert any("claimed accuracy" in warning for warning in found.warnings)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{" * 99_999, b"\xff", b"x" * 70_000])
def test_a_broken_result_json_is_in_the_report(raw: bytes, bench: Bench, copy: Copy) -> None:
    folder = copy("c")
    (folder / "result.json").write_bytes(raw)
    refused = bench.report(folder).refused
    assert refused is not None
    assert refused.code in ("BadResult", "TooLarge")


def test_hostile_claims_are_left_out_or_cleaned(bench: Bench, copy: Copy) -> None:
    folder = copy("c")
    (folder / "result.json").write_text(
        '{"metrics": {"accuracy": 1e999, "loss": "good", "a\\u001b[2J": true, "b": NaN},'
        '"seed": true, "versions": {"keras\\u202e": "3\\u001b", "x": 4}, "dataset_digest": ["no"]}'
    )
    claimed = bench.report(folder).claimed
    assert claimed is not None
    assert claimed.metrics == {"accuracy": None, "b": None}
    assert (claimed.seed, claimed.versions, claimed.dataset_digest) == (None, {"keras": "3"}, None)


def test_a_result_changed_on_the_way_is_refused_at_the_first_step(bench: Bench, models: Path) -> None:
    refused = bench.report(models / "c", expected_digest="0" * 64).refused
    assert refused is not None
    assert (refused.step, refused.code) == ("digest", "ResultChanged")


def test_whatever_is_wrong_with_a_result_is_a_report_to_reject_it_by(
    bench: Bench, models: Path, copy: Copy
) -> None:
    spoiled = copy("c")
    with h5py.File(spoiled / "model.weights.h5", "a") as file:
        file["layers/dense/vars/0"][0, 0] = np.nan
    linked = copy("a")
    (linked / "notes").symlink_to("/etc/passwd")
    found = {
        name: bench.report(path).refused
        for name, path in {
            "lambda": models / "lambda",
            "nan": spoiled,
            "link": linked,
            "shape": models / "regression",
        }.items()
    }
    assert {name: refused and refused.step for name, refused in found.items()} == {
        "lambda": "inspect", "nan": "inspect", "link": "digest", "shape": "predict",
    }  # fmt: skip
    report = bench.report(spoiled)
    assert reports.decode(reports.encode(report)) == report
    assert decide(ValidationStrategy.ManualAccept, report).decision is Decision.undecided
    assert "could not be evaluated" in opinion(report)


def test_a_result_of_another_structure_is_measured_all_the_same(bench: Bench, models: Path) -> None:
    found = bench.report(models / "wider")
    assert found.refused is None
    assert found.structure is not None
    assert not found.structure.same
    assert found.distance is not None
    assert found.distance.unmatched > 0


def test_a_regression_is_measured_beside_its_baseline(
    models: Path, evaluator: Evaluator, tmp_path: Path
) -> None:
    x = np.random.default_rng(0).random((20, 3), dtype=np.float32)
    np.savez(tmp_path / "data.npz", x=x, y=np.arange(20, dtype=np.float32))
    found = Bench.open(tmp_path / "data.npz", evaluator, base=models / "regression").report(
        models / "regression"
    )
    assert found.candidate is not None
    assert found.candidate.kind == "regression"
    assert found.differences == {"loss": 0.0, "mae": 0.0}


def test_a_broken_baseline_is_raised_and_not_put_on_a_worker(
    digits: Path, models: Path, evaluator: Evaluator
) -> None:
    with pytest.raises(Refused):
        Bench.open(digits, evaluator, base=models / "lambda")
    with pytest.raises(Failed):
        Bench.open(models / "nothing.npz", evaluator)


def test_held_out_data_that_the_tasks_own_model_cannot_take_are_to_blame(
    models: Path, evaluator: Evaluator, tmp_path: Path
) -> None:
    np.savez(tmp_path / "data.npz", x=np.zeros((10, 32, 32, 3)), y=np.arange(10))
    with pytest.raises(
        Failed, match=r"takes samples of shape \(28, 28\), the data have \(32, 32, 3\)"
    ) as raised:
        Bench.open(tmp_path / "data.npz", evaluator, base=models / "base")
    assert raised.value.code == "BadShape"


def test_a_cancel_is_no_report(bench: Bench, models: Path) -> None:
    with pytest.raises(Interrupted):
        bench.report(models / "c", cancelled=lambda: True)


def test_a_result_over_which_the_evaluator_dies_twice_is_left_to_its_creator(
    bench: Bench, evaluator: Evaluator, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine may lack memory, or the model kills it: nobody can tell, and no policy may."""
    shipped = Policy(Path(__file__).parents[2] / "assets/model_creator/validation.py", SETTINGS)
    monkeypatch.setattr(session, "_POLL", 0.01)
    once = bench.report(models / "c", cancelled=Killer(evaluator, 1))
    assert once.refused is None
    twice = bench.report(models / "c", cancelled=Killer(evaluator, 99))
    assert twice.refused is not None
    assert twice.refused.code == "EvaluatorDied"
    verdict = decide(ValidationStrategy.CustomAccept, twice, shipped)
    assert verdict.decision is Decision.undecided
    assert "by hand" in verdict.reason


def test_a_policy_that_is_killed_is_no_results_fault_and_decides_nothing(
    bench: Bench, models: Path, good: Report, policy: Callable[[str], Policy]
) -> None:
    killed = policy(
        "import os\ndef metrics(y, p):\n    os.kill(os.getpid(), 9)\n"
        "def decide(report):\n    os.kill(os.getpid(), 9)\n"
    )
    with pytest.raises(Failed) as failed:
        replace(bench, policy=killed).report(models / "c")
    assert failed.value.code == "PolicyDied"
    verdict = decide(ValidationStrategy.CustomAccept, good, killed)
    assert verdict.decision is Decision.undecided
    assert "was killed" in verdict.reason


def test_a_result_that_this_machine_cannot_read_gets_no_report(bench: Bench, copy: Copy) -> None:
    folder = copy("c")
    (folder / "config.json").chmod(0)
    with unprivileged(), pytest.raises(Failed) as raised:
        bench.report(folder)
    assert raised.value.code == "Unreadable"


def test_a_report_lists_as_many_layers_as_it_has_room_for_and_says_so(
    bench: Bench, copy: Copy, tmp_path: Path
) -> None:
    folder = copy("c")
    config = json.loads((folder / "config.json").read_text())
    long = {f"setting_{number}": ["\\" * 60] for number in range(12)}
    dropout = {"module": "keras.layers", "class_name": "Dropout", "registered_name": None}
    config["config"]["layers"] += [{**dropout, "config": {"name": f"d{n}", **long}} for n in range(3000)]
    (folder / "config.json").write_text(json.dumps(config))
    found = bench.report(folder)
    assert found.refused is not None
    assert found.model is not None
    assert 1000 < len(found.model.layers) < 3005
    assert f"{3005 - len(found.model.layers):,} of 3,005 layers are left out: they are too long to list." in (
        found.warnings
    )
    assert len(reports.encode(found)) < 6 * 2**20
    reports.write(found, tmp_path / "report")
    assert reports.read(tmp_path / "report") == found


def test_candidates_are_ranked_best_first_and_the_refused_last(
    bench: Bench, models: Path, good: Report
) -> None:
    bad, base = bench.report(models / "lambda"), bench.report(models / "base")
    assert reports.rank([bad, base, good]) == [good, base, bad]


def test_auto_accept_accepts_and_manual_accept_only_advises(good: Report) -> None:
    assert decide(ValidationStrategy.AutoAccept, good).decision is Decision.accept
    manual = decide(ValidationStrategy.ManualAccept, good)
    assert manual.decision is Decision.undecided
    assert "better than the baseline's" in manual.reason


@pytest.mark.parametrize(
    ("body", "decision", "reason"),
    [
        ("return 'accept'", Decision.accept, ""),
        ("return ('reject', 'too far ' + str(report['task_id']))", Decision.reject, "too far 3"),
        (
            "x = report['differences']['accuracy']\n    return 'accept' if x > 0 else 'reject', 'by gain'",
            Decision.accept,
            "by gain",
        ),
        ("return True", Decision.undecided, "decides nothing"),
        ("return {'decision': 'accept'}", Decision.undecided, "decides nothing"),
        ("return 'accept', 7", Decision.undecided, "decides nothing"),
        ("return 'Accept'", Decision.undecided, "decides nothing"),
        ("return None", Decision.undecided, "decides nothing"),
        ("return object()", Decision.undecided, "not JSON serializable"),
        ("raise ValueError('no \\x1b[2J idea')", Decision.undecided, "ValueError: no"),
        ("import os; os._exit(3)", Decision.undecided, "ended with code 3"),
        ("return open('/root/.ssh/id_rsa').read()", Decision.undecided, "Error"),
        ("return 'x' * 10_000_000", Decision.undecided, "TooLarge|more than the"),
        (
            "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9', timeout=2); return 'accept'",
            Decision.undecided,
            "Error",
        ),
    ],
)
def test_custom_accept_does_what_decide_says_and_nothing_else_pays(
    body: str, decision: Decision, reason: str, good: Report, policy: Callable[..., Policy]
) -> None:
    import re

    found = decide(ValidationStrategy.CustomAccept, good, policy(f"def decide(report):\n    {body}\n"))
    assert found.decision is decision
    assert re.search(reason, found.reason)
    assert "\x1b" not in found.reason


def test_a_policy_that_hangs_or_eats_memory_is_undecided(good: Report, policy: Callable[..., Policy]) -> None:
    hangs = policy("def decide(report):\n    while True: pass\n", 0.5)
    assert "0.5 seconds" in hangs.decide(good).reason
    eats = policy("def decide(report):\n    x = [b'x' * (1 << 29) for _ in range(40)]\n    return 'accept'\n")
    assert eats.decide(good).decision is Decision.undecided


def test_without_a_policy_nothing_is_decided(good: Report, policy: Callable[..., Policy]) -> None:
    assert decide(ValidationStrategy.CustomAccept, good).decision is Decision.undecided
    assert policy("x = 1").decide(good).decision is Decision.undecided


@pytest.mark.parametrize("source", ["def decide(", "\x00", "decide = ("])
def test_a_policy_that_is_no_python_is_said(source: str, policy: Callable[..., Policy]) -> None:
    with pytest.raises(Misused, match="cannot be used"):
        policy(source)
