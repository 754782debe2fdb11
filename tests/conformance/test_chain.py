"""What every chain does: each call by each role in each state, and the refusals."""

from collections.abc import Callable
from typing import Any

import pytest

from decentralml.core.chain.base import Stage
from decentralml.core.chain.calls import (
    CALLS,
    AssignTask,
    CloseTask,
    call_name,
)
from decentralml.core.domain import (
    ResultSubmissionStatus,
)

from .conftest import refused

LIVE_STATES = ("Assigned", "Assigned late", "Revising", "Revising late")
REVIEWED_STATES = ("PendingValidation", "PendingValidation late", "Validated", "Validated late")
ENDED_STATES = ("Accepted", "Rejected", "Abandoned", "TimedOut")
STATES = LIVE_STATES + REVIEWED_STATES + ENDED_STATES

# Who may make a call, the code that others get, and what it leads to by state. Elsewhere: WrongState.
DELIVER = {
    "Assigned": "PendingValidation",
    "Assigned late": "Overdue",
    "Revising": "PendingValidation",
    "Revising late": "Overdue",
}
SUBMISSION_CALLS: dict[str, tuple[tuple[str, ...], str, dict[str, str]]] = {
    "send_task_result": (("worker",), "NotTheWorker", DELIVER),
    "validate_task_results": (("creator",), "NotTheCreator", dict.fromkeys(REVIEWED_STATES, "Validated")),
    "accept_task_results": (("creator",), "NotTheCreator", dict.fromkeys(REVIEWED_STATES, "Accepted")),
    "reject_task_results": (
        ("creator",),
        "NotTheCreator",
        {"Validated": "Rejected", "Validated late": "ReviewPeriodOver"},
    ),
    "request_changes": (
        ("creator",),
        "NotTheCreator",
        {"Validated": "Assigned", "Validated late": "ReviewPeriodOver"},
    ),
    "claim_task_result": (
        ("creator", "worker", "other"),
        "",
        {
            "PendingValidation": "ReviewPeriodNotOver",
            "PendingValidation late": "Accepted",
            "Validated": "ReviewPeriodNotOver",
            "Validated late": "Accepted",
        },
    ),
    "abandon_task": (
        ("worker",),
        "NotTheWorker",
        {
            "Assigned": "Abandoned",
            "Assigned late": "Overdue",
            "Revising": "Abandoned",
            "Revising late": "Overdue",
        },
    ),
    "time_out": (
        ("creator", "worker", "other"),
        "",
        {
            "Assigned": "NotOverdue",
            "Assigned late": "TimedOut",
            "Revising": "NotOverdue",
            "Revising late": "PendingValidation",
        },
    ),
}


def test_every_call_is_there(world: Any) -> None:
    assert world.chain.capabilities == {call_name(call) for call in CALLS}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", SUBMISSION_CALLS)
def test_a_call_does_what_the_table_says(worlds: Callable[[], Any], name: str, state: str) -> None:
    allowed, stranger_code, outcomes = SUBMISSION_CALLS[name]
    expected = outcomes.get(state, "WrongState")
    world = worlds()
    world.reach(state)
    for role in ("creator", "worker", "other"):
        if role not in allowed:
            assert refused(world, world.call(name), role) == stranger_code
    for role in allowed:
        if expected not in list(ResultSubmissionStatus):
            assert refused(world, world.call(name), role) == expected
            continue
        world = worlds()
        world.reach(state)
        receipt = world.do(world.call(name), role)
        assert (receipt.call, receipt.stage, receipt.submission_id) == (name, Stage.finalised, 1)
        assert world.submission().status == expected


@pytest.mark.parametrize("name", SUBMISSION_CALLS)
def test_a_submission_that_is_not_there(world: Any, name: str) -> None:
    assert refused(world, world.call(name, 7), "creator") == "SubmissionNotFound"


@pytest.mark.parametrize("call", [AssignTask(9), CloseTask(9)])
def test_a_task_that_is_not_there(world: Any, call: Any) -> None:
    assert refused(world, call, "worker") == "TaskNotFound"
