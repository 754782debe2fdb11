"""The whole state of a chain in memory: the rules' `View`, for replaying a ledger row by row."""

from decentralml.core.chain.state import Outcome
from decentralml.core.domain import Balance, Constants, Submission, Task


class State:
    """A `View` that outcomes are applied to. ``block`` is set by whoever replays."""

    def __init__(self, constants: Constants) -> None:
        self.constants = constants
        self.block = 0
        self.tasks: dict[int, Task] = {}
        self.submissions: dict[int, Submission] = {}
        self.balances: dict[str, Balance] = {}
        self.taken: set[tuple[int, str]] = set()

    @property
    def next_task_id(self) -> int:
        return len(self.tasks) + 1

    @property
    def next_submission_id(self) -> int:
        return len(self.submissions) + 1

    def task(self, task_id: int) -> Task | None:
        return self.tasks.get(task_id)

    def submission(self, submission_id: int) -> Submission | None:
        return self.submissions.get(submission_id)

    def balance(self, address: str) -> Balance:
        return self.balances.get(address, Balance())

    def has_taken(self, task_id: int, worker: str) -> bool:
        return (task_id, worker) in self.taken

    def move(self, address: str, free: int, held: int) -> None:
        """Add planck to an account's free and held money."""
        before = self.balance(address)
        self.balances[address] = Balance(before.free + free, before.held + held)

    def commit(self, outcome: Outcome) -> None:
        """Make what a call did the state."""
        if outcome.task is not None:
            self.tasks[outcome.task.id] = outcome.task
        if (submission := outcome.submission) is not None:
            self.submissions[submission.id] = submission
            self.taken.add((submission.task_id, submission.worker))
        for move in outcome.moves:
            self.move(move.account, move.free, move.held)
