"""How a command refuses: one answer, the same to people and to programs, that can draw on no terminal."""

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).parents[3] / "assets"
UNIT = 10**12
HOSTILE = "\x1b[2J\x1b]0;title\x07\u202egnp\u200b\x9b31m\r\n" + "x" * 10_000
Answer = tuple[str, int]


def answer(person: Any, *words: str) -> Answer:
    """Code and exit code of a command that is refused, which says the same to people and to programs."""
    result = person(*words)
    assert_harmless(result.out + result.err)
    error = result.error
    assert error["message"], error
    assert error["hint"], error
    assert len(error["message"]) < 5000, "a terminal is not flooded"
    return error["code"], result.code


def assert_harmless(out: str) -> None:
    """Nothing in ``out`` moves a cursor, hides, or turns letters around; nor what its JSON decodes to."""
    for char in set(out) - {"\n"}:
        assert unicodedata.category(char) not in ("Cc", "Cf", "Co", "Cs"), f"{char!r} in {out[:300]!r}"
    for line in out.splitlines():
        if line.startswith("{"):
            for text in strings(json.loads(line)):
                assert_harmless(text)


def strings(value: Any) -> Iterator[str]:
    """All names and texts in decoded JSON."""
    if isinstance(value, str):
        # A text that is JSON in itself is not what a terminal gets.
        yield value.replace("{", " ")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def terms(files: Path | str, *more: str) -> tuple[str, ...]:
    return (
        *("task", "create", "annotator", "--question", "Cat or dog?", "--assets", str(files)),
        *("--pays-amount", "2", "--annotation-type", "text", "--labels", "cat,dog", *more),
    )


def create(person: Any, files: Path, *more: str) -> str:
    return str(person(*terms(files, *more)).data["task_id"])


def deliver(person: Any, task: str, tmp_path: Path, label: str = "cat") -> str:
    path = tmp_path / f"{label}.json"
    path.write_text(json.dumps({"0.txt": label, "1.txt": label}))
    return str(person("task", "send", task, "--answers", str(path)).data["submission_id"])
