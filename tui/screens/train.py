"""Start a training: of which task, on which data, how long, and what its script may touch meanwhile."""

import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Input, Label, Static

from decentralml.core import named_path, task_folder, work
from decentralml.core.amount import format_amount
from decentralml.core.chain.base import SubmissionQuery, TaskQuery
from decentralml.core.domain import ResultSubmissionStatus, Submission, Task, TaskType
from decentralml.core.errors import DecentralMLError, Misused, Refused, Unavailable
from decentralml.core.machine import Machine, Meter
from decentralml.core.text import clean
from decentralml.core.training.run_folder import BATCH_SIZES, EPOCHS, SEEDS, RunSpec
from decentralml.core.words import KINDS, size
from decentralml.tui import keys
from decentralml.tui.failures import Again
from decentralml.tui.hints import explain
from decentralml.tui.run import typed
from decentralml.tui.run.ready import Ready, Says, card, get_ready, look_at_data
from decentralml.tui.run.words import fit_cells
from decentralml.tui.screens.dialog import Choose
from decentralml.tui.screens.file_picker import Purpose, find
from decentralml.tui.screens.working import Working
from decentralml.tui.session import Session
from decentralml.tui.widgets.buttons import Buttons
from decentralml.tui.widgets.prose import Block, Prose
from decentralml.tui.words import machine

if TYPE_CHECKING:
    from decentralml.tui.screens.base import MarketScreen

DATA = Purpose(
    "data",
    "Data: your own, it stays here",
    "either",
    holds="an .npz with x and y; or a folder that the task's script reads",
    fits=lambda path: path.suffix == ".npz",
)
_MOST_TASKS = 200
_MACHINE_SECONDS = 1.0
_QUESTION = 32
# Narrower than this the numbers stand in two lines.
_BESIDE = 56
_CONSENT = "unsandboxed"
_NO_SLOT = "You hold no slot of this task: what you train cannot be delivered yet."
_HAD_SLOT = "You have had your slot of this task: what you train cannot be delivered for it."


async def start(screen: "MarketScreen", task_id: int | None, like: RunSpec | None = None) -> None:
    """Ask which task where none is given, start a run of it, and show it live. For inside `work`.

    ``like``: an earlier order of that task, with which the form begins.
    """
    if task_id is None:
        choices = await screen.call(trainable, screen.session)
        if not choices:
            raise Refused(
                "NothingToTrain",
                "No task is open to train.",
                keys.said("{tasks} shows them; {take} takes a slot."),
            )
        chosen: str | None = choices[0][0]
        if len(choices) > 1:
            chosen = await screen.app.push_screen_wait(Choose("Train which task?", choices))
        if chosen is None:
            return
        task_id = int(chosen)
    run_id = await screen.app.push_screen_wait(StartTraining(task_id, like))
    if run_id is not None:
        screen.app.show("runs", run_id)


def trainable(session: Session) -> list[tuple[str, str | Text]]:
    """Tasks that can be trained, those with a slot of one's own first: (id, line). Blocks."""
    mine: Mapping[int, Submission] = {}
    if session.address is not None:
        query = SubmissionQuery(
            worker=session.address, statuses=(ResultSubmissionStatus.Assigned,), limit=_MOST_TASKS
        )
        mine = {submission.task_id: submission for submission in session.chain.submissions(query).items}
    tasks = [session.chain.task(id) for id in mine]
    tasks += [
        task
        for task in session.chain.tasks(TaskQuery(takeable=True, limit=_MOST_TASKS)).items
        if task.id not in mine
    ]
    return [
        (str(task.id), _choice(task, mine.get(task.id)))
        for task in tasks
        if task.terms.task_type is not TaskType.DataAnnotators
    ]


def _choice(task: Task, mine: Submission | None) -> Text:
    line = Text(f"{task.id:>5}  ", "dim", no_wrap=True, overflow="ellipsis")
    line.append("yours  " if mine else "       ", "bold")
    line.append(f"{KINDS[task.terms.task_type]:<11}  {format_amount(task.terms.pays_amount):>8}  ", "dim")
    return line.append(fit_cells(clean(task.terms.question), _QUESTION), "")


class StartTraining(Working[int]):
    """Answers with the id of the run that was started; None where none was. Nothing is signed."""

    def __init__(self, task_id: int, like: RunSpec | None = None) -> None:
        super().__init__(f"Train task {task_id}")
        self._task_id = task_id
        self._like = like
        self._ready: Ready | None = None
        self._starting = False
        self._meter = Meter()
        self._measuring = False

    def body(self) -> ComposeResult:
        last = typed.last(self.app.state, self._task_id) if self._like is None else _typed(self._like)
        yield Prose(id="about")
        with Horizontal(classes="row"):
            yield Label("data", classes="label")
            yield Input(
                last.get("data", ""),
                placeholder="an .npz with x and y, or a folder",
                id="data",
                compact=True,
            )
            yield Button(self.label("Browse", "browse"), id="browse", compact=True)
        yield Static("", id="data-says")
        with Horizontal(classes="row", id="numbers"):
            for name, default, hint in (
                ("epochs", "10", ""),
                ("batch", "", "auto"),
                ("seed", "0", ""),
                ("device", "", "any"),
            ):
                yield Label(name, classes="label short")
                yield Input(last.get(name, default), placeholder=hint, id=name, compact=True, max_length=9)
        with Horizontal(classes="row", id="typed-row"):
            yield Label(f"no sandbox here: type {_CONSENT} to run it with all that you may", classes="warn")
            yield Input(id="typed", compact=True)
        with VerticalScroll(id="text"):
            yield Prose(id="machine")
            yield Prose(id="card")
        yield Static("", id="problem")
        with Buttons():
            yield Button(
                self.label("Start", "go"), id="start", variant="primary", compact=True, disabled=True
            )
            yield Button(self.label("Cancel", "back"), id="no", compact=True)

    def on_resize(self) -> None:
        self.set_class(self.size.width < _BESIDE, "-tiny")

    def on_mount(self) -> None:
        self.query_one("#typed-row").display = False
        self.query_one("#data").focus()
        self.set_interval(_MACHINE_SECONDS, self._measure)
        self.work(self._begin())

    def _measure(self) -> None:
        """Bring the line on the machine up to date: it decides whether another training has room here."""
        if not self._measuring:
            self._measuring = True
            self.work(self._show_machine(), group="machine")

    async def _show_machine(self) -> None:
        try:
            found, going = await self.call(self._look_around)
        finally:
            self._measuring = False
        *parts, load = machine(found)
        parts += [f"{going or 'no'} {'run' if going < 2 else 'runs'} going", load]
        self.query_one("#machine", Prose).show([(("machine  ", "dim"), "  ".join(parts))])

    def _look_around(self) -> tuple[Machine, int]:
        """The machine, and how many runs are at work here or wait. Blocks."""
        return self._meter.look(), sum(not run.ended for run in self.session.runs.list())

    def again(self) -> Again:
        app, task_id = self.app, self._task_id

        def again() -> None:
            screen = app.front
            if screen is not None:
                screen.work(start(screen, task_id))

        return again

    async def _begin(self) -> None:
        task = await self.call(self.session.chain.task, self._task_id)
        name = f"{KINDS[task.terms.task_type]}  "
        # One line of the question: what is to be filled in stands below it.
        room = self.query_one("#about").size.width - len(name) - 1
        self.query_one("#about", Prose).show([((name, "dim"), fit_cells(clean(task.terms.question), room))])
        await self.fetch(task)
        self.say("looking for a Python that has what the task needs…")
        self._ready = await self.call(get_ready, self.session, task)
        self.query_one("#typed-row").display = bool(self._ready.no_sandbox)
        self.query_one("#start", Button).disabled = False
        self.say("")
        await self._show_card()

    # The card

    @on(Input.Changed)
    def changed(self) -> None:
        """What the script may touch depends on what is typed."""
        if self._ready is not None:
            # A function: a coroutine that is cancelled before it began would be left unawaited.
            again: Callable[[], Awaitable[None]] = self._card_again
            self.run_worker(again, group="card", exclusive=True)

    async def _card_again(self) -> None:
        await self._said(self._show_card())

    async def _show_card(self) -> None:
        ready = self._ready
        assert ready is not None, "the card is shown when the task was looked at"
        try:
            says = await self.call(look_at_data, self._data(), ready.folder)
        except Misused as error:
            says = Says(False, clean(error.message))
        line = self.query_one("#data-says", Static)
        line.set_class(not says.ok, "-bad")
        line.update(Text(says.text))
        blocks: list[Block] = []
        if ready.slot is None:
            blocks.append(((_NO_SLOT if ready.mine is None else _HAD_SLOT, "warn"),))
        if ready.setup:
            unset = keys.said(
                "The task has a setup.sh, not run yet. If anything is missing: {set_up} on the task shows it."
            )
            blocks.append(((unset, "dim"),))
        if ready.packages:
            much = size(ready.fetch) if ready.fetch else "the index does not say how much"
            blocks.append(
                ((f"{len(ready.packages)} packages are fetched first, after a yes: {much}", "warn"),)
            )
        if ready.no_sandbox:
            blocks.append(((ready.no_sandbox, "bad"),))
        blocks.append((("WHAT IT MAY TOUCH", "dim"),))
        problem = ""
        try:
            blocks.append(await self.call(card, self.session, self._order(ready)))
        except DecentralMLError as error:
            problem = explain(error)
        self.say(problem, bad=True)
        self.query_one("#card", Prose).show(blocks)

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value.strip()

    def _data(self) -> Path | None:
        text = self._text("data")
        return named_path.typed(text) if text else None

    def _order(self, ready: Ready) -> RunSpec:
        """The order as the form stands. Raises `Misused` for what is not filled in right."""
        spec = ready.spec or RunSpec(
            assets=ready.folder,
            script=task_folder.SCRIPTS[ready.task.terms.task_type],
            task_type=ready.task.terms.task_type,
            task_id=ready.task.id,
        )
        return msgspec.structs.replace(
            spec,
            data=self._data(),
            epochs=_whole("epochs", self._text("epochs"), EPOCHS),
            batch_size=_whole("batch", self._text("batch"), BATCH_SIZES) if self._text("batch") else None,
            seed=_whole("seed", self._text("seed") or "0", SEEDS),
            device=_device(self._text("device")),
            unsandboxed=bool(ready.no_sandbox) and self._text("typed") == _CONSENT,
        )

    # Filling in

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        match event.button.id:
            case "browse":
                self.action_browse()
            case "start":
                self._start()
            case _:
                self.dismiss(None)

    def action_browse(self) -> None:
        self.work(self._browse())

    async def _browse(self) -> None:
        found = await find(self.app, DATA, self._text("data"))
        if found is not None:
            self.query_one("#data", Input).value = str(found)

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        """Without data of one's own, enter passes every field and ends on the button: that is meant then."""
        if self._text("data"):
            self._start()
            return
        ways = [one for one in self.focus_chain if isinstance(one, Input) or one.id == "start"]
        self.set_focus(ways[min(ways.index(event.input) + 1, len(ways) - 1)])

    def _start(self) -> None:
        if self._ready is not None and not self._starting:
            self._starting = True
            self.query_one("#start", Button).disabled = True
            self.work(self._start_run(self._ready), group="start")

    def broke(self) -> None:
        self._starting = False
        self.query_one("#start", Button).disabled = self._ready is None

    async def _start_run(self, ready: Ready) -> None:
        spec = self._order(ready)
        if ready.no_sandbox and not spec.unsandboxed:
            raise Unavailable(
                "NoSandbox", ready.no_sandbox, f"Type {_CONSENT} to run it with all that you may."
            )
        says = await self.call(look_at_data, spec.data, ready.folder)
        if not says.ok:
            raise Misused("NoData", says.text, "Name an .npz with x and y, a folder, or nothing.")
        self.say("getting ready…")
        whole = await self.call(
            work.run_spec,
            self.session.market,
            ready.task,
            data=spec.data,
            epochs=spec.epochs,
            batch_size=spec.batch_size,
            seed=spec.seed,
            device=spec.device,
            unsandboxed=spec.unsandboxed,
            submission_id=None if ready.slot is None else ready.slot.id,
            consent=self.consent,
        )
        run = await self.call(self.session.runs.start, whole)
        self._remember()
        self.dismiss(run.id)

    def _remember(self) -> None:
        """The next training of this task begins with what was typed for this one."""
        fields = ("data", "epochs", "batch", "seed", "device")
        typed.remember(self.app, self._task_id, {name: self._text(name) for name in fields})


def _typed(spec: RunSpec) -> dict[str, str]:
    """What one would have typed for an order."""
    data, batch = spec.data or "", spec.batch_size or ""
    texts = {"data": data, "epochs": spec.epochs, "batch": batch, "seed": spec.seed, "device": spec.device}
    return {name: clean(str(text)) for name, text in texts.items()}


def _whole(name: str, text: str, allowed: range) -> int:
    if not text.isascii() or not text.isdigit() or int(text) not in allowed:
        most = f"{allowed[-1]:,}"
        raise Misused("BadNumber", f"{name}: {text[:20]!r} is no number from {allowed[0]} to {most}.")
    return int(text)


def _device(text: str) -> str:
    if not re.fullmatch(r"(cpu|gpu(:\d{1,3})?)?", text):
        raise Misused(
            "BadDevice", f"{text[:20]!r} is no device.", "Known: cpu, gpu, gpu:N; empty takes what is there."
        )
    return text
