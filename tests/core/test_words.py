"""One plain phrase for each of the market's values."""

from collections.abc import Iterable
from enum import StrEnum

import pytest

from decentralml.core.chain import rules
from decentralml.core.cli import rule_help
from decentralml.core.domain import (
    ResultSubmissionStatus,
    Submission,
    TaskStatus,
    TaskType,
    ValidationStrategy,
)
from decentralml.core.words import KINDS, POLICIES, STATUSES, TASK_STATUSES, count, holding, judged, size

VALUES: tuple[type[StrEnum], ...] = (ResultSubmissionStatus, TaskStatus, TaskType, ValidationStrategy)


def test_every_value_of_the_market_has_a_phrase_of_its_own() -> None:
    phrases: Iterable[dict[StrEnum, str]] = (STATUSES, TASK_STATUSES, KINDS, POLICIES)  # type: ignore[assignment]
    for values, found in zip(VALUES, phrases, strict=True):
        assert set(found) == set(values)
        assert len(set(found.values())) == len(found)


@pytest.mark.parametrize("call", [rule.name for rule in rules.TABLE])
def test_what_is_said_of_a_rule_names_no_value_of_the_code(call: str) -> None:
    said = " ".join(text for _, text in rule_help.rows(call))
    names = {value for values in VALUES for value in values if value not in ("Accepted", "Rejected")}
    assert not [name for name in names if name in said]


def test_a_policy_says_how_a_task_is_judged() -> None:
    assert [judged(policy) for policy in POLICIES] == ["judged by hand", "judged by script", "paid unread"]


def test_who_holds_the_slots_is_told_from_what_waits_to_be_judged() -> None:
    status = ResultSubmissionStatus

    def held_by(*statuses: ResultSubmissionStatus) -> str:
        return holding(
            Submission(id=i, task_id=1, worker="w", status=one, taken=0, started=0, deposit=0)
            for i, one in enumerate(statuses)
        )

    assert held_by() == "0 at work"
    assert held_by(status.Assigned, status.Accepted, status.TimedOut) == "1 at work"
    assert held_by(status.PendingValidation, status.Validated, status.Rejected) == "2 to judge"
    assert held_by(status.Validated, status.Assigned) == "1 at work, 1 to judge"


def test_one_thing_is_no_plural() -> None:
    assert [count(number, "file") for number in (0, 1, 2, 1000)] == [
        "0 files",
        "1 file",
        "2 files",
        "1,000 files",
    ]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2_100_000, "2.1 MB"), (3e12, "3.0 TB")]
)
def test_a_size_has_one_unit(count: float, text: str) -> None:
    assert size(count) == text
