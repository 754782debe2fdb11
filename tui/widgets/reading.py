"""Text that is longer than its room, moved in by the keys that move in a list."""

from textual.containers import VerticalScroll


class Reading(VerticalScroll, can_focus=True):
    """Scrolls what it holds, and is moved in as a `PagedTable` is."""

    @property
    def total(self) -> int:
        """How many lines it holds."""
        return self.virtual_size.height

    def move(self, by: int) -> None:
        """``by`` lines down."""
        self.scroll_relative(y=by, animate=False)

    def move_to(self, line: int) -> None:
        """So that ``line`` is in sight, at the top where there is enough below it."""
        self.scroll_to(y=line, animate=False)

    def page(self) -> int:
        """How many lines a page moves."""
        return max(self.size.height - 1, 1)
