"""Set a task up: the Python that it needs, and its setup.sh, which is shown before the yes."""

from dataclasses import replace
from functools import partial

import msgspec
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Button, Checkbox, Static

from decentralml.core import environments, sandbox, task_folder, work
from decentralml.core.domain import Task
from decentralml.core.errors import Refused
from decentralml.core.text import clean, visible
from decentralml.core.training.runs import tail
from decentralml.tui.failures import Again
from decentralml.tui.screens.working import Working
from decentralml.tui.widgets.buttons import Buttons
from decentralml.tui.widgets.prose import Block, Field, Prose

_LINES = 200
_LOOPBACK = (
    "With the network it reaches the internet and every service of this machine: its loopback "
    "too (databases, dashboards, the keys of a cloud)."
)


class Tick(Checkbox):
    """Crossed only where it is on: its colour alone does not tell everybody."""

    BUTTON_INNER = "-"

    def watch_value(self) -> None:
        self.BUTTON_INNER = "X" if self.value else "-"
        super().watch_value()


class SetUp(Working[bool]):
    """Shows what would run and what it may touch. Answers whether the task is set up."""

    def __init__(self, task_id: int) -> None:
        super().__init__(f"Set up task {task_id}")
        self._task_id = task_id
        self._market_task: Task | None = None
        self._setup: work.Setup | None = None
        self._not_now = "Its setup.sh is not read yet."

    def body(self) -> ComposeResult:
        yield Prose(id="python")
        with VerticalScroll(id="text", can_focus=True):
            yield Static("", id="script")
            yield Prose(id="card")
        yield Tick("grant the network", id="network", compact=True)
        yield Static("", id="problem")
        with Buttons():
            yield Button(
                self.label("Run it", "yes"), id="run", variant="primary", compact=True, disabled=True
            )
            yield Button(self.label("Close", "back"), id="no", compact=True)

    def on_mount(self) -> None:
        self.query_one("#network").display = False
        self.query_one("#no").focus()
        self.work(self._begin())

    def again(self) -> Again:
        return self.opening(partial(SetUp, self._task_id))

    async def _begin(self) -> None:
        session = self.session
        task = self._market_task = await self.call(session.chain.task, self._task_id)
        await self.fetch(task)
        assets = await self.call(work.folder, session.market, task)
        self.say("looking for a Python that has what the task needs…")
        requirements = assets / task_folder.REQUIREMENTS
        exists = await self.call(requirements.exists)
        python = await self.call(
            environments.interpreter_for,
            requirements if exists else None,
            session.home,
            consent=self.consent,
        )
        self.query_one("#python", Prose).show(
            [[("python", (clean(python.name or str(python.executable)), ("  ready", "good")))]]
        )
        self._setup = await self.call(work.read_setup, session.market, task)
        if self._setup is None or not self._setup.script.strip():
            ran = self._setup is None and await self.call((assets / "setup.sh").exists)
            self._not_now = (
                "setup.sh ran already: trainings use the prepared folder." if ran else "No setup.sh to run."
            )
            self.say(self._not_now)
            return
        self.query_one("#script", Static).update(Text(visible(self._setup.script, keep_newlines=True)))
        self.query_one("#network").display = True
        self.query_one("#run", Button).disabled = False
        self._show_card()
        self.say("This is the setup.sh of a stranger. Nothing of it has run yet.")

    @on(Checkbox.Changed, "#network")
    def network_changed(self) -> None:
        self._show_card()

    @property
    def _ordered(self) -> work.Setup:
        """The setup as it would run now, with or without a network."""
        assert self._setup is not None, "there is a setup.sh"
        network = self.query_one("#network", Checkbox).value
        return msgspec.structs.replace(self._setup, cell=replace(self._setup.cell, network=network))

    def _show_card(self) -> None:
        setup = self._ordered
        lines = (line.partition(" ") for line in sandbox.describe(setup.cell))
        fields: list[Field] = [(label, (clean(value.strip()),)) for label, _, value in lines]
        blocks: list[Block] = [(("WHAT IT MAY TOUCH", "dim"),), fields]
        if setup.cell.network:
            blocks.append(((_LOOPBACK, "warn"),))
        self.query_one("#card", Prose).show(blocks)

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "run":
            self.action_yes()
        elif event.button.id == "no":
            self.action_back()

    def why_not(self, action: str) -> Refused | None:
        if action == "yes" and self.query_one("#run", Button).disabled:
            return Refused("NothingToRun", self._not_now, "")
        return None

    def action_yes(self) -> None:
        self._not_now = "It runs already."
        self.query_one("#run", Button).disabled = True
        self.work(self._run(self._ordered), group="run")

    def broke(self) -> None:
        self.query_one("#run", Button).disabled = self._setup is None

    async def _run(self, setup: work.Setup) -> None:
        assert self._market_task is not None, "the task was read"
        log = setup.folder.with_suffix(".log")
        self.query_one("#network").display = False
        self.query_one("#card").display = False
        self.say("running setup.sh…")

        async def show_log() -> None:
            lines = await self.call(tail, log, _LINES)
            self.query_one("#script", Static).update(Text("\n".join(lines)))
            self.query_one("#text", VerticalScroll).scroll_end(animate=False)

        timer = self.set_interval(1.0, show_log)
        try:
            result = await self.call(work.run_setup, self.session.market, self._market_task, setup)
        finally:
            timer.stop()
        await show_log()
        if result.ok:
            self._not_now = "setup.sh is done: trainings use the prepared folder."
            self.say(self._not_now)
            self.query_one("#no", Button).label = self.label("Done", "back")
        else:
            why = result.stopped or f"setup.sh ended with {result.returncode}."
            self.say(f"{why} What it printed is above, and in {log}.", bad=True)
            self.broke()
