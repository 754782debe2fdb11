"""Try a task before a slot is held: a few batches in the sandbox, and what a whole training would take."""

from functools import partial
from pathlib import Path

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Input, Label, Static

from decentralml.core import named_path, work
from decentralml.core.amount import format_amount
from decentralml.core.domain import Task
from decentralml.core.errors import Misused
from decentralml.core.text import clean
from decentralml.core.training import journal
from decentralml.core.training.run_folder import EPOCHS, RunSpec
from decentralml.core.words import count, size
from decentralml.tui import keys
from decentralml.tui.failures import Again
from decentralml.tui.run import typed
from decentralml.tui.run.ready import card
from decentralml.tui.screens.file_picker import find
from decentralml.tui.screens.train import DATA
from decentralml.tui.screens.working import Working
from decentralml.tui.widgets.buttons import Buttons
from decentralml.tui.widgets.prose import Block, Field, Line, Prose
from decentralml.tui.words import duration


class TryTask(Working[None]):
    """Data and epochs, what the script may touch, then what it takes and pays. Signs and sends nothing."""

    def __init__(self, task_id: int) -> None:
        super().__init__(f"Try task {task_id}")
        self._task_id = task_id
        self._market_task: Task | None = None
        self._spec: RunSpec | None = None
        self._trial: work.Trial | None = None
        self._trying = False
        self._left = False

    def body(self) -> ComposeResult:
        last = typed.last(self.app.state, self._task_id)
        with Horizontal(classes="row"):
            yield Label("data", classes="label")
            yield Input(
                last.get("data", ""),
                placeholder="an .npz with x and y; empty: the script's",
                id="data",
                compact=True,
            )
            yield Button(self.label("Browse", "browse"), id="browse", compact=True)
        with Horizontal(classes="row"):
            yield Label("epochs", classes="label")
            epochs = last.get("epochs", "10")
            yield Input(epochs, id="epochs", compact=True, type="integer", max_length=7)
            yield Static("for the estimate: only a few batches are trained now", id="hint")
        with VerticalScroll(id="text", can_focus=True):
            yield Prose(id="found")
        yield Static("", id="problem")
        with Buttons():
            yield Button(self.label("Try it", "go"), id="try", variant="primary", compact=True, disabled=True)
            yield Button(self.label("Close", "back"), id="no", compact=True)

    def on_mount(self) -> None:
        self.query_one("#data").focus()
        self.work(self._begin())

    def again(self) -> Again:
        return self.opening(partial(TryTask, self._task_id))

    async def _begin(self) -> None:
        """Fetch the files, find the Python that they need, and say what the script may touch."""
        session = self.session
        self._market_task = await self.call(session.chain.task, self._task_id)
        await self.fetch(self._market_task)
        self.say("looking for a Python that has what the task needs…")
        self._spec = await self.call(
            work.run_spec, session.market, self._market_task, data=None, epochs=1, consent=self.consent
        )
        await self._show_card(self._spec, self._market_task)
        self.query_one("#try", Button).disabled = False
        self.say("Nothing of the task has run yet.")

    async def _show_card(self, spec: RunSpec, task: Task) -> None:
        """What the script may touch: with the data that are named, where there are any."""
        session = self.session
        try:
            data = self._data()
            if data is not None and await self.call(named_path.kind, data) is None:
                data = None
        except Misused:  # half of a path; of a whole one the try says it
            data = None
        touched = await self.call(card, session, msgspec.structs.replace(spec, data=data))
        setup = await self.call(work.read_setup, session.market, task)
        blocks: list[Block] = [(("WHAT IT MAY TOUCH", "dim"),), touched]
        if setup is not None and setup.script.strip():
            unset = keys.said(
                "The task has a setup.sh, not run yet. If anything is missing: {set_up} shows and runs it."
            )
            blocks += [("",), ((unset, "dim"),)]
        self.query_one("#found", Prose).show(blocks)

    @on(Input.Changed, "#data")
    def data_changed(self) -> None:
        """Before a try the card names them; what a try has found stands until the next."""
        if self._spec is not None and self._market_task is not None and self._trial is None:
            show = self.app.guarded(self._show_card(self._spec, self._market_task))
            self.run_worker(show, group="card", exclusive=True)

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "browse":
            self.action_browse()
        elif event.button.id == "try":
            self._start()
        else:
            self.action_back()

    @on(Input.Submitted)
    def submitted(self) -> None:
        self._start()

    @on(Input.Changed, "#epochs")
    def epochs_changed(self) -> None:
        """What a try has measured holds for any number of epochs."""
        if self._trial is not None:
            self._show_trial(self._trial)

    def action_browse(self) -> None:
        self.work(self._browse())

    async def _browse(self) -> None:
        data = self.query_one("#data", Input)
        found = await find(self.app, DATA, data.value)
        if found is not None:
            data.value = str(found)

    def action_back(self) -> None:
        self._left = True
        self.dismiss(None)

    def _remember(self) -> None:
        """The training of this task begins with what its try was given."""
        given = {name: self.query_one(f"#{name}", Input).value.strip() for name in ("data", "epochs")}
        typed.remember(self.app, self._task_id, given)

    def _data(self) -> Path | None:
        text = self.query_one("#data", Input).value.strip()
        return named_path.typed(text) if text else None

    def _epochs(self) -> int:
        text = self.query_one("#epochs", Input).value
        return min(max(int(text), EPOCHS[0]), EPOCHS[-1]) if text.isdecimal() else 1

    def _start(self) -> None:
        if self._spec is not None and not self._trying:
            self._trying = True
            self.query_one("#try", Button).disabled = True
            self.work(self._try(self._spec), group="try")

    def broke(self) -> None:
        self._trying = False
        self.query_one("#try", Button).disabled = self._spec is None

    async def _try(self, spec: RunSpec) -> None:
        data = self._data()
        if data is not None and await self.call(named_path.kind, data) is None:
            raise Misused("NoData", f"There is nothing at {data}.", "Name an .npz, or leave it empty.")
        spec = msgspec.structs.replace(spec, data=data, epochs=self._epochs())
        seen: list[journal.Event] = []
        timer = self.set_interval(0.5, lambda: self.say(_doing(seen)))
        self.say("starting the sandbox…")
        try:
            self._trial = await self.call(
                work.try_task, self.session.market, spec, on_event=seen.append, cancelled=lambda: self._left
            )
        finally:
            timer.stop()
        self._remember()
        self._show_trial(self._trial)
        self.say("It runs here. Nothing was signed, sent or kept.")
        self.broke()

    def _show_trial(self, trial: work.Trial) -> None:
        assert self._market_task is not None, "a task was tried"
        self.query_one("#found", Prose).show(
            [_found(trial, self._epochs(), self._market_task.terms.pays_amount)]
        )


def _doing(events: list[journal.Event]) -> str:
    """How far the try is, from the newest event that says something."""
    for event in reversed(events):
        match event:
            case journal.Step():
                loss = event.metrics.get("loss")
                return f"training: batch {event.step}, loss {'not finite' if loss is None else f'{loss:.3f}'}"
            case journal.Data():
                return f"data: {count(event.samples or 0, 'sample')}; building the model…"
            case journal.Hello():
                return f"on {event.device or 'CPU'}; reading the data…"
    return "starting the sandbox, importing Keras…"


def _found(trial: work.Trial, epochs: int, pays: int) -> list[Field]:
    """Everything that a try has shown, and what it comes to for ``epochs`` epochs."""
    report = trial.report
    second = report.seconds_epoch
    total = None if second is None else second * epochs
    hourly = None if not total else int(pays * 3600 / total)
    fields: list[Field] = [
        ("pays an hour", _pays(hourly, pays, total)),
        (count(epochs, "epoch"), ("-" if total is None else _long(total),)),
        ("an epoch", ("not measured" if second is None else _long(second),)),
        ("memory", (f"{size(report.peak_memory)} at most",)),
        ("download", (size(trial.download),)),
        ("environment", (f"{clean(report.environment)}, {size(report.environment_size)} more on disk",)),
        ("device", (_device(report.device, report.gpus),)),
        ("data", (_data(trial),)),
        ("model", (f"{report.parameters:,} parameters, {report.model.class_name}",)),
        ("inspection", (("its creator can load it", "good"),)),
        ("protection", (report.protection,)),
    ]
    return fields + [("warning", ((clean(warning), "warn"),)) for warning in report.warnings]


def _pays(hourly: int | None, pays: int, seconds: float | None) -> Line:
    """What comes of an hour of this, and of what work that is said: of seconds it is an odd figure."""
    if hourly is None or seconds is None:
        return (("-", "accent"),)
    return ((_rounded(hourly), "accent"), (f"  {format_amount(pays)} for about {_long(seconds)}", "dim"))


def _long(seconds: float) -> str:
    """How long something takes: short times to hundredths, which the longer ones do not need."""
    return f"{seconds:.2f} s" if seconds < 10 else duration(seconds)


def _rounded(planck: int) -> str:
    """To a hundredth of a unit, since an estimate has no more; what is less than that as it is."""
    cent = 10**10
    return format_amount(planck // cent * cent) if planck >= cent else format_amount(planck)


def _device(device: str, gpus: tuple[str, ...]) -> str:
    return f"{clean(device)}; {', '.join(map(clean, gpus))}" if gpus else clean(device)


def _data(trial: work.Trial) -> str:
    report = trial.report
    if report.samples is None:
        return "not told"
    shapes = f"x {'x'.join(str(n) for n in report.x_shape)}  y {'x'.join(str(n) for n in report.y_shape)}"
    classes = f", {report.classes} classes" if report.classes else ""
    batch = f", batches of {report.batch_size}" if report.batch_size else ""
    return f"{count(report.samples, 'sample')}, {report.holdout or 0:,} held out, {shapes}{classes}{batch}"
