"""One task: its terms and money, who is to act, its files, its submissions, its history."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Grid, Horizontal, Vertical
from textual.widgets import Static

from decentralml.core.chain.base import Event
from decentralml.core.errors import DecentralMLError, Refused
from decentralml.core.text import clean
from decentralml.tui import keys
from decentralml.tui.hints import explain, read_only
from decentralml.tui.pulse import Pulse
from decentralml.tui.screens.base import Thing
from decentralml.tui.screens.task_actions import TaskActions
from decentralml.tui.task import facts as task_facts
from decentralml.tui.task import words as task_words
from decentralml.tui.task.facts import Facts
from decentralml.tui.widgets import clicked
from decentralml.tui.widgets.bar import Bar
from decentralml.tui.widgets.files_panel import FilesPanel
from decentralml.tui.widgets.paged_table import Column, PagedTable, Row
from decentralml.tui.widgets.prose import Block, Field, Prose, Span
from decentralml.tui.widgets.reading import Reading

_NAMED = {"overview": "terms", "assets": "files", "submissions": "submissions", "history": "history"}
PANELS = tuple(_NAMED)

SUBMISSIONS = (
    Column("id", "#", 4, right=True, priority=100),
    Column("worker", "WORKER", 10, flexible=True, priority=95),
    Column("status", "STATUS", 11, priority=90),
    Column("figure", "FIGURE", 12, right=True, priority=70),
    Column("paid", "PAID", 6, right=True, priority=60),
    Column("due", "DUE", 8, right=True, priority=75),
    Column("record", "RECORD", 30, priority=65, narrow=13),
)
HISTORY = (
    Column("block", "BLOCK", 9, right=True, priority=80),
    Column("ago", "AGO", 5, right=True, priority=50),
    Column("what", "WHAT", 20, flexible=True, priority=100),
)


class TaskDetail(TaskActions):
    """The cursor begins on ``submission_id``, where one is given.

    The panels lie beside each other where there is room; else one is shown, and ``]`` goes to the next.
    """

    SCOPE = "task"
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (72, "-one"), (120, "-two"), (160, "-three")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]  # noqa: RUF012

    def __init__(self, task_id: int, submission_id: int | None = None) -> None:
        super().__init__(task_id)
        self.panel = "overview"
        self._wished = submission_id

    @property
    def place(self) -> list[Any]:
        return ["task", self.task_id]

    @property
    def thing(self) -> Thing:
        here = self.submission_id
        return Thing("task", self.task_id) if here is None else Thing("submission", here)

    def select(self, submission_id: int) -> None:
        """Put the cursor on one of its submissions."""
        self._wished = submission_id
        self.show_panel("submissions")
        self.work(self.refresh_data(), group="refresh")

    def body(self) -> ComposeResult:
        with Vertical(id="head"):
            yield Prose(id="question")
            yield Prose(id="headline")
            with Horizontal(id="escrow"):
                yield Static("escrow", id="escrow-label")
                yield Bar(id="escrow-bar")
                yield Prose(id="escrow-words", wrap=False)
            yield Prose(id="waits", wrap=False)
            yield Prose(id="can")
        yield Prose(id="panel-tabs", wrap=False)
        with Grid(id="panels"):
            with Vertical(id="overview", classes="panel"):
                yield Static("TERMS", classes="title")
                with Reading(id="overview-text"):
                    yield Prose(id="terms")
            with Vertical(id="submissions", classes="panel"):
                yield Static("SUBMISSIONS", classes="title")
                yield PagedTable(
                    SUBMISSIONS,
                    self._submission_rows,
                    empty="Nobody has taken it yet.",
                    id="submission-table",
                )
            yield FilesPanel(id="assets", classes="panel")
            with Vertical(id="history", classes="panel"):
                yield Static("HISTORY", classes="title")
                yield PagedTable(HISTORY, self._history_rows, empty="No events.", id="history-table")

    def on_mount(self) -> None:
        self.show_panel("submissions" if self._wished is not None else self.kept("panel", "overview"))

    # Reading

    async def refresh_data(self) -> None:
        before = self.facts
        self.facts = facts = await self.call(task_facts.read, self.session, self.task_id, before)
        await self.files.show(facts)
        self._show(facts)
        for table in (self.submissions, self.query_one("#history-table", PagedTable)):
            await table.reload()
        if self._wished is not None and self.submissions.loaded:
            places = [submission.id for submission in facts.submissions]
            self.submissions.move_to(places.index(self._wished) if self._wished in places else 0)
            self._wished = None

    def moved(self, pulse: Pulse, *, events: bool) -> None:
        super().moved(pulse, events=events)
        facts = self.facts
        if events or facts is None:
            return
        if facts.next_change is not None and pulse.head.block > facts.next_change:
            self.work(self.refresh_data(), group="refresh")
        else:
            self._show(facts)

    @property
    def _now(self) -> int:
        """The chain's block, as the top line has it."""
        seen = self.app.pulse.head.block if self.app.pulse else 0
        return max(seen, self.facts.block if self.facts else 0)

    async def _submission_rows(self, offset: int, limit: int) -> tuple[Sequence[Row], int]:
        facts = self.facts
        if facts is None:
            return [], 0
        shown = facts.submissions[offset : offset + limit]
        return [self._submission_row(s, facts) for s in shown], len(facts.submissions)

    def _submission_row(self, submission: Any, facts: Facts) -> Row:
        words, tone = task_words.standing(submission, facts, self._now)
        mine = submission.worker == facts.me
        record = facts.workers[submission.worker].worker
        return Row(
            submission.id,
            {
                "id": str(submission.id),
                "worker": (task_words.person(facts, submission.worker), "accent" if mine else ""),
                "status": (words, tone),
                "figure": task_words.figure(submission, facts),
                "paid": (task_words.paid(submission, facts), "good"),
                "due": task_words.due(submission, facts, self._now),
                "record": (task_words.worker_record(record, short=True), "dim"),
                "record.narrow": (task_words.tally(record), "dim"),
            },
        )

    async def _history_rows(self, offset: int, limit: int) -> tuple[Sequence[Row], int]:
        facts = self.facts
        if facts is None:
            return [], 0
        newest = facts.events[::-1][offset : offset + limit]
        rows = [Row(e.cursor, dict(task_words.event_row(e, facts, self._now))) for e in newest]
        return rows, len(facts.events)

    # Showing

    def _show(self, facts: Facts) -> None:
        now, task = self._now, facts.task
        self._prose("question", [((f"{task.id}  ", "dim"), (clean(task.terms.question), "title"))])
        self._prose("headline", [task_words.headline(facts, now)])
        pays = task.terms.pays_amount
        parts = [
            (task.accepted * pays, "good"),
            (task.live * pays, "accent"),
            (task.free_slots * pays, "dim"),
        ]
        self.query_one(Bar).show(parts)
        self._prose("escrow-words", [task_words.escrow(facts.task, facts.submissions)])
        waits = task_words.waiting_for(facts, now)
        first = waits[0] if waits else ((("nobody has anything to do here",)), False)
        more = f"   +{len(waits) - 1} more" if len(waits) > 1 else ""
        label = ("next  ", "dim")
        self._prose("waits", [(label, (_text(first[0]), "accent" if first[1] else ""), (more, "dim"))])
        self._prose("can", [self._can(facts)])
        self._prose("terms", self._overview(facts, now, waits))
        self._titles(facts)

    def _prose(self, id: str, blocks: Sequence[Block]) -> None:
        self.query_one(f"#{id}", Prose).show(blocks)

    def _can(self, facts: Facts) -> tuple[Span, ...]:
        """What can be done now, by key."""
        spans: list[Span] = [("now   ", "dim")]
        for action, refusal in task_words.acts(facts):
            if refusal is None and self.check_action(action, ()) and not self._forbidden(action):
                key = keys.row(action)
                spans += [(key.shown, "accent"), f" {key.label}  "]
        return tuple(spans)

    def _forbidden(self, action: str) -> bool:
        return self.app.readonly and keys.writes(action)

    def _overview(self, facts: Facts, now: int, waits: list[tuple[Any, bool]]) -> list[Block]:
        blocks: list[Block] = [task_words.terms(facts, now), ("",)]
        blocks.append((("WHO IS TO ACT", "dim"),))
        blocks += [((_text(line), "accent" if mine else ""),) for line, mine in waits[:20]]
        if len(waits) > 20:
            more = keys.said("more: {next_panel} shows the submissions")
            blocks.append(((f"and {len(waits) - 20:,} {more}", "dim"),))
        if not waits:
            blocks.append(("nobody",))
        blocks += [("",), (("WHAT YOU MAY DO", "dim"),)]
        may: list[Field] = []
        refused: list[Field] = []
        for action, refusal in task_words.acts(facts):
            key = keys.row(action)
            shown = f"{key.shown:>2}  {key.label}"
            if refusal is None and self._forbidden(action):
                refusal = explain(read_only())
            tone = "accent" if refusal is None else "dim"
            field: Field = ((shown, tone), ((refusal or key.about, "dim" if refusal else ""),))
            (refused if refusal else may).append(field)
        return [*blocks, [*may, *refused]]

    def _titles(self, facts: Facts) -> None:
        titles = {
            "overview": "TERMS",
            "assets": self.files.title,
            "submissions": f"SUBMISSIONS  {len(facts.submissions):,}",
            "history": f"HISTORY  {len(facts.events):,}",
        }
        spans: list[Span] = []
        for name in PANELS:
            title = self.query_one(f"#{name} .title", Static)
            if str(title.content) != titles[name]:
                title.update(titles[name])
            word = _NAMED[name]
            count = {"submissions": len(facts.submissions)}.get(name)
            spans += [(f"{word} {count}" if count else word, "title" if name == self.panel else "dim"), "   "]
        note = titles["assets"].partition("  ")[2] if self.panel == "assets" else ""
        self._prose("panel-tabs", [(*spans, (note, "dim"))])

    # Panels

    def show_panel(self, name: str) -> None:
        """Show a panel of `PANELS`, and let the moving keys move in it."""
        self.panel = name if name in PANELS else "overview"
        for each in PANELS:
            self.query_one(f"#{each}").set_class(each == self.panel, "current")
        self.mover.focus()
        if self.facts is not None:
            self._titles(self.facts)
        self.keep("panel", self.panel)

    def on_click(self, event: events.Click) -> None:
        for name in PANELS:
            if clicked.name(event, "panel-tabs", [_NAMED[name]]):
                self.show_panel(name)

    @property
    def files(self) -> FilesPanel:
        """The panel of the task's files."""
        return self.query_one(FilesPanel)

    @property
    def submissions(self) -> PagedTable:
        """The list of submissions."""
        return self.query_one("#submission-table", PagedTable)

    @property
    def table(self) -> PagedTable:
        if self.panel == "assets":
            return self.files.table
        return self.query_one("#history-table", PagedTable) if self.panel == "history" else self.submissions

    @property
    def mover(self) -> PagedTable | Reading:
        return self.query_one(Reading) if self.panel == "overview" else self.table

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        for name in PANELS:
            if name != self.panel and self.query_one(f"#{name}") in event.widget.ancestors:
                self.show_panel(name)

    def action_next_panel(self) -> None:
        self.show_panel(PANELS[(PANELS.index(self.panel) + 1) % len(PANELS)])

    def action_previous_panel(self) -> None:
        self.show_panel(PANELS[PANELS.index(self.panel) - 1])

    def action_right(self) -> None:
        if self.panel != "assets" or not self.files.fold(shut=False):
            self.action_next_panel()

    def action_left(self) -> None:
        if self.panel != "assets" or not self.files.fold(shut=True):
            self.action_previous_panel()

    # Opening

    @property
    def _event(self) -> Event | None:
        """The event under the cursor of the history."""
        row = self.table.row if self.panel == "history" else None
        events = self.facts.events if self.facts else ()
        return next((event for event in events if row is not None and event.cursor == row.key), None)

    @property
    def submission_id(self) -> int | None:
        if self.panel == "submissions":
            return self.table.row.key if self.table.row else None
        return self._event.submission_id if self._event else None

    def action_open(self) -> None:
        if self.panel == "assets":
            self.work(self.files.open(), group="fetch")
        elif (submission_id := self.submission_id) is not None:
            self.work(self._open_submission(submission_id))

    @on(PagedTable.Opened)
    def opened(self) -> None:
        self.action_open()

    @on(FilesPanel.Fetched)
    def fetched(self) -> None:
        self.work(self.refresh_data(), group="refresh")

    async def _open_submission(self, submission_id: int) -> None:
        from decentralml.tui.screens.submission import SubmissionDetails

        facts = self.facts
        submission = facts.submission(submission_id) if facts else None
        if facts is None or submission is None:
            return
        answer = await self.app.push_screen_wait(SubmissionDetails(submission, facts, self._now))
        if answer == "judge":
            self.app.show("validate", submission_id)
        elif answer == "report":
            self.app.places.lead(("report", submission_id))
        elif answer == "related":
            self.action_related()

    def why_not(self, action: str) -> DecentralMLError | None:
        here = self.files.node if self.panel == "assets" else self.submission_id
        if action == "open" and here is None:
            return Refused(
                "NothingHere",
                "There is nothing to open here.",
                keys.said("{next_panel} goes to files and submissions."),
            )
        return super().why_not(action)

    # Copying

    def action_copy(self) -> None:
        """Copy what the cursor is on: a file's name, a worker's address, an event; else the reference."""
        facts, row = self.facts, self.table.row
        if facts is None:
            return
        assets = facts.task.terms.assets
        text = assets[1] if assets else str(facts.task.id)
        submission = None if self.submission_id is None else facts.submission(self.submission_id)
        if self.panel == "history" and row is not None:
            text = row.plain
        elif submission is not None:
            text = submission.worker
        elif self.panel == "assets" and self.files.node is not None:
            text = self.files.node.name
        self.app.copy(text)

    def commands(self) -> Iterable[tuple[str, str, Callable[[], Any]]]:
        facts = self.facts
        if facts is None:
            return
        creator, assets = facts.task.creator, facts.task.terms.assets
        yield "copy creator", "the creator's address", lambda: self.app.copy(creator)
        yield "copy task id", "the task's number", lambda: self.app.copy(str(self.task_id))
        if assets is not None:
            yield "copy reference", "of the task's files", lambda: self.app.copy(assets[1])
            yield (
                "fetch files",
                "bring the task's files here, verified",
                lambda: self.work(self.files.fetch()),
            )


def _text(line: tuple[Span, ...]) -> str:
    return "".join(span if isinstance(span, str) else span[0] for span in line)
