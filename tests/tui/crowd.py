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
    who = creators()
    tasks = [
        Task(id=number, creator=who[number % 50], terms=terms(number), created=0, live=number % 2)
        for number in range(first, first + count)
    ]
    connection = sqlite3.connect(ledger)
    marks = ", ".join("?" * len(schema.task_row(tasks[0])))
    connection.executemany(f"INSERT INTO tasks VALUES ({marks})", map(schema.task_row, tasks))
    connection.executemany("INSERT INTO terms VALUES (?, ?)", map(schema.terms_row, tasks))
    connection.commit()
    connection.close()


def creators() -> list[str]:
    """Fifty addresses."""
    keys = (sr25519.pair_from_seed(number.to_bytes(32, "big")) for number in range(10, 60))
    return [encode_address(key[0]) for key in keys]


def terms(number: int) -> Terms:
    """The terms of the task of that number: no two alike."""
    return Terms(
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
