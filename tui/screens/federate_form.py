"""What a federated model is to be: strategy, weights, held-out data to measure it, and where it goes."""

from dataclasses import dataclass
from pathlib import Path

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Input, Label, Static

from decentralml.core import named_path
from decentralml.core.errors import Misused
from decentralml.core.federation import Gathered
from decentralml.core.models.aggregate import STRATEGIES
from decentralml.core.text import clean
from decentralml.core.words import count
from decentralml.tui import background
from decentralml.tui.judging.federation import Names
from decentralml.tui.screens.dialog import Dialog
from decentralml.tui.screens.file_picker import Purpose, find
from decentralml.tui.screens.held_out import HELD_OUT
from decentralml.tui.widgets.buttons import Buttons

_NEW_MODEL = Purpose(
    "new-model",
    "Where the model goes",
    "folder",
    holds="The model's new folder is made in the one chosen here.",
)
_ABOUT = {"average": "all the same share", "weighted": "a share by weight"}


@dataclass(frozen=True)
class Order:
    """What to write. ``weights`` by submission; ``data`` None: it is not measured."""

    strategy: str
    weights: dict[int, float]
    data: Path | None
    out: Path


class FederateForm(Dialog[Order]):
    """Asks for an order over what was ``gathered``; ``names`` as of `judging.federation.called`."""

    def __init__(self, gathered: Gathered, names: Names, *, data: Path | None, out: Path) -> None:
        super().__init__(f"Federate {count(len(gathered.ingredients), 'result')}")
        self._gathered = gathered
        self._names = names
        self._data = data
        self._out = out
        self._strategy = STRATEGIES[0]

    def body(self) -> ComposeResult:
        yield Label("Strategy", classes="label")
        yield Button(_said(self._strategy), id="strategy", compact=True)
        with VerticalScroll(id="weights", can_focus=False):
            for entry in self._gathered.ingredients:
                with Horizontal(classes="weight"):
                    yield Label(Text(clean(self._names.get(entry.name, entry.name))))
                    yield Input("1", id=f"weight-{entry.submission_id}", compact=True)
        yield Label("Held-out data, to measure the outcome (may be left empty)", classes="label")
        with Horizontal(classes="path"):
            yield Input(str(self._data or ""), id="data", compact=True)
            yield Button(self.label("Browse", "browse"), id="find-data", compact=True)
        yield Label("New folder for the model", classes="label")
        with Horizontal(classes="path"):
            yield Input(str(self._out), id="out", compact=True)
            yield Button(self.label("Browse", "browse"), id="find-out", compact=True)
        yield Static("", id="problem")
        with Buttons():
            yield Button(self.label("Write", "go"), id="yes", variant="primary", compact=True)
            yield Button(self.label("Cancel", "back"), id="no", compact=True)

    def on_mount(self) -> None:
        self.query_one("#weights").display = False
        self.query_one("#out", Input).focus()

    @on(Button.Pressed, "#strategy")
    def strategy_pressed(self, event: Button.Pressed) -> None:
        """The next strategy of those there are."""
        self._strategy = STRATEGIES[(STRATEGIES.index(self._strategy) + 1) % len(STRATEGIES)]
        event.button.label = _said(self._strategy)
        self.query_one("#weights").display = self._strategy == "weighted"

    @on(Button.Pressed, "#find-data")
    def find_data(self) -> None:
        self.run_worker(self.app.guarded(self._find("data", HELD_OUT)))

    @on(Button.Pressed, "#find-out")
    def find_out(self) -> None:
        self.run_worker(self.app.guarded(self._find("out", _NEW_MODEL)))

    def action_browse(self) -> None:
        """For the field that one is in, and from anywhere else for the new folder."""
        self.find_data() if self.query_one("#data").has_focus else self.find_out()

    async def _find(self, name: str, purpose: Purpose) -> None:
        field = self.query_one(f"#{name}", Input)
        before = field.value
        found = await find(self.app, purpose, before)
        if found is not None:
            field.value = str(found / (Path(before).name or "x") if purpose is _NEW_MODEL else found)

    @on(Input.Submitted)
    @on(Button.Pressed, "#yes")
    def done(self) -> None:
        self.run_worker(self.app.guarded(self._done()))

    @on(Button.Pressed, "#no")
    def left(self) -> None:
        self.dismiss(None)

    async def _done(self) -> None:
        typed = {
            entry.submission_id: self.query_one(f"#weight-{entry.submission_id}", Input).value
            for entry in self._gathered.ingredients
        }
        weights = _weights(typed) if self._strategy == "weighted" else {}
        problem = "Every weight is a number above 0." if weights is None else ""
        data = out = None
        try:
            data, out = self._path("data"), self._path("out")
            problem = problem or await background.call(_problem, data, out)
        except Misused as error:
            problem = error.message
        if problem or weights is None or out is None:
            self.query_one("#problem", Static).update(Text(clean(problem)))
            return
        self.dismiss(Order(self._strategy, weights, data, out))

    def _path(self, name: str) -> Path | None:
        text = self.query_one(f"#{name}", Input).value.strip()
        return named_path.typed(text) if text else None


def _said(strategy: str) -> str:
    return f"{strategy}: {_ABOUT.get(strategy, '')}   enter: another"


def _weights(typed: dict[int, str]) -> dict[int, float] | None:
    """The weights as numbers; None where one is none."""
    try:
        found = {number: float(text) for number, text in typed.items()}
    except ValueError:
        return None
    return found if all(0 < weight < 1e12 for weight in found.values()) else None


def _problem(data: Path | None, out: Path | None) -> str:
    """What is wrong with the two paths; "" when nothing. Raises `Misused`."""
    if data is not None and named_path.kind(data) != "file":
        return f"There is no file {data}."
    if out is None:
        return "Name a folder for the model."
    if named_path.kind(out) is not None:
        return f"{out} is there already: name a new folder."
    return ""
