"""What the chain would look like after calls that nobody has sent yet."""

from decentralml.core.chain.state import Outcome, View
from decentralml.core.domain import Balance, Constants, Submission, Task


class Overlay:
    """A `View` over another one, with outcomes laid over it; the one below stays as it is."""

    def __init__(self, below: View) -> None:
        self._below = below
        self._tasks: dict[int, Task] = {}
        self._submissions: dict[int, Submission] = {}
        self._balances: dict[str, Balance] = {}

    @property
    def block(self) -> int:
        return self._below.block

    @property
    def constants(self) -> Constants:
        return self._below.constants

    @property
    def next_task_id(self) -> int:
        return max([self._below.next_task_id, *(number + 1 for number in self._tasks)])

    @property
    def next_submission_id(self) -> int:
        return max([self._below.next_submission_id, *(number + 1 for number in self._submissions)])

    def task(self, task_id: int) -> Task | None:
        return self._tasks.get(task_id) or self._below.task(task_id)

    def submission(self, submission_id: int) -> Submission | None:
        return self._submissions.get(submission_id) or self._below.submission(submission_id)

    def balance(self, address: str) -> Balance:
        return self._balances.get(address) or self._below.balance(address)

    def has_taken(self, task_id: int, worker: str) -> bool:
        laid = any(s.task_id == task_id and s.worker == worker for s in self._submissions.values())
        return laid or self._below.has_taken(task_id, worker)

    def lay(self, outcome: Outcome) -> None:
        """Lay what a call would do over what is there."""
        if outcome.task is not None:
            self._tasks[outcome.task.id] = outcome.task
        if outcome.submission is not None:
            self._submissions[outcome.submission.id] = outcome.submission
        for move in outcome.moves:
            before = self.balance(move.account)
            self._balances[move.account] = Balance(before.free + move.free, before.held + move.held)
