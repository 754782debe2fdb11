"""Accepted results become the next model: chosen, passed through the gate, averaged, and measured."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from decentralml.core import federation, federation_history
from decentralml.core.chain.base import SubmissionQuery
from decentralml.core.domain import MAX_U32, ResultSubmissionStatus, Submission, Task, TaskType
from decentralml.core.errors import DecentralMLError, Refused
from decentralml.core.federation import Federation
from decentralml.core.federation_history import Past
from decentralml.core.text import clean, short
from decentralml.core.words import count
from decentralml.tui import keys
from decentralml.tui.hints import explain
from decentralml.tui.judging import federation as federate_view
from decentralml.tui.judging.canvas import Canvas, change, number
from decentralml.tui.judging.desk import Desk
from decentralml.tui.screens.base import Command, Thing
from decentralml.tui.screens.dialog import Ask
from decentralml.tui.screens.federating import Federating, named
from decentralml.tui.screens.filtered import Filtered
from decentralml.tui.widgets.filter import Filter
from decentralml.tui.widgets.paged_table import Column, PagedTable, Row
from decentralml.tui.widgets.pane import Pane
from decentralml.tui.words import person

_EMPTY = "No result was accepted yet. {validate} is where that happens."
_HIDDEN = "No result fits this filter: {filter} changes it."
_NEXT = 3  # models from which a new task can begin: the newest
PANELS = ("gate", "outcome", "earlier")
_COLUMNS = (
    Column("id", "#", 5, right=True, priority=100),
    Column("task", "TASK", 12, flexible=True, priority=60),
    Column("worker", "WORKER", 12, priority=70),
    Column("figure", "FIGURE", 7, right=True, priority=40),
    Column("gain", "+/-", 7, right=True, priority=80),
    Column("gate", "GATE", 7, priority=90),
)


class Federate(Filtered, Federating):
    """The accepted results of my tasks; those that are marked, or else all of the task under the cursor."""

    SCOPE = "federate"
    PANELS = PANELS

    def __init__(self) -> None:
        super().__init__()
        self._desk: Desk | None = None
        self._wished = 0
        self._accepted: list[tuple[Submission, Task]] = []
        self._names: dict[str, str] = {}
        self._fitting: list[tuple[Submission, Task]] = []
        self._answers = 0
        self._chosen: tuple[int, ...] = ()
        self._gathered_of: tuple[int, ...] = ()
        self._gathering = False

    def body(self) -> ComposeResult:
        yield Static("", id="shown")
        yield Filter("words of a question, a worker, a task's id…")
        with Horizontal(id="desk"):
            yield PagedTable(
                _COLUMNS,
                self._fetch,
                id="accepted",
            )
            with Vertical(id="side"):
                yield Static("", id="panels")
                with Horizontal(id="panes"):
                    yield Pane(id="first")
                    yield Pane(id="second")
        yield Static("", id="progress")

    def on_mount(self) -> None:
        self.restore_panel()
        self._wished = self._wished or self.kept("row", 0)
        self.table.marked = {number for number in self.kept("marked", list[Any]()) if isinstance(number, int)}
        self.table.focus()

    @property
    def table(self) -> PagedTable:
        return self.query_one("#accepted", PagedTable)

    # Reading

    def select(self, submission_id: int) -> None:
        """Put the cursor on an accepted result as soon as the list is read."""
        self._wished = submission_id
        if self.is_mounted:
            self.filter.clear_all()
            self.work(self.refresh_data(), group="refresh")

    async def refresh_data(self) -> None:
        await self.table.reload()
        if self.table.loaded:  # not where a reading that began later comes first
            places = [submission.id for submission, _ in self._fitting]
            if self._wished in places:
                self.table.move_to(places.index(self._wished))
            self._wished = 0
        self._past = await self.call(federation_history.past, self.session.home)
        await self._choose()
        self._show()

    async def _fetch(self, offset: int, limit: int) -> tuple[list[Row], int]:
        if self.app.session is None:
            return [], 0
        rows = await self.call(self._read, offset, limit)
        self.table.empty = keys.said(_HIDDEN if self._accepted else _EMPTY)
        return rows, len(self._fitting)

    def _read(self, offset: int, limit: int) -> list[Row]:
        """Accepted results by task, and one page of them as rows. Blocks."""
        session = self.session
        if self._desk is None or self._desk.session is not session:
            self._desk = Desk(session)
        query = SubmissionQuery(
            creator=session.address, statuses=(ResultSubmissionStatus.Accepted,), limit=MAX_U32
        )
        found = session.chain.submissions(query).items if session.address else ()
        tasks = {number: session.chain.task(number) for number in {s.task_id for s in found}}
        models = [s for s in found if tasks[s.task_id].terms.task_type is not TaskType.DataAnnotators]
        self._answers = len(found) - len(models)
        models.sort(key=lambda submission: (submission.task_id, submission.id))
        self._accepted = [(submission, tasks[submission.task_id]) for submission in models]
        before = None
        rows = []
        self._names = self.session.names()
        self._called = federate_view.called((submission for submission, _ in self._accepted), self._names)
        self._fitting = [pair for pair in self._accepted if self._fits(*pair)]
        for submission, task in self._fitting[offset : offset + limit]:
            rows.append(self._row(self._desk, submission, task, first=task.id != before))
            before = task.id
        return rows

    def _fits(self, submission: Submission, task: Task) -> bool:
        name = self._names.get(submission.worker, "")
        said = (str(submission.id), str(task.id), task.terms.question, submission.worker, name)
        return self.filter.fits(*said)

    def _row(self, desk: Desk, submission: Submission, task: Task, *, first: bool) -> Row:
        report = desk.report(submission)
        figures = report.candidate if report else None
        main = figures.main if figures else ""
        gain = report.differences.get(main) if report and main else None
        place = federate_view.places(self._gathered).get(submission.id) if self._gathered else None
        refused = self._gathered is not None and submission.id in self._gathered_of and place is None
        return Row(
            submission.id,
            {
                "id": str(submission.id),
                "task": f"{task.id}  {clean(task.terms.question)}" if first else "",
                "worker": person(submission.worker, self._names, width=12),
                "figure": number(figures.values[main]) if figures and main else "",
                "gain": change(main, gain) if gain is not None else "",
                "gate": ("refused", "bad") if refused else place or "",
            },
        )

    @property
    def thing(self) -> Thing | None:
        return Thing("submission", self.table.row.key) if self.table.row else None

    async def related(self) -> list[Command]:
        """Besides what belongs to the result: the next task, for each of the newest federated models."""
        ways = await super().related()
        models = () if self.app.readonly else [past for past in self._past if past.provenance is not None]
        for past in models[:_NEXT]:
            ways.append(("new task", f"from {short(past.folder.name, 40)}", partial(self._next_task, past)))
        return ways

    def _next_task(self, past: Past) -> None:
        self.work(self._draft_next(past))

    async def _draft_next(self, past: Past) -> None:
        """Fill the form of a new task in: as the task of what went in, with the model as its base."""
        from decentralml.core import next_round
        from decentralml.tui.screens.create import CreateTask
        from decentralml.tui.task import draft

        assert past.provenance is not None, "without it no way leads here"
        digests = {entry.result_digest for entry in past.provenance.inputs}
        task = next((task for result, task in self._accepted if result.digest in digests), None)
        if task is None:
            raise Refused(
                "NoTask", f"{past.folder.name} was made of results of other accounts or chains.", ""
            )
        text = "The draft of a new task that you began is replaced."
        if not draft.kept(self.app.state).empty and not (
            await self.app.push_screen_wait(Ask("New task", text, yes="Replace it"))
        ):
            return
        files = await self.call(self.session.market.fetch_assets, task)
        folder = await self.call(next_round.prepare, self.session.home, files, past.folder)
        draft.keep(draft.like(task.terms, str(folder)), self.app.state)
        self.app.push_screen(CreateTask())

    # Choosing

    def _choice(self) -> tuple[int, ...]:
        """The marked results; where none is, all of the task under the cursor."""
        known = [submission.id for submission, _ in self._accepted]
        marked = [number for number in known if number in self.table.marked]
        if marked or self.table.row is None:
            return tuple(marked)
        here = self._task_here
        return tuple(submission.id for submission, task in self._accepted if task.id == here)

    @property
    def _task_here(self) -> int | None:
        """The task of the result under the cursor."""
        row = self.table.row
        return next((t.id for s, t in self._accepted if row is not None and s.id == row.key), None)

    @property
    def _made_here(self) -> Federation | None:
        """The model that was written in this session, where something of what is chosen has part in it."""
        made, chosen = self._made, self._choice()
        parts = {entry.submission_id for entry in made.gathered.ingredients} if made is not None else set()
        return made if not chosen or parts.intersection(chosen) else None

    async def _choose(self) -> None:
        """Bring the gate's word up to what is chosen now, however often that changes meanwhile."""
        if self._gathering:
            return
        self._gathering = True
        try:
            while (chosen := self._choice()) != self._gathered_of:
                self._chosen, self._gathered, self._problem = chosen, None, None
                if chosen:
                    await self._gather(chosen)
                self._gathered_of = chosen
                await self.table.reload()
        finally:
            self._gathering = False
        self._show()

    async def _gather(self, chosen: tuple[int, ...]) -> None:
        self._begin("fetching and inspecting results")
        try:
            with self.app.failures.during(f"passing {named(chosen)} through the gate", self._gather_again):
                self._gathered = await self.call(
                    lambda: federation.gather(self.session.market, chosen, on_progress=self._fetching)
                )
        except DecentralMLError as error:
            self._problem = error
            self.app.note(error)
        finally:
            self._end()

    def _gather_again(self) -> None:
        self.app.switch_to(self.SCOPE)
        self._gathered_of = ()
        self.work(self._choose())

    @on(PagedTable.Moved, "#accepted")
    def row_moved(self) -> None:
        if self.table.row is not None:
            self.keep("row", self.table.row.key, now=False)
        if self._choice() != self._gathered_of:
            self.work(self._choose())
        else:
            self._show()

    def action_report(self) -> None:
        from decentralml.tui.screens.report import ReportScreen

        assert self.table.row is not None, "without a row there is a reason"
        self.app.push_screen(ReportScreen(self.table.row.key))

    def action_mark(self) -> None:
        self.table.toggle_mark()
        self.keep("marked", sorted(self.table.marked))
        self.table.move(1)
        self.work(self._choose())

    # Showing

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        if self.app.session is None:
            return
        marked = bool(self.table.marked & {submission.id for submission, _ in self._accepted})
        which = "marked" if marked else "of the task under the cursor"
        answers = f"   left out: {count(self._answers, 'accepted answer')}" if self._answers else ""
        self.set_part(
            "#shown",
            f"{len(self._accepted):,} accepted   {len(self._chosen)} {which}{answers}"
            if self._accepted
            else "",
        )
        self.show_panels()

    def draw(self, panel: str, pane: Pane) -> Text:
        canvas, called = Canvas(pane.text_width, pane.text_height, pane.tone, pane.shade), self._called
        made = self._made_here
        if panel == "earlier":
            now = made.folder if made is not None else None
            return federate_view.earlier([past for past in self._past if past.folder != now], canvas, called)
        if panel == "outcome":
            if made is not None:
                return federate_view.made(made, canvas, called, measuring=self._measuring)
            of = " of these results" if self._made is not None else ""
            words = keys.said("Nothing{of} was written in this session. {write} writes what goes in.", of=of)
            return Text(words, pane.tone("dim"))
        if self._problem is not None:
            return Text(clean(explain(self._problem)), pane.tone("bad"))
        if self._gathered is None:
            ways = keys.said("{mark} marks results; {write} writes a model.")
            words = "The gate looks at them…" if self._chosen else ways
            return Text(words, pane.tone("dim"))
        return federate_view.gate(self._gathered, canvas, called)

    def commands(self) -> Iterable[tuple[str, str, Callable[[], Any]]]:
        if self._doing:
            yield "stop federating", self._doing, self._stop.set
        for entry in self._past[:10]:
            yield f"verify {entry.folder.name}", "that it is what its provenance says", self._verify(entry)

    def _verify(self, entry: Past) -> Callable[[], None]:
        return lambda: self.work(self._verified(entry))

    async def _verified(self, entry: Past) -> None:
        from decentralml.core.models import aggregate

        await self.call(aggregate.verify, entry.folder)
        self.app.say(f"{entry.folder.name} is the model that its provenance names.")
