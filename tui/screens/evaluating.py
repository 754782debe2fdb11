"""The Validate screen's way to evaluate: asked once a task by what, then in the background."""

from collections.abc import Iterable
from functools import partial

from textual.widgets import Static

from decentralml.core.domain import Submission, Task, TaskType, ValidationStrategy
from decentralml.core.errors import DecentralMLError, Refused
from decentralml.core.validation import STEPS
from decentralml.tui import keys
from decentralml.tui.judging.desk import Entry, Look
from decentralml.tui.judging.setups import Setups
from decentralml.tui.judging.work import Job, Setup, Stage
from decentralml.tui.screens.held_out import HeldOut
from decentralml.tui.screens.panes import PaneScreen
from decentralml.tui.words import transfer


class Evaluating(PaneScreen):
    """Puts results into the app's queue of evaluations and shows how they come on. Signs nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[int, Entry] = {}
        self.look: Look | None = None
        self._setups: dict[int, Setup] = {}
        self._unusable: Job | None = None

    async def read(self) -> None:
        """Read list and result again."""
        raise NotImplementedError

    @property
    def entry(self) -> Entry | None:
        """The result under the cursor. What there is to see of it, `look`, may still be on its way."""
        row = self.table.row
        return None if row is None else self.entries.get(row.key)

    def show_progress(self) -> None:
        working, waiting = self.app.judging.busy()
        line = self.query_one("#progress", Static)
        line.display = bool(working or waiting)
        job = self.app.judging.current()
        if not line.display or job is None:
            return
        said = f"evaluating #{job.submission_id}: {job.doing}"
        if job.step in STEPS:
            said += f" ({STEPS.index(job.step) + 1} of {len(STEPS)})"
        if job.progress is not None:
            said += f"  {transfer(job.progress)}"
        if waiting:
            said += f"  {waiting} wait behind it"
        aside = "   nothing is signed by this; go on reading"
        room = self.query_one("#judged").content_size.width
        self.set_part("#progress", said + aside if len(said + aside) <= room else said)

    # Evaluating

    def why_not(self, action: str) -> DecentralMLError | None:
        if action in ("evaluate", "held_out") and self.entry is None:
            return Refused(
                "NothingDelivered",
                "There is no result under the cursor.",
                keys.said("{down} and {up} choose one."),
            )
        if action == "evaluate_all" and not self._wanted:
            return Refused(
                "AllEvaluated",
                "No result waits to be evaluated.",
                keys.said("{evaluate} measures the one under the cursor again."),
            )
        return super().why_not(action)

    @property
    def _wanted(self) -> list[tuple[Task, Submission]]:
        """What is marked; where nothing is, all that is not evaluated."""
        marked = self.table.marked
        return [
            (entry.task, entry.submission)
            for entry in self.entries.values()
            if (entry.submission.id in marked if marked else entry.report is None)
        ]

    def action_evaluate(self) -> None:
        if self.entry is not None:
            self.work(self._evaluate([(self.entry.task, self.entry.submission)]))

    def action_evaluate_all(self) -> None:
        self.work(self._evaluate(self._wanted))

    def action_held_out(self) -> None:
        if self.entry is not None:
            self.work(self.ask_setup([self.entry.task], again=True))

    async def _evaluate(self, wanted: list[tuple[Task, Submission]]) -> None:
        """Ask once by what to measure those of which it is not known, then put all into the queue."""
        await self.ask_setup({task.id: task for task, _ in wanted}.values())
        for task, submission in wanted:
            setup = self._known(task)
            if setup is not None:
                self.app.judging.evaluate(submission.id, setup)
        self.table.marked.clear()
        await self.read()

    def _known(self, task: Task) -> Setup | None:
        """By what a task is measured in this session; answers need nothing."""
        return Setup() if task.terms.task_type is TaskType.DataAnnotators else self._setups.get(task.id)

    async def ask_setup(self, tasks: Iterable[Task], *, again: bool = False) -> None:
        """By what tasks are measured: as remembered, or as the person says now, of all of them together."""
        unknown = [task for task in tasks if again or self._known(task) is None]
        no_sandbox = await self.call(_no_sandbox) if unknown else ""
        kept = Setups(self.app)
        before = {task.id: kept.of(task.id) for task in unknown}
        asked = [task for task in unknown if again or no_sandbox or before[task.id] is None]
        for task in unknown:
            if task not in asked and (setup := before[task.id]) is not None:
                self._setups[task.id] = setup
        if not asked:
            return
        numbers = [str(task.id) for task in asked]
        named = f"tasks {', '.join(numbers[:-1])} and {numbers[-1]}" if numbers[1:] else f"task {numbers[0]}"
        default, bad = before[asked[0].id], self._unusable
        why = ""
        if default is None and bad is not None and bad.error is not None:
            default, why = bad.setup, f"Result {bad.submission_id} was not measured: {bad.error.message}"
        answer = await self.app.push_screen_wait(
            HeldOut(
                f"{'Held-out data of' if again else 'Evaluate results of'} {named}",
                default or kept.last() or Setup(),
                problem=why,
                policy_needed=any(
                    task.terms.validation_strategy is ValidationStrategy.CustomAccept for task in asked
                ),
                no_sandbox=no_sandbox,
                yes="Keep" if again else "Evaluate",
            )
        )
        if answer is None:
            return
        self._unusable = None
        self._setups |= dict.fromkeys((task.id for task in asked), answer)
        kept.remember((task.id for task in asked), answer)
        if again and answer.data is not None:
            by = (
                answer.data.name
                if answer.policy is None
                else f"{answer.data.name}, with {answer.policy.name},"
            )
            text = "{by} measures results of {tasks} from now on: {evaluate} does it."
            self.app.say(keys.said(text, by=by, tasks=named))

    def _forget_setup(self, job: Job) -> None:
        """A setup that turned out to be of no use is asked for again, with the reason."""
        self._unusable = job
        self._setups = {task_id: setup for task_id, setup in self._setups.items() if setup != job.setup}
        Setups(self.app).forget(job.setup)

    def job_moved(self, job: Job) -> None:
        """An evaluation went on: its line is shown, and what it found."""
        doing = f"evaluating result {job.submission_id}"
        if job.stage is Stage.done:
            self.app.failures.settled(doing)
        elif job.stage is Stage.failed and job.error is not None:
            if job.bad_setup:
                self._forget_setup(job)
            again = partial(self.app.judging.evaluate, job.submission_id, job.setup)
            self.app.show_error(job.error, doing, again)
        if not self.is_current and self not in self.app.screen_stack:
            return
        self.show_progress()
        if job.progress is None:
            self.work(self.read())


def _no_sandbox() -> str:
    """Why strangers' models cannot be loaded safely here; "" where they can."""
    from decentralml.core import sandbox

    try:
        sandbox.require()
    except DecentralMLError as error:
        return error.message
    return ""
