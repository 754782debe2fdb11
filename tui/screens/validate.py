"""Judging: an inbox of delivered results, each beside its baseline, and the word that is said on it."""

from collections.abc import Callable, Iterable
from typing import Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Static

from decentralml.core.domain import TaskType
from decentralml.core.text import clean
from decentralml.tui import keys
from decentralml.tui.hints import explain
from decentralml.tui.judging import decisions, inbox, panels, words
from decentralml.tui.judging import report as report_view
from decentralml.tui.judging.canvas import Canvas
from decentralml.tui.judging.desk import ORDERS, Desk, Entry, Look
from decentralml.tui.pulse import Pulse
from decentralml.tui.screens.base import Thing
from decentralml.tui.screens.deciding import BUTTONS, WORDS, Deciding
from decentralml.tui.signing import proposals
from decentralml.tui.widgets.paged_table import PagedTable, Row
from decentralml.tui.widgets.pane import Pane

PANELS = ("figures", "matrix", "layers", "model", "ranking", "report")
_OF_ANSWERS = ("figures", "ranking", "report")
_UNEVALUATED = ("figures", "ranking")

_EMPTY = "No result waits for you."


class Validate(Deciding):
    """Inbox on the left (on top where it is narrow), the result under the cursor beside it."""

    SCOPE = "validate"
    PANELS = PANELS

    def __init__(self) -> None:
        super().__init__()
        self.order = "due"
        self.descending = False
        self.filter = ""
        self._desk: Desk | None = None
        self._drafts = 0
        self._reading = False
        self._read_again = False
        self._wished: int | None = None

    def select(self, submission_id: int) -> None:
        """Put the cursor on a result as soon as the list is read, whatever the filter hides."""
        self._wished = submission_id
        if self.is_mounted:
            self._set_filter("")
            self.work(self.read(), group="refresh")

    def _set_filter(self, text: str) -> None:
        """Filter by ``text`` from the next reading on."""
        self.filter = text
        self.keep("filter", text)
        with self.prevent(Input.Changed):
            self.query_one("#filter", Input).value = text

    def body(self) -> ComposeResult:
        with Horizontal(id="filterbar"):
            yield Static("", id="shown")
            yield Input(placeholder=keys.said("{filter} task:3 worker words"), id="filter", compact=True)
            yield Static("", id="count")
        with Horizontal(id="desk"):
            yield PagedTable(inbox.COLUMNS, self._fetch, empty=_EMPTY, id="inbox")
            with Vertical(id="judged"):
                yield Static("", id="head")
                yield Static("", id="panels")
                with Horizontal(id="panes"):
                    yield Pane(id="first")
                    yield Pane(id="second")
                # What comes and goes stands above the buttons, which stay where they are.
                yield Static("", id="progress")
                yield Static("", id="verdict")
                yield Static("", id="why")
                with Horizontal(id="decide"):
                    yield Button(self._label("Accept", "accept"), id="accept", compact=True)
                    yield Button(self._label("Reject", "reject"), id="reject", compact=True)
                    yield Button(self._label("Ask changes", "request_changes"), id="changes", compact=True)

    def _label(self, said: str, name: str) -> str:
        return f"{said} {keys.row(name).shown}"

    def on_mount(self) -> None:
        self.restore_panel()
        order = self.kept("order", self.order)
        self.order = order if order in ORDERS else self.order
        self.descending = self.kept("descending", self.descending)
        if self._wished is None:
            self._wished = self.kept("row", 0) or None
            self._set_filter(self.kept("filter", ""))
        self.query_one("#progress").display = False
        self.table.focus()

    @property
    def table(self) -> PagedTable:
        return self.query_one("#inbox", PagedTable)

    @property
    def desk(self) -> Desk:
        """The reader of this session."""
        if self._desk is None or self._desk.session is not self.session:
            self._desk = Desk(self.session)
        return self._desk

    # Reading

    async def refresh_data(self) -> None:
        self.app.judging.listen(self.job_moved)
        await self.read()

    async def read(self) -> None:
        """Read list and result again; asked for while it does so, it does so once more."""
        self._read_again = self._reading
        if self._reading:
            return
        self._reading = True
        try:
            await self.table.reload()
            if self._wished in self.entries:
                self.table.move_to(list(self.entries).index(self._wished))
            self._wished = self._wished if self._read_again else None
            await self._read_look()
        finally:
            self._reading = False
        if self._read_again:
            await self.read()

    def moved(self, pulse: Pulse, *, events: bool) -> None:
        super().moved(pulse, events=events)
        if not events:
            self._show_head()

    async def _fetch(self, offset: int, limit: int) -> tuple[list[Row], int]:
        if self.app.session is None:
            return [], 0
        self.table.empty = (
            keys.said("No result fits this filter: {filter} changes it.") if self.filter else _EMPTY
        )
        found = await self.call(self.desk.inbox, self.filter, self.order, self.descending)
        self.entries = {entry.submission.id: entry for entry in found}
        self._drafts = sum(entry.draft is not None for entry in found)
        self.drafted = {draft.submission_id for draft in await self.call(self.desk.my_drafts)}
        self._show_counts(len(found))
        return [self._row(entry) for entry in found[offset : offset + limit]], len(found)

    def _row(self, entry: Entry) -> Row:
        pulse, submission = self.app.pulse, entry.submission
        left = inbox.due(submission, pulse.head.block, self.session.chain.constants) if pulse else ""
        return inbox.row(entry, self.app.judging.job(submission.id), left)

    @on(PagedTable.Moved, "#inbox")
    def row_moved(self, event: PagedTable.Moved) -> None:
        if event.row is not None and self._wished is None:
            self.keep("row", event.row.key, now=False)
        if event.row is None:
            self.look = None
            self._show_all()
        elif self.look is None or self.look.submission.id != event.row.key:
            self.work(self._read_look())

    async def _read_look(self) -> None:
        row = self.table.row
        look = None if row is None else await self.call(self.desk.look, row.key)
        if row is None or self.table.row is None or self.table.row.key == row.key:
            self.look = look
            self._show_all()

    async def _read_from_top(self) -> None:
        """The list in another order, or of other rows: the first of them is looked at."""
        await self.table.reload(keep_cursor=False)
        await self._read_look()

    # Showing

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_all)

    def _show_all(self) -> None:
        if self.app.session is None:
            return
        self.query_one("#judged").set_class(self.look is None, "-empty")
        self._show_head()
        self.show_panels()
        self._show_decide()
        self.show_progress()

    def _show_counts(self, count: int) -> None:
        drafts = (
            keys.said("  {drafts} drafted: {sign_drafts} signs", drafts=self._drafts) if self._drafts else ""
        )
        self.set_part("#shown", f"{count:,} to judge{drafts}")
        self.set_part("#count", f"by {self.order} {'v' if self.descending else '^'}")

    def _show_head(self) -> None:
        look, pulse = self.look, self.app.pulse
        text = words.head(look, pulse.head.block, self.session.chain.constants) if look and pulse else ""
        self.set_part("#head", text)

    def panels(self) -> tuple[str, ...]:
        """Those that say something of what is under the cursor."""
        if self.look is not None and self.look.report is None:
            return _UNEVALUATED
        answers = self.look and self.look.task.terms.task_type is TaskType.DataAnnotators
        return _OF_ANSWERS if answers else PANELS

    def draw(self, panel: str, pane: Pane) -> Text:
        look, tone = self.look, pane.tone
        if look is None:
            way = "{view} in {tasks} shows your tasks." if not self.filter else "{filter} changes the filter."
            return Text(f"Nothing to judge here. {keys.said(way)}", tone("dim"))
        canvas = Canvas(pane.text_width, pane.text_height, tone, pane.shade)
        if panel == "ranking":
            return report_view.ranking(look.candidates, look.names, look.submission.id, canvas)
        if look.report is None:
            return words.unevaluated(look, self.app.judging.job(look.submission.id), tone)
        others = [c.report for c in look.candidates if c.submission.id != look.submission.id and c.report]
        return panels.draw(panel, look.report, others, canvas, look.mistakes)

    def _show_decide(self) -> None:
        look = self.look
        self.query_one("#decide").display = look is not None
        if look is None:
            self.set_part("#verdict", "")
            self.query_one("#why").display = False
            return
        self.set_part("#verdict", words.verdict(look, self.app.judging.job(look.submission.id)))
        marked = not self.app.readonly and self.marked
        reasons: dict[str, list[str]] = {}
        for name, word in BUTTONS.items():
            refused = None if marked else look.refusals[decisions.CALLS[word]]
            self.query_one(f"#{name}", Button).disabled = refused is not None
            if refused is not None:
                reasons.setdefault(explain(refused), []).append(WORDS[word])
        text = Text()
        if marked:
            text.append(f"{len(marked)} marked: a decision is for all of them  ", "bold")
        if look.draft is not None:
            text.append(f"draft: {WORDS[look.draft.word]}", "bold")
            if look.draft.digest != look.submission.digest:
                text.append(" of an earlier result", "bold")
            text.append(keys.said("  {sign_drafts} signs, {take_back} takes back  "), "dim")
        for why, names in reasons.items():
            text.append(f"{', '.join(names)} not now: {clean(why)}  ", "dim")
        self.query_one("#why").display = bool(text.plain)
        self.set_part("#why", text)

    @property
    def thing(self) -> Thing | None:
        return Thing("submission", self.table.row.key) if self.table.row else None

    # Moving and seeing

    def action_back(self) -> None:
        if self.query_one("#filter", Input).has_focus:
            self.table.focus()
        elif self.has_class("-zoomed"):
            self.action_zoom()
        else:
            super().action_back()

    def action_zoom(self) -> None:
        self.toggle_class("-zoomed")
        self.call_after_refresh(self._show_all)

    def action_mark(self) -> None:
        self.table.toggle_mark()
        self.table.move(1)
        self._show_decide()

    def action_sort(self) -> None:
        self._sort_by(ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)])

    def _sort_by(self, column: str) -> None:
        self.order = column
        self.keep("order", self.order)
        self.work(self._read_from_top())

    def action_reverse(self) -> None:
        self.descending = not self.descending
        self.keep("descending", self.descending)
        self.work(self._read_from_top())

    @on(PagedTable.HeaderClicked, "#inbox")
    def header_clicked(self, event: PagedTable.HeaderClicked) -> None:
        if event.column == self.order:
            self.action_reverse()
        elif event.column in ORDERS:
            self._sort_by(event.column)

    def action_filter(self) -> None:
        if self.has_class("-zoomed"):  # what is filtered is to be seen
            self.action_zoom()
        self.set_focus(self.query_one("#filter", Input))

    @on(Input.Changed, "#filter")
    def filter_typed(self, event: Input.Changed) -> None:
        self.filter = event.value
        self.keep("filter", self.filter)
        if self.app.session is not None:
            self.work(self._read_from_top())

    @on(Input.Submitted, "#filter")
    def filter_done(self) -> None:
        self.table.focus()

    def commands(self) -> Iterable[tuple[str, str, Callable[[], Any]]]:
        look = self.look
        if look is None or self.app.readonly:
            return
        number = look.submission.id
        if look.to_publish:
            yield (
                "publish report",
                f"on #{number}, without a decision yet",
                lambda: self.work(self._publish(look)),
            )
        if self.app.judging.job(number) is not None:
            yield "stop evaluation", f"of #{number}", lambda: self.app.judging.cancel(number)

    async def _publish(self, look: Look) -> None:
        folder = await self.call(decisions.report_to_publish, self.session, look.submission)
        if folder is not None and look.submission.digest is not None:
            await self.propose(proposals.publish_report, look.submission.id, folder, look.submission.digest)
