"""The panels in which a whole report is read."""

from collections.abc import Callable, Sequence

from rich.text import Text

from decentralml.core.domain import TaskType
from decentralml.core.models.mistakes import Mistake
from decentralml.core.report import Report
from decentralml.tui.judging import figures
from decentralml.tui.judging import report as report_view
from decentralml.tui.judging.canvas import Canvas

PANELS = ("figures", "matrix", "layers", "model", "report")
_OF_ANSWERS = ("figures", "report")


def panels_of(task_type: TaskType) -> tuple[str, ...]:
    """Of answers, those panels that answers have."""
    return _OF_ANSWERS if task_type is TaskType.DataAnnotators else PANELS


def draw(
    panel: str, report: Report, others: Sequence[Report], canvas: Canvas, seen: Sequence[Mistake] = ()
) -> Text:
    """One of `PANELS`; ``others``: the reports of the task's other candidates; ``seen``: its mistakes."""
    if panel == "figures":
        return figures.figures(report, others, canvas)
    if panel == "matrix":
        return figures.matrix(report, canvas, seen)
    drawn: dict[str, Callable[[Report, Canvas], Text]] = {
        "layers": report_view.layers,
        "model": report_view.model,
        "report": report_view.details,
    }
    return drawn[panel](report, canvas)
