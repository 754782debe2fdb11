"""The embedded chain: one SQLite file that many processes and people of one machine share."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import msgspec

from decentralml.core.chain import codec, database, reads, record, rules, schema
from decentralml.core.chain.base import (
    Chain,
    Event,
    Extrinsic,
    Head,
    Movement,
    Receipt,
    Record,
    SubmissionPage,
    SubmissionQuery,
    TaskPage,
    TaskQuery,
)
from decentralml.core.chain.calls import Call, ValidateTaskResults
from decentralml.core.chain.codec import Fund
from decentralml.core.chain.faucet import OpenFaucet, check_may_grant
from decentralml.core.chain.genesis import create, decode
from decentralml.core.chain.inclusion import Tail, include
from decentralml.core.chain.seen import Mark, Seen, rewritten
from decentralml.core.chain.verify import VerifyReport, verify
from decentralml.core.domain import Balance, Constants, Submission, Task
from decentralml.core.errors import Failed, Unavailable
from decentralml.core.signing import Signer

__all__ = ["Ledger", "VerifyReport", "create", "verify_file"]

_TAIL = """
    SELECT row, block, link,
        (SELECT coalesce(max(cursor), 0) FROM events), (SELECT coalesce(max(cursor), 0) FROM movements)
    FROM extrinsics ORDER BY row DESC LIMIT 1
"""

# How often a process that keeps writing notes down what it saw.
SAVE_SECONDS = 1.0


class Ledger(Chain):
    """A `Chain` over an existing ledger file. Safe for threads; each process opens its own.

    ``seen`` is the file in which this home remembers the last row it saw. ``now`` gives Unix
    seconds. ``patience``: seconds to wait for another process's lock. Every method may raise
    `Unavailable` ("LedgerLocked", "LedgerReadOnly", "LedgerUnreachable", "ClockBehind"), `Failed`
    ("DiskFull", "LedgerIO", "LedgerDamaged", "NotALedger"), `Refused` ("LedgerRewritten", "LedgerReplaced",
    "LedgerGone").
    """

    name = "local"

    def __init__(
        self,
        path: Path,
        *,
        seen: Path | None = None,
        now: Callable[[], float] = time.time,
        patience: float = 10.0,
    ) -> None:
        self.path = path.absolute()
        self._now = now
        self._database = _opened(self.path, patience)
        try:
            with self._database.read() as connection:
                indexes = database.check_file(connection, self.path)
                body = _genesis_body(connection)
            self._make(indexes)
            self._genesis = decode(body)
            self._root = codec.sha256(body)
            self._seen = Seen(seen, self.path, self._root)
            with self._read():
                pass
            self._save_seen()
        except BaseException:
            self._database.close()
            raise

    def _make(self, indexes: Sequence[str]) -> None:
        """Make what a ledger of an earlier program lacks; one that cannot be written is read without."""
        with suppress(Unavailable, Failed):
            for sql in indexes:
                with self._database.write() as connection:
                    connection.execute(sql.replace("INDEX", "INDEX IF NOT EXISTS", 1))

    # What the chain is.

    @property
    def genesis(self) -> str:
        return self._root

    @property
    def constants(self) -> Constants:
        return self._genesis.constants

    @property
    def faucet(self) -> str:
        """ "open", "none", or the address that may grant."""
        return self._genesis.faucet

    @property
    def capabilities(self) -> frozenset[str]:
        return frozenset(row.name for row in rules.TABLE)

    # Reading.

    def head(self) -> Head:
        with self._read() as (_, tail, block):
            return Head(block, tail.link, self._genesis.time + block * self.constants.block_time)

    def last_cursor(self) -> int:
        with self._read() as (_, tail, _block):
            return tail.event

    @contextmanager
    def view(self) -> Iterator[reads.TableView]:
        """The rules' view of one consistent snapshot, as of the block that a call would get now."""
        with self._read() as (connection, _, block):
            yield reads.TableView(connection, block, self.constants)

    def balance(self, address: str) -> Balance:
        with self._read() as (connection, _, _block):
            return reads.account(connection, address)[0]

    def total_issuance(self) -> int:
        with self._read() as (connection, _, _block):
            return reads.total_issuance(connection)

    def task(self, task_id: int) -> Task:
        with self.view() as view:
            task = view.task(task_id)
        if task is None:
            raise rules.task_not_found(task_id)
        return task

    def submission(self, submission_id: int) -> Submission:
        with self.view() as view:
            submission = view.submission(submission_id)
        if submission is None:
            raise rules.submission_not_found(submission_id)
        return submission

    def tasks(self, query: TaskQuery) -> TaskPage:
        with self._read() as (connection, _, block):
            return reads.tasks(connection, query, block, self.constants)

    def submissions(self, query: SubmissionQuery) -> SubmissionPage:
        with self._read() as (connection, _, _block):
            return reads.submissions(connection, query)

    def last_report(self, submission_id: int) -> ValidateTaskResults | None:
        with self._read() as (connection, _, _block):
            return reads.last_report(connection, submission_id)

    def has_taken(self, task_id: int, worker: str) -> bool:
        with self.view() as view:
            return view.has_taken(task_id, worker)

    def record(self, address: str) -> Record:
        with self._read() as (connection, _, block):
            return record.record(connection, address, block, self.constants)

    def events(
        self,
        since: int = 0,
        *,
        limit: int = 1000,
        task_id: int | None = None,
        account: str | None = None,
        newest: bool = False,
    ) -> tuple[Event, ...]:
        with self._read() as (connection, _, _block):
            return reads.events(connection, since, limit, task_id, account, newest)

    def statement(self, address: str, *, since: int = 0, limit: int = 1000) -> tuple[Movement, ...]:
        with self._read() as (connection, _, _block):
            return reads.statement(connection, address, since, limit)

    def receipt(self, extrinsic_hash: str) -> Receipt | None:
        with self._read() as (connection, _, _block):
            return reads.receipt(connection, extrinsic_hash)

    def verify(self) -> VerifyReport:
        """As `verify_file`."""
        return verify_file(self.path)

    # Writing.

    def fee(self, call: Call, address: str) -> int:
        return 0

    def sign(self, call: Call, signer: Signer) -> Extrinsic:
        return self.sign_many([call], signer)[0]

    def sign_many(self, calls: Sequence[Call], signer: Signer) -> tuple[Extrinsic, ...]:
        """Sign ``calls`` with consecutive nonces, for `submit_many`. Raises `Refused` ("BadText", …)."""
        with self._read() as (connection, _, block):
            nonce = reads.account(connection, signer.address)[1]
        return tuple(
            codec.extrinsic(call, signer, nonce + number, block, self._root)
            for number, call in enumerate(calls)
        )

    def submit(self, extrinsic: Extrinsic) -> Receipt:
        """Include a signed call durably. One that is included already gives its receipt again.

        Raises `Refused`: the rules' codes, "StaleNonce", "BadEra", "BadSignature", "BadExtrinsic",
        "OtherChain".
        """
        return self.submit_many([extrinsic])[0]

    def submit_many(self, extrinsics: Sequence[Extrinsic]) -> tuple[Receipt, ...]:
        """Include all of them in one durable commit, or, when one is refused, none."""
        opened = [(codec.open_sealed(extrinsic.body), extrinsic.body) for extrinsic in extrinsics]
        receipts = []
        with self._write() as (connection, tail, block):
            for payload, body in opened:
                receipt = reads.receipt(connection, codec.sha256(body))
                if receipt is None:
                    tail, receipt = include(connection, self._genesis, self._root, tail, block, payload, body)
                receipts.append(receipt)
        self._notice(tail)
        return tuple(receipts)

    def fund(self, address: str, amount: int, signer: Signer | None = None) -> Receipt:
        """Grant ``amount`` planck to ``address``; without ``signer`` by the open faucet's own key.

        Raises `Refused`: "NoFaucet", "NotTheFaucet", "BadGrant", "BadAddress".
        """
        check_may_grant(self._genesis, signer.address if signer else None)
        granter: Signer = signer or OpenFaucet(self._root)
        with self._write() as (connection, tail, block):
            nonce = reads.account(connection, granter.address)[1]
            body = codec.seal(Fund(address, amount), granter, nonce, block, self._root)
            payload = codec.open_sealed(body)
            tail, receipt = include(connection, self._genesis, self._root, tail, block, payload, body)
        self._notice(tail)
        return receipt

    def close(self) -> None:
        """Remember the last row seen, and let go of the file."""
        self._save_seen()
        self._database.close()

    # Inside.

    @contextmanager
    def _read(self) -> Iterator[tuple[sqlite3.Connection, Tail, int]]:
        # Asked before the snapshot is taken: what other threads see meanwhile may lie beyond it.
        mark = self._seen.newest
        with self._database.read() as connection:
            tail = self._tail(connection, mark)
            self._seen.notice(Mark(tail.row, tail.link))
            yield connection, tail, self._block(tail)

    @contextmanager
    def _write(self) -> Iterator[tuple[sqlite3.Connection, Tail, int]]:
        mark = self._seen.newest
        with self._database.write() as connection:
            tail = self._tail(connection, mark)
            yield connection, tail, self._block(tail)

    def _notice(self, tail: Tail) -> None:
        """Take note of a row that is committed: what was refused or lost must not be remembered."""
        self._seen.notice(Mark(tail.row, tail.link))
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self._save_seen()

    def _save_seen(self) -> None:
        # What was done or read is done, whether or not the home can note it.
        with suppress(Unavailable, Failed):
            self._seen.save()
        self._saved = time.monotonic()

    def _block(self, tail: Tail) -> int:
        return max(tail.block, self._genesis.block(self._now()))

    def _tail(self, connection: sqlite3.Connection, mark: Mark) -> Tail:
        """The last row, checked against the clock and against ``mark``, which this home saw before."""
        row = connection.execute(_TAIL).fetchone()
        tail = _read_tail(row) if row else Tail(0, 0, self._root)
        clock = self._genesis.block(self._now())
        if tail.block > clock + 1:
            raise Unavailable(
                "ClockBehind",
                f"The ledger is {tail.block - clock:,} blocks ahead of this machine's clock.",
                "Set the clock right; if it is, a wrong clock wrote to the ledger: ask who keeps it.",
            )
        self._check_seen(connection, tail, mark)
        return tail

    def _check_seen(self, connection: sqlite3.Connection, tail: Tail, mark: Mark) -> None:
        if mark.row == 0:
            link = codec.sha256(_genesis_body(connection))
        elif mark.row == tail.row:
            link = tail.link
        else:
            query = "SELECT link FROM extrinsics WHERE row = ?"
            (link,) = connection.execute(query, (mark.row,)).fetchone() or ("",)
        if link != mark.link:
            raise rewritten(mark)


def verify_file(path: Path) -> VerifyReport:
    """Replay every row from the genesis, and compare everything that is derived from them.

    Neither the clock nor what a home saw is asked: a ledger that no `Ledger` opens has its fault named too.
    """
    with closing(_opened(path, patience=10.0)) as file, file.read() as connection:
        database.check_file(connection, path)
        body = _genesis_body(connection)
        return verify(connection, decode(body), codec.sha256(body))


def _opened(path: Path, patience: float) -> database.Database:
    if not database.exists(path):
        raise Unavailable(
            "NoLedger", f"There is no ledger at {path}.", "Make one with `decentralml chain init`."
        )
    database.refuse_network_file_system(path.parent)
    return database.Database(path, patience)


@schema.sound
def _read_tail(row: schema.Row) -> Tail:
    """The tail of a row of `_TAIL`."""
    return Tail(*msgspec.convert(row, tuple[int, int, str, int, int]))


def _genesis_body(connection: sqlite3.Connection) -> bytes:
    found = connection.execute("SELECT id, body FROM genesis").fetchall()
    if len(found) != 1 or found[0][0] != 0 or not isinstance(found[0][1], bytes):
        raise schema.damaged("its genesis cannot be read")
    return bytes(found[0][1])
