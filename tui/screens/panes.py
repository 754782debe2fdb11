"""A list beside panels to read: which panel shows, which part the moving keys move in."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual import events, on
from textual.widgets import Input, Static

from decentralml.tui import keys
from decentralml.tui.screens.base import MarketScreen
from decentralml.tui.widgets import clicked
from decentralml.tui.widgets.paged_table import PagedTable
from decentralml.tui.widgets.pane import Pane, same


class PaneScreen(MarketScreen):
    """Base of screens with a list, a line ``#panels`` of names, and the panes ``#first`` and ``#second``.

    With three panes' room the first panel stands fixed and the others take turns beside it, each with those
    after it that are seen whole below it.
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (112, "-wide"), (150, "-triple")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (30, "-tall")]  # noqa: RUF012
    AUTO_FOCUS = "PagedTable"
    PANELS: ClassVar[tuple[str, ...]]

    def __init__(self) -> None:
        super().__init__()
        self.panel = self.PANELS[0]

    def panels(self) -> tuple[str, ...]:
        """The panels that there are now."""
        return self.PANELS

    def draw(self, panel: str, pane: Pane) -> Text:
        """What ``panel`` shows."""
        raise NotImplementedError

    def show_panels(self) -> None:
        """Draw the panels that are seen, and the line of their names."""
        triple = self.has_class("-triple")
        turns = self._turns()
        here = self.panel if self.panel in turns else turns[0]
        first, second = self.query_one("#first", Pane), self.query_one("#second", Pane)
        second.display = triple
        drawn, below = self._filled(turns[turns.index(here) :], second) if triple else (Text(), set())
        names = Text(no_wrap=True, overflow="ellipsis")
        if triple:
            names.append(f" {self.panels()[0]} ", "bold")
            names.append(" beside it: ", "dim")
        for name in turns:
            tone = "bold reverse" if name == here else "bold" if name in below else "dim"
            names.append(f" {name} ", tone)
            names.append(" ")
        names.append(keys.said("{next_panel} next"), "dim")
        self.set_part("#panels", names)
        shown = self.draw(self.panels()[0] if triple else here, first)
        first.show(shown)
        if triple:  # the one word that there is for all panels is said once
            second.show(Text() if drawn.plain == shown.plain else drawn)

    def _filled(self, panels: Sequence[str], pane: Pane) -> tuple[Text, set[str]]:
        """The first of ``panels``, and below it those after it that are seen whole; which these are."""
        shown, below = self.draw(panels[0], pane), set()
        for name in panels[1:]:
            another = self.draw(name, pane)
            longer = Text("\n\n").join([shown[: len(shown.plain.rstrip())], another])
            if another.plain == shown.plain or pane.lines(longer) > pane.text_height:
                break
            shown = longer
            below.add(name)
        return shown, below

    @on(Pane.Resized)
    def pane_resized(self) -> None:
        if self.app.session is not None:
            self.show_panels()

    def set_part(self, selector: str, text: str | Text) -> None:
        """Update a Static only where it changes."""
        part = self.query_one(selector, Static)
        new = text if isinstance(text, Text) else Text(text)
        if not same(part.content, new):
            part.update(new)

    def restore_panel(self) -> None:
        """Show the panel that was seen last."""
        panel = self.kept("panel", self.panel)
        self.panel = panel if panel in self.PANELS else self.panel

    def _turns(self) -> tuple[str, ...]:
        panels = self.panels()
        return panels[1:] if self.has_class("-triple") else panels

    # Which part the moving keys move in

    @property
    def pane(self) -> Pane | None:
        """The pane that has the focus; None: the list has it."""
        return self.focused if isinstance(self.focused, Pane) else None

    def action_left(self) -> None:
        panes = [pane for pane in self.query(Pane) if pane.display]
        here = self.pane
        (panes[panes.index(here) - 1] if here in panes[1:] else self.table).focus()

    def action_right(self) -> None:
        panes = [pane for pane in self.query(Pane) if pane.display]
        here = self.pane
        panes[min(panes.index(here) + 1, len(panes) - 1) if here else 0].focus()

    def action_open(self) -> None:
        self.action_right()

    @on(PagedTable.Opened)
    def row_opened(self) -> None:
        self.action_right()

    def _move(self, table: Callable[[], None], pane: Callable[[Pane], Any]) -> None:
        here = self.pane
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
        if isinstance(self.focused, Pane | Input):
            self.table.focus()
        else:
            super().action_back()

    # Which panel shows

    def action_next_panel(self) -> None:
        self._turn(1)

    def action_previous_panel(self) -> None:
        self._turn(-1)

    def _turn(self, by: int) -> None:
        turns = self._turns()
        here = turns.index(self.panel) if self.panel in turns else 0
        self._turn_to(turns[(here + by) % len(turns)])

    def on_click(self, event: events.Click) -> None:
        if (panel := clicked.name(event, "panels", self._turns())) is not None:
            self._turn_to(panel)

    def _turn_to(self, panel: str) -> None:
        self.panel = panel
        for pane in self.query(Pane):
            pane.scroll_home(animate=False)
        self.keep("panel", self.panel)
        self.show_panels()

    def action_copy(self) -> None:
        """Copy what stands in the panel, digests and all."""
        self.app.copy((self.pane or self.query_one("#first", Pane)).plain)
