"""Workers for tests: real ones, forked from one process that has imported TensorFlow."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parent / "scripts"
DIGITS = Path(__file__).parents[3] / "assets" / "mnist5k.npz"


class Job:
    """One worker: its folder, events, log, control and exit."""

    def __init__(self, folder: Path, forks: "Forks", **order: Any) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.order = {
            "task_type": "ModelEngineer",
            "task_dir": str(SCRIPTS),
            "data": str(folder / "data.npz"),
            "out": str(self.out),
            "control": str(folder / "control.json"),
            "epochs": 2,
            "batch_size": None,
            "seed": 1,
            "holdout": 0.1,
            "model_name": "digits",
            "try": False,
            "resume": False,
            "threads": 1,
            **order,
        }
        self._forks = forks
        self._pid = 0
        folder.mkdir(parents=True, exist_ok=True)

    def start(self, **changes: Any) -> "Job":
        (self.folder / "events.jsonl").unlink(missing_ok=True)
        job = self.folder / "job.json"
        job.write_text(json.dumps(self.order | changes))
        order = {
            "job": str(job),
            "events": str(self.folder / "events.jsonl"),
            "log": str(self.folder / "log"),
        }
        self._pid = self._forks.ask({"start": order})
        return self

    def control(self, command: str) -> None:
        aside = self.folder / "control.part"
        aside.write_text(json.dumps({"command": command}))
        aside.replace(self.folder / "control.json")

    def kill(self) -> None:
        os.kill(self._pid, 9)

    def wait(self) -> int:
        """Exit code, once it has ended."""
        return self._forks.ask({"wait": self._pid})

    def run(self, **changes: Any) -> int:
        return self.start(**changes).wait()

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        path = self.folder / "events.jsonl"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        found = [json.loads(line) for line in lines if line.endswith("\n")]
        return [event for event in found if kind in (None, event["kind"])]

    def event(self, kind: str) -> dict[str, Any]:
        (found,) = self.events(kind)
        return found


class Forks:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("forks.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"},
        )

    def ask(self, order: dict[str, Any]) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    forks = Forks()
    yield forks
    forks.close()


@pytest.fixture(scope="session")
def digits() -> tuple[Any, Any]:
    """The first 400 digits: uint8 (400, 28, 28) and labels."""
    import numpy as np

    with np.load(DIGITS) as data:
        return data["x"][:400], data["y"][:400]


@pytest.fixture(scope="session")
def scripts() -> Path:
    return SCRIPTS


MakeJob = Callable[..., Job]


@pytest.fixture(scope="module")
def make_job(forks: Forks, digits: tuple[Any, Any], tmp_path_factory: pytest.TempPathFactory) -> MakeJob:
    """A job on 400 digits with a script of scripts/; keyword arguments as in job.json."""
    import numpy as np

    def make(script: str, **order: Any) -> Job:
        folder = tmp_path_factory.mktemp("job")
        np.savez(folder / "data.npz", x=digits[0], y=digits[1])
        return Job(folder, forks, script=script, **order)

    return make
