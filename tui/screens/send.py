"""Deliver: which result, what of it goes out, whether its creator can load it, then the signature."""

import os
import time
from functools import partial
from pathlib import Path

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Button, OptionList, Static
from textual.widgets.option_list import Option

from decentralml.core import outgoing
from decentralml.core.chain.base import Receipt
from decentralml.core.errors import Refused
from decentralml.core.text import clean, short
from decentralml.core.training import send
from decentralml.core.training.runs import Run
from decentralml.core.words import count, size
from decentralml.tui import keys
from decentralml.tui.failures import Again
from decentralml.tui.screens.file_picker import Purpose, find
from decentralml.tui.screens.working import Working
from decentralml.tui.signing import proposals
from decentralml.tui.signing.proposal import rebuildable
from decentralml.tui.task import facts as task_facts
from decentralml.tui.widgets.buttons import Buttons
from decentralml.tui.widgets.prose import Block, Field, Prose
from decentralml.tui.words import ago

_LEFT_OUT = 12
_RESULT = Purpose(
    "result",
    "The result's folder",
    "folder",
    holds=f"holds {', '.join(send.FILES)}",
    fits=lambda path: all(os.path.isfile(path / name) for name in send.FILES),
)


class SendResult(Working[Receipt]):
    """Delivers a submission: the result of ``run_id``, or of a run or folder that is chosen here.

    Answers with the receipt; None where nothing was sent.
    """

    def __init__(self, submission_id: int, run_id: int | None = None) -> None:
        super().__init__(f"Deliver submission {submission_id}")
        self._submission_id = submission_id
        self._run_id = run_id
        self._parcel: send.Parcel | None = None
        self._name = ""
        self._sending = False
        self._runs: list[Run] = []

    def body(self) -> ComposeResult:
        yield Prose(id="about")
        yield OptionList(id="sources")
        with VerticalScroll(id="text", can_focus=False):
            yield Prose(id="parcel")
        yield Static("", id="problem")
        with Buttons():
            yield Button(
                self.label("Send…", "yes"), id="send", variant="primary", compact=True, disabled=True
            )
            yield Button(self.label("Runs", "left"), id="again", compact=True)
            yield Button(self.label("Folder", "browse"), id="folder", compact=True)
            yield Button(self.label("Cancel", "back"), id="no", compact=True)

    def on_mount(self) -> None:
        self.query_one("#again").display = False
        self.work(self._begin())

    def again(self) -> Again:
        return self.opening(partial(SendResult, self._submission_id, self._run_id))

    async def _begin(self) -> None:
        session = self.session
        submission = await self.call(session.chain.submission, self._submission_id)
        task = await self.call(session.chain.task, submission.task_id)
        question = clean(task.terms.question)
        self.query_one("#about", Prose).show([((f"task {task.id}  ", "dim"), question)])
        self._runs = await self.call(task_facts.to_deliver, session, self._submission_id)
        if self._run_id is not None:
            await self._prepare_run(self._run_id)
        else:
            self._choose()

    def _choose(self) -> None:
        """Show the results that there are to choose from."""
        options = self.query_one("#sources", OptionList)
        options.clear_options()
        options.add_options([Option(_line(run), id=str(run.id)) for run in self._runs])
        options.display = bool(self._runs)
        self.query_one("#parcel", Prose).show([])
        self.query_one("#again").display = False
        self.query_one("#send", Button).disabled = True
        self._parcel = None
        if self._runs:
            options.highlighted = 0
            options.focus()
            self.say("Which result? enter chooses a run; a folder does as well.")
        else:
            self.query_one("#folder", Button).focus()
            trains = keys.said("{train} on the task trains one")
            self.say(f"No run of this task has finished here: {trains}. A folder does as well.")

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        """A run of the list."""
        if event.option.id is not None:
            self.work(self._prepare_run(int(event.option.id)), group="prepare")

    @on(Button.Pressed)
    def pressed(self, event: Button.Pressed) -> None:
        {
            "send": self.action_yes,
            "again": self.action_left,
            "folder": self.action_browse,
            "no": self.action_back,
        }[event.button.id or "no"]()

    def action_left(self) -> None:
        """Back to the runs, where there are any to choose from."""
        if self._parcel is not None and self._runs and not self._sending:
            self._choose()
        else:
            super().action_left()

    def action_browse(self) -> None:
        if not self._sending:
            self.work(self._pick(), group="pick")

    async def _pick(self) -> None:
        folder = await find(self.app, _RESULT)
        if folder is not None:
            await self._prepare(folder, f"folder {folder}")

    async def _prepare_run(self, run_id: int) -> None:
        folder = await self.call(self.session.runs.result_folder, run_id)
        await self._prepare(folder, f"run {run_id}")

    async def _prepare(self, result: Path, name: str) -> None:
        """Copy what goes out, and look at it as the creator will."""
        self.say("copying what goes out, and looking at the model as its creator will…")
        home, most = self.session.home, self.session.settings.result_size << 20
        parcel = await self.call(lambda: send.prepare(result, outgoing.folder(home), most=most))
        self._parcel, self._name = parcel, name
        self.query_one("#sources").display = False
        self.query_one("#again").display = bool(self._runs)
        self.query_one("#parcel", Prose).show(_parcel(parcel, name))
        self.query_one("#send", Button).disabled = False
        self.query_one("#send", Button).focus()
        self.say("Nothing has been sent yet.")

    def broke(self) -> None:
        self._sending = False
        self.query_one("#send", Button).disabled = self._parcel is None

    def why_not(self, action: str) -> Refused | None:
        if action == "yes" and self._parcel is None:
            return Refused("NothingChosen", "Choose what is sent first: a run or a folder.", "")
        return None

    def action_yes(self) -> None:
        if self._parcel is not None and not self._sending:
            self._sending = True
            self.work(self._send(self._parcel), group="send")

    async def _send(self, parcel: send.Parcel) -> None:
        proposal = await self.call(
            rebuildable,
            proposals.send_result,
            self.session,
            self._submission_id,
            result_path=parcel.folder,
            named=self._name,
        )
        receipt = await self.sign(proposal)
        if receipt is None:
            self._sending = False
        else:
            self.dismiss(receipt)


def _line(run: Run) -> Text:
    """A run as a choice: number, state, epochs, what it claims, how old."""
    last = run.last
    claims = "  ".join(
        f"{short(name, 12)} {value:.3f}" for name, value in (last.claimed or {}).items() if value is not None
    )
    ended = ago(time.time() - last.ended) if last.ended else ""
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"run {run.id:<4}", "bold")
    text.append(f"{run.state:<9} {count(last.epoch, 'epoch')}   ")
    text.append(f"{claims or 'claims nothing'}   ")
    text.append(ended, "dim")
    return text


def _parcel(parcel: send.Parcel, name: str) -> list[Block]:
    """What goes out with sizes, what stays here, and what inspection says."""
    goes: list[Field] = [((f"{size(count):>9}", ""), (file,)) for file, count in parcel.files]
    blocks: list[Block] = [
        (("GOES OUT  ", "dim"), f"{count(len(parcel.files), 'file')}, {size(parcel.size)}, of {name}"),
        goes,
    ]
    if parcel.left_out:
        shown = ", ".join(clean(file) for file in parcel.left_out[:_LEFT_OUT])
        more = f" and {len(parcel.left_out) - _LEFT_OUT} more" if len(parcel.left_out) > _LEFT_OUT else ""
        blocks += [("",), (("STAYS HERE  ", "dim"), f"{shown}{more}")]
    model = parcel.model
    verdict: list[Field] = [
        ("model", (f"{model.class_name} {clean(model.name)}, {model.parameters:,} parameters",)),
        ("format", (f"{model.format}, Keras {model.keras_version}",)),
        ("inspection", (("its creator can load it", "good"),)),
    ]
    verdict += [("warning", ((clean(warning), "warn"),)) for warning in model.warnings]
    return [*blocks, ("",), verdict]
