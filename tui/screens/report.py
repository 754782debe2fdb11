"""A report in full, of a result that waits or was decided, for whoever is concerned by it."""

from typing import Any

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from decentralml.core.errors import DecentralMLError
from decentralml.core.text import clean, short
from decentralml.core.words import STATUSES
from decentralml.tui.hints import explain
from decentralml.tui.judging import panels, reading
from decentralml.tui.judging.canvas import Canvas
from decentralml.tui.screens.base import Thing
from decentralml.tui.screens.panes import PaneScreen
from decentralml.tui.widgets.pane import Pane
from decentralml.tui.words import reason_is


class ReportScreen(PaneScreen):
    """Lies over the screen that lists the submission."""

    SCOPE = "report"
    PANELS = panels.PANELS
    AUTO_FOCUS = "#first"

    def __init__(self, submission_id: int) -> None:
        super().__init__()
        self.submission_id = submission_id
        self.reading: reading.Reading | None = None
        self.problem: DecentralMLError | None = None

    def body(self) -> ComposeResult:
        yield Static("", id="head")
        yield Static("", id="reason")
        yield Static("", id="misfits")
        yield Static("", id="panels")
        with Horizontal(id="panes"):
            yield Pane(id="first")
            yield Pane(id="second")

    def on_mount(self) -> None:
        self.restore_panel()

    @property
    def place(self) -> list[Any]:
        return [self.SCOPE, self.submission_id]

    @property
    def thing(self) -> Thing:
        return Thing("submission", self.submission_id)

    @property
    def pane(self) -> Pane:
        """There is no list: keys move in the first pane unless another has the focus."""
        return super().pane or self.query_one("#first", Pane)

    async def refresh_data(self) -> None:
        try:
            with self.app.failures.during(f"reading the report on result {self.submission_id}", self._again):
                self.reading = await self.call(reading.read, self.session, self.submission_id)
            self.problem = None
        except DecentralMLError as error:
            self.problem = error
            raise
        finally:
            self._show()

    def _again(self) -> None:
        """From Activity: another screen of the same report, where this one was left."""
        if self.is_attached:
            self.work(self.refresh_data(), group="refresh")
        else:
            self.app.push_screen(ReportScreen(self.submission_id))

    # Showing

    def panels(self) -> tuple[str, ...]:
        return panels.panels_of(self.reading.task.terms.task_type) if self.reading else self.PANELS

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        if self.app.session is not None and self.query("#head"):
            self.set_part("#head", self._head())
            found = self.reading
            why = ""
            if found and found.submission.reason:
                why = f"{reason_is(found.submission)}: {clean(found.submission.reason)}"
            self.query_one("#reason").display = bool(why)
            self.set_part("#reason", why)
            wrong = reading.misfits(found.report, found.submission) if found and found.report else []
            self.query_one("#misfits").display = bool(wrong)
            self.set_part("#misfits", "\n".join(wrong))
            self.show_panels()

    def _head(self) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(f"#{self.submission_id}", "bold")
        found = self.reading
        if found is None:
            return text
        text.append(f"  task {found.task.id}  ")
        text.append(f"{clean(found.task.terms.question)}\n", "dim")
        text.append(f"{short(found.worker, 24)}  {STATUSES[found.submission.status]}  ")
        if found.report is not None:
            text.append(_whose(found), "dim")
        return text

    def draw(self, panel: str, pane: Pane) -> Text:
        if self.problem is not None:
            return Text(f"The report cannot be shown: {clean(explain(self.problem))}", pane.tone("bad"))
        if self.reading is None:
            return Text("The report is fetched, and its digest checked…", pane.tone("dim"))
        if self.reading.report is None:
            words = "No report was published on this result, and it was not evaluated here."
            return Text(words, pane.tone("dim"))
        canvas = Canvas(pane.text_width, pane.text_height, pane.tone, pane.shade)
        return panels.draw(panel, self.reading.report, (), canvas)

    # Moving: in the panes, as there is no list

    def action_left(self) -> None:
        self.query_one("#first").focus()

    def action_back(self) -> None:
        self.app.back()


def _whose(found: reading.Reading) -> str:
    if not found.own:
        return "published by its creator; its digest is the one on the chain"
    return "measured here, and published" if found.published else "measured here, not published"
