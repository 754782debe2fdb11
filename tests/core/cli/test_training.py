"""A model by command: trained while its terminal is hung up, delivered, measured, federated."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from decentralml.core.bounds import Bounds
from decentralml.core.paths import Home
from decentralml.core.training.journal import Checkpoint
from decentralml.core.training.progress import Progress
from decentralml.core.training.run_folder import RunFile, RunFolder, RunSpec

ASSETS = Path(__file__).parents[3] / "assets"


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    """600 of the digits that come with the project."""
    whole = np.load(ASSETS / "mnist5k.npz")
    path = tmp_path / "digits.npz"
    np.savez(path, x=whole["x"][:600], y=whole["y"][:600])
    return path


def create(person: Any) -> str:
    made = person(
        *("task", "create", "engineer", "--question", "Better digits", "--pays-amount", "3"),
        *("--assets", str(ASSETS / "model_engineer")),
    )
    return str(made.data["task_id"])


def test_a_model_is_trained_without_its_terminal_then_sent_measured_paid_and_federated(
    market, digits: Path, tmp_path: Path, terminal: Callable[..., Any]
) -> None:
    ada, bob = market("ada", "bob")
    task = create(ada)
    submission = str(bob("task", "assign", task).data["submission_id"])
    assert bob("task", "send", task).error["code"] == "NoResult"

    # `terminal` has a home of its own: the later --home counts.
    shared = ["--chain", f"local:{tmp_path}/shared/ledger.sqlite", "--storage", f"local:{tmp_path}/store"]
    watched = terminal(
        "--home", str(bob.home), *shared, "task", "train", task, "--data", str(digits), "--epochs", "3"
    )
    watched.expect("network    none")
    watched.expect("started in bwrap")
    watched.close()

    events = [json.loads(line)["data"] for line in bob("run", "tail", "1").out.splitlines()]
    kinds = [event["kind"] for event in events]
    assert kinds[-1] == "finished"
    assert [event["epoch"] for event in events if event["kind"] == "epoch"] == [1, 2, 3]
    run = bob("run", "show", "1").data
    assert (run["state"], run["spec"]["submission_id"]) == ("finished", int(submission))
    assert bob("run", "list").data == [run]
    assert bob("run", "tail", "1", "--log", "--lines", "3").out.count("\n") <= 3
    assert bob("run", "pause", "1").error["code"] == "RunHasEnded"

    sent = bob("task", "send", task).data
    assert (sent["status"], sent["submission_id"]) == ("PendingValidation", int(submission))
    assert ada("task", "validate", submission, "--data", "nowhere").error["code"] == "NoSuchFile"
    dry = ada("task", "validate", submission, "--data", str(digits), "--dry-run").data
    assert (dry["status"], dry["receipts"]) == ("PendingValidation", [])
    judged = ada("task", "validate", submission, "--data", str(digits)).data
    assert judged["status"] == "Validated"
    assert judged["report"]["candidate"] == dry["report"]["candidate"]
    assert judged["report"]["protection"].startswith("bwrap")
    assert len(judged["report"]["candidate"]["confusion"]) == 10
    assert ada("task", "accept", submission).data["status"] == "Accepted"

    out = tmp_path / "federated"
    bad = tmp_path / "bad.npz"
    bad.write_bytes(b"no archive")
    refused = ada("federate", "run", submission, "--data", str(bad), "--out", str(out))
    assert (refused.code, refused.error["code"]) == (4, "BadData")
    assert not out.exists(), "the data are looked at before anything is written"
    made = ada("federate", "run", submission, "--data", str(digits), "--out", str(out)).data
    assert made["figures"]["values"] == judged["report"]["candidate"]["values"]
    assert made["provenance"]["inputs"][0]["result_digest"] == sent["digest"]
    assert ada("federate", "verify", str(out)).code == 0
    os.truncate(out / "model.weights.h5", 1000)
    assert ada("federate", "verify", str(out)).code == 1


def test_a_script_that_fails_ends_with_4_and_its_own_words(market, tmp_path: Path) -> None:
    ada, bob = market("ada", "bob")
    task = create(ada)
    bad = tmp_path / "bad.npz"
    np.savez(bad, x=np.zeros((8, 3)), y=np.zeros(8))
    result = bob("task", "train", task, "--data", str(bad))
    assert result.code == 4
    assert "Run 1 failed" in result.error["message"]
    assert result.error["hint"]
    missing = bob("task", "train", task, "--data", str(tmp_path / "missing.npz"))
    assert (missing.error["code"], missing.code) == ("NoSuchFile", 2)


def test_what_a_training_left_that_did_not_finish_can_be_gone_on_with_or_sent(market, tmp_path: Path) -> None:
    ada, bob = market("ada", "bob")
    task = create(ada)
    slot = bob("task", "assign", task).data["submission_id"]
    chain = bob("chain", "status").data["genesis"]

    def left(number: int, phase: str, **so_far: Any) -> None:
        folder = Home(bob.home).runs / str(number)
        folder.mkdir()
        spec = RunSpec(assets=tmp_path, script="", task_id=int(task), submission_id=slot, chain=chain)
        progress = Progress(phase=phase, **so_far)
        RunFolder(folder).create(RunFile(spec=spec, bounds=Bounds(1, 1, 1), created=0, progress=progress))

    left(1, "running", eta=600.0)
    assert bob("task", "send", task).error["hint"] == "`task train` makes one; --result sends a folder."
    left(2, "stopped", folder="model_abcdefghij", checkpoint=Checkpoint(fit=1, epoch=7, bytes=1, t=0))
    (Home(bob.home).runs / "2" / "out" / "model_abcdefghij").mkdir()
    assert bob("task", "send", task).error["hint"] == "--run sends what another left: 2 (stopped)."

    assert "10 min" not in bob.words("run", "list").out, "a training that has crashed has no end to wait for"
    crashed, stopped = (bob.words("run", "show", number).out for number in "12")
    assert "`decentralml run resume 1` goes on from its beginning" in crashed
    assert "`decentralml run resume 2` goes on after epoch 7" in stopped
