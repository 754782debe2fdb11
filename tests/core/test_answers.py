"""Answers of an annotator are checked against the labels and the files of their task."""

import json

import pytest

from decentralml.core import report as reports
from decentralml.core.answers import labels_of
from decentralml.core.validation import check_answers, opinion


def test_answers_are_checked_against_labels_and_files() -> None:
    raw = json.dumps({"a.txt": "cat", "b.txt": "cow", "z.txt": "dog"}).encode()
    found = check_answers(raw, ["cat", "dog"], ["a.txt", "b.txt", "c.txt"], task_id=1)
    assert found.answers is not None
    assert found.answers.missing == ("c.txt",)
    assert found.answers.unknown_files == ("z.txt",)
    assert found.answers.unknown_labels == ("b.txt: cow",)
    assert found.answers.per_label == {"cat": 1, "dog": 1}
    assert not found.answers.complete
    assert opinion(found) == (
        "3 of 3 answers, 1 file without an answer, 1 answer to no file, 1 label not in the list."
    )
    assert reports.decode(reports.encode(found)) == found
    whole = check_answers(b'{"a.txt": "cat"}', ["cat"], ["a.txt"])
    assert whole.answers is not None
    assert whole.answers.complete
    assert opinion(whole) == "1 of 1 answer, every label in the list."


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"a": 1}', b"{" * 99_999, b"\xff"])
def test_broken_answers_are_a_report_to_reject_them_by(raw: bytes) -> None:
    refused = check_answers(raw, ["cat"]).refused
    assert refused is not None
    assert refused.code == "BadAnswers"


def test_labels_are_separated_by_commas() -> None:
    assert labels_of(" cat, dog ,,bird") == ("cat", "dog", "bird")
    assert labels_of(None) == ()
