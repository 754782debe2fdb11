"""By what a task's results are measured: asked once a task, before anything is loaded."""

from pathlib import Path

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Button, Input, Label, Static

from decentralml.core import named_path
from decentralml.core.errors import Failed, Misused
from decentralml.core.sandboxed import npz
from decentralml.core.text import clean
from decentralml.tui import background
from decentralml.tui.judging.work import Setup
from decentralml.tui.screens.dialog import Dialog
from decentralml.tui.screens.file_picker import Purpose, find
from decentralml.tui.widgets.buttons import Buttons

_TYPED = "unsandboxed"
HELD_OUT = Purpose(
    "held-out",
    "Held-out data: only you have it",
    holds="an .npz with x and y",
    fits=lambda path: path.suffix == ".npz",
)
_POLICY = Purpose(
    "policy",
    "Your validation.py",
    holds="a script that decides on results",
    fits=lambda path: path.suffix == ".py",
)


class HeldOut(Dialog[Setup]):
    """Held-out data, and the creator's validation.py. ``no_sandbox``: why there is none, if so.

    ``problem``: why ``before`` cannot stay; ``yes``: what the answer is for.
    """

    def __init__(
        self,
        title: str,
        before: Setup,
        *,
        policy_needed: bool,
        no_sandbox: str = "",
        problem: str = "",
        yes: str = "Evaluate",
    ) -> None:
        super().__init__(title)
        self._unusable = problem
        self._before = before
        self._policy_needed = policy_needed
        self._no_sandbox = no_sandbox
        self._yes = yes

    def body(self) -> ComposeResult:
        yield Static(
            "Results are measured here, on data that only you have. Nothing of it leaves.", id="text"
        )
        yield Label("Held-out data: an .npz with x and y", classes="label")
        with Horizontal(classes="path"):
            yield Input(_text(self._before.data), id="data", compact=True)
            yield Button(self.label("Browse", "browse"), id="find-data", compact=True)
        said = "it decides; left empty, you do" if self._policy_needed else "may be left empty"
        yield Label(f"Your validation.py ({said})", classes="label")
        with Horizontal(classes="path"):
            yield Input(_text(self._before.policy), id="policy", compact=True)
            yield Button(self.label("Browse", "browse"), id="find-policy", compact=True)
        if self._no_sandbox:
            yield Label(Text(f"{clean(self._no_sandbox)} Type {_TYPED} to load strangers' models without."))
            yield Input(id="typed", compact=True)
        yield Static(Text(clean(self._unusable)), id="problem")
        with Buttons():
            yield Button(self.label(self._yes, "go"), id="yes", variant="primary", compact=True)
            yield Button(self.label("Cancel", "back"), id="no", compact=True)

    def on_mount(self) -> None:
        self.query_one("#data", Input).focus()

    @on(Button.Pressed, "#find-data")
    def find_data(self) -> None:
        self.run_worker(self.app.guarded(self._find("data", HELD_OUT)))

    @on(Button.Pressed, "#find-policy")
    def find_policy(self) -> None:
        self.run_worker(self.app.guarded(self._find("policy", _POLICY)))

    def action_browse(self) -> None:
        """For the field that one is in, and from anywhere else for the data."""
        self.find_policy() if self.query_one("#policy").has_focus else self.find_data()

    async def _find(self, name: str, purpose: Purpose) -> None:
        field = self.query_one(f"#{name}", Input)
        found = await find(self.app, purpose, field.value)
        if found is not None:
            field.value = str(found)

    @on(Input.Submitted)
    @on(Button.Pressed, "#yes")
    def done(self) -> None:
        self.run_worker(self.app.guarded(self._done()))

    @on(Button.Pressed, "#no")
    def left(self) -> None:
        self.dismiss(None)

    async def _done(self) -> None:
        data = policy = None
        try:
            data, policy = self._path("data"), self._path("policy")
            problem = await background.call(_problem, data, policy)
        except (Misused, Failed) as error:
            problem = error.message
        typed = self._no_sandbox and self.query_one("#typed", Input).value.strip() == _TYPED
        if not problem and self._no_sandbox and not typed:
            problem = f"Without a sandbox nothing is loaded, unless you type {_TYPED}."
        if problem:
            self.query_one("#problem", Static).update(Text(clean(problem)))
            return
        self.dismiss(Setup(data, policy, unsandboxed=bool(typed)))

    def _path(self, name: str) -> Path | None:
        text = self.query_one(f"#{name}", Input).value.strip()
        return named_path.typed(text) if text else None


def _problem(data: Path | None, policy: Path | None) -> str:
    """What is wrong with the two files, as far as names and headers say; "" when nothing.

    Raises `Misused`, `Failed`.
    """
    if data is None:
        return "Name the held-out data: without labels nothing can be measured."
    if named_path.kind(data) != "file":
        return f"There is no file {data}."
    if data.suffix != ".npz":
        return f"{data.name} is no .npz; np.savez(path, x=x, y=y) writes one."
    if policy is not None and named_path.kind(policy) != "file":
        return f"There is no file {policy}."
    npz.headers(data)
    return ""


def _text(path: Path | None) -> str:
    return "" if path is None else str(path)
