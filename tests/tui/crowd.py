"""As many tasks as one likes, written straight into a ledger's tables: signing them would take long."""

import sqlite3
from pathlib import Path

import sr25519

from decentralml.core.chain import schema
from decentralml.core.domain import StorageType, Task, TaskType, Terms, ValidationStrategy
from decentralml.core.signing import encode_address

_KINDS = list(TaskType)


def fill(ledger: Path, count: int, *, first: int = 1) -> None:
    """Add ``count`` tasks of fifty creators to the ledger at ``ledger``."""
    creators = [_address(number) for number in range(10, 60)]
    tasks = [_task(number, creators) for number in range(first, first + count)]
    connection = sqlite3.connect(ledger)
    marks = ", ".join("?" * len(schema.task_row(tasks[0])))
    connection.executemany(f"INSERT INTO tasks VALUES ({marks})", map(schema.task_row, tasks))
    connection.executemany("INSERT INTO terms VALUES (?, ?)", map(schema.terms_row, tasks))
    connection.commit()
    connection.close()


def _address(number: int) -> str:
    return encode_address(sr25519.pair_from_seed(number.to_bytes(32, "big"))[0])


def _task(number: int, creators: list[str]) -> Task:
    terms = Terms(
        task_type=_KINDS[number % 3],
        question=f"Which digits are these, in the {number * 7919 % 100_003}th set of the archive?",
        pays_amount=10**9 + number * 104_729_000_003 % 10**12,
        expiration_block=1000 + number % 5000,
        max_assignments=1 + number % 1000,
        validation_strategy=ValidationStrategy.ManualAccept,
        model_contributor_script_path="local:#sha256=" + "a" * 64,
        model_contributor_script_storage_type=StorageType.Local,
        model_engineer_path="local:#sha256=" + "a" * 64,
        model_engineer_storage_type=StorageType.Local,
    )
    return Task(id=number, creator=creators[number % 50], terms=terms, created=0, live=number % 2)
