"""The market: every task, one line each, and what one can do with it next."""

from collections import Counter
from typing import Any

import msgspec
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from decentralml.core import task_filter
from decentralml.core.amount import format_amount
from decentralml.core.chain.base import SubmissionQuery, TaskPage, TaskQuery
from decentralml.core.domain import ResultSubmissionStatus, Submission, Task
from decentralml.core.errors import Misused
from decentralml.core.text import clean
from decentralml.tui.screens.base import MarketScreen
from decentralml.tui.widgets.paged_table import Column, PagedTable, Row
from decentralml.tui.words import blocks_left, kind, next_step

VIEWS = ("open", "mine", "all")
ORDERS = ("id", "pays", "expires", "slots", "question")
COLUMNS = (
    Column("id", "ID", 6, right=True, priority=100),
    Column("question", "QUESTION", 22, flexible=True, priority=99),
    Column("kind", "KIND", 11, priority=60),
    Column("pays", "PAYS", 9, right=True, priority=90),
    Column("slots", "SLOTS", 7, right=True, priority=70),
    Column("ends", "ENDS", 7, right=True, priority=50),
    Column("next", "NEXT", 14, priority=80),
)


class Tasks(MarketScreen):
    """A virtual list over the chain's own index: it reads only the page it shows."""

    SCOPE = "tasks"
    MODE = "tasks"

    def __init__(self) -> None:
        super().__init__()
        self.view = "open"
        self.filter = ""
        self.order = "id"
        self.descending = True
        self._mine: dict[int, Submission] = {}
        self._waiting: Counter[int] = Counter()

    def body(self) -> ComposeResult:
        with Horizontal(id="filterbar"):
            yield Static("", id="shown")
            yield Input(placeholder="type:contributor pays:>5 free words…", id="filter", compact=True)
            yield Static("", id="count")
        yield PagedTable(COLUMNS, self._fetch, empty="No task fits. m shows more, / changes the filter.")

    def on_mount(self) -> None:
        state = self.app.state
        self.view = state.get("tasks.view", self.view)
        self.filter = state.get("tasks.filter", self.filter)
        self.order = state.get("tasks.order", self.order)
        self.descending = state.get("tasks.descending", self.descending)
        self.query_one("#filter", Input).value = self.filter
        self.query_one(PagedTable).focus()

    async def refresh_data(self) -> None:
        await self.table.reload()

    # Reading

    def _query(self) -> TaskQuery:
        me = self.session.address
        base = TaskQuery(order=self.order, descending=self.descending)
        if self.view == "open":
            base = msgspec.structs.replace(base, takeable=True)
        elif self.view == "mine":
            base = msgspec.structs.replace(base, party=me)
        return task_filter.parse(self.filter, me=me, base=base)

    async def _fetch(self, offset: int, limit: int) -> tuple[list[Row], int]:
        if self.app.session is None:
            return [], 0
        query = msgspec.structs.replace(self._query(), offset=offset, limit=limit)
        page = await self.call(self._read, query)
        block = self.app.pulse.head.block if self.app.pulse else 0
        rows = [self._row(task, block) for task in page.items]
        self._say_what_is_shown(page.total)
        return rows, page.total

    def _read(self, query: TaskQuery) -> TaskPage:
        """One page, and what of it is mine. Blocks."""
        chain, me = self.session.chain, self.session.address
        if me is not None:
            taken = chain.submissions(SubmissionQuery(worker=me, limit=10_000)).items
            delivered = (ResultSubmissionStatus.PendingValidation, ResultSubmissionStatus.Validated)
            to_judge = chain.submissions(SubmissionQuery(creator=me, statuses=delivered, limit=10_000)).items
            self._mine = {submission.task_id: submission for submission in taken}
            self._waiting = Counter(submission.task_id for submission in to_judge)
        return chain.tasks(query)

    def _row(self, task: Task, block: int) -> Row:
        constants = self.session.chain.constants
        terms = task.terms
        taken = task.live + task.accepted
        return Row(
            task.id,
            {
                "id": str(task.id),
                "question": clean(terms.question),
                "kind": (kind(terms.task_type), "dim"),
                "pays": format_amount(terms.pays_amount),
                "slots": f"{taken}/{terms.max_assignments}",
                "ends": "" if task.closed else (blocks_left(terms.expiration_block, block, constants), "dim"),
                "next": next_step(
                    task,
                    self._mine.get(task.id),
                    self._waiting[task.id],
                    self.session.address,
                    block,
                    constants,
                ),
            },
        )

    def _say_what_is_shown(self, total: int) -> None:
        self.query_one("#shown", Static).update(f"{self.view} tasks")
        arrow = "v" if self.descending else "^"
        self.query_one("#count", Static).update(f"{total:,} shown   by {self.order} {arrow}")

    # Keys

    def action_filter(self) -> None:
        self.query_one("#filter", Input).focus()

    @on(Input.Changed, "#filter")
    def filter_typed(self, event: Input.Changed) -> None:
        """Filter as one types; a filter that is not finished yet leaves the list as it is."""
        try:
            task_filter.parse(event.value)
        except Misused as problem:
            self.query_one("#count", Static).update(Text(problem.message))
            return
        self.filter = event.value
        self._show_again("tasks.filter", self.filter)

    @on(Input.Submitted, "#filter")
    def filter_done(self) -> None:
        self.table.focus()

    def action_view(self) -> None:
        self.view = VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)]
        self._show_again("tasks.view", self.view)

    def action_sort(self) -> None:
        self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        self._show_again("tasks.order", self.order)

    def action_reverse(self) -> None:
        self.descending = not self.descending
        self._show_again("tasks.descending", self.descending)

    def _show_again(self, name: str, value: Any) -> None:
        if self.app.state.set(name, value):
            self.app.save_state()
        if self.app.session is not None:
            self.work(self.table.reload(keep_cursor=False), group="reload")
