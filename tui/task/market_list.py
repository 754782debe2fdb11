"""Pages of the market for the list of tasks: which tasks, in which order, and a row each. Blocks."""

from collections import Counter

import msgspec

from decentralml.core import task_filter
from decentralml.core.amount import format_amount
from decentralml.core.chain import rules
from decentralml.core.chain.base import SubmissionQuery, TaskQuery
from decentralml.core.domain import (
    DELIVERED,
    MAX_ASSIGNMENTS,
    MAX_U32,
    ResultSubmissionStatus,
    Submission,
    Task,
)
from decentralml.core.errors import Misused, Unavailable
from decentralml.core.text import clean
from decentralml.core.words import KINDS
from decentralml.tui import keys
from decentralml.tui.session import Session
from decentralml.tui.widgets.paged_table import Row
from decentralml.tui.words import blocks_left, next_step

ORDERS = {"id": "id", "pays": "pays", "ends": "expires", "slots": "slots", "question": "question"}
# So many tasks may have come or gone since one was here.
_SOUGHT = 1000
_SLOTS_FIT = 7  # cells of FREE, in which the free ones matter most


class MarketList:
    """Reads one page at a time; what belongs to the account in use is read again only after events."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._mine: dict[int, Submission] = {}
        self._waiting: Counter[int] = Counter()
        self._as_of: tuple[str | None, int] = (None, -1)
        self._free: int | None = None
        self._bare = False
        self._trained: frozenset[int | None] = frozenset()

    def why_empty(self, view: str, filter: str) -> str:
        """What stands where no task is, and the way on from there."""
        if filter:
            return keys.said("No task fits this filter: {filter} changes it.")
        none = "No task of yours" if view == "mine" else f"No {view} task"
        readonly = self._session.readonly
        if self._session.account is None:
            made = keys.said("{who} makes one, or shows the demo market")
            way = "without --readonly one can be made" if readonly else made
            return f"{none}, and no account: {way}."
        if self._bare:
            way = keys.said(
                ": {new} publishes the first. `{palette}` demo opens a market in which others act already"
            )
            return f"No task yet{'' if readonly else way}."
        ways = "{view} shows others" if readonly else "{view} shows others, {new} publishes one"
        return f"{none}: {keys.said(ways)}."

    def page(
        self, view: str, text: str, order: str, offset: int, limit: int, *, descending: bool
    ) -> tuple[list[Row], int]:
        """Rows of a view (open, mine, all) under a filter, ordered by a column; and how many there are.

        Raises `Misused` ("BadFilter").
        """
        chain = self._session.chain
        self._read_mine()
        self._trained = self._read_trained()
        page = chain.tasks(self._query(view, text, order, offset, limit, descending=descending))
        self._bare = not page.total and not chain.tasks(TaskQuery(limit=1)).total
        block = chain.head().block
        return [self._row(task, block) for task in page.items], page.total

    def place(
        self, task_id: int, view: str, text: str, order: str, near: int, *, descending: bool
    ) -> int | None:
        """Where a task stands that stood at ``near``; None where it does not, as far as one looks for it."""
        first = max(near - _SOUGHT, 0)
        query = self._query(view, text, order, first, 2 * _SOUGHT, descending=descending)
        found = self._session.chain.tasks(query).items
        return next((first + place for place, task in enumerate(found) if task.id == task_id), None)

    def _query(
        self, view: str, text: str, order: str, offset: int, limit: int, *, descending: bool
    ) -> TaskQuery:
        me = self._session.address or ""
        base = TaskQuery(order=ORDERS[order], descending=descending, offset=offset, limit=limit)
        if view == "open":
            base = msgspec.structs.replace(base, obtainable=True)
        elif view == "mine":
            base = msgspec.structs.replace(base, party=me)
        return task_filter.parse(text, me=me, base=base, address_of=self._session.address_of)

    def _read_mine(self) -> None:
        chain, me = self._session.chain, self._session.address or ""
        as_of = (me, chain.last_cursor())
        if as_of == self._as_of:
            return
        taken = SubmissionQuery(worker=me, limit=MAX_U32)
        judged = SubmissionQuery(creator=me, statuses=DELIVERED, limit=MAX_U32)
        self._mine = {submission.task_id: submission for submission in chain.submissions(taken).items}
        self._waiting = Counter(submission.task_id for submission in chain.submissions(judged).items)
        self._free = chain.balance(me).free if me else None
        self._as_of = as_of

    def _read_trained(self) -> frozenset[int | None]:
        """The submissions of which a training here is finished."""
        if all(one.status is not ResultSubmissionStatus.Assigned for one in self._mine.values()):
            return frozenset()
        try:
            runs = self._session.runs.list()
        except Unavailable:
            return frozenset()
        here = self._session.chain.genesis
        return frozenset(r.spec.submission_id for r in runs if r.state == "finished" and r.spec.chain == here)

    def _row(self, task: Task, block: int) -> Row:
        constants, me = self._session.chain.constants, self._session.address
        terms = task.terms
        mine, waiting = self._mine.get(task.id), self._waiting[task.id]
        slots = f"{task.free_slots}/{terms.max_assignments}"
        return Row(
            task.id,
            {
                "id": str(task.id),
                "question": clean(terms.question),
                "kind": (KINDS[terms.task_type], "dim"),
                "kind.narrow": (KINDS[terms.task_type][:5], "dim"),
                "pays": format_amount(terms.pays_amount),
                "slots": slots if len(slots) <= _SLOTS_FIT else str(task.free_slots),
                "ends": "-"
                if task.closed
                else (blocks_left(terms.expiration_block, block, constants), "dim"),
                "next": next_step(
                    task,
                    mine,
                    waiting,
                    self._late(task, block),
                    me,
                    block,
                    constants,
                    self._free,
                    trained=mine is not None and mine.id in self._trained,
                ),
            },
        )

    def _late(self, task: Task, block: int) -> list[Submission]:
        """The submissions that can be timed out. Looked for only where one can be old enough."""
        chain = self._session.chain
        if not task.live or block - task.created <= chain.constants.work_period:
            return []
        held = SubmissionQuery(
            task_id=task.id, statuses=(ResultSubmissionStatus.Assigned,), limit=MAX_ASSIGNMENTS
        )
        found = chain.submissions(held).items
        return [submission for submission in found if rules.overdue(submission, chain.constants, block)]


def problem(text: str) -> str:
    """What is wrong with a filter; empty where nothing is."""
    try:
        task_filter.parse(text)
    except Misused as error:
        return clean(error.message)
    return ""
