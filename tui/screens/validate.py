"""Judging: an inbox of delivered results, each beside its baseline, and the word that is said on it."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Static

from decentralml.core.domain import Submission, Task, TaskType, ValidationStrategy
from decentralml.core.drafts import Draft, Word
from decentralml.core.errors import DecentralMLError, Misused, Refused
from decentralml.core.report import Report
from decentralml.core.text import clean, short, short_address
from decentralml.core.validation import STEPS, opinion
from decentralml.tui import decisions, proposals, report_view
from decentralml.tui.desk import ORDERS, Desk, Entry, Look
from decentralml.tui.judge_work import Job, Setup, Stage
from decentralml.tui.pulse import Pulse
from decentralml.tui.screens.base import MarketScreen
from decentralml.tui.screens.held_out import HeldOut
from decentralml.tui.screens.reason import AskReason
from decentralml.tui.screens.sign_all import SignAll
from decentralml.tui.widgets.paged_table import Column, PagedTable, Row
from decentralml.tui.widgets.pane import Pane
from decentralml.tui.words import duration, transfer

PANELS = ("figures", "matrix", "layers", "model", "ranking", "report")
_OF_ANSWERS = ("figures", "ranking", "report")
_COLUMNS = (
    Column("id", "#", 5, right=True, priority=100),
    Column("task", "TASK", 5, right=True, priority=50),
    Column("worker", "WORKER", 10, flexible=True, priority=40),
    Column("figure", "FIGURE", 8, right=True, priority=30),
    Column("gain", "+/-", 7, right=True, priority=80),
    Column("state", "STATE", 14, priority=90),
    Column("due", "DUE", 8, right=True, priority=70),
)
_WORDS = {Word.accept: "accept", Word.reject: "reject", Word.changes: "ask changes"}
_BUTTONS = {"accept": Word.accept, "reject": Word.reject, "changes": Word.changes}


class Validate(MarketScreen):
    """Inbox on the left (on top where it is narrow), the result under the cursor beside it."""

    SCOPE = "validate"
    MODE = "validate"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (112, "-wide"), (150, "-triple")]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.panel = "figures"
        self.order = "due"
        self.descending = False
        self.filter = ""
        self._desk: Desk | None = None
        self._entries: dict[int, Entry] = {}
        self._look: Look | None = None
        self._setups: dict[int, Setup] = {}
        self._drafts = 0
        self._reading = False
        self._read_again = False

    def body(self) -> ComposeResult:
        with Horizontal(id="filterbar"):
            yield Static("", id="shown")
            yield Input(placeholder="/ task:3 worker words", id="filter", compact=True)
            yield Static("", id="count")
        with Horizontal(id="desk"):
            yield PagedTable(_COLUMNS, self._fetch, empty="No result waits for you.", id="inbox")
            with Vertical(id="judged"):
                yield Static("", id="head")
                yield Static("", id="panels")
                with Horizontal(id="panes"):
                    yield Pane(id="first")
                    yield Pane(id="second")
                yield Static("", id="verdict")
                with Horizontal(id="decide"):
                    yield Button("Accept a", id="accept", compact=True)
                    yield Button("Reject R", id="reject", compact=True)
                    yield Button("Ask changes c", id="changes", compact=True)
                yield Static("", id="why")
        yield Static("", id="progress")

    def on_mount(self) -> None:
        state = self.app.state
        panel, order = state.get("validate.panel", self.panel), state.get("validate.order", self.order)
        self.panel = panel if panel in PANELS else self.panel
        self.order = order if order in ORDERS else self.order
        self.descending = state.get("validate.descending", self.descending)
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
        self.app.judging.listen(self._job_moved)
        await self._read()

    async def _read(self) -> None:
        """Read list and result again; asked for while it does so, it does so once more."""
        self._read_again = self._reading
        if self._reading:
            return
        self._reading = True
        try:
            await self.table.reload()
            await self._read_look()
        finally:
            self._reading = False
        if self._read_again:
            await self._read()

    def moved(self, pulse: Pulse, *, events: bool) -> None:
        super().moved(pulse, events=events)
        if not events:
            self._show_head()

    async def _fetch(self, offset: int, limit: int) -> tuple[list[Row], int]:
        if self.app.session is None:
            return [], 0
        found = await self.call(self.desk.inbox, self.filter, self.order, self.descending)
        self._entries = {entry.submission.id: entry for entry in found}
        self._drafts = sum(entry.draft is not None for entry in found)
        self._show_counts(len(found))
        return [self._row(entry) for entry in found[offset : offset + limit]], len(found)

    def _row(self, entry: Entry) -> Row:
        submission, report = entry.submission, entry.report
        main = report.candidate.main if report and report.candidate else ""
        change = report.differences.get(main) if report and main else None
        return Row(
            submission.id,
            {
                "id": str(submission.id),
                "task": (str(submission.task_id), "dim"),
                "worker": short(entry.worker, 40) or short_address(submission.worker),
                "figure": report_view.number(report.candidate.values[main]) if main else "",
                "gain": report_view.change(main, change) if change is not None else "",
                "state": self._state(entry),
                "due": (self._due(submission), "dim"),
            },
        )

    def _state(self, entry: Entry) -> str | tuple[str, str]:
        """What stands next for a result, in a word or two."""
        job = self.app.judging.job(entry.submission.id)
        if job is not None and job.stage is Stage.working:
            return f"{job.step or 'begin'}…"
        if job is not None and job.stage is Stage.waiting:
            return f"queue {job.place}"
        if entry.draft is not None:
            stale = entry.draft.digest != entry.submission.digest
            return ("draft: stale", "bad") if stale else (f"draft: {entry.draft.word}", "accent")
        if job is not None and job.stage is Stage.failed:
            return ("failed", "bad")
        if entry.report is None:
            return ("new", "accent")
        if entry.report.refused is not None:
            return ("refused", "bad")
        verdict = entry.report.verdict.decision.value if entry.report.verdict else "undecided"
        return ("decide", "accent") if verdict == "undecided" else (f"says {verdict}", "accent")

    def _due(self, submission: Submission) -> str:
        """The time in which a decision against the result is still possible."""
        pulse, constants = self.app.pulse, self.session.chain.constants
        if pulse is None or submission.delivered is None:
            return ""
        left = submission.delivered + constants.review_period - pulse.head.block
        return duration(left * constants.block_time)

    @on(PagedTable.Moved, "#inbox")
    def row_moved(self, event: PagedTable.Moved) -> None:
        if event.row is None:
            self._look = None
            self._show_all()
        elif self._look is None or self._look.submission.id != event.row.key:
            self.work(self._read_look())

    async def _read_look(self) -> None:
        row = self.table.row
        look = None if row is None else await self.call(self.desk.look, row.key)
        if row is None or self.table.row is None or self.table.row.key == row.key:
            self._look = look
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
        self.query_one("#judged").set_class(self._look is None, "-empty")
        self._show_head()
        self._show_panels()
        self._show_decide()
        self._show_progress()

    def _show_counts(self, count: int) -> None:
        drafts = f"  {self._drafts} drafted: D signs" if self._drafts else ""
        self._set("#shown", f"{count:,} to judge{drafts}")
        self._set("#count", f"by {self.order} {'v' if self.descending else '^'}")

    def _show_head(self) -> None:
        look, pulse = self._look, self.app.pulse
        if look is None or pulse is None:
            self._set("#head", "")
            return
        submission, constants = look.submission, self.session.chain.constants
        delivered = pulse.head.block if submission.delivered is None else submission.delivered
        since = max(pulse.head.block - delivered, 0)
        left = constants.review_period - since
        name = look.names.get(submission.worker)
        who = f"{short(name, 24)}  " if name else ""
        within = (
            f"decide within {duration(left * constants.block_time)}"
            if left >= 0
            else "the time to reject is over: who claims is paid"
        )
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(f"#{submission.id}", "bold")
        text.append(f"  task {look.task.id}  ")
        text.append(f"{clean(look.task.terms.question)}\n", "dim")
        text.append(f"{who}{short_address(submission.worker)}  ")
        text.append(f"delivered {duration(since * constants.block_time)} ago  {within}", "dim")
        if look.report is not None:
            text.append(f"  {clean(look.report.protection)}", "dim")
        self._set("#head", text)

    def _show_panels(self) -> None:
        triple = self.has_class("-triple")
        shown = self._cycled()
        here = self.panel if self.panel in shown else shown[0]
        names = Text(no_wrap=True, overflow="ellipsis")
        for name in shown:
            names.append(f" {name} ", "bold reverse" if name == here else "dim")
            names.append(" ")
        names.append("] next", "dim")
        self._set("#panels", names)
        second = self.query_one("#second", Pane)
        second.display = triple
        first = self.query_one("#first", Pane)
        first.show(self._panel("figures" if triple else here, first))
        if triple:
            second.show(self._panel(here, second))

    def _cycled(self) -> tuple[str, ...]:
        """The panels that ] goes through: beside fixed figures, the others; of answers, those they have."""
        answers = self._look and self._look.task.terms.task_type is TaskType.DataAnnotators
        panels = _OF_ANSWERS if answers else PANELS
        return panels[1:] if self.has_class("-triple") else panels

    def _panel(self, name: str, pane: Pane) -> Text:
        look, tone = self._look, pane.tone
        if look is None:
            words = "m in 1 Tasks shows your tasks." if not self.filter else "/ changes the filter."
            return Text(f"Nothing to judge here. {words}", tone("dim"))
        canvas = report_view.Canvas(pane.text_width, tone, pane.shade)
        if name == "ranking":
            return report_view.ranking(look.candidates, look.names, look.submission.id, canvas)
        if look.report is None:
            return self._unevaluated(look, pane)
        if name == "figures":
            others = [c.report for c in look.candidates if c.submission.id != look.submission.id and c.report]
            return report_view.figures(look.report, others, canvas)
        draw: Callable[[Report, report_view.Canvas], Text] = {
            "matrix": report_view.matrix,
            "layers": report_view.layers,
            "model": report_view.model,
            "report": report_view.details,
        }[name]
        return draw(look.report, canvas)

    def _unevaluated(self, look: Look, pane: Pane) -> Text:
        text = Text()
        if look.problem is not None:
            text.append(
                f"The published report cannot be shown: {clean(str(look.problem))}\n", pane.tone("warn")
            )
        text.append("Not evaluated yet. ")
        text.append("v", pane.tone("accent"))
        text.append(" measures it beside the baseline; nothing is signed by that.\n")
        if look.submission.result is not None:
            text.append("\nDELIVERED\n", pane.tone("head"))
            text.append(f"{clean(look.submission.result, keep_newlines=True)}\n")
        if look.submission.digest is not None:
            text.append(f"\nresult {look.submission.digest}\n", pane.tone("dim"))
        return text

    def _show_decide(self) -> None:
        look = self._look
        self.query_one("#decide").display = look is not None
        self._set("#verdict", self._verdict() if look else "")
        if look is None:
            return
        reasons: dict[str, list[str]] = {}
        for name, word in _BUTTONS.items():
            refused = look.refusals[decisions.CALLS[word]]
            self.query_one(f"#{name}", Button).disabled = refused is not None
            if refused is not None:
                reasons.setdefault(f"{refused.message} {refused.hint}".strip(), []).append(_WORDS[word])
        text = Text()
        if look.draft is not None:
            text.append(f"draft: {_WORDS[look.draft.word]}", "bold")
            if look.draft.digest != look.submission.digest:
                text.append(" of an earlier result", "bold")
            text.append("  D signs, B takes back  ", "dim")
        for why, names in reasons.items():
            text.append(f"{', '.join(names)} not now: {clean(why)}  ", "dim")
        self.query_one("#why").display = bool(text.plain)
        self._set("#why", text)

    def _verdict(self) -> Text:
        """The policy's word, or the figures as an opinion, and where the report stands."""
        look = self._look
        assert look is not None
        text = Text(overflow="ellipsis")
        if look.report is not None:
            verdict = look.report.verdict
            decided = verdict is not None and verdict.decision.value != "undecided"
            text.append("policy " if decided else "opinion ", "dim")
            if decided and verdict is not None:
                text.append(f"{verdict.decision.value}, ", "bold")
            text.append(clean(verdict.reason if verdict else opinion(look.report)))
            if look.published:
                text.append("  (as published, not measured here)", "dim")
            elif not look.to_publish:
                text.append("  (published)", "dim")
        if look.draft is not None and look.draft.reason:
            text.append(f"\ndraft reason: {clean(look.draft.reason)}", "dim")
        return text

    def _show_progress(self) -> None:
        working, waiting = self.app.judging.busy()
        line = self.query_one("#progress", Static)
        line.display = bool(working or waiting)
        job = self.app.judging.current()
        if not line.display or job is None:
            return
        said = f"evaluating #{job.submission_id}: {job.step or 'begin'}"
        if job.step in STEPS:
            said += f" ({STEPS.index(job.step) + 1} of {len(STEPS)})"
        if job.progress is not None:
            said += f"  {transfer(job.progress)}"
        if waiting:
            said += f"  {waiting} wait behind it"
        self._set("#progress", f"{said}   nothing is signed by this; go on reading")

    def _set(self, selector: str, text: str | Text) -> None:
        """Update a part only where it changes."""
        part = self.query_one(selector, Static)
        new = text if isinstance(text, Text) else Text(text)
        if part.content != new:
            part.update(new)

    # Evaluating

    def action_evaluate(self) -> None:
        if self._look is None:
            self.app.say("There is no result under the cursor.")
            return
        self.work(self._evaluate([(self._look.task, self._look.submission)]))

    def action_evaluate_all(self) -> None:
        wanted = [
            (entry.task, entry.submission)
            for entry in self._entries.values()
            if (entry.submission.id in self.table.marked if self.table.marked else entry.report is None)
        ]
        if not wanted:
            self.app.say("Everything that waits is evaluated; v measures the one under the cursor again.")
            return
        self.work(self._evaluate(wanted))

    async def _evaluate(self, wanted: list[tuple[Task, Submission]]) -> None:
        """Ask once a task by what to measure, then put all into the queue."""
        for task, submission in wanted:
            setup = await self._setup(task)
            if setup is not None:
                self.app.judging.evaluate(submission.id, setup)
        self.table.marked.clear()
        await self._read()

    async def _setup(self, task: Task, *, again: bool = False) -> Setup | None:
        """By what a task is measured: as remembered, or as the person says now; None where they left."""
        if task.terms.task_type is TaskType.DataAnnotators:
            return Setup()
        known = self._setups.get(task.id)
        if known is not None and not again:
            return known
        before = self._remembered(task)
        no_sandbox = await self.call(_no_sandbox)
        if again or before is None or no_sandbox:
            setup = await self.app.push_screen_wait(
                HeldOut(
                    f"Evaluate results of task {task.id}",
                    before or self._last_setup(),
                    policy_needed=task.terms.validation_strategy is ValidationStrategy.CustomAccept,
                    no_sandbox=no_sandbox,
                )
            )
        else:
            setup = before
        if setup is not None:
            self._setups[task.id] = setup
            kept = {**self.app.state.get("validate.setups", {}), self._setup_key(task): _kept(setup)}
            if self.app.state.set("validate.setups", kept):
                self.app.save_state()
        return setup

    def _setup_key(self, task: Task) -> str:
        return f"{self.session.chain.genesis[:16]}:{task.id}"

    def _remembered(self, task: Task) -> Setup | None:
        return _setup(self.app.state.get("validate.setups", {}).get(self._setup_key(task)))

    def _last_setup(self) -> Setup:
        kept = list(self.app.state.get("validate.setups", {}).values())
        return (_setup(kept[-1]) if kept else None) or Setup()

    def _job_moved(self, job: Job) -> None:
        """An evaluation went on: its line is shown, and what it found."""
        if job.stage is Stage.failed and job.error is not None:
            self.app.show_error(job.error)
        if not self.is_current and self not in self.app.screen_stack:
            return
        self._show_progress()
        if job.progress is None:
            self.work(self._read())

    # Deciding

    def action_accept(self) -> None:
        self.work(self._decide(Word.accept))

    def action_reject(self) -> None:
        self.work(self._decide(Word.reject))

    def action_request_changes(self) -> None:
        self.work(self._decide(Word.changes))

    @on(Button.Pressed)
    def button_pressed(self, event: Button.Pressed) -> None:
        self.work(self._decide(_BUTTONS[str(event.button.id)]))

    async def _decide(self, word: Word) -> None:
        """Show what the decision would sign; sign it, keep it as a draft, or neither."""
        look = self._look
        if look is None or look.submission.digest is None:
            raise Refused("NothingDelivered", "There is no result under the cursor.", "j and k choose one.")
        refused = look.refusals[decisions.CALLS[word]]
        if refused is not None:
            raise refused
        reason = ""
        if word is not Word.accept:
            answer = await self.app.push_screen_wait(self._ask_reason(look, word))
            if answer is None:
                return
            reason = answer
        draft = Draft(
            submission_id=look.submission.id, digest=look.submission.digest, word=word, reason=reason
        )
        plan = await self.call(decisions.plan, self.session, draft)
        if plan.problem is not None:
            raise plan.problem
        await self._sign([plan], opinion=self._opinion(look), may_keep=True)

    def _ask_reason(self, look: Look, word: Word) -> AskReason:
        before = look.draft.reason if look.draft and look.draft.word is word else ""
        verdict = look.report.verdict if look.report else None
        said = verdict.reason if verdict else ""
        if word is Word.reject:
            return AskReason(f"Reject #{look.submission.id}", "Why? The worker reads it.", before or said)
        return AskReason(f"Ask changes of #{look.submission.id}", "What should change?", before)

    def _opinion(self, look: Look) -> str:
        if look.report is None:
            return "this result was not evaluated here"
        verdict = look.report.verdict
        return f"{verdict.decision.value}: {verdict.reason}" if verdict else opinion(look.report)

    async def _sign(self, plans: list[decisions.Plan], *, opinion: str = "", may_keep: bool = False) -> None:
        await self.call(self.session.unlock_remembered)
        signed = await self.app.push_screen_wait(SignAll(plans, opinion=opinion, may_keep=may_keep))
        if signed is None:
            return
        if signed.keep:
            draft = plans[0].draft
            await self.call(
                self.desk.drafts.put, draft.submission_id, draft.digest, draft.word, reason=draft.reason
            )
            self.app.say("Kept as a draft. D signs all drafts, B takes this one back.")
        for number in signed.decided:
            await self.call(self.desk.drafts.take_back, number)
        if signed.receipts:
            self.app.say(f"{len(signed.receipts)} calls signed, {len(signed.decided)} results decided.")
            await self.app.refresh_pulse()
        await self._read()

    def action_sign_drafts(self) -> None:
        self.work(self._sign_drafts())

    async def _sign_drafts(self) -> None:
        drafts = await self.call(self.desk.my_drafts)
        marked = self.table.marked
        drafts = [draft for draft in drafts if not marked or draft.submission_id in marked]
        if not drafts:
            raise Misused("NoDrafts", "There is no draft to sign.", "a, R and c make one of a result.")
        await self._sign(await self.call(self.desk.plans, drafts))

    def action_take_back(self) -> None:
        self.work(self._take_back())

    async def _take_back(self) -> None:
        row = self.table.row
        gone = await self.call(self.desk.drafts.take_back, row.key) if row else None
        if gone is None:
            raise Misused("NoDraft", "This result has no draft.", "Rows with one say so.")
        self.app.say(f"The draft to {_WORDS[gone.word]} #{gone.submission_id} is taken back.")
        await self._read()

    def why_not(self, action: str) -> Refused | None:
        name = {"accept": "accept", "reject": "reject", "request_changes": "changes"}.get(action)
        if name is None or self._look is None:
            return None
        refused = self._look.refusals[decisions.CALLS[_BUTTONS[name]]]
        return refused if isinstance(refused, Refused) else None

    # Moving and seeing

    def _scrolled(self) -> Pane | None:
        """The pane that the moving keys scroll; None: they move in the inbox."""
        return self.focused if isinstance(self.focused, Pane) else None

    def action_left(self) -> None:
        panes = [pane for pane in self.query(Pane) if pane.display]
        here = self._scrolled()
        (panes[panes.index(here) - 1] if here in panes[1:] else self.table).focus()

    def action_right(self) -> None:
        panes = [pane for pane in self.query(Pane) if pane.display]
        here = self._scrolled()
        panes[min(panes.index(here) + 1, len(panes) - 1) if here else 0].focus()

    def action_open(self) -> None:
        self.action_right()

    @on(PagedTable.Opened)
    def opened(self) -> None:
        self.action_right()

    def _move(self, table: Callable[[], None], pane: Callable[[Pane], Any]) -> None:
        here = self._scrolled()
        if here is None:
            table()
        else:
            pane(here)

    def action_down(self) -> None:
        self._move(super().action_down, lambda pane: pane.scroll_down(animate=False))

    def action_up(self) -> None:
        self._move(super().action_up, lambda pane: pane.scroll_up(animate=False))

    def action_top(self) -> None:
        self._move(super().action_top, lambda pane: pane.scroll_home(animate=False))

    def action_bottom(self) -> None:
        self._move(super().action_bottom, lambda pane: pane.scroll_end(animate=False))

    def action_page_down(self) -> None:
        self._move(super().action_page_down, lambda pane: pane.scroll_page_down(animate=False))

    def action_page_up(self) -> None:
        self._move(super().action_page_up, lambda pane: pane.scroll_page_up(animate=False))

    def action_back(self) -> None:
        if self.has_class("-zoomed"):
            self.action_zoom()
        elif isinstance(self.focused, Pane | Input):
            self.table.focus()
        else:
            super().action_back()

    def action_zoom(self) -> None:
        self.toggle_class("-zoomed")
        self.call_after_refresh(self._show_all)

    def action_next_panel(self) -> None:
        self._turn(1)

    def action_previous_panel(self) -> None:
        self._turn(-1)

    def _turn(self, by: int) -> None:
        shown = self._cycled()
        self.panel = shown[(shown.index(self.panel) + by) % len(shown)] if self.panel in shown else shown[0]
        for pane in self.query(Pane):
            pane.scroll_home(animate=False)
        self._keep("validate.panel", self.panel)
        self._show_panels()

    def action_mark(self) -> None:
        self.table.toggle_mark()
        self.table.move(1)

    def action_sort(self) -> None:
        self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        self._keep("validate.order", self.order)
        self.work(self._read_from_top())

    def action_reverse(self) -> None:
        self.descending = not self.descending
        self._keep("validate.descending", self.descending)
        self.work(self._read_from_top())

    def action_filter(self) -> None:
        self.query_one("#filter", Input).focus()

    @on(Input.Changed, "#filter")
    def filter_typed(self, event: Input.Changed) -> None:
        self.filter = event.value
        if self.app.session is not None:
            self.work(self._read_from_top())

    @on(Input.Submitted, "#filter")
    def filter_done(self) -> None:
        self.table.focus()

    def _keep(self, name: str, value: Any) -> None:
        if self.app.state.set(name, value):
            self.app.save_state()

    def action_copy(self) -> None:
        """Copy what stands in the panel, digests and all."""
        if self._look is not None:
            pane = self._scrolled() or self.query_one("#first", Pane)
            self.app.copy(pane.plain)

    def commands(self) -> Iterable[tuple[str, str, Callable[[], Any]]]:
        look = self._look
        if look is None:
            return
        number, task = look.submission.id, look.task
        yield (
            "held-out data",
            f"change by what task {task.id} is measured",
            lambda: self.work(self._change(task)),
        )
        if look.to_publish and not self.app.readonly:
            yield (
                "publish report",
                f"on #{number}, without a decision yet",
                lambda: self.work(self._publish(look)),
            )
        if self.app.judging.job(number) is not None:
            yield "stop evaluation", f"of #{number}", lambda: self.app.judging.cancel(number)

    async def _change(self, task: Task) -> None:
        await self._setup(task, again=True)

    async def _publish(self, look: Look) -> None:
        folder = await self.call(decisions.report_to_publish, self.session, look.submission)
        if folder is not None and look.submission.digest is not None:
            await self.propose(proposals.publish_report, look.submission.id, folder, look.submission.digest)


def _no_sandbox() -> str:
    """Why strangers' models cannot be loaded safely here; "" where they can."""
    from decentralml.core import sandbox

    try:
        sandbox.require()
    except DecentralMLError as error:
        return error.message
    return ""


def _kept(setup: Setup) -> list[str]:
    """A setup as the state keeps it; leave to load without a sandbox is never kept."""
    return [str(setup.data or ""), str(setup.policy or "")]


def _setup(kept: Any) -> Setup | None:
    if not (isinstance(kept, list) and len(kept) == 2 and all(isinstance(part, str) for part in kept)):
        return None
    data, policy = (Path(part) if part else None for part in kept)
    return Setup(data, policy)
