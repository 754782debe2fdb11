"""Replaying a ledger from its genesis: does every row, and everything derived, follow from the first?"""

# Names of tables below are this module's own.
# ruff: noqa: S608

import sqlite3
from collections.abc import Iterable, Iterator

from msgspec import Struct

from decentralml.core.chain import schema
from decentralml.core.chain.codec import link, open_sealed, sha256
from decentralml.core.chain.genesis import Genesis
from decentralml.core.chain.inclusion import Tail, admit, execute, follow, written
from decentralml.core.chain.memory import State
from decentralml.core.domain import MAX_U32
from decentralml.core.errors import DecentralMLError


class VerifyReport(Struct, frozen=True, kw_only=True):
    """``rows`` that were found good. Where not ``ok``: the table and row that does not fit, and why."""

    rows: int
    ok: bool
    table: str | None = None
    row: str | None = None
    why: str | None = None


class _Misfit(Exception):
    def __init__(self, table: str, row: object, why: str) -> None:
        super().__init__(why)
        self.table, self.row, self.why = table, str(row), why


def verify(connection: sqlite3.Connection, genesis: Genesis, root: str) -> VerifyReport:
    """Replay the whole table inside the connection's last transaction. ``root`` is the genesis hash."""
    # Text that is none compares as different, rather than ending the reading.
    connection.text_factory = lambda data: data.decode(errors="surrogateescape")
    replay = _Replay(connection, genesis, root)
    try:
        replay.run()
    except _Misfit as misfit:
        return VerifyReport(
            rows=replay.tail.row, ok=False, table=misfit.table, row=misfit.row, why=misfit.why
        )
    return VerifyReport(rows=replay.tail.row, ok=True)


class _Replay:
    def __init__(self, connection: sqlite3.Connection, genesis: Genesis, root: str) -> None:
        self.connection = connection
        self.genesis = genesis
        self.root = root
        self.tail = Tail(0, 0, root)
        self.state = State(genesis.constants)
        self.nonces: dict[str, int] = {}

    def run(self) -> None:
        events = self._rows("events", "cursor")
        accounts = self._rows("event_accounts", "cursor, account")
        movements = self._rows("movements", "cursor")
        for row in self._rows("extrinsics", "row"):
            self._extrinsic(row, events, accounts, movements)
        for table, found in (("events", events), ("event_accounts", accounts), ("movements", movements)):
            _compare(table, (), found)
        self._compare_states()
        (health,) = self.connection.execute("PRAGMA integrity_check(1)").fetchone()
        if health != "ok":
            raise _Misfit("the file", "-", str(health))

    def _rows(self, table: str, order: str) -> Iterator[schema.Row]:
        return iter(self.connection.execute(f"SELECT * FROM {table} ORDER BY {order}"))

    def _extrinsic(
        self,
        found: schema.Row,
        events: Iterator[schema.Row],
        accounts: Iterator[schema.Row],
        movements: Iterator[schema.Row],
    ) -> None:
        number, block, signer, nonce, digest, chained, event, body = found
        row = self.tail.row + 1
        _demand(number == row, row, "it is missing")
        _demand(
            isinstance(block, int) and self.tail.block <= block <= MAX_U32, row, "its block is out of order"
        )
        _demand(isinstance(body, bytes), row, "its bytes are no bytes")
        _demand(
            chained == link(self.tail.link, row, block, body),
            row,
            "its hash does not follow from the one before",
        )
        _demand(digest == sha256(body), row, "its extrinsic's hash is wrong")
        try:
            payload = open_sealed(body)
            _demand(
                (signer, nonce) == (payload.signer, payload.nonce),
                row,
                "its signer or nonce is not what was signed",
            )
            admit(payload, self.root, self.nonces.get(signer, 0), block)
            self.state.block = block
            outcome = execute(self.state, self.genesis, payload, block)
        except DecentralMLError as error:
            raise _Misfit("extrinsics", row, error.message) from error
        self.state.commit(outcome)
        self.nonces[signer] = nonce + 1
        done = written(payload, outcome, block, self.tail)
        _demand(event == self.tail.event + 1, row, "its first event is not its own")
        _follow("events", [schema.event_row(event, row) for event in done.events], events)
        _follow(
            "event_accounts",
            [pair for event in done.events for pair in schema.event_accounts(event)],
            accounts,
        )
        _follow("movements", [schema.movement_row(m, a, row) for a, m in done.movements], movements)
        self.tail = follow(self.tail, block, body, done)

    def _compare_states(self) -> None:
        state = self.state
        tasks = [state.tasks[task_id] for task_id in sorted(state.tasks)]
        submissions = [state.submissions[submission_id] for submission_id in sorted(state.submissions)]
        addresses = sorted(set(state.balances) | set(self.nonces), key=str.encode)
        expected: dict[str, tuple[str, Iterable[schema.Row]]] = {
            "tasks": ("id", map(schema.task_row, tasks)),
            "terms": ("task_id", map(schema.terms_row, tasks)),
            "submissions": (
                "id",
                (schema.submission_row(s, state.tasks[s.task_id].creator) for s in submissions),
            ),
            "accounts": (
                "address",
                (schema.account_row(a, state.balance(a), self.nonces.get(a, 0)) for a in addresses),
            ),
        }
        for table, (order, rows) in expected.items():
            _compare(table, rows, self._rows(table, order))


def _demand(holds: bool, row: int, why: str) -> None:
    if not holds:
        raise _Misfit("extrinsics", row, why)


def _follow(table: str, expected: Iterable[schema.Row], found: Iterator[schema.Row]) -> None:
    """The next rows of ``found`` are those ``expected``."""
    for row in expected:
        there = next(found, None)
        if there is None or there[0] != row[0]:
            raise _Misfit(table, _key(table, row), "it is missing")
        if there != row:
            raise _Misfit(table, _key(table, row), "it is not what the extrinsics lead to")


def _compare(table: str, expected: Iterable[schema.Row], found: Iterator[schema.Row]) -> None:
    """``found`` is all that is ``expected``, and no more."""
    _follow(table, expected, found)
    more = next(found, None)
    if more is not None:
        raise _Misfit(table, _key(table, more), "no extrinsic leads to it")


def _key(table: str, row: schema.Row) -> str:
    """What names a row: its first column; in ``event_accounts`` both."""
    return " ".join(map(str, row)) if table == "event_accounts" else str(row[0])
