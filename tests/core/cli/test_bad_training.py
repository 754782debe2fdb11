"""A training that cannot be, breaks, or comes to nothing has an answer of its own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from decentralml.core.bounds import Bounds
from decentralml.core.paths import Home
from decentralml.core.training.progress import Progress
from decentralml.core.training.run_folder import RunFile, RunFolder, RunSpec

from .refusals import ASSETS, answer, assert_harmless

SCRIPTS = Path(__file__).parents[1] / "sandboxed" / "scripts"


@pytest.fixture(scope="module")
def studio(
    lasting_market, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, Any, Path, Callable[..., str]]:
    """A creator, a worker, 60 small pictures, and how to publish one of the scripts that go wrong."""
    ada, bob = lasting_market("ada", "bob")
    root = tmp_path_factory.mktemp("scripts")
    data = root / "data.npz"
    generator = np.random.default_rng(0)
    x = generator.integers(0, 255, (60, 28, 28), dtype=np.uint8)
    np.savez(data, x=x, y=(np.arange(60) % 10).astype(np.uint8))

    def publish(name: str, *more: str) -> str:
        folder = root / f"task-{len(list(root.iterdir()))}"
        folder.mkdir()
        text = (SCRIPTS / f"{name}.py").read_text()
        small = (SCRIPTS / "small.py").read_text()
        (folder / "small.py").write_text(small)
        (folder / "model_engineer.py").write_text(text)
        made = ada(
            *("task", "create", "engineer", "--question", f"{name}?", "--pays-amount", "1"),
            *("--assets", str(folder), *more),
        )
        task = str(made.data["task_id"])
        assert bob("task", "assign", task).code == 0
        return task

    return ada, bob, data, publish


def test_a_script_that_raises(studio) -> None:
    _, bob, data, publish = studio
    task = publish("raises")
    result = bob("task", "train", task, "--data", str(data))
    assert_harmless(result.out + result.err)
    assert result.code == 4
    assert "broken" in result.error["message"]
    assert len(result.error["message"]) < 5000
    assert result.error["hint"]
    assert answer(bob, "task", "send", task) == ("NoResult", 1)


def test_losses_that_are_no_numbers(studio) -> None:
    _, bob, data, publish = studio
    task = publish("diverges")
    result = bob("task", "train", task, "--data", str(data), "--epochs", "3")
    run = str(bob("run", "list").data[0]["id"])
    assert_harmless(result.out + result.err)
    events = [json.loads(line)["data"] for line in bob("run", "tail", run).out.splitlines()]
    assert any("loss" in event.get("nonfinite", []) for event in events)
    assert (result.error["code"], result.code) == ("NotFinite", 4)
    assert result.error["hint"]
    assert answer(bob, "task", "send", task, "--run", run)[1] == 1


@pytest.mark.parametrize(
    "option",
    [
        ("--seed", "-1"),
        ("--seed", str(2**32)),
        ("--seed", "x"),
        ("--epochs", "0"),
        ("--epochs", str(10**20)),
        ("--batch-size", str(2**31)),
    ],
)
def test_numbers_with_which_nothing_can_be_trained(studio, option: tuple[str, str]) -> None:
    _, bob, data, publish = studio
    task, before = publish("plain"), bob("run", "list").data
    for verb in ("train", "try"):
        assert answer(bob, "task", verb, task, "--data", str(data), *option) == ("Usage", 2)
    assert bob("run", "list").data == before


def test_data_on_which_nothing_can_be_trained_get_no_run(studio, tmp_path: Path) -> None:
    _, bob, _, publish = studio
    task, before = publish("plain"), bob("run", "list").data
    bad = tmp_path / "bad.npz"
    for content in (b"", b"x,y\n1,2\n"):
        bad.write_bytes(content)
        assert answer(bob, "task", "train", task, "--data", str(bad)) == ("BadData", 4)
    np.savez(bad, x=np.zeros((8, 28, 28)), y=np.zeros(7))
    assert answer(bob, "task", "train", task, "--data", str(bad)) == ("BadData", 4)
    assert answer(bob, "task", "try", task, "--data", str(bad)) == ("BadData", 4)
    assert answer(bob, "task", "train", task, "--data", str(tmp_path)) == ("NoData", 4)
    assert bob("run", "list").data == before
    spoken = bob.words("task", "train", task, "--data", str(bad))
    assert "network" not in spoken.err, "bad data are said before what the script may touch"


def test_a_result_of_another_task_and_one_changed_on_the_way(studio, tmp_path: Path) -> None:
    ada, bob, data, publish = studio
    first, second = publish("plain"), publish("plain", "--question", "Another?")
    run = str(bob("task", "train", first, "--data", str(data)).data["id"])
    assert answer(bob, "task", "send", second, "--run", run) == ("OtherTask", 1)
    assert answer(bob, "task", "send", second) == ("NoResult", 1)
    assert answer(bob, "task", "send", first, "--result", str(tmp_path)) == ("MissingFile", 1)
    sent = bob("task", "send", first, "--run", run).data
    submission = str(sent["submission_id"])
    manifest = tmp_path_store(ada) / "manifests" / sent["digest"][:2] / sent["digest"]
    (weights,) = [f for f in json.loads(manifest.read_bytes())["files"] if f["name"].endswith(".h5")]
    blob = tmp_path_store(ada) / "blobs" / weights["sha256"][:2] / weights["sha256"]
    whole = blob.read_bytes()
    blob.chmod(0o600)
    blob.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    judged = ada("task", "validate", submission, "--data", str(data)).data
    assert judged["report"]["refused"]["code"] == "ContentDiffers"
    rejected = ada("task", "reject", submission, "--reason", "Not what you delivered.").data
    assert rejected["status"] == "Rejected"


def test_a_result_of_another_ledgers_task_is_not_delivered(market, tmp_path: Path) -> None:
    ada, bob = market("ada", "bob")
    second = ("--chain", f"local:{tmp_path}/second/ledger.sqlite")
    assert ada("chain", "init", second[1].removeprefix("local:")).code == 0
    submissions = set()
    for chain in (ada.shared[:2], second):
        for person in (ada, bob):
            assert person(*chain, "account", "fund", "50").code == 0
        made = ada(
            *(*chain, "task", "create", "engineer", "--question", "Digits?", "--pays-amount", "1"),
            *("--assets", str(ASSETS / "model_engineer")),
        )
        submissions.add(bob(*chain, "task", "assign", str(made.data["task_id"])).data["submission_id"])
    assert len(submissions) == 1, "the same number on both"

    genesis = bob("chain", "status").data["genesis"]
    folder = Home(bob.home).runs / "1"
    folder.mkdir()
    run = RunFolder(folder)
    spec = RunSpec(assets=tmp_path, script="", task_id=1, submission_id=submissions.pop(), chain=genesis)
    progress = Progress(phase="finished", folder="model_abcdefghij")
    run.create(RunFile(spec=spec, bounds=Bounds(1, 1, 1), created=0, progress=progress))
    (run.out / "model_abcdefghij").mkdir()

    assert answer(bob, *second, "task", "send", "1") == ("NoResult", 1)
    assert answer(bob, *second, "task", "send", "1", "--run", "1") == ("OtherChain", 1)
    # On its own ledger it is looked at: this one is empty.
    assert answer(bob, "task", "send", "1") == ("MissingFile", 1)


def tmp_path_store(person: Any) -> Path:
    return Path(person.home.parent / "store")


def test_a_run_that_cannot_be_read_is_named_beside_those_that_can(
    run: Callable[..., Any], home: Home
) -> None:
    broken = home.folder(home.runs / "3")
    (broken / "run.json").write_text("half of {")
    listed = run("--json", "run", "list")
    assert (listed.code, listed.data) == (0, [])
    assert listed.err.startswith("Run 3 cannot be read: run.json: ")
    assert run("--yes", "run", "remove", "3").code == 0
    assert run("run", "list").err == ""
