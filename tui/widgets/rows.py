"""A table over rows that are in memory already."""

from collections.abc import Sequence

from decentralml.tui.widgets.paged_table import Column, PagedTable, Row


class Rows(PagedTable):
    """The same rows again draw nothing."""

    def __init__(self, columns: tuple[Column, ...], *, empty: str, id: str) -> None:
        super().__init__(columns, self._from_memory, empty=empty, id=id)
        self._rows: list[Row] | None = None

    def heading(self, column: Column) -> str:
        """The first says how many rows there are, where it has room and not all are in sight."""
        counts = column is self._columns[0] and column.flexible and self.total >= self.size.height
        return f"{column.title}  {self.total:,}" if counts else column.title

    async def _from_memory(self, offset: int, limit: int) -> tuple[list[Row], int]:
        rows = self._rows or []
        return rows[offset : offset + limit], len(rows)

    async def show(self, rows: list[Row]) -> None:
        """Show ``rows``; the cursor stays on its row."""
        if rows != self._rows:
            self._rows = rows
            await self.reload()


def fair_shares(needs: Sequence[int], room: int) -> list[int]:
    """How much each gets of ``room``: an equal part, or what it needs, whose rest goes to the others."""
    found = [0] * len(needs)
    for left, place in enumerate(sorted(range(len(needs)), key=needs.__getitem__)):
        found[place] = min(needs[place], room // (len(needs) - left))
        room -= found[place]
    return found
