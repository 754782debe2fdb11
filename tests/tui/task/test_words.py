"""A person's record in words."""

from decentralml.core.chain.base import CreatorRecord, Tally, WorkerRecord
from decentralml.core.domain import Constants
from decentralml.tui.task.words import creator_record, tally, worker_record


def test_a_narrow_record_is_in_words_and_leaves_out_what_there_is_none_of() -> None:
    record = WorkerRecord(
        accepted=Tally(7, 2), silent=Tally(1, 1), rejected=Tally(1, 1), timed_out=Tally(2, 2)
    )
    assert tally(record) == "8 ok 1 no 2 late"
    assert tally(WorkerRecord(accepted=Tally(8, 3))) == "8 ok"
    assert tally(WorkerRecord()) == "none yet"


def test_a_record_says_where_many_results_are_of_few_people() -> None:
    creator = CreatorRecord(
        accepted=Tally(50, 1, 1), rejected=Tally(20, 20, 1), silent=Tally(2, 1), workers=21
    )
    said = creator_record(creator, Constants())
    assert said == "50 accepted (1 worker), 20 rejected, 2 silent (1 worker), 21 workers"
    unread = CreatorRecord(accepted=Tally(50, 50, 1), unread=50, workers=50)
    assert (
        creator_record(unread, Constants())
        == "50 accepted, 50 of them unread, 0 rejected, 0 silent, 50 workers"
    )
    waiting = CreatorRecord(undecided=Tally(4, 2, 1), tasks=1)
    assert creator_record(waiting, Constants()) == "nothing decided yet, 4 to judge", (
        "workers are of decisions"
    )
    worker = WorkerRecord(accepted=Tally(3, 1), silent=Tally(1, 1), earned=4 * 10**12)
    assert (
        worker_record(worker) == "3 accepted (1 creator), 0 rejected, 1 left silent, 0 timed out, earned 4.00"
    )
