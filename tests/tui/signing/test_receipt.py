"""What a receipt and the history say of an event."""

from decentralml.core.chain.base import Event, Receipt, Stage
from decentralml.tui.signing.receipt import event_words, words


def test_a_receipt_tells_every_event_and_hides_nothing_unknown() -> None:
    known = Event(
        cursor=1, block=7, name="TaskClosed", task_id=3, data={"creator": "5" * 48, "amount": "5" + "0" * 12}
    )
    unknown = Event(cursor=2, block=7, name="SomethingNew\x1b")
    receipt = Receipt(
        call="close_task",
        extrinsic_hash="",
        block=7,
        block_hash="",
        fee=0,
        events=(known, unknown),
        stage=Stage.finalised,
    )
    assert words(receipt, {}) == (
        "Task 3 is closed, 5.00 go back to 5555..5555; SomethingNew (block 7, finalised)."
    )
    lying = Event(cursor=3, block=7, name="ResultAccepted", data={"amount": "much"})
    assert event_words(lying, {}) == "ResultAccepted"


def test_the_event_of_a_rejection_says_why() -> None:
    event = Event(
        cursor=1, block=7, name="ResultRejected", submission_id=2, data={"reason": "no better\nthan it was"}
    )
    assert event_words(event, {}) == "#2 is rejected: no better than it was"
    assert event_words(event, {}, in_task=True) == "#2 is rejected: no better than it was"


def test_an_event_calls_people_as_one_calls_them() -> None:
    data = {"amount": str(8 * 10**12), "worker": "5" * 48}
    paid = Event(cursor=1, block=7, name="ResultAccepted", submission_id=2, data=data)
    assert event_words(paid, {}) == "#2 is accepted, 8.00 paid to 5555..5555"
    assert event_words(paid, {"5" * 48: "bo"}).endswith("paid to bo")
    assert event_words(paid, {"5" * 48: "bo"}, me="5" * 48).endswith("paid to you")
