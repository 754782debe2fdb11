"""Which of several names in a line was clicked."""

from collections.abc import Iterable

from textual import events


def name(event: events.Click, id: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` that was clicked in the widget ``id``; None where none was."""
    if event.widget is None or event.widget.id != id:
        return None
    line = event.widget.render_line(event.y).text
    places = ((each, line.find(each)) for each in names)
    return next((each for each, start in places if 0 <= start <= event.x < start + len(each)), None)
