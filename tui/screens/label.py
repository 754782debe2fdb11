"""Label files: one after the other, a key a label; every answer is kept at once, then they are delivered."""

import asyncio
import json
from pathlib import Path
from typing import Any

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from decentralml.core import answers, hostile, outgoing
from decentralml.core.domain import RESULT_BYTES, Submission, Task, manifest_digest
from decentralml.core.errors import DecentralMLError, Misused, Refused
from decentralml.core.paths import write_atomic
from decentralml.core.text import clean, short
from decentralml.core.words import size
from decentralml.tui import keys
from decentralml.tui.hints import read_only
from decentralml.tui.screens.base import MarketScreen, Thing
from decentralml.tui.screens.dialog import Ask
from decentralml.tui.session import Session
from decentralml.tui.signing import proposals
from decentralml.tui.task import facts as task_facts
from decentralml.tui.task import verbs as task_verbs
from decentralml.tui.widgets.bar import Bar
from decentralml.tui.widgets.code_view import CodeView, Piece, highlight
from decentralml.tui.widgets.prose import Block, Prose

_SHOWN_BYTES = 256 * 1024
_NUMBERED = 9


class LabelFiles(MarketScreen):
    """Answers live in this home until they are delivered: one goes on where one was."""

    SCOPE = "label"

    def __init__(self, task_id: int) -> None:
        super().__init__()
        self.task_id = task_id
        self._market_task: Task | None = None
        self._mine: Submission | None = None
        self._labels: tuple[str, ...] = ()
        self._files: dict[str, str] = {}
        self._names: list[str] = []
        self._answers: dict[str, str] = {}
        self._at = 0
        self._writing = asyncio.Lock()

    @property
    def place(self) -> list[Any]:
        return ["label", self.task_id]

    @property
    def thing(self) -> Thing:
        return Thing("task", self.task_id) if self._mine is None else Thing("submission", self._mine.id)

    def body(self) -> ComposeResult:
        with Vertical(id="head"):
            yield Prose(id="question")
            with Horizontal(id="done"):
                yield Bar(id="bar")
                yield Prose(id="count", wrap=False)
            yield Prose(id="file", wrap=False)
        with Horizontal(id="work"):
            yield CodeView(id="code")
            with VerticalScroll(id="side", can_focus=False):
                yield Static("LABELS", classes="title")
                yield OptionList(id="labels")
                yield Prose(id="help")

    # Reading

    async def refresh_data(self) -> None:
        if self._market_task is None:
            await self._begin()
        self._mine = await self.call(task_facts.my_submission, self.session, self.task_id)
        self._show()

    async def _begin(self) -> None:
        session = self.session
        task = await self.call(session.chain.task, self.task_id)
        self._labels = answers.labels_of(task.terms.annotation_class_labels)
        if not self._labels:
            way = keys.said("{back} goes back.")
            raise Refused("NothingToLabel", f"Task {self.task_id} has no labels.", way)
        await task_verbs.fetch(self.app, task, self._say)
        self._files, self._answers = await self.call(_read, session, task)
        self._names = list(self._files)
        self._at = next((i for i, name in enumerate(self._names) if name not in self._answers), 0)
        self._market_task = task
        labels = self.query_one("#labels", OptionList)
        labels.add_options([Option(_label(number, label)) for number, label in enumerate(self._labels, 1)])
        labels.focus()
        await self._show_file()

    # Showing

    def _say(self, text: str) -> None:
        for line in self.query("#file").results(Prose):  # none where the screen was left meanwhile
            line.show([(text,)])

    @property
    def _file(self) -> str:
        return self._names[self._at]

    def _show(self) -> None:
        if self._market_task is None:
            return
        given = sum(name in self._answers for name in self._names)
        left = len(self._names) - given
        self.query_one("#question", Prose).show(
            [((f"{self.task_id}  ", "dim"), (clean(self._market_task.terms.question), "title"))]
        )
        self.query_one(Bar).show([(given, "good"), (left, "dim")])
        self.query_one("#count", Prose).show([(f"{given:,} of {len(self._names):,} labelled",)])
        answer = self._answers.get(self._file)
        self.query_one("#file", Prose).show(
            [
                (
                    (f"{self._at + 1:,}/{len(self._names):,}  ", "dim"),
                    (clean(self._file), "bold"),
                    ("   ", ""),
                    (clean(answer), "good") if answer else ("no label yet", "accent"),
                )
            ]
        )
        self.query_one("#help", Prose).show(self._help(left))

    def _help(self, left: int) -> list[Block]:
        lines: list[Block] = [
            ("",),
            (("1-9 or enter labels", "dim"),),
            ((keys.said("{left} {right}  back, next file"), "dim"),),
        ]
        if self._mine is None:
            lines += [
                ("",),
                (
                    (
                        keys.said("You hold no slot: these are only tried. {take} on the task takes one."),
                        "warn",
                    ),
                ),
            ]
        elif not left:
            lines += [("",), ((keys.said("All labelled: {deliver} delivers."), "accent"),)]
        else:
            lines += [((keys.said("{deliver} delivers when all have a label"), "dim"),)]
        return lines

    async def _show_file(self) -> None:
        assert self._market_task is not None, "files are shown once the task is read"
        name = self._file
        view = self.query_one(CodeView)
        lines = await self.call(_lines, self.session, self._market_task, self._files[name], view.room)
        if name == self._file:
            view.show(lines, numbers=False)
        answer = self._answers.get(name)
        labels = self.query_one("#labels", OptionList)
        labels.highlighted = self._labels.index(answer) if answer in self._labels else labels.highlighted or 0
        self._show()

    def on_resize(self) -> None:
        if self._market_task is not None:
            self.work(self._show_file(), group="file", exclusive=True)

    # Labelling

    def on_key(self, event: events.Key) -> None:
        if event.character and event.character.isdecimal() and event.character != "0":
            number = int(event.character)
            if number <= min(len(self._labels), _NUMBERED):
                event.stop()
                self._give(self._labels[number - 1])

    @on(OptionList.OptionSelected, "#labels")
    def chosen(self, event: OptionList.OptionSelected) -> None:
        """The label under the cursor, for the file on screen."""
        self._give(self._labels[event.option_index])

    def _give(self, label: str) -> None:
        if self._market_task is None:
            return
        if self.app.readonly:
            self.app.refuse(read_only())
            return
        self._answers[self._file] = label
        self.work(self._keep())
        following = [i for i in range(self._at + 1, len(self._names)) if self._names[i] not in self._answers]
        before = [i for i in range(self._at) if self._names[i] not in self._answers]
        self._at = (following or before or [self._at])[0]
        self.work(self._show_file(), group="file", exclusive=True)

    async def _keep(self) -> None:
        assert self._market_task is not None, "answers are given once the task is read"
        async with self._writing:  # one after the other: what is newest is written last
            raw = json.dumps(self._answers, ensure_ascii=False, indent=1).encode()
            await self.call(_write, self.session, self._market_task, raw)

    def action_left(self) -> None:
        self._move(-1)

    def action_right(self) -> None:
        self._move(1)

    def _move(self, by: int) -> None:
        if self._names:
            self._at = (self._at + by) % len(self._names)
            self.work(self._show_file(), group="file", exclusive=True)

    def action_down(self) -> None:
        self.query_one("#labels", OptionList).action_cursor_down()

    def action_up(self) -> None:
        self.query_one("#labels", OptionList).action_cursor_up()

    def action_top(self) -> None:
        self._move(-self._at)

    def action_bottom(self) -> None:
        self._move(len(self._names) - 1 - self._at)

    def action_page_down(self) -> None:
        self.query_one(CodeView).scroll_relative(y=10, animate=False)

    def action_page_up(self) -> None:
        self.query_one(CodeView).scroll_relative(y=-10, animate=False)

    def action_open(self) -> None:
        self.query_one("#labels", OptionList).action_select()

    def action_copy(self) -> None:
        if self._market_task is not None:
            self.work(self._copy(self._market_task, self._files[self._file]))

    async def _copy(self, task: Task, name: str) -> None:
        folder = await self.call(_assets, self.session, task)
        self.app.copy(str(folder / name))

    # Delivering

    def why_not(self, action: str) -> DecentralMLError | None:
        if action == "deliver" and self._market_task is not None and self._mine is None:
            return task_facts.not_taken(self._market_task)
        if action == "deliver" and not self._answers:
            return Misused("NoAnswers", "No file has a label yet.", "1-9 or enter gives one.")
        return super().why_not(action)

    def action_deliver(self) -> None:
        self.work(self._deliver(), group="deliver")

    async def _deliver(self) -> None:
        if self._market_task is None or self._mine is None:
            return
        left = [name for name in self._names if name not in self._answers]
        if left:
            text = f"{len(left):,} of {len(self._names):,} files have no label. The creator sees how many."
            if not await self.app.push_screen_wait(Ask("Deliver so", text, yes="Deliver", danger=True)):
                return
        inline, folder = await self.call(parcel, self.session, self._market_task, self._answers, self._names)
        receipt = await self.propose(
            proposals.send_result, self._mine.id, result=inline, result_path=folder, named="your answers"
        )
        if receipt is not None:
            self.app.back()


def parcel(
    session: Session, task: Task, given: dict[str, str], names: list[str]
) -> tuple[str | None, Path | None]:
    """The answers as they are delivered: inline where they fit, else a folder with answers.json. Blocks."""
    known = {name: given[name] for name in names if name in given}
    text = json.dumps(known, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) <= RESULT_BYTES:
        return text, None
    folder = session.home.folder(outgoing.folder(session.home) / f"answers_{_key(session, task)}")
    write_atomic(folder / answers.ANSWERS, text.encode())
    return None, folder


def _key(session: Session, task: Task) -> str:
    return f"{session.chain.genesis[:12]}_{task.id}_{(session.address or 'nobody')[:12]}"


def _kept(session: Session, task: Task) -> Path:
    """Where this account's answers to a task are kept: an account sees no other's."""
    return session.home.data_dir / "answers" / f"{_key(session, task)}.json"


def _assets(session: Session, task: Task) -> Path:
    """Where its files are. Blocks."""
    assert task.terms.assets is not None, "there are files to label"
    return session.home.assets / manifest_digest(task.terms.assets[1])


def _read(session: Session, task: Task) -> tuple[dict[str, str], dict[str, str]]:
    """The files to label by their names, and the answers given before."""
    files = answers.files_to_label([file.name for file in hostile.tree(_assets(session, task))])
    try:
        found = json.loads(_kept(session, task).read_bytes())
    except (FileNotFoundError, ValueError):
        found = {}
    kept = found if isinstance(found, dict) else {}
    return files, {str(name): str(label) for name, label in kept.items() if name in files}


def _write(session: Session, task: Task, raw: bytes) -> None:
    path = _kept(session, task)
    session.home.folder(path.parent)
    write_atomic(path, raw)


def _lines(session: Session, task: Task, name: str, width: int) -> list[list[Piece]]:
    """A text to read in lines of ``width``; of anything else where it is, for one's own viewer. Blocks."""
    folder, kind = _assets(session, task), task.terms.annotation_type
    with hostile.open_file(folder, name, 2**40) as file:
        data = file.read(_SHOWN_BYTES)
        count = file.seek(0, 2)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        # A cut may fall within a character; anything else is no text.
        text = data[: error.start].decode() if error.start > len(data) - 4 > 0 else "\0"
    if "\0" in text:
        where = [
            f"{kind.value if kind else 'A file'}, {size(count)}: no text.",
            "",
            "Open it with your own viewer:",
        ]
        return [[(line, "comment")] for line in where] + [[(short(str(folder / name), 500), "")]]
    return highlight(text, name, width)


def _label(number: int, label: str) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{number if number <= _NUMBERED else '':>2}  ", "bold")
    text.append(short(label, 60))
    return text
