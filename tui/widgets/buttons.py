"""The buttons of a dialog: beside each other at the right, and below each other where there is no room."""

from textual.geometry import Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.layouts.horizontal import HorizontalLayout
from textual.widget import Widget


class _Wrapping(HorizontalLayout):
    """Rows from the right, each as full as it can be. For what has one size, whatever room it is given."""

    name = "wrapping"

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        rows: list[list[WidgetPlacement]] = [[]]
        for placement in super().arrange(parent, children, size, greedy):
            if rows[-1] and placement.region.right - rows[-1][0].region.x > size.width:
                rows.append([])
            rows[-1].append(placement)
        arranged, y = [], 0
        for row in filter(None, rows):
            to_right = size.width - row[-1].region.right
            arranged += [one._replace(region=one.region.translate((to_right, y))) for one in row]
            y += max(one.region.height for one in row)
        return arranged


class Buttons(Widget):
    """The last line of a dialog, which stays in sight."""

    DEFAULT_CSS = "Buttons { height: auto; width: 1fr; }"

    _wrapping = _Wrapping()

    def __init__(self) -> None:
        super().__init__(id="buttons")

    @property
    def layout(self) -> Layout:
        return self._wrapping
