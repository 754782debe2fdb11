"""The market by single commands, as two people on one server: labels, so that nothing is trained."""

import json
from pathlib import Path
from typing import Any

import pytest

from decentralml.core.cli import free_text
from decentralml.core.intents import Intents
from decentralml.core.text import visible


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Three texts to label."""
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.txt").write_text(f"text {number}")
    return folder


def create(person: Any, files: Path, *more: str) -> dict[str, Any]:
    made = person(
        *("task", "create", "annotator", "--question", "Cat or dog?", "--assets", str(files)),
        *("--pays-amount", "2", "--annotation-type", "text", "--labels", "cat,dog", *more),
    )
    assert made.code == 0, made.out
    return dict(made.data["task"])


def answers(tmp_path: Path, label: str = "cat") -> Path:
    path = tmp_path / f"{label}.json"
    path.write_text(json.dumps({f"{number}.txt": label for number in range(3)}))
    return path


def test_a_task_is_published_taken_delivered_validated_and_paid(market, files: Path, tmp_path: Path) -> None:
    ada, bob = market("ada", "bob")
    task = create(ada, files, "--max-assignments", "2")
    assert (task["held"], task["status"], task["free_slots"]) == (str(4 * 10**12), "Created", 2)
    assert task["terms"]["pays_amount"] == str(2 * 10**12)
    assert ada.free() == str(96 * 10**12)

    assert " 2/2 " in ada.words("task", "list").out, "free of wanted, as in the app"
    listed = bob("task", "list", "free", "type:annotator").data
    assert [item["id"] for item in listed["items"]] == [task["id"]]
    shown = bob("task", "show", str(task["id"])).data
    assert shown["may"]["assign_task"] is None
    assert shown["may"]["close_task"]["code"] == "NotTheCreator"

    taken = bob("task", "assign", str(task["id"])).data
    assert " 1/2 " in ada.words("task", "list").out
    assert sorted(path.name for path in Path(taken["folder"]).iterdir()) == ["0.txt", "1.txt", "2.txt"]
    assert bob("inbox").data["items"][0]["why"] == "deliver"
    sent = bob("task", "send", str(task["id"]), "--answers", str(answers(tmp_path))).data
    assert sent["status"] == "PendingValidation"

    waiting = ada("inbox")
    assert (waiting.code, waiting.data["items"][0]["call"]) == (1, "validate_task_results")
    submission = str(sent["submission_id"])
    judged = ada("task", "validate", submission).data
    assert (judged["status"], judged["verdict"]["decision"]) == ("Validated", "undecided")
    assert judged["report"]["answers"]["per_label"] == {"cat": 3, "dog": 0}
    ranked = ada("task", "results", str(task["id"])).data
    assert ranked["items"][0]["report"]["result_digest"] == sent["digest"]

    paid = ada("task", "accept", submission).data
    assert (paid["status"], paid["stage"]) == ("Accepted", "finalised")
    assert bob.free() == str(102 * 10**12)
    closed = ada("task", "close", str(task["id"])).data
    assert (closed["status"], closed["amount"]) == ("Withdrawn", str(2 * 10**12))
    assert ada.free() == str(98 * 10**12)
    assert (ada("inbox").code, bob("inbox").code) == (0, 0)
    assert ada("chain", "verify").data["ok"] is True
    assert ada("chain", "status").data["total_issuance"] == str(200 * 10**12)


def test_changes_are_requested_then_the_result_is_rejected(market, files: Path, tmp_path: Path) -> None:
    ada, bob = market("ada", "bob")
    task = str(create(ada, files)["id"])
    submission = str(bob("task", "assign", task).data["submission_id"])
    bob("task", "send", task, "--answers", str(answers(tmp_path)))
    early = ada("task", "reject", submission, "--reason", "no")
    assert (early.code, early.error["code"]) == (1, "WrongState")
    ada("task", "validate", "--pending", task)
    assert ada("task", "request-changes", submission, "--reason", "more dogs").data["status"] == "Assigned"
    bob("task", "send", task, "--answers", str(answers(tmp_path, "dog")))
    assert ada("task", "validate", "--pending", task).data["items"][0]["status"] == "Validated"
    assert ada("task", "validate", "--pending", task).data["items"] == []
    assert ada("task", "reject", submission, "--reason", "too many dogs").data["status"] == "Rejected"
    assert bob("task", "show", task).data["submissions"][0]["reason"] == "too many dogs"
    assert bob.free() == str(100 * 10**12)


def test_silence_pays_the_worker(market, files: Path, tmp_path: Path, wait_for) -> None:
    ada, bob = market("ada", "bob", init=("--block-time", "1", "--review-period", "1"))
    task = str(create(ada, files)["id"])
    silent = str(bob("task", "assign", task).data["submission_id"])
    bob("task", "send", task, "--answers", str(answers(tmp_path)))
    wait_for(lambda: bob("inbox").data["counts"]["claim"], what="silence")
    assert bob("task", "claim", silent).data["status"] == "Accepted"
    assert bob.free() == str(102 * 10**12)


def test_idleness_costs_the_deposit_and_the_slot(market, files: Path, wait_for) -> None:
    ada, eve, bob = market("ada", "eve", "bob", init=("--block-time", "1", "--work-period", "1"))
    task = str(create(ada, files)["id"])
    idle = str(eve("task", "assign", task).data["submission_id"])
    wait_for(lambda: ada("inbox").data["counts"]["time_out"], what="idleness")
    # The only slot is overdue: taking it times it out first.
    assert bob("task", "assign", task).code == 0
    assert eve.free() == str(100 * 10**12 - 2 * 10**10)
    assert eve("task", "assign", task).error["code"] == "TaskFull"
    assert eve("task", "show", task).data["submissions"][0]["status"] == "TimedOut"
    assert eve("task", "time-out", idle).error["code"] == "WrongState"


def test_an_idle_slot_is_timed_out_by_a_command_of_its_own(market, files: Path, wait_for) -> None:
    ada, eve = market("ada", "eve", init=("--block-time", "1", "--work-period", "1"))
    task = str(create(ada, files)["id"])
    idle = str(eve("task", "assign", task).data["submission_id"])
    wait_for(lambda: ada("inbox").data["counts"]["time_out"], what="idleness")
    assert ada("task", "time-out", idle).data["status"] == "TimedOut"
    assert ada("task", "show", task).data["free_slots"] == 1
    assert ada.free() == str(98 * 10**12 + 2 * 10**10)


def test_a_slot_is_given_back(market, files: Path) -> None:
    ada, bob = market("ada", "bob")
    task = str(create(ada, files)["id"])
    bob("task", "assign", task)
    assert bob("task", "abandon", task).data["status"] == "Abandoned"
    assert ada("task", "show", task).data["free_slots"] == 1
    assert bob.free() == str(100 * 10**12)


def test_autoaccept_pays_in_the_call_that_delivers(market, files: Path, tmp_path: Path) -> None:
    ada, bob = market("ada", "bob")
    task = str(create(ada, files, "--validation-strategy", "auto")["id"])
    bob("task", "assign", task)
    assert bob("task", "send", task, "--answers", str(answers(tmp_path))).data["status"] == "Accepted"
    assert bob.free() == str(102 * 10**12)


def test_labels_are_asked_one_file_after_the_other(market, files: Path, tmp_path: Path, monkeypatch) -> None:
    import io

    ada, bob = market("ada", "bob")
    task = str(create(ada, files)["id"])
    target = tmp_path / "mine.json"
    monkeypatch.setattr("sys.stdin", io.StringIO("cow\n²\ncat\n2\nq\n"))
    first = bob("task", "label", task, "--to", str(target)).data
    assert (first["answers"], first["missing"]) == (2, 1)
    monkeypatch.setattr("sys.stdin", io.StringIO("dog\n"))
    assert bob("task", "label", task, "--to", str(target)).data["missing"] == 0
    assert json.loads(target.read_text()) == {"0.txt": "cat", "1.txt": "dog", "2.txt": "dog"}


def test_labels_that_are_numbers_get_no_numbers(market, files: Path, tmp_path: Path, monkeypatch) -> None:
    import io

    ada, bob = market("ada", "bob")
    task = str(create(ada, files, "--labels", "3,1,2")["id"])
    target = tmp_path / "mine.json"
    monkeypatch.setattr("sys.stdin", io.StringIO("1\n4\n3\nq\n"))
    asked = bob("task", "label", task, "--to", str(target))
    assert asked.err.startswith("3  1  2\n")
    assert json.loads(target.read_text()) == {"0.txt": "1", "1.txt": "3"}


@pytest.mark.parametrize(
    ("change", "code", "exit_code"),
    [
        (("--pays-amount", "1e999"), "BadAmount", 2),
        (("--pays-amount", "-1"), "BadAmount", 2),
        (("--pays-amount", "0.0000000000001"), "BadAmount", 2),
        (("--pays-amount", "1000"), "InsufficientBalance", 1),
        (("--pays-amount", "0"), "RewardTooLow", 1),
        (("--question", ""), "QuestionEmpty", 1),
        (("--question", "é" * 1025), "QuestionTooLong", 1),
        (("--assets", "nowhere"), "NoSuchFile", 2),
        (("--max-assignments", "0"), "Usage", 2),
        (("--max-assignments", "1001"), "Usage", 2),
        (("--max-assignments", "many"), "Usage", 2),
        (("--expires-in", "soon"), "BadTime", 2),
        (("--expires-in", "400d"), "BadExpiration", 1),
        (("--expiration-block", "0"), "BadExpiration", 1),
        (("--labels", ""), "Usage", 2),
        (("--labels", " , "), "Usage", 2),
        (("--annotation-json", "nowhere"), "NoSuchFile", 2),
    ],
)
def test_a_task_that_cannot_be_is_refused_before_anything_is_uploaded(
    market, files: Path, change: tuple[str, ...], code: str, exit_code: int
) -> None:
    (ada,) = market("ada")
    made = ada(
        *("task", "create", "annotator", "--question", "Cat or dog?", "--assets", str(files)),
        *("--pays-amount", "2", "--annotation-type", "text", "--labels", "cat,dog", *change),
    )
    assert (made.error["code"], made.code) == (code, exit_code)
    assert made.error["message"]
    assert ada.free() == str(100 * 10**12)
    assert not [path for path in (ada.home.parent / "store").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "change",
    [
        ("--question", "Cat\x1b[2J or dog?"),
        ("--labels", "cat,d\u202eog"),
        ("--sample", "a.txt: cat", "--sample", "b.txt: \u200bdog"),
        ("--coordinates", "the\x07 head"),
    ],
)
def test_what_nobody_would_see_is_refused_before_it_is_signed(
    market, files: Path, change: tuple[str, ...]
) -> None:
    (ada,) = market("ada")
    made = ada(
        *("task", "create", "annotator", "--question", "Cat or dog?", "--assets", str(files)),
        *("--pays-amount", "2", "--annotation-type", "text", "--labels", "cat,dog", *change),
    )
    assert (made.error["code"], made.code) == ("BadText", 2)
    unseen = visible(change[-1])
    assert made.error["message"].startswith(f"{change[0]} has characters that nobody would see: ")
    assert made.error["message"].rpartition(": ")[2].rstrip(".") in unseen
    for words in ("reject", "request-changes"):
        said = ada("task", words, "0", "--reason", change[-1])
        assert said.error["code"] == "BadText"


def test_a_file_of_words_with_what_nobody_would_see_is_refused(market, files: Path, tmp_path: Path) -> None:
    (ada,) = market("ada")
    more = tmp_path / "more.json"
    for content in (b'{"see": "\xe2\x80\xae"}', b"\xff"):
        more.write_bytes(content)
        made = ada(
            *("task", "create", "annotator", "--question", "Cat or dog?", "--assets", str(files)),
            *("--pays-amount", "2", "--annotation-type", "text", "--labels", "cat,dog"),
            *("--annotation-json", str(more)),
        )
        assert (made.error["code"], made.code) == ("BadText", 2)


def test_hostile_questions_and_reasons_reach_no_terminal(
    market, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(free_text, "hidden", lambda text: [])  # a client that lets everything through
    hostile = "\x1b[2Jcleared\u202egnp\u200b" + "x" * 900
    ada, bob = market("ada", "bob")
    task = str(create(ada, files, "--question", hostile)["id"])
    bob("task", "assign", task)
    bob("task", "send", task, "--answers", str(answers(tmp_path)))
    ada("task", "validate", "--pending", task)
    ada("task", "reject", "0", "--reason", hostile)
    for person in (ada, bob):
        for words in (
            ("task", "list"),
            ("task", "show", task),
            ("task", "results", task),
            ("inbox",),
            ("chain", "events"),
            ("account", "history"),
        ):
            for result in (person(*words), person.words(*words)):
                for char in "\x1b\u202e\u200b":
                    assert char not in result.out + result.err
                assert "\\u001b" not in result.out


def test_an_inbox_that_does_not_fit_says_how_much_more_waits(market, files: Path) -> None:
    ada, bob = market("ada", "bob")
    for number in range(3):
        bob("task", "assign", str(create(ada, files, "--question", f"{number}?")["id"]))
    shown = bob("inbox", "--limit", "2")
    assert shown.code == 1
    assert [item["task_id"] for item in shown.data["items"]] == [1, 2]
    assert (shown.data["total"], shown.data["counts"]["deliver"]) == (3, 3)
    spoken = bob.words("inbox", "--limit", "1").out
    assert "+2 more" in spoken
    assert "3 x deliver your result" in spoken
    assert "more" not in bob.words("inbox").out


def test_two_tasks_of_one_folder_store_it_once(market, files: Path) -> None:
    (ada,) = market("ada")
    first, second = create(ada, files), create(ada, files, "--question", "Again?")
    assert first["terms"]["annotation_files"] == second["terms"]["annotation_files"]
    reference = first["terms"]["annotation_files"][0]
    third = create(ada, Path(reference), "--question", "By reference?")
    assert third["terms"]["annotation_files"] == [reference]


class Cut(BaseException):
    """Stands for a kill: nothing may catch it."""


def test_what_landed_before_a_crash_is_answered_and_not_done_again(
    market, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = market("ada", "bob")

    def twice(person: Any, *words: str) -> Any:
        """Kill a command when its call has landed, then give it again."""

        def die(*arguments: object) -> None:
            raise Cut

        with monkeypatch.context() as patch:
            patch.setattr(Intents, "_forget", die)
            with pytest.raises(Cut):
                person(*words)
        return person(*words).data

    # All her money but ten units: a second task of that kind would be refused.
    made = twice(
        ada,
        *("task", "create", "annotator", "--question", "Cat or dog?", "--assets", str(files)),
        *("--pays-amount", "90", "--annotation-type", "text", "--labels", "cat,dog"),
    )
    task = str(made["task_id"])
    submission = str(twice(bob, "task", "assign", task)["submission_id"])
    sent = twice(bob, "task", "send", task, "--answers", str(answers(tmp_path)))
    assert (sent["submission_id"], sent["status"]) == (int(submission), "PendingValidation")
    ada("task", "validate", submission)
    assert twice(ada, "task", "accept", submission)["status"] == "Accepted"
    assert ada("task", "list").data["total"] == 1
    assert (ada.free(), bob.free()) == (str(10 * 10**12), str(190 * 10**12))
