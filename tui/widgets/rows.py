"""A table over rows that are in memory already."""

from decentralml.tui.widgets.paged_table import Column, PagedTable, Row


class Rows(PagedTable):
    """The same rows again draw nothing."""

    def __init__(self, columns: tuple[Column, ...], *, empty: str, id: str) -> None:
        super().__init__(columns, self._from_memory, empty=empty, id=id)
        self._rows: list[Row] | None = None

    async def _from_memory(self, offset: int, limit: int) -> tuple[list[Row], int]:
        rows = self._rows or []
        return rows[offset : offset + limit], len(rows)

    async def show(self, rows: list[Row]) -> None:
        """Show ``rows``; the cursor stays on its row."""
        if rows != self._rows:
            self._rows = rows
            await self.reload()
