"""The table of any length: what fits, what is fetched, and that only what changed is drawn."""

import asyncio
from collections.abc import Sequence

import pytest
from rich.text import Text
from textual.app import App, ComposeResult
from textual.containers import Vertical

from decentralml.tui.widgets.paged_table import Column, PagedTable, Row

COLUMNS = (
    Column("id", "ID", 6, right=True, priority=100),
    Column("name", "NAME", 10, flexible=True, priority=90),
    Column("kind", "KIND", 10, priority=20, narrow=4),
    Column("more", "MORE", 12, priority=10),
)


class Source:
    """Rows by index, and a list of what was asked for."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.asked: list[tuple[int, int]] = []
        self.names: dict[int, str] = {}

    async def fetch(self, offset: int, limit: int) -> tuple[Sequence[Row], int]:
        self.asked.append((offset, limit))
        last = min(offset + limit, self.total)
        return [
            Row(
                n,
                {
                    "id": str(n),
                    "name": self.names.get(n, f"row {n}"),
                    "kind": ("whole", "dim"),
                    "kind.narrow": "cut",
                },
            )
            for n in range(offset, last)
        ], self.total


def lines(table: PagedTable) -> list[str]:
    return [table.render_line(y).text.rstrip() for y in range(table.size.height)]


class Alone(App[None]):
    """A table and nothing else, with what of the app a table asks for."""

    CSS = "PagedTable .table--dim { color: #123456; }"

    ascii = False

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source

    def compose(self) -> ComposeResult:
        with Vertical():
            yield PagedTable(COLUMNS, self.source.fetch, empty="nothing")

    def guarded(self, coroutine: object) -> object:
        return coroutine

    @property
    def table(self) -> PagedTable:
        return self.query_one(PagedTable)


async def test_only_the_pages_that_are_shown_are_fetched() -> None:
    source = Source(1_000_000)
    app = Alone(source)
    async with app.run_test(size=(60, 12)) as pilot:
        await app.table.reload()
        app.table.move_to(app.table.total - 1)
        await pilot.pause()
        await pilot.pause()
        assert "row 999999" in "\n".join(lines(app.table))
        assert source.asked == [(0, 200), (999_900, 100)]
        for page in range(40):
            app.table.move_to(page * 1000)
            await pilot.pause()
        assert len(app.table._pages) <= 8


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (120, ["ID", "NAME", "KIND", "MORE"]),
        (40, ["ID", "NAME", "KIND", "MORE"]),
        (28, ["ID", "NAME", "KIND"]),
        (22, ["ID", "NAME"]),
    ],
)
async def test_columns_shrink_and_go_by_their_priority(width: int, columns: list[str]) -> None:
    app = Alone(Source(3))
    async with app.run_test(size=(width, 12)):
        await app.table.reload()
        assert lines(app.table)[0].split() == columns
        assert max(map(len, lines(app.table))) <= width


async def test_a_column_that_shrank_shows_its_short_form() -> None:
    app = Alone(Source(3))
    async with app.run_test(size=(40, 12)) as pilot:
        await app.table.reload()
        assert "cut" in lines(app.table)[1]
        await pilot.resize_terminal(100, 12)
        await pilot.pause()
        assert "whole" in lines(app.table)[1]


async def test_reloading_what_did_not_change_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source(50)
    app = Alone(source)
    async with app.run_test(size=(60, 12)) as pilot:
        await app.table.reload()
        await pilot.pause()
        drawn: list[object] = []
        monkeypatch.setattr(app.table, "refresh", lambda *regions, **_: drawn.extend(regions))
        await app.table.reload()
        assert drawn == []
        source.names[3] = "another name"
        await app.table.reload()
        assert [region.y for region in drawn] == [4]


async def test_what_changes_while_the_table_is_hidden_is_seen_when_it_is_shown_again() -> None:
    source = Source(5)
    app = Alone(source)
    async with app.run_test(size=(60, 12)) as pilot:
        app.screen.set_focus(None)  # hiding what has the focus would draw it anew
        await app.table.reload()
        await pilot.pause()
        app.table.parent.display = False
        await pilot.pause()
        source.names[1] = "changed"
        await app.table.reload()
        app.table.parent.display = True
        await pilot.pause()
        seen = "".join(segment.text for strip in app.screen._compositor.render_strips() for segment in strip)
        assert "changed" in seen


async def test_the_cursor_stays_on_its_row_when_rows_come_before_it() -> None:
    source = Source(50)
    app = Alone(source)
    async with app.run_test(size=(60, 12)):
        await app.table.reload()
        app.table.move_to(5)

        async def shifted(offset: int, limit: int) -> tuple[Sequence[Row], int]:
            rows, total = await Source(51).fetch(offset, limit)
            return [Row(row.key - 1, row.cells) for row in rows], total

        app.table._fetch = shifted
        await app.table.reload()
        assert app.table.cursor == 6
        assert app.table.row is not None
        assert app.table.row.key == 5


async def test_the_cursor_stays_in_sight_when_the_table_becomes_lower() -> None:
    app = Alone(Source(50))
    async with app.run_test(size=(60, 12)) as pilot:
        await app.table.reload()
        app.table.move_to(10)
        await pilot.resize_terminal(60, 9)
        await pilot.pause()
        assert any("row 10" in line for line in lines(app.table))


async def test_a_list_that_became_shorter_keeps_the_cursor_inside() -> None:
    source = Source(1000)
    app = Alone(source)
    async with app.run_test(size=(60, 12)) as pilot:
        await app.table.reload()
        app.table.move_to(999)
        await pilot.pause()
        source.total = 3
        await app.table.reload()
        assert app.table.cursor == 2
        await pilot.pause()
        assert "row 2" in "\n".join(lines(app.table))
        source.total = 0
        await app.table.reload()
        assert "nothing" in lines(app.table)[1]
        app.table.move(5)
        assert app.table.row is None


async def test_wide_characters_and_markup_keep_the_columns_in_line() -> None:
    source = Source(3)
    source.names = {0: "数字の認識数字の認識数字の認識", 1: "[bold]x[/]", 2: "plain"}
    app = Alone(source)
    async with app.run_test(size=(60, 12)):
        await app.table.reload()
        strips = [app.table.render_line(y) for y in range(4)]
        assert {strip.cell_length for strip in strips} == {60}
        starts = {Text(strip.text[: strip.text.index("whole")]).cell_len for strip in strips[1:]}
        assert len(starts) == 1
        assert "[bold]x[/]" in strips[2].text


async def test_a_cell_has_its_own_tone_and_the_cursor_s_line_keeps_it() -> None:
    app = Alone(Source(3))
    async with app.run_test(size=(60, 12)):
        await app.table.reload()
        for y in (1, 2):
            styles = {segment.text.strip(): segment.style for segment in app.table.render_line(y)}
            dim = app.table.get_component_rich_style("table--dim").color
            assert styles["whole"].color == dim
            assert styles[next(text for text in styles if "row" in text)].color != dim


async def test_why_a_list_is_empty_is_said_in_full() -> None:
    app = Alone(Source(0))
    async with app.run_test(size=(24, 8)) as pilot:
        app.table.empty = "No task fits this filter, and there is no other one: / changes it."
        await app.table.reload()
        await pilot.pause()
        assert " ".join(" ".join(lines(app.table)[1:]).split()) == app.table.empty


async def test_a_reload_that_is_overtaken_returns_when_the_rows_are_there() -> None:
    """Whoever waits for it puts the cursor on a row next."""

    class Slow(Source):
        def __init__(self) -> None:
            super().__init__(9)
            self.may = [asyncio.Event(), asyncio.Event()]

        async def fetch(self, offset: int, limit: int) -> tuple[Sequence[Row], int]:
            answer = await super().fetch(offset, limit)
            await self.may[len(self.asked) - 1].wait()
            return answer

    source = Slow()
    app = Alone(source)
    async with app.run_test() as pilot:
        table = app.query_one(PagedTable)
        first, second = (asyncio.create_task(table.reload()) for _ in range(2))
        await pilot.pause()
        source.may[0].set()
        await pilot.pause()
        assert not first.done()
        assert table.total == 0
        source.may[1].set()
        await first
        table.move_to(5)
        assert table.cursor == 5
        await second


async def test_reloads_that_come_faster_than_rows_are_read_one_at_a_time_and_the_newest_alone() -> None:
    """Each letter of a filter reloads: a scan a letter, all at once, took 100 MB at 100,000 tasks."""
    go_on = asyncio.Event()

    class Busy(Source):
        async def fetch(self, offset: int, limit: int) -> tuple[Sequence[Row], int]:
            answer = await super().fetch(offset, limit)
            await go_on.wait()
            return answer

    source = Busy(9)
    async with Alone(source).run_test() as pilot:
        table = pilot.app.query_one(PagedTable)
        reloads = [asyncio.create_task(table.reload()) for _ in range(6)]
        await pilot.pause()
        assert len(source.asked) == 1
        go_on.set()
        await asyncio.gather(*reloads)
        assert len(source.asked) == 2
        assert table.total == 9


async def test_a_reload_that_is_cancelled_holds_up_none_that_it_overtook() -> None:
    gone = asyncio.Event()

    class Second(Source):
        async def fetch(self, offset: int, limit: int) -> tuple[Sequence[Row], int]:
            answer = await super().fetch(offset, limit)
            await (gone if len(self.asked) == 1 else asyncio.Event()).wait()
            return answer

    app = Alone(Second(9))
    async with app.run_test() as pilot:
        first, second = (asyncio.create_task(app.table.reload()) for _ in range(2))
        await pilot.pause()
        second.cancel()
        gone.set()
        await asyncio.wait_for(first, 10)
        assert not app.table.loaded
