"""Keys whose secrets are their names, a clock that only tests move, a ledger with every call in it."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from named_key import Key

from decentralml.core.chain.base import Receipt
from decentralml.core.chain.calls import (
    AbandonTask,
    AcceptTaskResults,
    AssignTask,
    Call,
    ClaimTaskResult,
    CloseTask,
    CreateTask,
    RejectTaskResults,
    RequestChanges,
    SendTaskResult,
    TimeOut,
    ValidateTaskResults,
)
from decentralml.core.chain.ledger import Ledger, create
from decentralml.core.domain import StorageType, TaskType, Terms, ValidationStrategy
from decentralml.core.errors import DecentralMLError

WORK, REVIEW = 80, 40
DIGEST = "a" * 64
PATH = f"local:#sha256={DIGEST}"


class Clock:
    """Unix seconds that stand still until told otherwise."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0

    def __call__(self) -> float:
        return self.time

    def advance(self, blocks: int) -> None:
        self.time += 6 * blocks


def make_terms(**changes: Any) -> Terms:
    fields: dict[str, Any] = {
        "task_type": TaskType.ModelContributor,
        "question": "Which digit is it?",
        "pays_amount": 5 * 10**12,
        "expiration_block": 5_000_000,
        "max_assignments": 2,
        "validation_strategy": ValidationStrategy.ManualAccept,
        "model_contributor_script_path": PATH,
        "model_contributor_script_storage_type": StorageType.Local,
    }
    return Terms(**{**fields, **changes})


def send(submission_id: int) -> SendTaskResult:
    return SendTaskResult(submission_id, result_path=PATH, result_storage_type=StorageType.Local)


def play(path: Path, clock: Clock) -> None:
    """Make a ledger in which every call was made at least once."""
    create(path, work_period=WORK, review_period=REVIEW, now=clock)
    ledger = Ledger(path, now=clock)

    def do(call: Call, role: str) -> Receipt:
        return ledger.submit(ledger.sign(call, Key(role)))

    for role in ("creator", "anna", "ben", "carl"):
        ledger.fund(Key(role).address, 10**15)
    do(CreateTask(make_terms()), "creator")
    do(CreateTask(make_terms(question="Ça va?", max_assignments=3)), "creator")
    for role in ("anna", "ben"):
        do(AssignTask(1), role)
    do(send(1), "anna")
    clock.advance(2)
    do(ValidateTaskResults(1, DIGEST, PATH, "b" * 64), "creator")
    do(RequestChanges(1, DIGEST, "Longer."), "creator")
    do(send(1), "anna")
    do(ValidateTaskResults(1, DIGEST, PATH, "b" * 64), "creator")
    do(AcceptTaskResults(1, DIGEST), "creator")
    do(send(2), "ben")
    do(ValidateTaskResults(2, DIGEST, PATH, "b" * 64), "creator")
    do(RejectTaskResults(2, DIGEST, "Worse."), "creator")
    for role in ("anna", "ben", "carl"):
        do(AssignTask(2), role)
    do(AbandonTask(3), "anna")
    do(send(4), "ben")
    clock.advance(WORK + 1)
    do(TimeOut(5), "creator")
    do(ClaimTaskResult(4), "ben")
    do(CloseTask(2), "creator")
    ledger.close()


@pytest.fixture
def key() -> type[Key]:
    return Key


@pytest.fixture
def terms() -> Callable[..., Terms]:
    return make_terms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path, clock: Clock) -> Path:
    """A fresh ledger's file."""
    file = tmp_path / "ledger" / "ledger.sqlite"
    create(file, work_period=WORK, review_period=REVIEW, now=clock)
    return file


@pytest.fixture
def ledger(path: Path, clock: Clock) -> Iterator[Ledger]:
    opened = Ledger(path, now=clock)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Clock]:
    """A ledger with every call in it, and its clock: copy it before touching it."""
    clock = Clock()
    file = tmp_path_factory.mktemp("played") / "ledger.sqlite"
    play(file, clock)
    return file, clock


def code(work: Callable[[], object]) -> str:
    """The code of the error that ``work`` raises."""
    with pytest.raises(DecentralMLError) as caught:
        work()
    assert caught.value.message
    assert caught.value.hint
    return caught.value.code


def forked(work: Callable[[], str], user: int | None = None, group: int | None = None) -> str:
    """What ``work`` returns in a child process, as another user where this one is root."""
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        answer = "crashed"
        try:
            os.close(here)
            if os.geteuid() == 0 and user is not None:
                os.setgroups([])
                os.setgid(user if group is None else group)
                os.setuid(user)
            answer = work()
        except DecentralMLError as error:
            answer = error.code
        finally:
            os.write(there, answer.encode())
            os._exit(0)
    os.close(there)
    with os.fdopen(here) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return answer


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can reach, unlike pytest's."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
