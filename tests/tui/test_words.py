"""Short words for the market's values."""

import pytest
from msgspec.structs import replace

from decentralml.core.domain import (
    Constants,
    ResultSubmissionStatus,
    Submission,
    Task,
    TaskType,
    Terms,
    ValidationStrategy,
)
from decentralml.core.storage.base import Progress
from decentralml.tui import words

S = ResultSubmissionStatus
TERMS = Terms(
    task_type=TaskType.ModelContributor,
    question="?",
    pays_amount=10**12,
    expiration_block=100,
    max_assignments=3,
    validation_strategy=ValidationStrategy.ManualAccept,
)
TASK = Task(id=1, creator="ada", terms=TERMS, created=0)
MINE = Submission(id=1, task_id=1, worker="bo", status=S.Assigned, taken=0, started=0, deposit=0)


def test_what_is_younger_than_a_minute_is_of_now() -> None:
    assert [words.age(seconds) for seconds in (-3, 0, 59, 60, 5400)] == [
        "now",
        "now",
        "now",
        "1 m",
        "1 h 30 m",
    ]
    assert [words.ago(seconds) for seconds in (0, 59, 5400)] == ["just now", "just now", "1 h 30 m ago"]
    assert words.ago(5400, units=1) == "1 h ago"
    assert [words.ahead(seconds) for seconds in (0, 0.5, 6, 5400)] == ["now", "now", "in 6 s", "in 1 h 30 m"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (45, "45 s"),
        (60, "1 m"),
        (754, "12 m"),
        (3600, "1 h"),
        (3661, "1 h 1 m"),
        (90_000, "1 d 1 h"),
        (6 * 86_400, "6 d"),
        (-1, "over"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2 * 86_400 + 23 * 3_600, "2 d 23 h"),
        (86_399, "23 h"),
        (30 * 86_400 + 23 * 3_600, "30 d"),
        (-1, "over"),
    ],
)
def test_what_is_left_fits_a_column_of_eight_cells(seconds: float, text: str) -> None:
    assert words.left(seconds) == text


def test_a_transfer_without_a_known_end_invents_none() -> None:
    known = Progress(50, 200, 10.0, 15.0, "a\x1bb.txt")
    assert words.transfer(known) == " 25 %  50 B of 200 B  10 B/s  15 s left  ab.txt"
    assert "left" not in words.transfer(replace(known, eta=None))
    assert words.transfer(Progress(0, 0, 0.0, None, "")).startswith("100 %")


def test_a_transfer_that_is_over_has_no_rate_and_nothing_left_but_how_long_it_took() -> None:
    assert words.transfer(Progress(200, 200, 0.0, 0.0, "ab.txt")) == "100 %  200 B of 200 B  ab.txt"
    assert words.transferred(500_000_000, 62.0) == "500.0 MB in 1 m"
    assert words.transferred(500, 0.2) == "500 B in less than 1 s"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ("yours: train", "accent")),
        ({"requests": 1}, ("changes asked", "accent")),
        ({"status": S.PendingValidation, "delivered": 0}, ("being judged", "")),
        ({"status": S.Accepted}, ("paid 1.00", "good")),
        ({"status": S.Rejected}, ("rejected", "dim")),
        ({"status": S.Abandoned}, ("given back", "dim")),
        ({"status": S.TimedOut}, ("timed out", "dim")),
    ],
)
def test_a_worker_reads_what_comes_next(changes: dict[str, object], said: tuple[str, str]) -> None:
    assert words.next_step(TASK, replace(MINE, **changes), 0, (), "bo", 5, Constants()) == said


def test_a_worker_whose_training_is_finished_reads_that_it_is_to_be_delivered() -> None:
    assert words.next_step(TASK, MINE, 0, (), "bo", 5, Constants(), trained=True)[0] == "yours: deliver"


def test_a_worker_whose_time_is_over_reads_so() -> None:
    assert words.next_step(TASK, MINE, 0, (), "bo", 100_801, Constants())[0] == "overdue"
    silent = replace(MINE, status=S.Validated, delivered=0)
    assert words.next_step(TASK, silent, 0, (), "bo", 43_201, Constants())[0] == "claim your pay"


@pytest.mark.parametrize(
    ("task", "waiting", "block", "said"),
    [
        (TASK, 2, 5, "judge 2"),
        (replace(TASK, live=1), 0, 5, "1 at work"),
        (TASK, 0, 5, "no takers yet"),
        (replace(TASK, accepted=1), 0, 5, "1 paid, 2 free"),
        (TASK, 0, 101, "close: refund"),
        (replace(TASK, accepted=3), 0, 5, "done"),
        (replace(TASK, closed=True, released=3), 0, 5, "done"),
    ],
)
def test_a_creator_reads_what_comes_next(task: Task, waiting: int, block: int, said: str) -> None:
    assert words.next_step(task, None, waiting, (), "ada", block, Constants())[0] == said


@pytest.mark.parametrize(
    ("task", "block", "said"),
    [
        (TASK, 5, "take it"),
        (TASK, 101, "expired"),
        (replace(TASK, live=3), 5, "full"),
        (replace(TASK, closed=True), 5, "closed"),
    ],
)
def test_everybody_else_reads_whether_it_can_be_taken(task: Task, block: int, said: str) -> None:
    assert words.next_step(task, None, 0, (), None, block, Constants())[0] == said


def test_a_slot_whose_deposit_one_cannot_pay_is_not_offered() -> None:
    constants = Constants()
    need = constants.take_deposit(TASK.terms.pays_amount) + constants.existential_deposit
    for free, said in ((need, "take it"), (need - 1, "fund first")):
        assert words.next_step(TASK, None, 0, (), "chi", 5, constants, free)[0] == said


def test_who_is_overdue_is_timed_out_by_the_creator_or_by_who_wants_the_slot() -> None:
    full, late = replace(TASK, live=3), [MINE]

    def read_by(who: str | None, waiting: int = 0, late: list[Submission] = late, task: Task = full) -> str:
        return words.next_step(task, None, waiting, late, who, 5, Constants())[0]

    assert read_by("ada") == "time out 1"
    assert read_by("ada", waiting=2) == "judge 2"
    assert read_by("chi") == "time out, take"
    poor = words.next_step(full, None, 0, late, "chi", 5, Constants(), 0)
    assert poor[0] == "time out", "without money it cannot be taken"
    assert read_by("chi", late=[replace(MINE, delivered=3)]) == "full", "what was delivered stands"
    assert read_by("chi", task=replace(full, closed=True)) == "closed"
    assert read_by("chi", task=replace(full, rejected=7)) == "full", "no slot of it is given again"


def test_what_next_fits_its_column() -> None:
    from decentralml.tui.screens.tasks import COLUMNS

    width = next(column.width for column in COLUMNS if column.name == "next")
    for text in (
        "no takers yet",
        "close: refund",
        "changes asked",
        "claim your pay",
        "yours: deliver",
        "time out, take",
    ):
        assert len(text) <= width
