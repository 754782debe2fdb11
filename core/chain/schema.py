"""The ledger's tables: the append-only rows, and what is derived from them so that reads are quick.

Amounts are 16-byte big-endian blobs: exact, and they sort. Everything but ``genesis`` and
``extrinsics`` can be made again from these two, and `decentralml chain verify` does.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import msgspec

from decentralml.core.chain import codec
from decentralml.core.chain.base import Event, Movement
from decentralml.core.domain import (
    Balance,
    ResultSubmissionStatus,
    StorageType,
    Submission,
    Task,
    TaskStatus,
    TaskType,
    Terms,
)
from decentralml.core.errors import Failed

Row = tuple[Any, ...]
T = TypeVar("T")

APPLICATION_ID = 0x444D4C31
VERSION = 1

# What a filter looks at, carried by every order's index so that it alone answers a page and its total.
# Every index costs a page of each durable commit: there are no more than reads need.
_FILTERED = "status, task_type, open, pays, expires, slots, creator"

STATUSES = list(ResultSubmissionStatus)
TASK_STATUSES = list(TaskStatus)
TASK_TYPES = list(TaskType)
STORAGE_TYPES = list(StorageType)

# Of a submission: its worker is at work, and has delivered nothing yet.
HELD = f"status = {STATUSES.index(ResultSubmissionStatus.Assigned)} AND delivered IS NULL"

SCHEMA = f"""
CREATE TABLE genesis (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE extrinsics (
    row INTEGER PRIMARY KEY, block INTEGER NOT NULL, signer TEXT NOT NULL, nonce INTEGER NOT NULL,
    hash TEXT NOT NULL, link TEXT NOT NULL, event INTEGER NOT NULL, body BLOB NOT NULL);
CREATE UNIQUE INDEX extrinsics_hash ON extrinsics (hash);
CREATE TABLE accounts (
    address TEXT PRIMARY KEY, free BLOB NOT NULL, held BLOB NOT NULL, nonce INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY, status INTEGER NOT NULL, task_type INTEGER NOT NULL, open INTEGER NOT NULL,
    pays BLOB NOT NULL, expires INTEGER NOT NULL, slots INTEGER NOT NULL, creator TEXT NOT NULL,
    created INTEGER NOT NULL, closed INTEGER NOT NULL, live INTEGER NOT NULL, accepted INTEGER NOT NULL,
    rejected INTEGER NOT NULL, released INTEGER NOT NULL, sorting TEXT NOT NULL, question TEXT NOT NULL);
CREATE TABLE terms (task_id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE INDEX tasks_pays ON tasks (pays, id, {_FILTERED.replace(" pays,", "")});
CREATE INDEX tasks_expires ON tasks (expires, id, {_FILTERED.replace(" expires,", "")});
CREATE INDEX tasks_slots ON tasks (slots, id, {_FILTERED.replace(" slots,", "")});
CREATE INDEX tasks_question ON tasks (sorting, id, {_FILTERED});
CREATE TABLE submissions (
    id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL, creator TEXT NOT NULL, worker TEXT NOT NULL,
    status INTEGER NOT NULL, taken INTEGER NOT NULL, started INTEGER NOT NULL, deposit BLOB NOT NULL,
    delivered INTEGER, first_delivered INTEGER, result TEXT, result_path TEXT, result_storage_type INTEGER,
    result_storage_credentials TEXT, digest TEXT, report_path TEXT, report_digest TEXT,
    requests INTEGER NOT NULL, reason TEXT, decided INTEGER, claimed INTEGER NOT NULL);
CREATE UNIQUE INDEX submissions_once ON submissions (task_id, worker);
CREATE INDEX submissions_worker ON submissions (worker, id, status);
CREATE INDEX submissions_creator ON submissions (creator, id, status);
CREATE INDEX submissions_held ON submissions (started, task_id) WHERE {HELD};
CREATE TABLE events (
    cursor INTEGER PRIMARY KEY, row INTEGER NOT NULL, block INTEGER NOT NULL, name TEXT NOT NULL,
    task_id INTEGER, submission_id INTEGER, account TEXT, data BLOB NOT NULL);
CREATE INDEX events_task ON events (task_id, cursor);
CREATE TABLE event_accounts (account TEXT NOT NULL, cursor INTEGER NOT NULL,
    PRIMARY KEY (account, cursor)) WITHOUT ROWID;
CREATE TABLE movements (
    cursor INTEGER PRIMARY KEY, row INTEGER NOT NULL, block INTEGER NOT NULL, account TEXT NOT NULL,
    name TEXT NOT NULL, task_id INTEGER, submission_id INTEGER, free TEXT NOT NULL, held TEXT NOT NULL);
CREATE INDEX movements_account ON movements (account, cursor);
"""

_terms = msgspec.json.Decoder(Terms)
_data = msgspec.json.Decoder(dict[str, str])


def damaged(why: str) -> Failed:
    return Failed(
        "LedgerDamaged",
        f"The ledger is damaged: {why}.",
        "See `decentralml chain verify`; restore the file from a backup, or ask who keeps it.",
    )


def amount(planck: int) -> bytes:
    return planck.to_bytes(16, "big")


def planck(blob: bytes) -> int:
    return int.from_bytes(blob, "big")


def sorting(question: str) -> str:
    """The key by which questions are put in order: their first 64 characters, without case."""
    return question[:64].casefold()


def task_row(task: Task) -> Row:
    """A task's row in ``tasks``. ``open``: takeable, but for the expiration block."""
    terms = task.terms
    used = task.live + task.accepted
    takes = (
        not task.closed and used < terms.max_assignments and used + task.rejected < 3 * terms.max_assignments
    )
    return (
        task.id,
        TASK_STATUSES.index(task.status),
        TASK_TYPES.index(terms.task_type),
        int(takes),
        amount(terms.pays_amount),
        terms.expiration_block,
        task.free_slots,
        task.creator,
        task.created,
        int(task.closed),
        task.live,
        task.accepted,
        task.rejected,
        task.released,
        sorting(terms.question),
        terms.question.casefold(),
    )


def terms_row(task: Task) -> Row:
    return (task.id, codec.encode(task.terms))


def sound(read: Callable[[Row], T]) -> Callable[[Row], T]:
    """``read``, raising `Failed` ("LedgerDamaged") for a row that nobody honest wrote."""

    @wraps(read)
    def checked(row: Row) -> T:
        try:
            return read(row)
        except (msgspec.MsgspecError, LookupError, ValueError, TypeError) as error:
            raise damaged(f"row {row[0]} of a table cannot be read") from error

    return checked


TASK_SELECT = (
    "SELECT t.id, t.creator, d.body, t.created, t.closed, t.live, t.accepted, t.rejected, t.released "
    "FROM tasks t JOIN terms d ON d.task_id = t.id "
)


@sound
def read_task(row: Row) -> Task:
    """The task of a row of `TASK_SELECT`."""
    return Task(
        id=row[0],
        creator=row[1],
        terms=_terms.decode(row[2]),
        created=row[3],
        closed=bool(row[4]),
        live=row[5],
        accepted=row[6],
        rejected=row[7],
        released=row[8],
    )


def submission_row(submission: Submission, creator: str) -> Row:
    kind = submission.result_storage_type
    return (
        submission.id,
        submission.task_id,
        creator,
        submission.worker,
        STATUSES.index(submission.status),
        submission.taken,
        submission.started,
        amount(submission.deposit),
        submission.delivered,
        submission.first_delivered,
        submission.result,
        submission.result_path,
        None if kind is None else STORAGE_TYPES.index(kind),
        submission.result_storage_credentials,
        submission.digest,
        submission.report_path,
        submission.report_digest,
        submission.requests,
        submission.reason,
        submission.decided,
        int(submission.claimed),
    )


@sound
def read_submission(row: Row) -> Submission:
    """The submission of a whole row of ``submissions``."""
    return Submission(
        id=row[0],
        task_id=row[1],
        worker=row[3],
        status=STATUSES[row[4]],
        taken=row[5],
        started=row[6],
        deposit=planck(row[7]),
        delivered=row[8],
        first_delivered=row[9],
        result=row[10],
        result_path=row[11],
        result_storage_type=None if row[12] is None else STORAGE_TYPES[row[12]],
        result_storage_credentials=row[13],
        digest=row[14],
        report_path=row[15],
        report_digest=row[16],
        requests=row[17],
        reason=row[18],
        decided=row[19],
        claimed=bool(row[20]),
    )


def account_row(address: str, balance: Balance, nonce: int) -> Row:
    return (address, amount(balance.free), amount(balance.held), nonce)


@sound
def read_account(row: Row) -> tuple[Balance, int]:
    """Balance and next nonce of a whole row of ``accounts``."""
    return Balance(planck(row[1]), planck(row[2])), msgspec.convert(row[3], int)


def event_row(event: Event, row: int) -> Row:
    return (
        event.cursor,
        row,
        event.block,
        event.name,
        event.task_id,
        event.submission_id,
        event.account,
        codec.encode(event.data),
    )


@sound
def read_event(row: Row) -> Event:
    return Event(
        cursor=row[0],
        block=row[2],
        name=row[3],
        task_id=row[4],
        submission_id=row[5],
        account=row[6],
        data=_data.decode(row[7]),
    )


def event_accounts(event: Event) -> list[Row]:
    """Everybody whom an event concerns: who caused it, and the two sides of the task."""
    concerned = {event.account, event.data.get("creator"), event.data.get("worker"), event.data.get("by")}
    return [(account, event.cursor) for account in sorted(a for a in concerned if a is not None)]


def movement_row(movement: Movement, account: str, row: int) -> Row:
    return (
        movement.cursor,
        row,
        movement.block,
        account,
        movement.name,
        movement.task_id,
        movement.submission_id,
        str(movement.free),
        str(movement.held),
    )


@sound
def read_movement(row: Row) -> Movement:
    return Movement(
        cursor=row[0],
        block=row[2],
        name=row[4],
        task_id=row[5],
        submission_id=row[6],
        free=int(row[7]),
        held=int(row[8]),
    )
