"""Publish a task: the form for the three kinds, checked and priced while one types."""

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.timer import Timer
from textual.widgets import Button, Input, Label, Static, TextArea

from decentralml.core import task_folder
from decentralml.core.amount import format_amount
from decentralml.core.chain.base import Receipt
from decentralml.core.domain import TaskType
from decentralml.core.errors import DecentralMLError
from decentralml.core.text import clean
from decentralml.tui import keys
from decentralml.tui.screens.base import MarketScreen
from decentralml.tui.screens.dialog import Ask
from decentralml.tui.screens.file_picker import Purpose, find
from decentralml.tui.signing import proposals
from decentralml.tui.signing.proposal import Proposal, rebuildable
from decentralml.tui.task import draft as task_draft
from decentralml.tui.task.draft import Checked, Draft, Finding
from decentralml.tui.widgets.choice import Choice
from decentralml.tui.widgets.prose import Block, Field, Prose

if TYPE_CHECKING:
    from decentralml.tui.pulse import Pulse

_LINES = ("files", "pays", "wanted", "until", "labels", "samples", "coordinates", "more")
_CHOICES = {
    "kind": tuple(task_draft.KINDS),
    "judged": tuple(task_draft.STRATEGIES),
    "media": tuple(task_draft.MEDIA),
}
_HINTS = {
    "files": "its folder, or a reference",
    "pays": "for each accepted result, like 12 or 0.5",
    "wanted": "1 to 1,000",
    "until": "12h, 7d, or block 120,000",
    "labels": "cat, dog, neither",
    "samples": "labelled examples, separated by ;",
    "coordinates": "what to mark in the files",
    "more": "anything else, as JSON",
}
_LABELS = {"until": "take until"}  # of the others it is the field's name
# What keeps a task from being published stands first.
_URGENT = ("bad", "warn", "", "good")
_PAUSE_SECONDS = 1.0
_KEPT = "{back} keeps a draft"
_UPLOADED = re.compile(r"[!-~]*#sha256=[0-9a-f]{64}")


class CreateTask(MarketScreen):
    """What is typed is kept as a draft, whichever way one leaves, until the task is published.

    It is written down once the typing pauses.
    """

    SCOPE = "create"
    HORIZONTAL_BREAKPOINTS = [(0, "-one"), (100, "-two")]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.draft = Draft()
        self.checked: Checked | None = None
        self._uploaded = ""
        self._pausing: Timer | None = None

    @property
    def place(self) -> list[Any]:
        return ["create"]

    def body(self) -> ComposeResult:
        with Horizontal(id="sides"):
            with Vertical(id="writing"):
                with VerticalScroll(id="form", can_focus=False):
                    yield from self._choice("kind")
                    with Horizontal(classes="row", id="row-question"):
                        yield Label("question", classes="label")
                        yield TextArea(id="question", compact=True, tab_behavior="focus", soft_wrap=True)
                    with Horizontal(classes="row", id="row-files"):
                        yield Label("files", classes="label")
                        yield Input(id="files", compact=True, placeholder=_HINTS["files"])
                        yield Button(keys.said("Browse  {browse}"), id="browse", compact=True)
                    for name in ("pays", "wanted", "until"):
                        yield from self._line(name)
                    yield from self._choice("judged")
                    yield from self._choice("media")
                    for name in ("labels", "samples", "coordinates", "more"):
                        yield from self._line(name)
                with Horizontal(id="buttons"):
                    publish = keys.said("Publish…  {go}")
                    yield Button(publish, id="publish", variant="primary", compact=True, disabled=True)
                    yield Static(keys.said(_KEPT), id="kept")
                    yield Button(keys.said("Clear  {clear}"), id="clear", compact=True)
            with Vertical(id="side"):
                yield Prose(id="cost")
                yield Prose(id="checks")

    def _choice(self, name: str) -> ComposeResult:
        with Horizontal(classes="row", id=f"row-{name}"):
            yield Label(_LABELS.get(name, name), classes="label")
            yield Choice(_CHOICES[name], id=name)

    def _line(self, name: str) -> ComposeResult:
        with Horizontal(classes="row", id=f"row-{name}"):
            yield Label(_LABELS.get(name, name), classes="label")
            yield Input(id=name, compact=True, placeholder=_HINTS[name])

    def on_mount(self) -> None:
        self._fill(task_draft.kept(self.app.state))
        self.query_one("#kind").focus()

    async def refresh_data(self) -> None:
        await self._check()

    def moved(self, pulse: "Pulse", *, events: bool) -> None:
        """With each block, look again at files of which something is wrong: they may be mended by now."""
        wrong = self.checked is not None and ("files", "bad") in {
            (found.field, found.tone) for found in self.checked.findings
        }
        super().moved(pulse, events=events or wrong)

    # The draft

    def _fill(self, draft: Draft) -> None:
        self.draft = draft
        question = self.query_one("#question", TextArea)
        question.text = draft.question
        question.move_cursor(question.document.end)
        for name in _LINES:
            self.query_one(f"#{name}", Input).value = getattr(draft, name)
        for name in _CHOICES:
            self.query_one(f"#{name}", Choice).choose(getattr(draft, name))
        self._show_rows()

    def _typed(self) -> Draft:
        lines = {name: self.query_one(f"#{name}", Input).value for name in _LINES}
        choices = {name: self.query_one(f"#{name}", Choice).value for name in _CHOICES}
        return Draft(question=self.query_one("#question", TextArea).text, **lines, **choices)

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(Choice.Changed)
    def changed(self) -> None:
        """Something was typed: keep it, and see what it comes to."""
        draft = self._typed()
        if draft == self.draft:
            return
        self.draft = draft
        self._show_rows()
        task_draft.keep(draft, self.app.state)
        if self._pausing is not None:
            self._pausing.stop()
        self._pausing = self.set_timer(_PAUSE_SECONDS, self.app.save_state)
        if self.app.session is not None:
            self.work(self._check(), group="check", exclusive=True)

    def _show_rows(self) -> None:
        labels = self.draft.kind == "annotator"
        for name in ("media", "labels", "samples", "coordinates", "more"):
            self.query_one(f"#row-{name}").display = labels

    # Checks and cost

    async def _check(self) -> Checked:
        """Look at what stands in the form now, and show what comes of it unless it changed meanwhile."""
        draft = self.draft
        checked = await self.call(task_draft.check, self.session, draft)
        if draft == self.draft:
            self._show(checked, draft)
        return checked

    def _show(self, checked: Checked, draft: Draft) -> None:
        self.checked = checked
        self.query_one("#publish", Button).disabled = checked.terms is None
        missing = ", ".join(_named(found) for found in checked.findings if found.tone in ("bad", ""))
        self.query_one("#kept", Static).update(Text(f"not yet: {missing}" if missing else keys.said(_KEPT)))
        fields: list[Field] = [
            (_named(found), ((clean(found.text), found.tone or "dim"),))
            for found in sorted(checked.findings, key=lambda found: _URGENT.index(found.tone))
        ]
        self.query_one("#checks", Prose).show([(("CHECKS", "dim"),), fields])
        self.query_one("#cost", Prose).show(_cost(checked, draft))

    # Keys and buttons

    def action_back(self) -> None:
        self.app.save_state()
        if not self.draft.empty:
            self.app.say(keys.said("Kept as a draft: {new} goes on with it."))
        super().action_back()

    @on(Input.Submitted)
    def action_next_field(self) -> None:
        self.focus_next()

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "browse":
            self.action_browse()
        elif event.button.id == "clear":
            self.action_clear()
        elif event.button.id == "publish":
            self.action_go()

    def action_go(self) -> None:
        """Publish, from any field; or say what keeps it."""
        if self.app.session is not None:
            self.work(self._publish(), group="publish")

    def action_clear(self) -> None:
        self.work(self._clear(), group="clear")

    async def _clear(self) -> None:
        text = "All that was typed goes, and the draft with it."
        if await self.app.push_screen_wait(Ask("Clear the form", text, yes="Clear", danger=True)):
            self._fill(Draft())
            task_draft.keep(Draft(), self.app.state)
            self.app.save_state()
            self.work(self._check(), group="check", exclusive=True)

    def action_browse(self) -> None:
        self.work(self._browse())

    async def _browse(self) -> None:
        typed = self.draft.files.strip()
        purpose = _shipped(task_draft.KINDS[self.draft.kind])
        folder = await find(self.app, purpose, "" if "#sha256=" in typed else typed)
        if folder is not None:
            self.query_one("#files", Input).value = str(folder)

    async def _publish(self) -> None:
        """Show what it does, upload, sign; what was uploaded is not uploaded twice."""
        self.changed()  # of the last keys its fields may not have told yet
        checked = await self._check()
        if checked.terms is None or checked.source is None:
            self.app.say(f"Publish: {self.query_one('#kept', Static).content}.")
            return
        self.app.save_state()
        proposal = await self.call(rebuildable, proposals.create, self.session, checked.terms, checked.source)
        receipt = await self.sign(self._remembering(proposal))
        if receipt is None:
            if self._uploaded:
                self.query_one("#files", Input).value = self._uploaded
                self.app.say("The files are uploaded already: their reference stands in the form.")
                self._uploaded = ""
            return
        self._fill(Draft())
        task_draft.keep(Draft(), self.app.state)
        self.app.save_state()
        self.app.back()
        if receipt.task_id is not None:
            from decentralml.tui.screens.task import TaskDetail

            self.app.push_screen(TaskDetail(receipt.task_id))

    def _remembering(self, proposal: Proposal) -> Proposal:
        """The proposal, whose refusal leaves behind what was uploaded before it."""

        def send() -> Receipt:
            try:
                return proposal.send()
            except DecentralMLError as error:
                found = _UPLOADED.search(error.hint)
                self._uploaded = found[0] if found else ""
                raise

        return replace(proposal, send=send)


def _shipped(kind: TaskType) -> Purpose:
    """The folder that a task of ``kind`` ships."""
    title, script = "The folder that the task ships", task_folder.SCRIPTS.get(kind)
    if script is None:
        return Purpose("labelled", title, "folder", holds="holds the files to be labelled, and nothing else")
    model = f" and {task_folder.BASE_MODEL}/" if kind is TaskType.ModelContributor else ""
    holds = f"holds {script}{model}; {task_folder.REQUIREMENTS} names what else it needs"
    return Purpose("shipped", title, "folder", holds, lambda path: _is_shipped(path, kind))


def _is_shipped(path: Path, kind: TaskType) -> bool:
    """Whether ``path`` passes the check that the form makes of it once it is chosen."""
    try:
        task_folder.check(path, kind)
    except (DecentralMLError, OSError):
        return False
    return True


def _named(found: Finding) -> str:
    """The field of a finding, as the form calls it."""
    return _LABELS.get(found.field, found.field)


def _cost(checked: Checked, draft: Draft) -> list[Block]:
    """Escrow, and what balance remains."""
    fields: list[Field] = []
    if checked.escrow is not None:
        each = f"{draft.pays.strip()} x {draft.wanted.strip()} = "
        back = "; what nobody earns comes back"
        fields.append(("escrow", ((each, "dim"), (format_amount(checked.escrow), "bold"), (back, "dim"))))
    if checked.free is not None:
        free, left = format_amount(checked.free), checked.left
        if checked.escrow is None or left is None:
            fields.append(("free", (free,)))
        elif left < 0:
            fields.append(("free", (free, (f", {format_amount(-left)} too little", "bad"))))
        else:
            remains = (format_amount(left), "good")
            fields.append(("free", ((f"{free} - {format_amount(checked.escrow)} = ", "dim"), remains)))
    return [fields]
