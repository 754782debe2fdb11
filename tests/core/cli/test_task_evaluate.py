"""`task validate --pending`: one result's trouble takes nothing from the others, nor from what is signed."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from decentralml.core.cli import report_view
from decentralml.core.report import Refusal, Report

UNIT = 10**12


@pytest.fixture
def deliver(tmp_path: Path) -> Callable[..., tuple[str, list[int]]]:
    """Publish a labelling task with ``more`` terms, and let each of ``workers`` deliver to it."""

    def call(creator: Any, workers: list[Any], *more: str) -> tuple[str, list[int]]:
        texts = tmp_path / "texts"
        texts.mkdir()
        (texts / "0.txt").write_text("text")
        answers = tmp_path / "answers.json"
        answers.write_text('{"0.txt": "cat"}')
        made = creator(
            *("task", "create", "annotator", "--question", "Cat or dog?", "--assets", str(texts)),
            *("--pays-amount", "2", "--annotation-type", "text", "--labels", "cat,dog"),
            *("--max-assignments", str(len(workers)), *more),
        )
        task = str(made.data["task_id"])
        submissions = []
        for worker in workers:
            submissions.append(worker("task", "assign", task).data["submission_id"])
            assert worker("task", "send", task, "--answers", str(answers)).code == 0
        return task, submissions

    return call


def in_short(items: list[dict[str, Any]]) -> list[tuple[int, str, bool, list[str], str | None]]:
    """Of each item: submission, status, whether it has a report, what was signed, the error's code."""
    return [
        (
            item["submission_id"],
            item["status"],
            item["report"] is not None,
            [receipt["call"] for receipt in item["receipts"]],
            item["error"] and item["error"]["code"],
        )
        for item in items
    ]


def test_what_breaks_for_one_result_leaves_the_others_evaluated_and_signed(market, deliver) -> None:
    ada, *workers = market("ada", "bob", "eve", "joe")
    task, (first, second, third) = deliver(ada, workers)
    (ada.home / "reports").mkdir()
    (ada.home / "reports" / str(second)).write_text("no report can be written here")
    result = ada("task", "validate", "--pending", task)
    signed = ["validate_task_results"]
    assert in_short(result.data["items"]) == [
        (first, "Validated", True, signed, None),
        (second, "PendingValidation", False, [], "NoHome"),
        (third, "Validated", True, signed, None),
    ]
    assert result.code == 3
    assert result.data["items"][1]["error"]["hint"]


def test_a_signature_that_is_refused_leaves_the_report_and_what_was_signed_before(
    market, deliver, tmp_path: Path, wait_for
) -> None:
    ada, *workers = market("ada", "bob", "eve", init=("--block-time", "1", "--review-period", "1"))
    task, (first, second) = deliver(ada, workers, "--validation-strategy", "custom")
    policy = tmp_path / "validation.py"
    policy.write_text("def decide(report):\n    return 'reject', 'no'\n")
    wait_for(lambda: workers[1]("inbox").code == 1, what="the end of the review")
    result = ada("task", "validate", "--pending", task, "--policy", str(policy))
    signed = ["validate_task_results"]
    assert in_short(result.data["items"]) == [
        (first, "Validated", True, signed, "ReviewPeriodOver"),
        (second, "Validated", True, signed, "ReviewPeriodOver"),
    ]
    assert result.data["items"][0]["verdict"] == {"decision": "reject", "reason": "no"}
    assert result.code == 1


def test_what_was_left_undecided_is_decided_by_a_later_round_with_a_policy_that_knows(
    market, deliver, tmp_path: Path
) -> None:
    ada, *workers = market("ada", "bob", "eve")
    task, (first, second) = deliver(ada, workers, "--validation-strategy", "custom")
    policy = tmp_path / "validation.py"
    policy.write_text(
        "def decide(report):\n    return 'accept' if report['submission_id'] == 1 else 'perhaps'\n"
    )
    pending = ("task", "validate", "--pending", task, "--policy", str(policy))
    assert {item["submission_id"]: item["status"] for item in ada(*pending).data["items"]} == {
        first: "Accepted",
        second: "Validated",
    }
    assert ada(*pending).data["items"] == []
    policy.write_text("def decide(report):\n    return 'reject', '  '\n")
    signed = ["validate_task_results", "reject_task_results"]
    assert in_short(ada(*pending).data["items"]) == [(second, "Rejected", True, signed, None)]


def test_a_result_that_was_refused_is_ranked_with_the_reason() -> None:
    found = Report(refused=Refusal("inspect", "BadConfig", "config.json describes no model."))
    assert report_view.headline(found) == ("config.json describes no model.", "", "")


def test_for_people_every_result_has_its_report_or_its_error(market, deliver) -> None:
    ada, *workers = market("ada", "bob", "eve")
    task, (first, _) = deliver(ada, workers)
    (ada.home / "reports").mkdir()
    (ada.home / "reports" / str(first)).write_text("no report can be written here")
    spoken = ada.words("task", "validate", "--pending", task)
    assert spoken.code == 3
    assert f"submission {first}: NoHome: " in spoken.out
    assert "1 of 1 answer\n" in spoken.out
    assert "validate_task_results is in block" in spoken.out


def test_a_single_result_whose_signature_is_refused_says_where_its_report_is(
    market, deliver, tmp_path: Path, wait_for
) -> None:
    ada, bob = market("ada", "bob", init=("--block-time", "1", "--review-period", "1"))
    _, (submission,) = deliver(ada, [bob], "--validation-strategy", "custom")
    policy = tmp_path / "validation.py"
    policy.write_text("def decide(report):\n    return 'reject', 'no'\n")
    wait_for(lambda: bob("inbox").code == 1, what="the end of the review")
    refused = ada("task", "validate", str(submission), "--policy", str(policy))
    assert (refused.code, refused.error["code"]) == (1, "ReviewPeriodOver")
    assert str(ada.home / "reports" / str(submission)) in refused.error["hint"]
    assert "validate_task_results is in block" in refused.error["hint"]


def test_interrupted_it_answers_with_what_is_done_and_what_is_left(
    market, deliver, tmp_path: Path, wait_for, command
) -> None:
    ada, *workers = market("ada", "bob", "eve", "joe")
    task, (first, second, third) = deliver(ada, workers, "--validation-strategy", "custom")
    policy = tmp_path / "validation.py"
    policy.write_text(
        "import signal\n"
        "def decide(report):\n"
        f"    while report['submission_id'] != {first}:\n"
        "        signal.pause()\n"
        "    return 'accept'\n"
    )
    read, write = os.pipe()
    os.write(write, b"correct horse\n")
    os.close(write)
    process = subprocess.Popen(
        command(
            *("--home", str(ada.home), *ada.shared, "--json", "--yes", "--password-fd", str(read)),
            *("task", "validate", "--pending", task, "--policy", str(policy)),
        ),
        stdout=subprocess.PIPE,
        pass_fds=(read,),
    )
    os.close(read)

    def second_is_being_decided() -> bool:
        if ada("task", "show", task).data["submissions"][0]["status"] != "Accepted":
            return False
        with suppress(psutil.NoSuchProcess):
            below = psutil.Process(process.pid).children(recursive=True)
            return any("decentralml.core.sandboxed.policy_child" in child.cmdline() for child in below)
        return False

    wait_for(second_is_being_decided, what="the second result's policy")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert in_short(json.loads(out)["data"]["items"]) == [
        (first, "Accepted", True, ["validate_task_results", "accept_task_results"], None),
        (second, "PendingValidation", False, [], "Interrupted"),
        (third, "PendingValidation", False, [], "Interrupted"),
    ]
    assert workers[0].free() == str(102 * UNIT)


def test_what_would_fail_for_every_result_fails_once(market, deliver) -> None:
    ada, bob = market("ada", "bob")
    task, _ = deliver(ada, [bob])
    refused = bob("task", "validate", "--pending", task)
    assert (refused.code, refused.error["code"]) == (1, "NotTheCreator")
