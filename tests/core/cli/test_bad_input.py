"""Whatever is put in wrongly has an answer of its own: a code, words and a next step; its exit code fits."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .refusals import HOSTILE, UNIT, answer, assert_harmless, create, deliver, terms

# Who, when, how often, for how much


def test_an_unknown_task_submission_or_run(market) -> None:
    (ada,) = market("ada")
    for verb in ("show", "assign", "results", "close", "train", "try", "send"):
        assert answer(ada, "task", verb, "4294967295") == ("TaskNotFound", 1)
    for verb in ("accept", "validate", "claim", "time-out"):
        assert answer(ada, "task", verb, "4294967295") == ("SubmissionNotFound", 1)
    assert answer(ada, "task", "show", "99999999999999999999999") == ("TaskNotFound", 1)
    assert answer(ada, "task", "show", "-1") == ("Usage", 2)
    for verb in ("show", "stop", "tail", "remove"):
        assert answer(ada, "run", verb, "7") == ("UnknownRun", 1)


def test_the_wrong_caller(market, files: Path, tmp_path: Path) -> None:
    ada, bob, eve = market("ada", "bob", "eve")
    task = create(ada, files)
    assert answer(ada, "task", "assign", task) == ("CreatorCannotWork", 1)
    bob("task", "assign", task)
    submission = deliver(bob, task, tmp_path)
    for person in (bob, eve):
        assert answer(person, "task", "close", task) == ("NotTheCreator", 1)
        for verb in ("accept", "validate"):
            assert answer(person, "task", verb, submission) == ("NotTheCreator", 1)
        for verb in ("reject", "request-changes"):
            assert answer(person, "task", verb, submission, "--reason", "no") == ("NotTheCreator", 1)
    assert answer(eve, "task", "abandon", task) == ("NotTaken", 1)
    assert answer(eve, "task", "send", task, "--answers", str(files / "0.txt")) == ("NotTaken", 1)


def test_an_expired_task(market, files: Path, wait_for: Callable[..., Any]) -> None:
    ada, bob = market("ada", "bob", init=("--block-time", "1"))
    task = create(ada, files, "--expires-in", "5s")
    wait_for(lambda: not bob("task", "show", task).data["takeable"], what="the last block")
    assert answer(bob, "task", "assign", task) == ("TaskExpired", 1)


def test_a_full_task_and_everything_twice(market, files: Path, tmp_path: Path) -> None:
    ada, bob, eve = market("ada", "bob", "eve")
    task = create(ada, files)
    bob("task", "assign", task)
    assert answer(eve, "task", "assign", task) == ("TaskFull", 1)
    submission = deliver(bob, task, tmp_path)
    labels = str(tmp_path / "cat.json")
    assert answer(bob, "task", "send", task, "--answers", labels) == ("WrongState", 1)
    ada("task", "validate", submission)
    ada("task", "accept", submission)
    assert answer(ada, "task", "accept", submission) == ("WrongState", 1)
    assert answer(ada, "task", "reject", submission, "--reason", "no") == ("WrongState", 1)
    again = create(ada, files, "--max-assignments", "2", "--question", "Again?")
    bob("task", "assign", again)
    assert answer(bob, "task", "assign", again) == ("AlreadyTaken", 1)
    ada("task", "close", again)
    assert answer(ada, "task", "close", again) == ("TaskClosed", 1)
    assert "another task" not in ada("task", "close", again).error["hint"], "it is no search for work"
    assert answer(eve, "task", "assign", again) == ("TaskClosed", 1)
    assert bob.free() == str(102 * UNIT - 2 * 10**10)


def test_too_little_money(market, files: Path) -> None:
    ada, bob = market("ada", "bob")
    assert answer(ada, *terms(files, "--pays-amount", "100")) == ("InsufficientBalance", 1)
    assert answer(ada, *terms(files, "--pays-amount", "60", "--max-assignments", "2")) == (
        "InsufficientBalance",
        1,
    )
    task = create(ada, files, "--pays-amount", "90")
    # bob puts all but half a unit into a task of his own: the deposit is more.
    create(bob, files, "--pays-amount", "99.5")
    assert answer(bob, "task", "assign", task) == ("InsufficientBalance", 1)
    assert bob("task", "show", task).data["free_slots"] == 1


def ascii_id(text: str) -> str:
    return ascii(text)[:20]


@pytest.mark.parametrize(
    "amount", ["1e999", "-1", "0.0000000000001", "nan", "inf", "", "1,5", "٣", HOSTILE], ids=ascii_id
)
def test_a_bad_amount(market, files: Path, amount: str) -> None:
    (ada,) = market("ada")
    assert answer(ada, *terms(files, "--pays-amount", amount)) == ("BadAmount", 2)
    assert answer(ada, "account", "fund", "--", amount) == ("BadAmount", 2)


def test_an_amount_beyond_all_money(market, files: Path) -> None:
    (ada,) = market("ada")
    assert answer(ada, *terms(files, "--pays-amount", "9" * 40)) == ("BadAmount", 2)
    most = str((2**128 - 1) // UNIT)
    assert answer(ada, *terms(files, "--pays-amount", most, "--max-assignments", "1000")) == ("Overflow", 1)


@pytest.mark.parametrize("question", ["x" * 2049, "é" * 1025, "x" * 10_000], ids=ascii_id)
def test_a_question_too_long(market, files: Path, question: str) -> None:
    (ada,) = market("ada")
    assert answer(ada, *terms(files, "--question", question)) == ("QuestionTooLong", 1)
    assert create(ada, files, "--question", "x" * 2048)


# Texts


def test_hostile_texts_are_refused_or_harmless_wherever_they_go_in(
    market, files: Path, tmp_path: Path
) -> None:
    ada, bob = market("ada", "bob")
    task = create(ada, files)
    bob("task", "assign", task)
    submission = deliver(bob, task, tmp_path)
    ada("task", "validate", submission)
    for words in (
        ("account", "create", HOSTILE),
        ("account", "show", HOSTILE),
        ("account", "book", "add", HOSTILE, ada.address),
        ("account", "book", "add", "name", HOSTILE),
        ("account", "verify", HOSTILE, "message"),
        ("--account", HOSTILE, "task", "assign", task),
        ("--chain", HOSTILE, "task", "list"),
        ("--storage", HOSTILE, "storage", "doctor"),
        ("task", "list", f"type:{HOSTILE}"),
        ("task", "show", HOSTILE),
        ("task", HOSTILE),
        (HOSTILE,),
        terms(files, "--labels", HOSTILE),
        terms(files, "--expires-in", HOSTILE),
        terms(HOSTILE),
        ("task", "reject", submission, "--reason", HOSTILE),
        ("task", "accept", submission, "--digest", HOSTILE),
        ("task", "validate", submission, "--policy", HOSTILE),
        ("storage", "get", HOSTILE, str(tmp_path / "got")),
        ("federate", "run", HOSTILE, "--out", str(tmp_path / "out")),
        ("run", "show", HOSTILE),
        ("config", "set", HOSTILE, HOSTILE),
        ("home", "backup", f"{tmp_path}/{HOSTILE}"),
    ):
        code, exit_code = answer(ada, *words)
        assert code != "Bug", words
        assert exit_code in (1, 2, 3, 4)
        spoken = ada.words(*words)
        assert spoken.code == exit_code
        assert_harmless(spoken.out + spoken.err)


def test_hostile_file_names_reach_no_terminal(market, files: Path) -> None:
    (ada,) = market("ada")
    (files / "a\x1b[2J\u202e.txt").write_text("hello")
    assert answer(ada, *terms(files)) == ("BadName", 1)
    spoken = ada.words(*terms(files))
    assert_harmless(spoken.out + spoken.err)


def test_hostile_answers_reach_no_terminal(market, files: Path, tmp_path: Path) -> None:
    ada, bob = market("ada", "bob")
    task = create(ada, files)
    bob("task", "assign", task)
    path = tmp_path / "answers.json"
    path.write_text(json.dumps({"0.txt": HOSTILE[:600], HOSTILE[:600]: "cat"}))
    sent = bob("task", "send", task, "--answers", str(path))
    submission = str(sent.data["submission_id"])
    for person in (ada, bob):
        for words in (("task", "validate", submission, "--dry-run"), ("task", "show", task)):
            for result in (person(*words), person.words(*words)):
                assert_harmless(result.out + result.err)


# What was decided on


def test_a_result_changed_after_the_report(market, files: Path, tmp_path: Path) -> None:
    ada, bob = market("ada", "bob")
    task = create(ada, files)
    bob("task", "assign", task)
    submission = deliver(bob, task, tmp_path)
    first = ada("task", "validate", submission).data["digest"]
    ada("task", "request-changes", submission, "--reason", "dogs")
    deliver(bob, task, tmp_path, "dog")
    assert answer(ada, "task", "accept", submission, "--digest", first) == ("ResultChanged", 1)
    assert ada("task", "show", task).data["submissions"][0]["status"] == "PendingValidation"
