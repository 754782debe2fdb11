"""An account's record in words."""

from decentralml.core.amount import UNIT
from decentralml.core.chain.base import CreatorRecord, Record, Tally, WorkerRecord
from decentralml.core.cli.chain_values import record_fields
from decentralml.core.domain import Constants


def test_who_has_done_nothing_is_said_to_have_done_nothing() -> None:
    nobody = Record("5Grw", CreatorRecord(), WorkerRecord())
    assert record_fields(nobody, Constants()) == [
        ("as creator", "no task yet"),
        ("as worker", "nothing taken yet"),
    ]


def test_counterparties_are_counted_as_soon_as_there_is_one() -> None:
    begun = Record("5Grw", CreatorRecord(tasks=1), WorkerRecord(taken=1, open=Tally(1, 1, UNIT)))
    creator, worker = record_fields(begun, Constants())
    assert creator[1] == "1 task: 0 accepted, 0 rejected, 0 silent, 0 to judge; paid 0.00"
    assert worker[1].endswith("1 open (1 creator, 1.00); earned 0.00")
    paid = Record(
        "5Grw", CreatorRecord(tasks=1, accepted=Tally(1, 1, UNIT), workers=1, paid=UNIT), begun.worker
    )
    assert record_fields(paid, Constants())[0][1].endswith("; 1 worker; paid 1.00")
