"""Every movement of an account's money, and what was left after each."""

from pathlib import Path
from typing import Any

from textual import on
from textual.app import ComposeResult

from decentralml.core import named_path, words
from decentralml.core.amount import format_amount
from decentralml.core.errors import DecentralMLError, Refused
from decentralml.core.text import clean, short_address
from decentralml.tui import keys
from decentralml.tui.account.statement import Line, StatementPages
from decentralml.tui.screens.base import MarketScreen, Thing
from decentralml.tui.screens.form import Field, Form
from decentralml.tui.widgets.paged_table import Column, PagedTable, Row
from decentralml.tui.widgets.prose import Prose

COLUMNS = (
    Column("block", "BLOCK", 9, right=True, priority=60),
    Column("what", "WHAT", 16, flexible=True, priority=100),
    Column("task", "TASK", 6, right=True, priority=50),
    Column("submission", "SUBM.", 6, right=True, priority=30),
    Column("free", "FREE +/-", 11, right=True, priority=90),
    Column("held", "HELD +/-", 11, right=True, priority=80),
    Column("free_after", "FREE", 12, right=True, priority=85),
    Column("held_after", "HELD", 11, right=True, priority=40),
)


class StatementScreen(MarketScreen):
    """Newest first; enter goes to the task of a line."""

    SCOPE = "statement"

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address
        self._whose = ""
        self._pages: StatementPages | None = None

    @property
    def place(self) -> list[Any]:
        return ["statement", self._address]

    @property
    def thing(self) -> Thing:
        """What the line paid for, or took part in; the account where it is about no task."""
        row = self.table.row
        task_id, submission_id = (None, None) if row is None else row.key[1:3]
        if submission_id is not None:
            return Thing("submission", submission_id)
        return Thing("account", self._address) if task_id is None else Thing("task", task_id)

    def body(self) -> ComposeResult:
        yield Prose(id="headline", wrap=False)
        yield PagedTable(
            COLUMNS, self._fetch, empty=keys.said("No money has moved yet. {back}, then {fund} takes some.")
        )

    def on_mount(self) -> None:
        self.table.focus()

    async def refresh_data(self) -> None:
        if self._pages is None:
            self._pages = StatementPages(self.session.chain, self._address)
            known = await self.call(self.session.name_of, self._address)
            self._whose = known or short_address(self._address)
        count = await self.call(self._pages.catch_up)
        self.query_one("#headline", Prose).show(
            [
                (
                    ("Statement of ", "dim"),
                    (clean(self._whose), "title"),
                    f"  {words.count(count, 'line')}  ",
                    (self._address, "dim"),
                )
            ]
        )
        await self.table.reload()

    async def _fetch(self, offset: int, limit: int) -> tuple[list[Row], int]:
        if self._pages is None:
            return [], 0
        lines = await self.call(self._pages.page, offset, limit)
        return [_row(line) for line in lines], self._pages.total

    def why_not(self, action: str) -> DecentralMLError | None:
        if action == "open" and (self.table.row is None or self.table.row.key[1] is None):
            return Refused("NoTask", "What the cursor is on is about no task.", "")
        return super().why_not(action)

    @on(PagedTable.Opened)
    def action_open(self) -> None:
        row = self.table.row
        if row is not None and row.key[1] is not None:
            self.app.places.lead(("task", row.key[1]))

    def action_export(self) -> None:
        self.work(self._export())

    async def _export(self) -> None:
        pages = self._pages
        if pages is None:
            return

        def act(file: str) -> Path:
            path = named_path.typed(file.strip())
            named_path.write_new(path, pages.csv())
            return path

        path = await self.app.push_screen_wait(
            Form(
                f"Statement of {self._whose}",
                (Field("file", "Into the new file", value=f"~/{self._whose}-statement.csv"),),
                act,
                text="Every line as CSV, oldest first, amounts in units. Only you may read the file.\n",
                doing="reading the statement…",
                yes="Export",
            )
        )
        if path is not None:
            self.app.say(f"The statement is in {path}.")

    def action_copy(self) -> None:
        self.app.copy(self._address)


def _row(line: Line) -> Row:
    movement = line.movement
    return Row(
        (movement.cursor, movement.task_id, movement.submission_id, movement.name),
        {
            "block": (f"{movement.block:,}", "dim"),
            "what": words.MOVEMENTS.get(movement.name, clean(movement.name)),
            "task": "" if movement.task_id is None else str(movement.task_id),
            "submission": "" if movement.submission_id is None else f"#{movement.submission_id}",
            "free": _signed(movement.free, lost=movement.name == "DepositLost"),
            "held": _signed(movement.held, lost=movement.name == "DepositLost"),
            "free_after": format_amount(line.free),
            "held_after": (format_amount(line.held), "dim"),
        },
    )


def _signed(planck: int, *, lost: bool) -> str | tuple[str, str]:
    """The change with its sign: green what came, red only what was lost."""
    if not planck:
        return ""
    text = f"{'+' if planck > 0 else '-'}{format_amount(abs(planck))}"
    if planck > 0:
        return text, "good"
    return (text, "bad") if lost else text
