"""One task: its terms and money, who is to act, its files, its submissions, its history."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Grid, Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from decentralml.core.domain import manifest_digest
from decentralml.core.errors import Refused
from decentralml.core.text import clean
from decentralml.tui import keys
from decentralml.tui.pulse import Pulse
from decentralml.tui.screens.base import MarketScreen
from decentralml.tui.signing import proposals
from decentralml.tui.signing.proposal import Proposal, Transfer
from decentralml.tui.task import assets as asset_rows
from decentralml.tui.task import facts as task_facts
from decentralml.tui.task import verbs as task_verbs
from decentralml.tui.task import words as task_words
from decentralml.tui.task.facts import Facts
from decentralml.tui.widgets.bar import Bar
from decentralml.tui.widgets.paged_table import Column, PagedTable, Row
from decentralml.tui.widgets.prose import Block, Field, Prose, Span
from decentralml.tui.words import size, transfer

PANELS = ("overview", "assets", "submissions", "history")
_PROGRESS_SECONDS = 0.5

ASSETS = (
    Column("name", "FILE", 16, flexible=True, priority=100),
    Column("about", "", 16, priority=20),
    Column("size", "SIZE", 8, right=True, priority=80),
)
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
    Column("ago", "AGO", 9, right=True, priority=50),
    Column("what", "WHAT", 20, flexible=True, priority=100),
)


class TaskDetail(MarketScreen):
    """The panels lie beside each other where there is room; else one is shown, and ``]`` goes to the next."""

    SCOPE = "task"
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (72, "-one"), (120, "-two"), (160, "-three")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-high")]  # noqa: RUF012

    def __init__(self, task_id: int) -> None:
        super().__init__()
        self.task_id = task_id
        self.facts: Facts | None = None
        self.panel = "overview"
        self._tree: list[asset_rows.Node] = []
        self._folded: set[str] = set()
        self._verified = False

    @property
    def place(self) -> list[Any]:
        return ["task", self.task_id]

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
                with VerticalScroll(id="overview-text", can_focus=True):
                    yield Prose(id="terms")
            with Vertical(id="submissions", classes="panel"):
                yield Static("SUBMISSIONS", classes="title")
                yield PagedTable(
                    SUBMISSIONS,
                    self._submission_rows,
                    empty="Nobody has taken it yet.",
                    id="submission-table",
                )
            with Vertical(id="assets", classes="panel"):
                yield Static("FILES", classes="title")
                yield Static("", id="fetching")
                yield PagedTable(ASSETS, self._asset_rows, empty="No files.", id="asset-table")
            with Vertical(id="history", classes="panel"):
                yield Static("HISTORY", classes="title")
                yield PagedTable(HISTORY, self._history_rows, empty="No events.", id="history-table")

    def on_mount(self) -> None:
        self.query_one("#fetching").display = False
        self.show_panel(self.kept("panel", "overview"))

    # Reading

    async def refresh_data(self) -> None:
        before = self.facts
        self.facts = facts = await self.call(task_facts.read, self.session, self.task_id, before)
        if facts.manifest is not None and not self._tree:
            self._tree = asset_rows.nodes(facts.manifest)
            self._folded = asset_rows.closed_at_first(self._tree)
        self._show(facts)
        for name in ("asset", "submission", "history"):
            await self.query_one(f"#{name}-table", PagedTable).reload()

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

    async def _asset_rows(self, offset: int, limit: int) -> tuple[Sequence[Row], int]:
        rows = asset_rows.rows(self._tree, self._folded)
        return rows[offset : offset + limit], len(rows)

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
        self._prose("escrow-words", [task_words.escrow(facts)])
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
            if refusal is None and self.check_action(action, ()):
                key = keys.row(action)
                spans += [(key.shown(self.app.keymap), "accent"), f" {key.label}   "]
        if len(spans) == 1:
            spans.append(("nothing that signs; ", "dim"))
        return (*spans, ("? says why not the rest", "dim"))

    def _overview(self, facts: Facts, now: int, waits: list[tuple[Any, bool]]) -> list[Block]:
        blocks: list[Block] = [task_words.terms(facts, now), ("",)]
        blocks.append((("WHO IS TO ACT", "dim"),))
        blocks += [((_text(line), "accent" if mine else ""),) for line, mine in waits[:20]]
        if len(waits) > 20:
            blocks.append(((f"and {len(waits) - 20:,} more: ] shows the submissions", "dim"),))
        if not waits:
            blocks.append(("nobody",))
        blocks += [("",), (("WHAT YOU MAY DO", "dim"),)]
        fields: list[Field] = []
        for action, refusal in task_words.acts(facts):
            key = keys.row(action)
            shown = f"{key.shown(self.app.keymap):>2}  {key.label}"
            if refusal is None and not self.check_action(action, ()):
                refusal = "Nothing is signed with --readonly."
            tone = "accent" if refusal is None else "dim"
            fields.append(((shown, tone), ((refusal or key.about, "dim" if refusal else ""),)))
        return [*blocks, fields]

    def _titles(self, facts: Facts) -> None:
        files = "FILES"
        if facts.manifest is not None:
            where = (
                "verified" if self._verified else "on this machine" if facts.fetched else "enter fetches them"
            )
            files = f"FILES  {size(facts.manifest.size)}, {where}"
        elif facts.manifest_problem:
            files = f"FILES  {clean(facts.manifest_problem)}"
        titles = {
            "overview": "TERMS",
            "assets": files,
            "submissions": f"SUBMISSIONS  {len(facts.submissions):,}",
            "history": f"HISTORY  {len(facts.events):,}",
        }
        spans: list[Span] = []
        for name in PANELS:
            title = self.query_one(f"#{name} .title", Static)
            if str(title.content) != titles[name]:
                title.update(titles[name])
            word = titles[name].split("  ")[0].lower()
            count = {"submissions": len(facts.submissions)}.get(name)
            spans += [(f"{word} {count}" if count else word, "title" if name == self.panel else "dim"), "   "]
        note = files.partition("  ")[2] if self.panel == "assets" else ""
        self._prose("panel-tabs", [(*spans, (note, "dim"))])

    # Panels

    def show_panel(self, name: str) -> None:
        """Show a panel of `PANELS`, and let the moving keys move in it."""
        self.panel = name if name in PANELS else "overview"
        for each in PANELS:
            self.query_one(f"#{each}").set_class(each == self.panel, "current")
        self._mover.focus()
        if self.facts is not None:
            self._titles(self.facts)
        self.keep("panel", self.panel)

    @property
    def _mover(self) -> Widget:
        if self.panel == "overview":
            return self.query_one("#overview-text")
        return self.table

    @property
    def table(self) -> PagedTable:
        name = {"assets": "asset", "history": "history"}.get(self.panel, "submission")
        return self.query_one(f"#{name}-table", PagedTable)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        for name in PANELS:
            if name != self.panel and self.query_one(f"#{name}") in event.widget.ancestors:
                self.show_panel(name)

    def action_next_panel(self) -> None:
        self.show_panel(PANELS[(PANELS.index(self.panel) + 1) % len(PANELS)])

    def action_previous_panel(self) -> None:
        self.show_panel(PANELS[PANELS.index(self.panel) - 1])

    def action_right(self) -> None:
        node = self._node
        if self.panel == "assets" and node is not None and node.name in self._folded:
            self._folded.discard(node.name)
            self.work(self.table.reload())
        else:
            self.action_next_panel()

    def action_left(self) -> None:
        node = self._node
        if self.panel == "assets" and node is not None and node.folder and node.name not in self._folded:
            self._folded.add(node.name)
            self.work(self.table.reload())
        else:
            self.action_previous_panel()

    def action_down(self) -> None:
        self._scroll(1) if self.panel == "overview" else super().action_down()

    def action_up(self) -> None:
        self._scroll(-1) if self.panel == "overview" else super().action_up()

    def action_page_down(self) -> None:
        self._scroll(10) if self.panel == "overview" else super().action_page_down()

    def action_page_up(self) -> None:
        self._scroll(-10) if self.panel == "overview" else super().action_page_up()

    def action_top(self) -> None:
        self._scroll(-10_000) if self.panel == "overview" else super().action_top()

    def action_bottom(self) -> None:
        self._scroll(10_000) if self.panel == "overview" else super().action_bottom()

    def _scroll(self, lines: int) -> None:
        self._mover.scroll_relative(y=lines, animate=False)

    # Opening

    def action_open(self) -> None:
        if self.facts is None:
            return
        if self.panel == "assets" and self._node is not None:
            self.work(self._open_asset(self._node), group="fetch")
        elif self.panel == "submissions" and self.table.row is not None:
            self.work(self._open_submission(self.table.row.key))
        elif self.panel == "history" and self.table.row is not None:
            self.work(self._open_event(self.table.row.key))

    @on(PagedTable.Opened)
    def opened(self) -> None:
        self.action_open()

    @property
    def _node(self) -> asset_rows.Node | None:
        row = self.query_one("#asset-table", PagedTable).row
        return next((n for n in self._tree if row is not None and n.name == row.key), None)

    async def _open_asset(self, node: asset_rows.Node) -> None:
        if node.folder and not node.model:
            self._folded ^= {node.name}
            await self.table.reload()
            return
        await self.fetch()
        from decentralml.tui.screens.viewer import Viewer

        assets = self.facts.task.terms.assets if self.facts else None
        assert assets is not None, "the rows are those of the task's files"
        kept = await self.call(lambda: self.session.home.assets)
        folder = kept / manifest_digest(assets[1])
        self.app.push_screen(Viewer(folder, node.name, model=node.model))

    async def fetch(self) -> None:
        """Bring the task's files here, verified, and show how far they are."""
        facts = self.facts
        if facts is None or self._verified:
            return
        moving, line = Transfer(), self.query_one("#fetching", Static)
        line.display = True
        line.update("looking at the files…")

        def progress() -> None:
            if moving.progress is not None:
                line.update(transfer(moving.progress))

        timer = self.set_interval(_PROGRESS_SECONDS, progress)
        try:
            await task_verbs.fetch(self.app, facts.task, moving)
        finally:
            timer.stop()
            line.display = False
        self._verified = True
        await self.refresh_data()

    async def _open_submission(self, submission_id: int) -> None:
        from decentralml.tui.screens.submission import SubmissionDetails

        facts = self.facts
        submission = facts.submission(submission_id) if facts else None
        if facts is None or submission is None:
            return
        answer = await self.app.push_screen_wait(SubmissionDetails(submission, facts, self._now))
        if answer == "judge":
            self._judge(submission_id)
        elif answer == "report":
            from decentralml.tui.screens.report import ReportScreen

            self.app.push_screen(ReportScreen(submission_id))
        elif answer == "run":
            self._look_at_run(facts.runs[submission_id].id)
        elif answer == "record":
            await self._record(submission.worker)

    async def _record(self, address: str) -> None:
        from decentralml.tui.screens.record import AccountRecord

        facts = self.facts
        assert facts is not None, "a record is asked for from what is shown"
        record = facts.creator if address == facts.task.creator else facts.workers[address]
        name = facts.names.get(address, "")
        await self.app.push_screen_wait(AccountRecord(record, name, facts.constants))

    async def _open_event(self, cursor: int) -> None:
        facts = self.facts
        event = next((e for e in facts.events if e.cursor == cursor), None) if facts else None
        if event is not None and event.submission_id is not None:
            await self._open_submission(event.submission_id)

    # Acting

    def why_not(self, action: str) -> Refused | None:
        return self.facts.refusals.get(action) if self.facts else None

    def _subject(self, action: str) -> int | None:
        """The submission that an action is about: the one under the cursor where it fits, else the first."""
        facts = self.facts
        row = self.query_one("#submission-table", PagedTable).row
        if facts is None:
            return None
        if self.panel == "submissions" and row is not None and row.key in facts.fitting.get(action, ()):
            return int(row.key)
        return facts.subjects.get(action)

    def _act(self, action: str, build: Callable[..., Proposal]) -> None:
        subject, refusal = self._subject(action), self.why_not(action)
        if refusal is not None or subject is None:
            if refusal is not None:
                self.app.show_error(refusal)
            return
        self.work(self._propose(build, subject))

    async def _propose(self, build: Callable[..., Proposal], subject: int) -> None:
        await self.propose(build, subject)

    def _do(self, action: str, verb: Callable[..., Any]) -> None:
        refusal = self.why_not(action)
        if refusal is not None:
            self.app.show_error(refusal)
        else:
            self.work(verb(self, self.task_id))

    def action_take(self) -> None:
        self._do("take", task_verbs.take)

    def action_try_first(self) -> None:
        self._do("try_first", task_verbs.try_first)

    def action_set_up(self) -> None:
        self._do("set_up", task_verbs.set_up)

    def action_train(self) -> None:
        self._do("train", task_verbs.train)

    def action_deliver(self) -> None:
        self._do("deliver", task_verbs.deliver)

    def action_abandon(self) -> None:
        self._act("abandon", proposals.abandon)

    def action_time_out(self) -> None:
        self._act("time_out", proposals.time_out)

    def action_claim(self) -> None:
        self._act("claim", proposals.claim)

    def action_close(self) -> None:
        refusal = self.why_not("close")
        if refusal is not None:
            self.app.show_error(refusal)
        else:
            self.work(self._propose(proposals.close, self.task_id))

    def action_evaluate(self) -> None:
        subject, refusal = self._subject("evaluate"), self.why_not("evaluate")
        if refusal is not None:
            self.app.show_error(refusal)
        elif subject is not None:
            self._judge(subject)

    def _judge(self, submission_id: int) -> None:
        """To the inbox, with the cursor on this result."""
        self.app.show("validate", submission_id)

    def _look_at_run(self, run_id: int) -> None:
        """To the runs, with this one live."""
        self.app.show("runs", run_id)

    def action_copy(self) -> None:
        """Copy what the cursor is on: a reference, an address, an event; else the task's reference."""
        facts = self.facts
        if facts is None:
            return
        row = self.table.row if self.panel != "overview" else None
        assets = facts.task.terms.assets
        text = assets[1] if assets else str(facts.task.id)
        if row is not None and self.panel == "submissions":
            submission = facts.submission(row.key)
            text = submission.worker if submission else text
        elif row is not None and self.panel == "assets":
            text = str(row.key)
        elif row is not None:
            text = next(f"{e.block} {e.name} {dict(e.data)}" for e in facts.events if e.cursor == row.key)
        self.app.copy(text)

    def commands(self) -> Iterable[tuple[str, str, Callable[[], Any]]]:
        facts = self.facts
        if facts is None:
            return
        creator, assets = facts.task.creator, facts.task.terms.assets
        yield "creator's record", "both sides of its account", lambda: self.work(self._record(creator))
        yield "copy creator", "the creator's address", lambda: self.app.copy(creator)
        yield "copy task id", "the task's number", lambda: self.app.copy(str(self.task_id))
        if assets is not None:
            yield "copy reference", "of the task's files", lambda: self.app.copy(assets[1])
            yield "fetch files", "bring the task's files here, verified", lambda: self.work(self.fetch())


def _text(line: tuple[Span, ...]) -> str:
    return "".join(span if isinstance(span, str) else span[0] for span in line)
