"""The record of an account: how it behaved as creator and as worker, from the chain alone."""

import sqlite3
from statistics import median_low
from typing import NamedTuple

from decentralml.core.chain import schema
from decentralml.core.chain.base import CreatorRecord, Record, Tally, WorkerRecord
from decentralml.core.domain import Constants

# In the order of the statuses on the chain.
_OUTCOMES = ("open", "undecided", "undecided", "accepted", "rejected", "abandoned", "timed_out")
_DECISIONS = ("accepted", "rejected")
_DECIDED = (*_DECISIONS, "silent")
_COLUMNS = "SELECT s.status, s.claimed, s.started, s.delivered, s.decided,"
_UNREAD = (
    "(SELECT json_extract(CAST(body AS TEXT), '$.validation_strategy') = 'AutoAccept' "
    "FROM terms WHERE task_id = t.id)"
)
_TABLES = "FROM submissions s JOIN tasks t ON t.id = s.task_id"
_QUERIES = {
    "creator": f"{_COLUMNS} s.worker, t.pays, {_UNREAD} {_TABLES} WHERE s.creator = ?",
    "worker": f"{_COLUMNS} s.creator, t.pays, 0 {_TABLES} WHERE s.worker = ?",
}


def record(connection: sqlite3.Connection, address: str, block: int, constants: Constants) -> Record:
    """Both sides of an account, counted over all its tasks and submissions, as of ``block``."""
    (published,) = connection.execute("SELECT count(*) FROM tasks WHERE creator = ?", (address,)).fetchone()
    return Record(
        address,
        _creator_record(_outcomes(connection, "creator", address, block, constants), published),
        _worker_record(_outcomes(connection, "worker", address, block, constants)),
    )


class _Outcome(NamedTuple):
    """What became of a submission, with whom, for how many planck.

    ``waited``: blocks to the decision of somebody who could look; ``unread``: its task pays whoever delivers.
    """

    what: str
    counterparty: str
    pays: int
    paid: bool
    waited: int | None
    unread: bool


def _outcomes(
    connection: sqlite3.Connection, side: str, address: str, block: int, constants: Constants
) -> list[_Outcome]:
    return [
        _Outcome(
            what=_what(status, claimed, started, delivered, block, constants),
            counterparty=counterparty,
            pays=schema.planck(pays),
            paid=_OUTCOMES[status] == "accepted",
            waited=decided - delivered
            if _OUTCOMES[status] in _DECISIONS and not claimed and not unread
            else None,
            unread=bool(unread),
        )
        for status, claimed, started, delivered, decided, counterparty, pays, unread in connection.execute(
            _QUERIES[side], (address,)
        )
    ]


def _what(
    status: int, claimed: int, started: int, delivered: int | None, block: int, constants: Constants
) -> str:
    what = _OUTCOMES[status]
    if claimed:
        return "silent"
    if what == "undecided" and delivered is not None and block - delivered > constants.review_period:
        return "silent"
    if what == "open" and delivered is None and block - started > constants.work_period:
        return "timed_out"
    return what


def _tally(outcomes: list[_Outcome], *which: str) -> Tally:
    chosen = [outcome for outcome in outcomes if outcome.what in which]
    return Tally(
        len(chosen),
        len({outcome.counterparty for outcome in chosen}),
        sum(outcome.pays for outcome in chosen),
    )


def _creator_record(outcomes: list[_Outcome], published: int) -> CreatorRecord:
    waits = [outcome.waited for outcome in outcomes if outcome.waited is not None]
    return CreatorRecord(
        tasks=published,
        accepted=_tally(outcomes, "accepted"),
        rejected=_tally(outcomes, "rejected"),
        silent=_tally(outcomes, "silent"),
        undecided=_tally(outcomes, "undecided"),
        unread=sum(outcome.unread and outcome.paid for outcome in outcomes),
        median_decision_blocks=median_low(waits) if waits else None,
        workers=_tally(outcomes, *_DECIDED).counterparties,
        paid=sum(outcome.pays for outcome in outcomes if outcome.paid),
    )


def _worker_record(outcomes: list[_Outcome]) -> WorkerRecord:
    return WorkerRecord(
        taken=len(outcomes),
        accepted=_tally(outcomes, "accepted"),
        rejected=_tally(outcomes, "rejected"),
        silent=_tally(outcomes, "silent"),
        abandoned=_tally(outcomes, "abandoned"),
        timed_out=_tally(outcomes, "timed_out"),
        open=_tally(outcomes, "open", "undecided"),
        creators=_tally(outcomes, *_DECIDED).counterparties,
        earned=sum(outcome.pays for outcome in outcomes if outcome.paid),
    )
