"""A dialog that finds a file or a folder: by typing with completion, or by walking through folders."""

import os
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from decentralml.core import named_path
from decentralml.core.errors import Misused
from decentralml.core.text import clean, short
from decentralml.tui import background
from decentralml.tui.screens.dialog import Dialog
from decentralml.tui.widgets.buttons import Buttons
from decentralml.tui.words import size

MOST_ENTRIES = 2000
_MOST_SHOWN = 200


@dataclass(frozen=True)
class Listing:
    """What a folder holds: (name, size in bytes or None for a folder), folders first; or why not."""

    folder: Path
    entries: tuple[tuple[str, int | None], ...] = ()
    more: int = 0
    problem: str = ""


def read(folder: Path, prefix: str = "") -> Listing:
    """List ``folder``; names that begin with a dot only where ``prefix`` does. Blocks."""
    found: list[tuple[str, int | None]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(prefix) or (entry.name.startswith(".") and not prefix):
                    continue
                try:
                    found.append((entry.name, None if entry.is_dir() else entry.stat().st_size))
                except OSError:  # a dangling link: nothing to choose
                    continue
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        return Listing(folder, problem=f"{short(str(folder), _MOST_SHOWN)}: {why}.")
    found.sort(key=lambda item: (item[1] is not None, item[0].casefold()))
    return Listing(folder, tuple(found[:MOST_ENTRIES]), max(len(found) - MOST_ENTRIES, 0))


class PathInput(Input):
    """The path as typed; tab completes it, down goes to the list."""

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "tab":
            event.stop()
            event.prevent_default()
            assert isinstance(self.screen, FilePicker)
            self.screen.complete()
            return
        await super()._on_key(event)


class FilePicker(Dialog[Path]):
    """Answers with a file, or with a folder where ``folders``; None where the person left."""

    def __init__(self, start: Path, folders: bool = False, *, title: str = "") -> None:
        super().__init__(title or ("Choose a folder" if folders else "Choose a file"))
        self._start = start
        self._folders = folders
        self._listing = Listing(start)

    def body(self) -> ComposeResult:
        yield PathInput(_typed(self._start), id="path", compact=True, select_on_focus=False)
        yield OptionList(id="entries")
        yield Static("", id="problem")
        with Buttons():
            if self._folders:
                yield Button("Choose this folder  enter", id="choose", variant="primary", compact=True)
            yield Button(self.label("Cancel", "back"), id="no", compact=True)

    def on_mount(self) -> None:
        path = self.query_one("#path", Input)
        path.focus()
        path.cursor_position = len(path.value)

    # Listing

    @on(Input.Changed, "#path")
    def typed(self, event: Input.Changed) -> None:
        """List what the typed path leads to."""
        self.run_worker(self.app.guarded(self._list(event.value)), group="list", exclusive=True)

    async def _list(self, typed: str) -> None:
        folder, _, prefix = typed.rpartition("/")
        listing = await background.call(_read_typed, folder or "/", prefix)
        if self.query_one("#path", Input).value != typed:
            return
        self._listing = listing
        options = self.query_one("#entries", OptionList)
        options.clear_options()
        options.add_options([Option(_line(name, count)) for name, count in listing.entries])
        if listing.entries:
            options.highlighted = 0
        words = listing.problem
        if not words and listing.more:
            words = f"{listing.more:,} more: type the beginning of the name."
        if not words and not listing.entries:
            words = "Nothing here begins like this." if prefix else "An empty folder."
        self._say(words)

    def complete(self) -> None:
        """Complete the typed name as far as it is clear."""
        typed = self.query_one("#path", Input).value
        self.run_worker(self.app.guarded(self._complete(typed)), group="complete")

    async def _complete(self, typed: str) -> None:
        folder, _, prefix = typed.rpartition("/")
        entries = (await background.call(_read_typed, folder or "/", prefix)).entries
        path = self.query_one("#path", Input)
        if not entries or path.value != typed:
            return
        common = os.path.commonprefix([name for name, _ in entries])  # noqa: RUF071 - characters are meant
        only_folder = len(entries) == 1 and entries[0][1] is None
        path.value = f"{folder}/{common}{'/' if only_folder else ''}"
        path.cursor_position = len(path.value)

    # Walking

    def _go(self, path: Path) -> None:
        field = self.query_one("#path", Input)
        field.value = _typed(path)
        field.cursor_position = len(field.value)

    def action_down(self) -> None:
        options = self.query_one("#entries", OptionList)
        if options.has_focus:
            options.action_cursor_down()
        else:
            options.focus()

    def action_up(self) -> None:
        self.query_one("#entries", OptionList).action_cursor_up()

    def action_left(self) -> None:
        self._go(self._listing.folder.parent)

    def action_right(self) -> None:
        index = self.query_one("#entries", OptionList).highlighted
        if index is not None and index < len(self._listing.entries):
            name, count = self._listing.entries[index]
            if count is None:
                self._go(self._listing.folder / name)

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        """A folder is entered, a file is the answer."""
        name, count = self._listing.entries[event.option_index]
        if count is None:
            self._go(self._listing.folder / name)
        elif not self._folders:
            self.dismiss(self._listing.folder / name)

    @on(Input.Submitted, "#path")
    @on(Button.Pressed, "#choose")
    def done(self) -> None:
        answer = self._answer(self.query_one("#path", Input).value)
        self.run_worker(self.app.guarded(answer), group="list", exclusive=True)

    @on(Button.Pressed, "#no")
    def left(self) -> None:
        self.dismiss(None)

    async def _answer(self, typed: str) -> None:
        await self._list(typed)  # first: it too says a line
        wanted = "folder" if self._folders else "file"
        try:
            path = named_path.typed(typed)
            found = await background.call(named_path.kind, path)
        except Misused as error:
            self._say(error.message)
            return
        if found == "folder" and not self._folders:
            self._go(path)
        elif found == wanted:
            self.dismiss(Path(os.path.abspath(path)))
        else:
            self._say(f"There is no {wanted} {short(str(path), _MOST_SHOWN)}.")

    def _say(self, text: str) -> None:
        self.query_one("#problem", Static).update(Text(clean(text)))


def begin_at(typed: str, *, above: bool = False) -> Path:
    """Where to begin from what stands in a field: there, or ``above`` it; here where it is no path."""
    try:
        path = named_path.typed(typed.strip())
    except Misused:
        return Path.cwd()
    return path.parent if above and typed.strip() else path


def _read_typed(folder: str, prefix: str) -> Listing:
    try:
        return read(named_path.typed(folder), prefix)
    except Misused as error:
        return Listing(Path.home(), problem=error.message)


def _typed(folder: Path) -> str:
    return f"{str(folder).rstrip('/')}/"


def _line(name: str, count: int | None) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{'' if count is None else size(count):>9}  ", "dim")
    text.append(clean(name) + ("/" if count is None else ""), "bold" if count is None else "")
    return text
