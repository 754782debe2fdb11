"""As many results as one likes, written straight into a ledger's tables: signing them would take long."""

import sqlite3
from pathlib import Path

from decentralml.core.chain import schema
from decentralml.core.domain import (
    AnnotationType,
    ResultSubmissionStatus,
    Submission,
    Task,
    TaskType,
    Terms,
    ValidationStrategy,
)


def add(
    ledger: Path, creator: str, *, tasks: int, each: int, status: ResultSubmissionStatus, first: int = 1
) -> None:
    """Add ``tasks`` tasks of ``creator`` with ``each`` results, both numbered from ``first`` on.

    The last result was delivered first, in block 1.
    """
    terms = Terms(
        task_type=TaskType.DataAnnotators,
        question="Cat or dog?",
        pays_amount=10**12,
        expiration_block=1000,
        max_assignments=1000,
        validation_strategy=ValidationStrategy.ManualAccept,
        annotation_type=AnnotationType.Text,
        annotation_class_labels="cat,dog",
    )
    published = [Task(id=first + number, creator=creator, terms=terms, created=0) for number in range(tasks)]
    results = [
        Submission(
            id=first + number,
            task_id=first + number // each,
            worker=f"worker {number % each}",
            status=status,
            taken=0,
            started=0,
            deposit=0,
            delivered=tasks * each - number,
            first_delivered=tasks * each - number,
            result="{}",
            digest="0" * 64,
        )
        for number in range(tasks * each)
    ]
    rows = {
        "tasks": map(schema.task_row, published),
        "terms": map(schema.terms_row, published),
        "submissions": (schema.submission_row(result, creator) for result in results),
    }
    with sqlite3.connect(ledger) as connection:
        for table, values in rows.items():
            width = len(connection.execute(f"PRAGMA table_info({table})").fetchall())
            connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * width)})", values)
    connection.close()
