"""The table of rules: what drives rules, help and screens, and the pure helpers beside it."""

from typing import Any

import pytest

from decentralml.core.chain import rules, table
from decentralml.core.chain.calls import CALLS, AssignTask, ClaimTaskResult, CreateTask, TimeOut, call_name
from decentralml.core.chain.ledger import Ledger
from decentralml.core.chain.memory import State
from decentralml.core.domain import Constants, ResultSubmissionStatus, Submission, Task
from decentralml.core.errors import Refused

from .conftest import send

CONSTANTS = Constants(work_period=80, review_period=40)


def task(terms: Any, **changes: Any) -> Task:
    return Task(**{"id": 1, "creator": "c", "terms": terms(expiration_block=100), "created": 0, **changes})


def submission(**changes: Any) -> Submission:
    status = ResultSubmissionStatus.Assigned
    fields = {"id": 1, "task_id": 1, "worker": "w", "status": status, "taken": 5, "started": 9, "deposit": 7}
    return Submission(**{**fields, **changes})


def test_the_table_has_a_row_a_call_in_the_pallets_order() -> None:
    assert [row.call for row in rules.TABLE] == list(CALLS)


def test_every_row_reads_as_help() -> None:
    for row in rules.TABLE:
        assert row.what.endswith(".")
        assert row.who.role
        for guard in (*row.guards, *([row.who.guard] if row.who.guard else [])):
            assert guard.code.isidentifier()
            assert guard.code[0].isupper()
            assert guard.sentence.endswith(".")
            assert guard.hint.endswith(".")


@pytest.mark.parametrize("call", CALLS)
def test_a_row_deleted_breaks_the_call_for_everyone(
    monkeypatch: pytest.MonkeyPatch, ledger: Ledger, terms: Any, call: Any
) -> None:
    name = call_name(call)
    left = tuple(row for row in table.TABLE if row.name != name)
    monkeypatch.setattr(rules, "TABLE", left)
    assert name not in ledger.capabilities
    with ledger.view() as view:
        refusal = rules.check(view, name, "somebody", task_id=1, submission_id=1)
    assert refusal is not None
    assert refusal.code == "UnknownCall"
    with pytest.raises(Refused) as caught:
        rules.apply(
            State(CONSTANTS), CreateTask(terms()) if call is CreateTask else call(*_args(call)), "c", 0
        )
    assert caught.value.code == "UnknownCall"


def _args(call: Any) -> list[Any]:
    values = {"task_id": 1, "submission_id": 1}
    return [values.get(name, "x") for name in call.__struct_fields__]


def test_check_says_why_not_without_arguments(terms: Any) -> None:
    state = State(CONSTANTS)
    for who in "cw":
        state.move(who, 10**15, 0)
    assert rules.check(state, "create_task", "c") is None
    assert rules.check(state, "assign_task", "w", task_id=1).code == "TaskNotFound"  # type: ignore[union-attr]
    state.commit(rules.apply(state, CreateTask(terms()), "c", 0))
    assert rules.check(state, "assign_task", "w", task_id=1) is None
    poor = rules.check(state, "assign_task", "nobody", task_id=1)
    assert poor is not None
    assert poor.code == "InsufficientBalance"
    assert "0.051" in poor.message
    assert poor.hint
    state.commit(rules.apply(state, AssignTask(1), "w", 0))
    early = rules.check(state, "reject_task_results", "c", submission_id=1)
    assert early is not None
    assert early.code == "WrongState"
    assert "is at work; this needs one that is measured" in early.message


def test_how_long_a_period_still_lasts_or_is_over_is_told(terms: Any) -> None:
    state = State(CONSTANTS)
    for who in "cw":
        state.move(who, 10**15, 0)
    state.commit(rules.apply(state, CreateTask(terms()), "c", 0))
    state.commit(rules.apply(state, AssignTask(1), "w", 0))

    def said(call: Any, block: int) -> str:
        with pytest.raises(Refused) as refused:
            rules.apply(state, call, "w", block)
        return refused.value.message

    assert said(TimeOut(1), 80) == "The work period is not over yet. It ends in 1 block."
    assert said(TimeOut(1), 79) == "The work period is not over yet. It ends in 2 blocks."
    assert said(send(1), 81) == "The work period is over. It ended 1 block ago."
    state.commit(rules.apply(state, send(1), "w", 80))
    assert said(ClaimTaskResult(1), 120) == "The review period is not over yet. It ends in 1 block."
    assert rules.apply(state, ClaimTaskResult(1), "w", 121)


def test_a_block_beyond_the_chains_numbers_is_refused(terms: Any) -> None:
    state = State(CONSTANTS)
    state.move("c", 10**15, 0)
    with pytest.raises(Refused) as caught:
        rules.apply(state, CreateTask(terms()), "c", 2**32)
    assert caught.value.code == "Overflow"


def test_deadlines_are_last_blocks(terms: Any) -> None:
    assert rules.deadlines(task(terms), None, CONSTANTS).take == 100
    assert rules.deadlines(task(terms, closed=True), None, CONSTANTS).take is None
    working = rules.deadlines(task(terms), submission(), CONSTANTS)
    assert (working.deliver, working.abandon_free, working.decide) == (89, 15, None)
    assert rules.deadlines(task(terms), submission(deposit=0), CONSTANTS).abandon_free is None
    waiting = submission(status=ResultSubmissionStatus.Validated, delivered=20)
    assert rules.deadlines(task(terms), waiting, CONSTANTS).decide == 60
    ended = submission(status=ResultSubmissionStatus.Accepted, delivered=20)
    assert rules.deadlines(task(terms), ended, CONSTANTS) == rules.Deadlines(take=100)


@pytest.mark.parametrize(("block", "late"), [(89, False), (90, True)])
def test_overdue_begins_after_the_last_block(block: int, late: bool) -> None:
    assert rules.overdue(submission(), CONSTANTS, block) is late


def test_takeable_is_what_assign_allows_a_stranger(terms: Any) -> None:
    assert rules.takeable(task(terms), 100)
    assert not rules.takeable(task(terms), 101)
    assert not rules.takeable(task(terms, closed=True), 1)
    assert not rules.takeable(task(terms, live=1, accepted=1), 1)
    assert not rules.takeable(task(terms, rejected=6), 1)
    assert rules.takeable(task(terms, rejected=5), 1)
