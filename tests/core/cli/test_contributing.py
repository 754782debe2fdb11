"""A contributors' task under a policy, by single commands of four people: set up, trained with pauses, judged
by the creator's script, paid or rejected, federated by weight, and accounted for.
"""

import csv
import io
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from decentralml.core.errors import Failed
from decentralml.core.training.locks import hold
from decentralml.core.validation import Bench

ASSETS = Path(__file__).parents[3] / "assets"
UNIT = 10**12

CONTRIBUTOR = """
import keras

def load_model(model_path, model_name):
    return keras.models.load_model(f"{model_path}/{model_name}")

def train_model(model, x_train, y_train, epochs=1):
    with open("prepared.txt") as file:
        assert file.read() == "by setup.sh\\n"
    model.fit(x_train, y_train, epochs=epochs, batch_size=64, verbose=0)
    return model

def save_model(model, output_path, model_name):
    model.save(f"{output_path}/{model_name}")
"""

# The base model, a better one and the base itself as results: made once, in one process.
MODELS = """
import pathlib, sys, keras, numpy
root = pathlib.Path(sys.argv[1])
digits = numpy.load(sys.argv[2])
keras.utils.set_random_seed(1)
model = keras.Sequential([
    keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
(root / "role").mkdir()
for name in ("role/base_model", "lazy_abcdefghij"):
    model.save(root / name, zipped=False)
model.fit(digits["x"], digits["y"], epochs=4, batch_size=64, verbose=0)
model.save(root / "good_abcdefghij", zipped=False)
for name in ("lazy_abcdefghij", "good_abcdefghij"):
    (root / name / "result.json").write_text("{}")
"""

POLICY = """
def decide(report):
    gain = report["baseline"]["values"]["loss"] - report["candidate"]["values"]["loss"]
    return "accept" if gain > 0 else ("reject", "It is no better than the base model.")
"""


@dataclass
class Studio:
    """ada's task, and the slots of bob, dan and eve. ``mine``: digits to train on; ``held_out``: hers."""

    ada: Any
    bob: Any
    dan: Any
    eve: Any
    root: Path
    task: str
    slots: dict[str, str]
    mine: str
    held_out: str


@pytest.fixture(scope="module")
def studio(lasting_market, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    people = dict(zip(("ada", "bob", "dan", "eve"), lasting_market("ada", "bob", "dan", "eve"), strict=True))
    root = tmp_path_factory.mktemp("studio")
    whole = np.load(ASSETS / "mnist5k.npz")
    x, y = whole["x"].astype("float32") / 255, whole["y"].astype("int64")
    np.savez(root / "mine.npz", x=x[:640], y=y[:640])
    np.savez(root / "held_out.npz", x=x[640:840], y=y[640:840])
    make = [sys.executable, "-c", MODELS, str(root), str(root / "mine.npz")]
    subprocess.run(make, check=True, capture_output=True)
    (root / "role" / "model_contributor.py").write_text(CONTRIBUTOR)
    (root / "role" / "setup.sh").write_text("#!/bin/sh\necho by setup.sh > prepared.txt\n")
    (root / "validation.py").write_text(POLICY)
    made = people["ada"](
        *("task", "create", "contributor", "--question", "Read digits", "--assets", str(root / "role")),
        *("--pays-amount", "5", "--max-assignments", "3", "--validation-strategy", "custom"),
    )
    task = str(made.data["task_id"])
    workers = ("bob", "dan", "eve")
    slots = {name: str(people[name]("task", "assign", task).data["submission_id"]) for name in workers}
    return Studio(
        **people, root=root, task=task, slots=slots,
        mine=str(root / "mine.npz"), held_out=str(root / "held_out.npz"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def prepared(studio: Studio) -> list[dict[str, Any]]:
    """What `task setup` answers, the first and the second time."""
    return [studio.bob("task", "setup", studio.task).data for _ in range(2)]


@pytest.fixture(scope="module")
def states(studio: Studio, prepared: Any, wait_for: Any) -> list[tuple[str, str]]:
    """bob trains: what he commands, and the state in which the run comes to rest after it."""
    bob, told = studio.bob, []

    def tell(rests: str, *words: str) -> None:
        assert bob(*words).code == 0
        told.append((words[1], wait_for(lambda: state() == rests and rests, seconds=180, what=rests)))

    def state() -> str:
        return str(bob("run", "show", "1").data["state"])

    started = bob("task", "train", studio.task, "--data", studio.mine, "--epochs", "30", "--detach")
    assert started.data["id"] == 1
    tell("paused", "run", "pause", "1")
    tell("stopped", "run", "stop", "1")
    assert bob("run", "resume", "1").data["state"] == "queued"
    tell("paused", "run", "pause", "1")
    tell("finished", "run", "resume", "1")
    return told


@pytest.fixture(scope="module")
def judged(studio: Studio, states: Any) -> list[dict[str, Any]]:
    """What the policy did with three results: bob's own, a good one of dan's, and the base model again."""
    for person, result in ((studio.bob, ()), (studio.dan, ("good",)), (studio.eve, ("lazy",))):
        named = ("--result", str(studio.root / f"{result[0]}_abcdefghij")) if result else ()
        assert person("task", "send", studio.task, *named).code == 0
    answer = studio.ada(
        *("task", "validate", "--pending", studio.task, "--data", studio.held_out),
        *("--policy", str(studio.root / "validation.py")),
    )
    return list(answer.data["items"])


def test_setup_runs_once_and_what_it_prepared_is_what_trains(studio: Studio, prepared: Any) -> None:
    first, second = prepared
    assert (first["ran"], second["ran"]) == (True, False)
    assert (Path(first["folder"]) / "prepared.txt").read_text() == "by setup.sh\n"
    assert Path(first["log"]).exists()


def test_setup_in_a_second_terminal_is_refused_while_the_first_runs(studio: Studio, prepared: Any) -> None:
    folder, digest = studio.eve.home / "cache" / "prepared", Path(prepared[0]["folder"]).name
    folder.mkdir(parents=True)
    running = hold(folder / f"{digest}.lock")
    assert running is not None
    refused = studio.eve("task", "setup", studio.task)
    assert (refused.code, refused.error["code"]) == (3, "SetupRunning")
    os.close(running)
    assert studio.eve("task", "setup", studio.task).code == 0
    assert [path.name for path in folder.iterdir() if path.is_dir()] == [digest]


def test_a_training_is_paused_stopped_resumed_and_ends(studio: Studio, states: Any) -> None:
    assert states == [("pause", "paused"), ("stop", "stopped"), ("pause", "paused"), ("resume", "finished")]
    run = studio.bob("run", "show", "1").data
    assert (run["last"]["attempt"], run["last"]["epoch"]) == (2, 30)
    assert run["spec"]["interpreter"]["executable"], "an object, not how Python shows one"
    assert studio.bob("run", "stop", "1").error["code"] == "RunHasEnded"


def test_the_creators_script_accepts_and_rejects(studio: Studio, judged: Any) -> None:
    slots = studio.slots
    assert [(str(item["submission_id"]), item["status"]) for item in judged] == [
        (slots["bob"], "Accepted"),
        (slots["dan"], "Accepted"),
        (slots["eve"], "Rejected"),
    ]
    assert [item["receipts"][1]["call"] for item in judged] == [
        *("accept_task_results", "accept_task_results", "reject_task_results")
    ]
    assert (studio.bob.free(), studio.eve.free()) == (str(105 * UNIT), str(100 * UNIT))
    assert studio.ada("task", "validate", "--pending", studio.task).data["items"] == []
    record = studio.ada("account", "show").data["record"]["creator"]
    assert record["accepted"] == {"count": 2, "counterparties": 2, "amount": str(10 * UNIT)}
    assert record["rejected"] == {"count": 1, "counterparties": 1, "amount": str(5 * UNIT)}


def test_a_statement_goes_into_a_spreadsheet_and_adds_up(studio: Studio, judged: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(studio.bob.words("account", "history", "--csv").out)))
    assert list(rows[0]) == ["block", "name", "task_id", "submission_id", "free", "held"]
    assert sum(float(row["free"]) for row in rows) == 105.0
    assert sum(float(row["held"]) for row in rows) == 0.0
    assert rows[-1]["submission_id"] == studio.slots["bob"]
    moved = studio.bob("account", "history").data
    assert sum(int(movement["free"]) for movement in moved) == 105 * UNIT


def test_accepted_results_are_federated_by_weight(studio: Studio, judged: Any, tmp_path: Path) -> None:
    accepted = (studio.slots["bob"], studio.slots["dan"])
    made = studio.ada(
        *("federate", "run", *accepted, "--strategy", "weighted", "--weight", f"{accepted[0]}=3"),
        *("--data", studio.held_out, "--out", str(tmp_path / "next")),
    ).data
    assert made["provenance"]["strategy"] == "weighted"
    shares = {entry["name"].split()[0]: entry["share"] for entry in made["provenance"]["inputs"]}
    assert shares == {f"#{accepted[0]}": 0.75, f"#{accepted[1]}": 0.25}
    assert made["figures"]["values"]["loss"] < made["baseline"]["values"]["loss"]
    assert studio.ada("federate", "verify", str(tmp_path / "next")).code == 0
    refused = studio.ada("federate", "run", studio.slots["eve"])
    assert (refused.code, refused.error["code"]) == (1, "NotAccepted")
    assert refused.error["hint"] == "Leave it out.", "what was rejected cannot be accepted"


def test_where_measuring_fails_the_model_is_named_and_the_next_try_works(
    studio: Studio, judged: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = Bench.measure

    def breaks(bench: Bench, model: Path, **more: Any) -> Any:
        if model == tmp_path / "next":
            raise Failed("Stalled", "Nothing came for 120 s.", "Try again.")
        return measure(bench, model, **more)

    words = ("federate", "run", studio.slots["bob"], "--data", studio.held_out)
    with monkeypatch.context() as patch:
        patch.setattr(Bench, "measure", breaks)
        failed = studio.ada(*words, "--out", str(tmp_path / "next"))
    assert (failed.code, failed.error["code"]) == (4, "Stalled")
    assert failed.error["hint"] == f"Try again. The model itself is written: {tmp_path / 'next'}"
    assert studio.ada("federate", "verify", str(tmp_path / "next")).code == 0
    assert studio.ada(*words).code == 0


def test_a_name_has_one_type_in_every_answer(studio: Studio, judged: Any, tmp_path: Path) -> None:
    bob, task = studio.bob, studio.task
    stored = bob("storage", "put", str(studio.root / "role")).data["reference"]
    types: dict[str, set[str]] = defaultdict(set)
    for words in (
        *(("task", "list"), ("task", "show", task), ("task", "results", task), ("run", "list")),
        *(("run", "show", "1"), ("account", "list"), ("account", "show"), ("account", "history"), ("inbox",)),
        *(("chain", "status"), ("chain", "verify"), ("config", "show"), ("config", "path"), ("doctor",)),
        *(("storage", "verify", stored), ("storage", "get", stored, str(tmp_path / "got"))),
        *(("storage", "doctor"), ("storage", "gc", "--dry-run"), ("home", "backup", str(tmp_path / "kept"))),
        *(("account", "fund", "1"), ("task", "setup", task)),
    ):
        for name, kind in named(bob(*words).data):
            types[name].add(kind)
    for name, kind in named([studio.ada("task", "results", task).data, judged]):
        types[name].add(kind)
    mixed = [f"{name}: {', '.join(sorted(kinds))}" for name, kinds in types.items() if len(kinds) > 1]
    assert not mixed, "; ".join(mixed)


def named(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every name in an answer, behind that of what it is a part of, with its JSON type; null fits any."""
    if isinstance(value, list):
        for item in value:
            yield from named(item, name)
    elif isinstance(value, dict):
        for key, item in value.items():
            if item is not None:
                number = isinstance(item, int | float) and not isinstance(item, bool)
                yield f"{name}.{key}", "number" if number else type(item).__name__
            yield from named(item, key)


def test_at_last_the_run_is_removed(studio: Studio, judged: Any) -> None:
    assert studio.bob("run", "remove", "1").data == {"id": 1}
    assert studio.bob("run", "show", "1").error["code"] == "UnknownRun"
    assert studio.bob("run", "list").data == []
