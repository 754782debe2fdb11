"""Reading the ledger's tables: the rules' view of them, pages, events, statements."""

# Names of tables and columns below are this module's own; every value is bound.
# ruff: noqa: S608

import json
import sqlite3
from collections.abc import Iterable
from functools import cached_property
from itertools import islice, takewhile
from typing import Any

import msgspec

from decentralml.core.chain import codec, schema
from decentralml.core.chain.base import (
    Event,
    Movement,
    Receipt,
    Stage,
    SubmissionPage,
    SubmissionQuery,
    TaskPage,
    TaskQuery,
)
from decentralml.core.chain.calls import ValidateTaskResults
from decentralml.core.domain import MAX_U32, Balance, Constants, Submission, Task
from decentralml.core.errors import Misused

_ORDERS = {"id": "id", "pays": "pays", "expires": "expires", "slots": "slots", "question": "sorting"}
_MOST = 2**63 - 1
# So many ids are sorted sooner than an order's whole index is walked.
_FEW = 10_000


class TableView:
    """The rules' `View` over a connection inside a transaction. ``block``: the one calls would get.

    What was read once stays as it was then, whatever is written meanwhile.
    """

    def __init__(self, connection: sqlite3.Connection, block: int, constants: Constants) -> None:
        self.connection = connection
        self.block = block
        self.constants = constants
        self._tasks: dict[int, Task | None] = {}
        self._accounts: dict[str, tuple[Balance, int]] = {}

    @cached_property
    def next_task_id(self) -> int:
        return self._next("tasks")

    @cached_property
    def next_submission_id(self) -> int:
        return self._next("submissions")

    def task(self, task_id: int) -> Task | None:
        if not 0 < task_id <= MAX_U32:
            return None
        if task_id not in self._tasks:
            row = self.connection.execute(schema.TASK_SELECT + "WHERE t.id = ?", (task_id,)).fetchone()
            self._tasks[task_id] = schema.read_task(row) if row else None
        return self._tasks[task_id]

    def submission(self, submission_id: int) -> Submission | None:
        if not 0 < submission_id <= MAX_U32:
            return None
        row = self.connection.execute("SELECT * FROM submissions WHERE id = ?", (submission_id,)).fetchone()
        return schema.read_submission(row) if row else None

    def balance(self, address: str) -> Balance:
        return self.account(address)[0]

    def account(self, address: str) -> tuple[Balance, int]:
        """As the function `account`."""
        if address not in self._accounts:
            self._accounts[address] = account(self.connection, address)
        return self._accounts[address]

    def has_taken(self, task_id: int, worker: str) -> bool:
        if not 0 < task_id <= MAX_U32:
            return False
        query = "SELECT 1 FROM submissions WHERE task_id = ? AND worker = ?"
        return self.connection.execute(query, (task_id, worker)).fetchone() is not None

    def _next(self, table: str) -> int:
        (last,) = self.connection.execute(f"SELECT max(id) FROM {table}").fetchone()
        return (last or 0) + 1


def account(connection: sqlite3.Connection, address: str) -> tuple[Balance, int]:
    """An account's balance and its next nonce; zeros for one that the ledger does not know."""
    row = connection.execute("SELECT * FROM accounts WHERE address = ?", (address,)).fetchone()
    return schema.read_account(row) if row else (Balance(), 0)


def total_issuance(connection: sqlite3.Connection) -> int:
    balances = (schema.read_account(row)[0] for row in connection.execute("SELECT * FROM accounts"))
    return sum(balance.free + balance.held for balance in balances)


class _Where:
    """Conditions, joined by AND, and their parameters."""

    def __init__(self) -> None:
        self.conditions: list[str] = []
        self.parameters: list[Any] = []

    def add(self, condition: str, *parameters: Any) -> None:
        self.conditions.append(condition)
        self.parameters += parameters

    def add_one_of(self, column: str, values: Iterable[Any]) -> None:
        chosen = list(values)
        self.add(f"{column} IN ({', '.join('?' * len(chosen))})", *chosen)

    def add_ids(self, ids: Iterable[int]) -> None:
        self.add("id IN (SELECT value FROM json_each(?))", json.dumps(list(ids)))

    def __str__(self) -> str:
        return f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""


def tasks(connection: sqlite3.Connection, query: TaskQuery, block: int, constants: Constants) -> TaskPage:
    """One page of the tasks that match, and how many do. Raises `Misused` ("BadOrder")."""
    if query.order not in _ORDERS:
        raise Misused(
            "BadOrder", f"Tasks cannot be ordered by {query.order!r}.", f"Choose one of {', '.join(_ORDERS)}."
        )
    where = _task_filter(query, block, constants)
    among: set[int] | None = None
    if query.text:
        # Found in one scan: no index is walked whose every entry sends one to the table for its question.
        scan = f"SELECT json_group_array(id) FROM tasks NOT INDEXED{where}"
        (matching,) = connection.execute(scan, where.parameters).fetchone()
        among = msgspec.json.decode(matching, type=set[int])
        total, where = len(among), _Where()
        if total <= _FEW:
            where.add_ids(among)
            among = None
    else:
        count = f"SELECT count(*) FROM tasks{where}"
        (total,) = connection.execute(count, where.parameters).fetchone()
    ids = _page(connection, query, where, among, total)
    # The page's ids come from a narrow index; only they are then looked up whole.
    found = {row[0]: schema.read_task(row) for row in _whole(connection, ids)}
    return TaskPage(tuple(found[task_id] for task_id in ids), total)


def _page(
    connection: sqlite3.Connection, query: TaskQuery, where: _Where, among: set[int] | None, total: int
) -> list[int]:
    """The ids of a page, read from the end of the order that is nearer; of those ``among``, where given."""
    offset = min(max(query.offset, 0), _MOST)
    limit = max(min(query.limit, total - offset), 0)
    from_end = offset > total // 2
    way = "DESC" if query.descending != from_end else "ASC"
    column = _ORDERS[query.order]
    order = f"id {way}" if column == "id" else f"{column} {way}, id {way}"
    page = f"SELECT id FROM tasks{where} ORDER BY {order}"
    skipped = max(total - offset - limit if from_end else offset, 0)
    if among is None:
        rows = connection.execute(page + " LIMIT ? OFFSET ?", (*where.parameters, limit, skipped))
        ids = [row[0] for row in rows]
    else:
        every = (row[0] for row in connection.execute(page, where.parameters))
        ids = list(islice(filter(among.__contains__, every), skipped, skipped + limit))
    return ids[::-1] if from_end else ids


def _whole(connection: sqlite3.Connection, ids: list[int]) -> Iterable[schema.Row]:
    query = schema.TASK_SELECT + "WHERE t.id IN (SELECT value FROM json_each(?))"
    return connection.execute(query, (json.dumps(ids),))


def _task_filter(query: TaskQuery, block: int, constants: Constants) -> _Where:
    where = _Where()
    if query.status is not None:
        where.add("status = ?", schema.TASK_STATUSES.index(query.status))
    if query.task_type is not None:
        where.add("task_type = ?", schema.TASK_TYPES.index(query.task_type))
    if query.creator is not None:
        where.add("creator = ?", query.creator)
    if query.party is not None:
        taken = "SELECT task_id FROM submissions WHERE worker = ?"
        where.add(f"(creator = ? OR id IN ({taken}))", query.party, query.party)
    if query.worker is not None:
        where.add("id IN (SELECT task_id FROM submissions WHERE worker = ?)", query.worker)
    if query.takeable is True:
        where.add("open = 1 AND expires >= ?", block)
    elif query.takeable is False:
        where.add("(open = 0 OR expires < ?)", block)
    if query.obtainable:
        overdue = f"SELECT task_id FROM submissions WHERE {schema.HELD} AND started < ?"
        vacated = f"SELECT id FROM tasks WHERE NOT closed AND id IN ({overdue})"
        where.add(f"expires >= ? AND (open = 1 OR id IN ({vacated}))", block, block - constants.work_period)
    if query.pays_min is not None:
        where.add("pays >= ?", _amount(query.pays_min))
    if query.pays_max is not None:
        where.add("pays <= ?", _amount(query.pays_max))
    if query.expires_before is not None:
        where.add("expires < ?", _clamp(query.expires_before))
    if query.expires_after is not None:
        where.add("expires > ?", _clamp(query.expires_after))
    if query.slots_min is not None:
        where.add("slots >= ?", _clamp(query.slots_min))
    if query.text:
        where.add("instr(question, ?) > 0", query.text.casefold())
    if query.ids is not None:
        where.add_ids(i for i in query.ids if 0 < i <= MAX_U32)
    return where


def submissions(connection: sqlite3.Connection, query: SubmissionQuery) -> SubmissionPage:
    """One page of the submissions that match, by id, and how many do."""
    where = _Where()
    if query.task_id is not None:
        where.add("task_id = ?", _clamp(query.task_id))
    if query.worker is not None:
        where.add("worker = ?", query.worker)
    if query.creator is not None:
        where.add("creator = ?", query.creator)
    if query.statuses:
        where.add_one_of("status", (schema.STATUSES.index(status) for status in query.statuses))
    (total,) = connection.execute(f"SELECT count(*) FROM submissions{where}", where.parameters).fetchone()
    way = "DESC" if query.descending else "ASC"
    page = f"SELECT * FROM submissions{where} ORDER BY id {way} LIMIT ? OFFSET ?"
    limits = (_clamp(query.limit), _clamp(query.offset))
    rows = connection.execute(page, (*where.parameters, *limits))
    return SubmissionPage(tuple(schema.read_submission(row) for row in rows), total)


def last_report(connection: sqlite3.Connection, submission_id: int) -> ValidateTaskResults | None:
    """The call behind the newest report on a submission: events name its digest alone."""
    query = (
        "SELECT x.body FROM submissions s JOIN events e ON e.task_id = s.task_id AND e.submission_id = s.id "
        "JOIN extrinsics x ON x.row = e.row WHERE s.id = ? AND e.name = 'ResultValidated' "
        "ORDER BY e.cursor DESC LIMIT 1"
    )
    row = connection.execute(query, (_clamp(submission_id),)).fetchone()
    call = codec.decode(row[0]).payload.call if row else None
    return call if isinstance(call, ValidateTaskResults) else None


def events(
    connection: sqlite3.Connection,
    since: int,
    limit: int,
    task_id: int | None,
    account: str | None,
    newest: bool,
) -> tuple[Event, ...]:
    where = _Where()
    where.add("cursor > ?", _clamp(since))
    if task_id is not None:
        where.add("task_id = ?", _clamp(task_id))
    if account is not None:
        where.add("cursor IN (SELECT cursor FROM event_accounts WHERE account = ?)", account)
    page = f"SELECT * FROM events{where} ORDER BY cursor {'DESC' if newest else 'ASC'} LIMIT ?"
    found = [schema.read_event(row) for row in connection.execute(page, (*where.parameters, _clamp(limit)))]
    return tuple(reversed(found) if newest else found)


def statement(connection: sqlite3.Connection, address: str, since: int, limit: int) -> tuple[Movement, ...]:
    query = "SELECT * FROM movements WHERE account = ? AND cursor > ? ORDER BY cursor LIMIT ?"
    rows = connection.execute(query, (address, _clamp(since), _clamp(limit)))
    return tuple(schema.read_movement(row) for row in rows)


def receipt(connection: sqlite3.Connection, extrinsic_hash: str) -> Receipt | None:
    """What the row of an extrinsic did, or None where there is none."""
    query = "SELECT row, block, link, event, body FROM extrinsics WHERE hash = ?"
    row = connection.execute(query, (extrinsic_hash,)).fetchone()
    if row is None:
        return None
    found = connection.execute("SELECT * FROM events WHERE cursor >= ? ORDER BY cursor", (row[3],))
    return Receipt(
        call=codec.call_name(codec.decode(row[4]).payload.call),
        extrinsic_hash=extrinsic_hash,
        block=row[1],
        block_hash=row[2],
        fee=0,
        events=tuple(map(schema.read_event, takewhile(lambda event: event[1] == row[0], found))),
        stage=Stage.finalised,
    )


def _clamp(number: int) -> int:
    """``number`` within what SQLite can take."""
    return max(min(number, _MOST), -1)


def _amount(planck: int) -> bytes:
    return schema.amount(max(0, min(planck, 2**128 - 1)))
