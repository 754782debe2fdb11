"""What is done with the run under the cursor: paused, stopped, tried again, delivered, removed."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from rich.text import Text

from decentralml.core import work
from decentralml.core.domain import Submission
from decentralml.core.errors import DecentralMLError
from decentralml.core.text import short
from decentralml.core.training.runs import Run
from decentralml.tui import keys
from decentralml.tui.run import words as run_words
from decentralml.tui.run.reader import Look
from decentralml.tui.screens.base import MarketScreen, Thing
from decentralml.tui.screens.dialog import Ask
from decentralml.tui.task import facts as task_facts

_TITLE = 32  # of a question, beside the number
_OF_A_RUN = frozenset(
    {"open", "mark", "copy", "deliver", "pause", "stop", "retry", "zoom", "log_scale", "smooth", "overlay"}
    | {"next_panel", "previous_panel", "closer", "wider", "all_epochs", "earlier", "later"}
)


class RunActions(MarketScreen):
    """Acts on `run`, of which the screen has `seen` what is on disk. Nothing but a delivery is signed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = Look()

    @property
    def run(self) -> Run | None:
        """The run that is looked at."""
        raise NotImplementedError

    async def look(self) -> None:
        """Read what is new on disk and draw it."""
        raise NotImplementedError

    @property
    def thing(self) -> Thing | None:
        return Thing("run", self.run.id) if self.run else None

    def why_not(self, action: str) -> DecentralMLError | None:
        refused = run_words.why_not(action, self.run) if action in _OF_A_RUN else None
        return refused or super().why_not(action)

    def _able(self, action: str) -> Run:
        """The run, where ``action`` can be done with it. Raises the reason where it cannot."""
        if (refusal := self.why_not(action)) is not None:
            raise refusal
        run = self.run
        assert run is not None, "without a run there is a reason"
        return run

    def action_train(self) -> None:
        self.work(self._train())

    async def _train(self) -> None:
        from decentralml.tui.screens.train import start

        await start(self, self._task_of(self.run))
        await self.look()

    def _task_of(self, run: Run | None) -> int | None:
        """Which task of this chain the run trained."""
        return run.spec.task_id if run is not None and run.spec.on(self.session.chain.genesis) else None

    def action_pause(self) -> None:
        self.work(self._pause())

    async def _pause(self) -> None:
        run = self._able("pause")
        goes_on = run.state == "paused" or self.seen.told == "pause"
        runs = self.session.runs
        await self.call(runs.resume if goes_on else runs.pause, run.id)
        self.app.say(f"Run {run.id} {'goes on' if goes_on else 'pauses at its next batch end'}.")
        await self.look()

    def action_stop(self) -> None:
        self.work(self._stop())

    async def _stop(self) -> None:
        run = self._able("stop")
        text = (
            f"Run {run.id}, {short(run.spec.title, _TITLE) or run.spec.script}\n\n"
            "It ends at its next batch end. What it has learned by then is saved as a result, which can be "
            f"delivered. {keys.said('{retry} lets it go on later, after its last whole epoch.')}"
        )
        if run.state == "queued":
            text = f"Run {run.id} waits and has trained nothing yet. It is taken out of the queue."
        if await self.app.push_screen_wait(Ask(f"Stop run {run.id}", text, yes="Stop it")):
            await self.call(self.session.runs.stop, run.id)
            self.app.say(f"Run {run.id} is told to stop.")
        await self.look()

    def action_retry(self) -> None:
        self.work(self._retry())

    async def _retry(self) -> None:
        from decentralml.tui.screens.train import start

        run = self._able("retry")
        task_id = self._task_of(run)
        if task_id is not None and run_words.wants_data(run):
            await start(self, task_id, run.spec)
            await self.look()
            return
        await self.call(self.session.runs.resume, run.id)
        exact = "; that is not exact to the bit" if run.last.checkpoint else ""
        self.app.say(f"Run {run.id} {run_words.goes_on(run)}{exact}.")
        await self.look()

    def action_deliver(self) -> None:
        self.work(self._deliver())

    async def _deliver(self) -> None:
        run = self._able("deliver")
        submission = await self.call(self._submission, run)
        refusal = await self.call(self.session.may, "send_task_result", submission_id=submission.id)
        if refusal is not None:
            raise refusal
        from decentralml.tui.screens.send import SendResult

        await self.app.push_screen_wait(SendResult(submission.id, run.id))

    def _submission(self, run: Run) -> Submission:
        """Whose result the run is: the slot for which it was trained, or the one held since. Blocks."""
        session, task_id = self.session, run.spec.task_id
        assert task_id is not None, "a run of no task is not delivered"
        work.require_run_of(run, task_id, session.chain.genesis)
        if (mine := task_facts.my_submission(session, task_id)) is None:
            raise task_facts.not_taken(session.chain.task(task_id))
        return mine

    def commands(self) -> Iterable[tuple[str, str, Callable[[], Any]]]:
        ended = [self.run.id] if self.run is not None and self.run.ended else []
        for id in [] if self.app.readonly else [*ended, *self.seen.unread]:
            yield f"remove run {id}", "delete it with checkpoint and result", partial(self._remove, id)

    def _remove(self, id: int) -> None:
        self.work(self._removed(id))

    async def _removed(self, id: int) -> None:
        folder = await self.call(self.session.runs.folder, id)
        text = f"{folder}\n\nIts checkpoint, its log and its result are deleted."
        if await self.app.push_screen_wait(Ask(f"Remove run {id}", Text(text), yes="Remove", danger=True)):
            await self.call(self.session.runs.remove, id)
            await self.look()
