"""A chain as it would be after calls not sent yet, and the chain below, which stays as it is."""

from decentralml.core.chain.memory import State
from decentralml.core.chain.overlay import Overlay
from decentralml.core.chain.state import Move, Outcome
from decentralml.core.domain import Balance, Constants, ResultSubmissionStatus, Submission


def test_what_is_laid_over_shows_and_what_is_below_stays() -> None:
    below = State(Constants())
    below.move("ada", 100, 0)
    ahead = Overlay(below)
    submission = Submission(
        id=1, task_id=3, worker="bo", status=ResultSubmissionStatus.Assigned, taken=0, started=0, deposit=5
    )
    ahead.lay(
        Outcome(None, submission, (Move("DepositHeld", "ada", -5, 5), Move("DepositHeld", "ada", -1, 1)), ())
    )
    assert ahead.balance("ada") == Balance(94, 6)
    assert ahead.submission(1) is submission
    assert ahead.has_taken(3, "bo")
    assert ahead.next_submission_id == 2
    assert (ahead.block, ahead.constants, ahead.next_task_id) == (below.block, below.constants, 1)
    assert below.balance("ada") == Balance(100, 0)
    assert below.submission(1) is None
    assert not below.has_taken(3, "bo")
