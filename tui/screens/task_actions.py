"""What is done with the task that is shown: taken, tried, trained, delivered, judged, ended."""

from collections.abc import Callable
from typing import Any

from decentralml.core.errors import DecentralMLError
from decentralml.tui.screens.base import MarketScreen
from decentralml.tui.signing import proposals
from decentralml.tui.signing.proposal import Proposal
from decentralml.tui.task import verbs as task_verbs
from decentralml.tui.task.facts import Facts


class TaskActions(MarketScreen):
    """Acts on a task of which the screen has read the ``facts``, or on the submission under its cursor."""

    def __init__(self, task_id: int) -> None:
        super().__init__()
        self.task_id = task_id
        self.facts: Facts | None = None

    @property
    def submission_id(self) -> int | None:
        """The submission that the cursor is on."""
        raise NotImplementedError

    def why_not(self, action: str) -> DecentralMLError | None:
        refused = self.facts.refusals.get(action) if self.facts else None
        return refused or super().why_not(action)

    def _subject(self, action: str) -> int | None:
        """The submission that an action is about: the one under the cursor where it fits, else the first."""
        facts, here = self.facts, self.submission_id
        if facts is None:
            return None
        return here if here in facts.fitting.get(action, ()) else facts.subjects.get(action)

    def _act(self, action: str, build: Callable[..., Proposal]) -> None:
        subject = self._subject(action)
        if subject is not None:
            self.work(self.propose(build, subject))

    def _do(self, verb: Callable[..., Any]) -> None:
        self.work(verb(self, self.task_id))

    def action_take(self) -> None:
        self._do(task_verbs.take)

    def action_try_first(self) -> None:
        self._do(task_verbs.try_first)

    def action_set_up(self) -> None:
        self._do(task_verbs.set_up)

    def action_train(self) -> None:
        self._do(task_verbs.train)

    def action_deliver(self) -> None:
        self._do(task_verbs.deliver)

    def action_abandon(self) -> None:
        self._act("abandon", proposals.abandon)

    def action_time_out(self) -> None:
        self._act("time_out", proposals.time_out)

    def action_claim(self) -> None:
        self._act("claim", proposals.claim)

    def action_close(self) -> None:
        self.work(self.propose(proposals.close, self.task_id))

    def action_evaluate(self) -> None:
        """To the inbox, with the cursor on the result."""
        subject = self._subject("evaluate")
        if subject is not None:
            self.app.show("validate", subject)
