"""One result that breaks out reaches neither the next nor the process that takes the questions."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from decentralml.core import sandbox

HERE = Path(__file__).parent


class Asked:
    """A running zygote whose children are hostile."""

    def __init__(self, folder: Path) -> None:
        self.answers = folder / "answers"
        self.answers.mkdir()
        cell = sandbox.Cell(
            command=("python", "/canary/escaped.py", "/canary", "/answers", "alone"),
            reads=((HERE, Path("/canary")),),
            writes=(self.answers, Path("/answers")),
            memory=1 << 30,
        )
        self.process = sandbox.popen(cell, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert "ready" in self.hear()

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return dict(json.loads(self.process.stdout.readline()))

    def ask(self, what: str) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"id": 7, "what": what}).encode() + b"\n")
        self.process.stdin.flush()
        assert self.hear()["id"] == 7
        text = (self.answers / "answer").read_text()
        for path in self.answers.iterdir():
            path.unlink()
        return text


@pytest.fixture
def hostile_zygote(tmp_path: Path) -> Iterator[Asked]:
    asked = Asked(tmp_path)
    yield asked
    asked.process.kill()
    asked.process.wait()
    for pipe in (asked.process.stdin, asked.process.stdout):
        assert pipe is not None
        pipe.close()


def test_what_broke_out_of_one_result_does_not_reach_the_next(hostile_zygote: Asked) -> None:
    hostile_zygote.ask("break")
    found = json.loads(json.loads(hostile_zygote.ask("look"))["text"])
    assert "left" not in found["left"]
    assert found["processes"] == found["self"]
    assert list(hostile_zygote.answers.iterdir()) == []


def test_a_child_cannot_look_into_the_process_that_takes_the_questions(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    try:
        raw = asked.ask("break")
        while raw == "forged":
            raw = asked.ask("break")
        found = json.loads(json.loads(raw)["text"])
        assert not found["memory"]
        assert not found["questions"]
        assert not found["attached"]
        assert found["own"] == "/dev/null"
    finally:
        asked.process.kill()
        asked.process.wait()


def test_outside_a_sandbox_it_never_ends_everything_of_its_user(tmp_path: Path) -> None:
    """ "alone" where it is not alone: it ends itself instead."""
    done = subprocess.run(
        [sys.executable, "-m", "decentralml.core.sandboxed.zygote", tmp_path, tmp_path, "alone"],
        input=b"",
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0
    assert b"namespace of its own" in done.stderr
