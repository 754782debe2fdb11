"""The demo as a newcomer runs it, without a terminal: what its table says is what the chain says."""

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import pytest

from decentralml.core.amount import UNIT
from decentralml.core.demo import cheats, props

PROGRAM = Path(sys.executable).with_name("decentralml")
SEED = "1"
PAYS = {"contributor": 12 * UNIT, "engineer": 20 * UNIT}
_ROW = re.compile(
    r"(?P<name>\w+) +(?P<role>\w+) +#(?P<number>\d+) +(?P<figure>\S+) +(?P<claimed>\S+)"
    r" +(?P<decision>\w+) +(?P<paid>\S+) +(?P<why>.+)"
)


@dataclass
class Demo:
    """A demo that has ended, and the home that it kept."""

    home: Path
    code: int
    out: str
    err: str
    seen: set[str] = field(default_factory=set)

    def __call__(self, *words: str, who: str = "ada") -> Any:
        """The data of a command in the home of ``who``."""
        root = self.home if who == "ada" else self.home / "people" / who
        shared = [
            "--chain",
            f"local:{self.home}/ledger/ledger.sqlite",
            "--storage",
            f"local:{self.home}/storage",
        ]
        done = subprocess.run(
            [PROGRAM, "--home", root, *(shared if who != "ada" else ()), "--json", *words],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        answer = json.loads(done.stdout.splitlines()[-1])
        assert answer["ok"], answer
        return answer["data"]

    def line(self, name: str) -> str:
        """What the table's foot says of ``name``."""
        found = re.search(rf"^{name}  +(.+)$", self.out, re.MULTILINE)
        assert found, self.out
        return found[1]

    @property
    def rows(self) -> dict[str, dict[str, str]]:
        """The table, by name of the worker."""
        found = [_ROW.fullmatch(line) for line in self.out.splitlines()]
        return {row["name"]: row.groupdict() for row in found if row}


def _command_lines(home: Path) -> Iterator[str]:
    """The command lines of all processes that have to do with ``home``."""
    for process in Path("/proc").iterdir():
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # no process, or one that has just ended
            continue
        if str(home) in words:
            yield words


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    home = tmp_path_factory.mktemp("demo") / "market"
    own = tmp_path_factory.mktemp("xdg")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DECENTRALML")}
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        environment[f"XDG_{name}_HOME"] = str(own / name.lower())
    process = subprocess.Popen(
        [PROGRAM, "demo", "--home", home, "--seed", SEED],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment, "HOME": str(own)},
    )
    ended, seen = threading.Event(), set()

    def watch() -> None:
        while not ended.wait(0.05):
            seen.update(_command_lines(home))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        out, err = process.communicate(timeout=600)
    finally:
        ended.set()
        watching.join()
    return Demo(home, process.returncode, out, err, seen)


def test_it_ends_well_and_says_on_the_way_what_happens(demo: Demo) -> None:
    assert demo.code == 0, demo.err
    assert list(demo.rows) == ["bo", "chi", "dev", "zoe"]
    for name in demo.rows:
        assert f"{name} delivers submission" in demo.err
    assert "\x1b" not in demo.out + demo.err, "this is no terminal"


def test_what_it_started_has_ended(demo: Demo) -> None:
    assert list(_command_lines(demo.home)) == []


def test_who_was_paid_what_is_what_the_chain_says(demo: Demo) -> None:
    submissions = {
        str(row["submission"]["id"]): row["submission"]
        for task in ("1", "2")
        for row in demo("task", "results", task)["items"]
    }
    spent = 0
    for name, row in demo.rows.items():
        submission = submissions[row["number"]]
        address = demo("account", "show", who=name)["address"]
        assert submission["worker"] == address
        assert submission["status"].lower() == row["decision"]
        paid = PAYS[row["role"]] if row["decision"] == "accepted" else 0
        assert row["paid"] == (f"{paid // UNIT}.00" if paid else "-")
        statement = demo("account", "history", address)
        assert sum(int(move["free"]) for move in statement if move["name"] == "Paid") == paid
        assert int(demo("account", "show", address)["free"]) == 5 * UNIT + paid
        spent += paid
    ada = demo("account", "show")
    assert (int(ada["free"]), int(ada["held"])) == (500 * UNIT - spent, 0)
    assert demo.line("creator").startswith(f"500.00 before, {500 - spent // UNIT}.00 after")
    back = sum(int(m["free"]) for m in demo("account", "history") if m["name"] == "EscrowReleased")
    assert f"{back // UNIT}.00 came back" in demo.line("creator")


def test_funds_are_unchanged_and_the_chain_is_green(demo: Demo) -> None:
    assert demo.line("all funds") == "520.00 before, 520.00 after"
    assert demo("chain", "status")["total_issuance"] == str(520 * UNIT)
    verified = demo("chain", "verify")
    assert verified["ok"] is True
    assert demo.line("chain verify").startswith(f"{verified['rows']} rows")


def test_the_cheat_is_caught_and_the_honest_are_not(demo: Demo) -> None:
    cheat = demo.line("who cheated").split()[0]
    assert {name for name, row in demo.rows.items() if row["decision"] == "rejected"} == {cheat}
    assert demo.line("who cheated").endswith(": rejected")


def test_the_creators_side_was_never_told_who_cheats_or_how(demo: Demo) -> None:
    words = (*cheats.HOW, "cheat")
    assert any("task validate" in line for line in demo.seen), "nobody watched"
    for line in demo.seen:
        if f"decentralml demo --home {demo.home}" not in line:
            assert not any(word in line for word in words), line
            assert "--seed" not in line
    own = [path for path in demo.home.rglob("*") if path.is_file() and "people" not in path.parts]
    assert own
    for path in own:
        content = path.read_bytes()
        assert not any(word.encode() in content for word in words), path


def test_the_federated_model_is_no_worse_than_the_baseline_and_comes_out_again(
    demo: Demo, tmp_path: Path
) -> None:
    assert float(demo.line("federated").split()[0]) >= float(demo.line("baseline"))
    accepted = [row["number"] for row in demo.rows.values() if row["decision"] == "accepted"]
    held_out = str(demo.home / "data" / "held-out.npz")
    again = demo("federate", "run", *accepted, "--out", str(tmp_path / "again"), "--data", held_out)
    assert f"{again['figures']['values']['accuracy']:.3f}" == demo.line("federated").split()[0]
    assert f"{again['baseline']['values']['accuracy']:.3f}" == demo.line("baseline")
    weights = [
        (folder / "model.weights.h5").read_bytes() for folder in (tmp_path / "again", demo.home / "federated")
    ]
    assert weights[0] == weights[1]
    assert demo("federate", "verify", str(demo.home / "federated"))


def test_validation_reproduces_every_figure_that_was_printed(demo: Demo) -> None:
    measured = {
        str(r["submission"]["id"]): r["report"] for t in "12" for r in demo("task", "results", t)["items"]
    }

    def validate(number: str) -> Any:
        held_out, policy = demo.home / "data" / "held-out.npz", demo.home / "tasks" / "validation.py"
        return demo(
            *("task", "validate", number, "--data", str(held_out)),
            *("--policy", str(policy), "--dry-run"),
        )

    rows = demo.rows
    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(rows, pool.map(validate, (row["number"] for row in rows.values())), strict=True))
    for name, row in rows.items():
        report = found[name]["report"]
        assert f"{report['candidate']['values']['accuracy']:.3f}" == row["figure"]
        assert f"{report['claimed']['metrics']['accuracy']:.3f}" == row["claimed"]
        assert found[name]["receipts"] == []
        before = measured[row["number"]]
        for part in (
            "candidate",
            "baseline",
            "differences",
            "claimed",
            "distance",
            "verdict",
            "result_digest",
        ):
            assert report[part] == before[part], part
        assert row["why"].rstrip("…") in found[name]["verdict"]["reason"]


@pytest.mark.parametrize(
    "words",
    [
        "task list",
        "task show 1",
        "inbox",
        "account list",
        "account show",
        "account history",
        "chain events",
        "storage doctor",
        "run list",
        "config show",
    ],
)
def test_other_commands_work_on_what_was_kept(demo: Demo, words: str) -> None:
    demo(*words.split())
    demo(*words.split(), who="bo")


def test_a_home_that_is_not_empty_is_refused(demo: Demo) -> None:
    done = subprocess.run(
        [PROGRAM, "--json", "demo", "--home", demo.home], capture_output=True, text=True, check=False
    )
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (2, "NotEmpty")


# The same seed, on the same machine


def weights_of(model: Path) -> str:
    """SHA-256 over every weight of a model's folder."""
    sha = hashlib.sha256()

    def add(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and name.startswith("layers/"):
            sha.update(name.encode() + item[()].tobytes())

    with h5py.File(model / "model.weights.h5") as weights:
        weights.visititems(add)
    return sha.hexdigest()


def test_the_same_seed_gives_everybody_the_same_submission(demo: Demo) -> None:
    assert [row["number"] for row in demo.rows.values()] == ["1", "2", "3", "4"]


def test_the_same_seed_makes_the_same_base_model_and_another_seed_another(demo: Demo, tmp_path: Path) -> None:
    first = weights_of(demo.home / "tasks" / "model_contributor" / "base_model")
    made = {}
    for seed in (int(SEED), int(SEED) + 1):
        (tmp_path / str(seed)).mkdir()
        props.train_base(demo.home / "data" / "own.npz", tmp_path / str(seed), seed)
        made[seed] = weights_of(tmp_path / str(seed) / "base_model")
    assert made[int(SEED)] == first
    assert made[int(SEED) + 1] != first


def test_the_same_training_gives_the_same_model(demo: Demo) -> None:
    data = demo.home / "people" / "chi" / "shard.npz"
    again = demo("task", "train", "1", "--data", str(data), "--epochs", "4", who="chi")
    first = demo("run", "show", "1", who="chi")
    assert weights_of(Path(again["result_folder"])) == weights_of(Path(first["result_folder"]))
