"""From a signed call to rows: what is admitted, what it does, and how that is written down.

The ledger and its verification share this, so that a replay can only differ where the file does.
"""

# Names of tables below are this module's own; every value is bound.
# ruff: noqa: S608

import sqlite3

from msgspec import Struct

from decentralml.core.chain import faucet, rules, schema
from decentralml.core.chain.base import Event, Movement, Receipt, Stage
from decentralml.core.chain.codec import MORTAL_BLOCKS, SPEC_VERSION, Fund, Payload, call_name, link, sha256
from decentralml.core.chain.genesis import Genesis
from decentralml.core.chain.reads import TableView
from decentralml.core.chain.state import Outcome, View
from decentralml.core.domain import MAX_U32, Balance
from decentralml.core.errors import Refused


class Tail(Struct, frozen=True):
    """The last row: its number (0: only the genesis is there), block, link, and the last cursors given."""

    row: int
    block: int
    link: str
    event: int = 0
    movement: int = 0


class Written(Struct, frozen=True):
    """What a row adds to the derived tables: events, and movements with the accounts they are of."""

    events: tuple[Event, ...]
    movements: tuple[tuple[str, Movement], ...]


def follow(tail: Tail, block: int, body: bytes, done: Written) -> Tail:
    """The tail once the extrinsic ``body``, which did what ``done`` says, is appended in ``block``."""
    row = tail.row + 1
    return Tail(
        row,
        block,
        link(tail.link, row, block, body),
        tail.event + len(done.events),
        tail.movement + len(done.movements),
    )


def admit(payload: Payload, genesis: str, nonce: int, block: int) -> None:
    """Refuse what was signed for another chain, time or place in the account's sequence.

    Raises `Refused`: "OtherChain", "StaleNonce", "BadEra".
    """
    if payload.genesis != genesis or payload.spec_version != SPEC_VERSION:
        raise Refused("OtherChain", "The call was signed for another chain.", "Sign it for this one.")
    if payload.nonce != nonce:
        raise Refused(
            "StaleNonce",
            f"Another call of the account came between: the next number is {nonce}, not {payload.nonce}.",
            "Look at what happened, then sign again.",
        )
    first, last = payload.era
    if not first <= block <= last or last - first > MORTAL_BLOCKS:
        raise Refused(
            "BadEra",
            f"The call was signed for blocks {first} to {last}; this is block {block}, and "
            f"no call is good for longer than {MORTAL_BLOCKS} blocks.",
            "Sign it again.",
        )


def execute(view: View, genesis: Genesis, payload: Payload, block: int) -> Outcome:
    """What an admitted call does. Raises `Refused`."""
    if isinstance(payload.call, Fund):
        return faucet.grant(view, genesis, payload.call, payload.signer)
    return rules.apply(view, payload.call, payload.signer, block)


def written(payload: Payload, outcome: Outcome, block: int, tail: Tail) -> Written:
    """Events and movements of an outcome, numbered after the last ones of ``tail``."""
    task_id = outcome.task.id if outcome.task else None
    submission_id = outcome.submission.id if outcome.submission else None
    who = payload.call.address if isinstance(payload.call, Fund) else payload.signer
    events = tuple(
        Event(
            cursor=tail.event + number,
            block=block,
            name=note.name,
            task_id=task_id,
            submission_id=submission_id,
            account=who,
            data=note.data,
        )
        for number, note in enumerate(outcome.events, 1)
    )
    movements = tuple(
        (
            move.account,
            Movement(
                cursor=tail.movement + number,
                block=block,
                name=move.name,
                task_id=task_id,
                submission_id=submission_id,
                free=move.free,
                held=move.held,
            ),
        )
        for number, move in enumerate(outcome.moves, 1)
    )
    return Written(events, movements)


def include(
    connection: sqlite3.Connection,
    genesis: Genesis,
    root: str,
    tail: Tail,
    block: int,
    payload: Payload,
    body: bytes,
) -> tuple[Tail, Receipt]:
    """Append a verified extrinsic as a row and write down what it does; the new tail, and a receipt.

    ``root`` is the genesis hash. Runs inside a write transaction. Raises `Refused`.
    """
    view = TableView(connection, block, genesis.constants)
    nonce = view.account(payload.signer)[1]
    admit(payload, root, nonce, block)
    if tail.row >= MAX_U32:
        raise Refused("Overflow", "The ledger has no further row.", "Start another one.")
    outcome = execute(view, genesis, payload, block)
    done = written(payload, outcome, block, tail)
    tail = follow(tail, block, body, done)
    digest = sha256(body)
    first = done.events[0].cursor
    _insert(
        connection,
        "extrinsics",
        (tail.row, block, payload.signer, payload.nonce, digest, tail.link, first, body),
    )
    _write_outcome(view, outcome)
    _write_accounts(view, outcome, payload.signer)
    _write_history(connection, done, tail.row)
    receipt = Receipt(
        call=call_name(payload.call),
        extrinsic_hash=digest,
        block=block,
        block_hash=tail.link,
        fee=0,
        events=done.events,
        stage=Stage.finalised,
    )
    return tail, receipt


def _write_outcome(view: TableView, outcome: Outcome) -> None:
    task, submission = outcome.task, outcome.submission
    if task is None:
        return
    before = view.task(task.id)
    if before is None:
        _insert(view.connection, "terms", schema.terms_row(task))
    if task != before:
        _replace(view.connection, "tasks", schema.task_row(task))
    if submission is not None:
        _replace(view.connection, "submissions", schema.submission_row(submission, task.creator))


def _write_accounts(view: TableView, outcome: Outcome, signer: str) -> None:
    for address in {signer, *(move.account for move in outcome.moves)}:
        before, nonce = view.account(address)
        moves = [move for move in outcome.moves if move.account == address]
        balance = Balance(
            before.free + sum(move.free for move in moves), before.held + sum(move.held for move in moves)
        )
        _replace(
            view.connection, "accounts", schema.account_row(address, balance, nonce + (address == signer))
        )


def _write_history(connection: sqlite3.Connection, done: Written, row: int) -> None:
    for event in done.events:
        _insert(connection, "events", schema.event_row(event, row))
        for pair in schema.event_accounts(event):
            _insert(connection, "event_accounts", pair)
    for address, movement in done.movements:
        _insert(connection, "movements", schema.movement_row(movement, address, row))


def _insert(connection: sqlite3.Connection, table: str, row: schema.Row) -> None:
    connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)


def _replace(connection: sqlite3.Connection, table: str, row: schema.Row) -> None:
    connection.execute(f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(row))})", row)
