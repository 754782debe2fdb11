"""A list that is filtered by words: `/` asks for them, going back lets all be shown again."""

from textual import on
from textual.widgets import Input

from decentralml.tui.screens.base import MarketScreen
from decentralml.tui.widgets.filter import Filter


class Filtered(MarketScreen):
    """Base of screens with one `Filter`, whose table shows the rows that fit it."""

    def on_mount(self) -> None:
        with self.prevent(Input.Changed):
            self.filter.value = self.kept("filter", "")
        self.filter.rest()

    @property
    def filter(self) -> Filter:
        """What the list is filtered by."""
        return self.query_one(Filter)

    def action_filter(self) -> None:
        self.filter.ask()

    @on(Input.Changed, "#filter")
    def filter_typed(self) -> None:
        self.keep("filter", self.filter.value)
        if self.app.session is not None:
            self.work(self.table.reload(), group="filter")

    @on(Input.Submitted, "#filter")
    def filter_done(self) -> None:
        self.filter.rest()
        self.table.focus()

    def action_back(self) -> None:
        if self.filter.has_class("-shown"):
            self.filter.clear_all()
            self.table.focus()
        else:
            super().action_back()
