"""A dialog that finds a file or a folder: by typing with completion, or by walking through folders."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from decentralml.core import named_path
from decentralml.core.errors import Misused
from decentralml.core.text import clean, short
from decentralml.core.words import size
from decentralml.tui import background, keys
from decentralml.tui.screens.dialog import Dialog
from decentralml.tui.widgets.buttons import Buttons

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp

MOST_ENTRIES = 2000
_MOST_SHOWN = 200
_REMEMBERED = "picker"
_FITS = "✓"


@dataclass(frozen=True)
class Purpose:
    """What a path is looked for, as the person is told.

    ``name``: under which the folder of last time is remembered. ``fits`` says whether a path looks right,
    from its name or from what lies in it; it blocks.
    """

    name: str
    title: str
    wants: Literal["file", "folder", "either"] = "file"
    holds: str = ""
    fits: Callable[[Path], bool] | None = None


@dataclass(frozen=True)
class Listing:
    """What a folder holds: (name, size in bytes or None for a folder), folders first; or why not.

    ``fitting`` are the names that fit the purpose; ``more`` and ``hidden`` count what is not listed.
    """

    folder: Path
    entries: tuple[tuple[str, int | None], ...] = ()
    fitting: frozenset[str] = frozenset()
    more: int = 0
    hidden: int = 0
    problem: str = ""


def read(folder: Path, part: str = "", fits: Callable[[Path], bool] | None = None) -> Listing:
    """List what has ``part`` in its name, whatever its case; first what begins so. Blocks.

    Names that begin with a dot are listed only where ``part`` does.
    """
    found: list[tuple[str, int | None]] = []
    hidden = 0
    wanted = part.casefold()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") and not part.startswith("."):
                    hidden += 1
                    continue
                if wanted not in entry.name.casefold():
                    continue
                try:
                    found.append((entry.name, None if entry.is_dir() else entry.stat().st_size))
                except OSError:  # a dangling link: nothing to choose
                    continue
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        return Listing(folder, problem=f"{short(str(folder), _MOST_SHOWN)}: {why}.")

    def place(entry: tuple[str, int | None]) -> tuple[bool, bool, str]:
        name = entry[0].casefold()
        return not name.startswith(wanted), entry[1] is not None, name

    found.sort(key=place)
    listed = found[:MOST_ENTRIES]
    fitting = frozenset(name for name, _ in listed if fits is not None and fits(folder / name))
    return Listing(folder, tuple(listed), fitting, len(found) - len(listed), hidden)


async def find(app: "DecentralMLApp", purpose: Purpose, typed: str = "") -> Path | None:
    """Let the person pick a path, from what is ``typed`` already, else from where they last did."""
    kept = app.state.get(_REMEMBERED, {})
    start = await background.call(_begin_at, typed.strip(), str(kept.get(purpose.name, "")))
    found = await app.push_screen_wait(FilePicker(start, purpose))
    if found is not None and app.state.set(_REMEMBERED, {**kept, purpose.name: str(found.parent)}):
        app.save_state()
    return found


def _begin_at(typed: str, last: str) -> Path:
    """Where to begin: above what is typed, else in the last folder; here where there is none."""
    try:
        if typed:
            return named_path.typed(typed).parent
        if last and named_path.kind(Path(last)) == "folder":
            return Path(last)
    except Misused:
        pass
    return Path.cwd()


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
    """Answers with a path that is what the purpose wants; None where the person left."""

    def __init__(self, start: Path, purpose: Purpose) -> None:
        super().__init__(purpose.title)
        self._start = start
        self._purpose = purpose
        self._listing = Listing(start)

    def body(self) -> ComposeResult:
        yield PathInput(_typed(self._start), id="path", compact=True, select_on_focus=False)
        holds = self._purpose.holds
        mark = f"{_FITS} " if self._purpose.fits is not None else ""
        yield Static(Text(f"{mark}{holds}"), id="holds")
        yield OptionList(id="entries")
        yield Static("", id="problem")
        words = keys.said(
            "tab completes; down: the list, with {down} {up} {left} {right} enter; {filter}: the name again"
        )
        yield Static(Text(words), id="keys")
        with Buttons():
            choose = "Choose" if self._purpose.wants == "file" else "Choose this folder"
            yield Button(self.label(choose, "go"), id="choose", variant="primary", compact=True)
            yield Button(self.label("Cancel", "back"), id="no", compact=True)

    def on_mount(self) -> None:
        path = self.query_one("#path", Input)
        path.focus()
        path.cursor_position = len(path.value)
        self.query_one("#holds").display = bool(self._purpose.holds)

    # Listing

    @on(Input.Changed, "#path")
    def typed(self, event: Input.Changed) -> None:
        """List what the typed path leads to."""
        self.run_worker(self.app.guarded(self._list(event.value)), group="list", exclusive=True)

    async def _list(self, typed: str) -> None:
        folder, _, part = typed.rpartition("/")
        listing = await background.call(_read_typed, folder or "/", part, self._purpose.fits)
        if self.query_one("#path", Input).value != typed:
            return
        self._listing = listing
        options = self.query_one("#entries", OptionList)
        options.clear_options()
        options.add_options(
            [Option(_line(name, count, name in listing.fitting)) for name, count in listing.entries]
        )
        if listing.entries:
            options.highlighted = 0
        words = listing.problem
        if not words and listing.more:
            words = f"{listing.more:,} more: type a part of the name."
        if not words and not listing.entries:
            words = "No name here has this in it." if part else "An empty folder."
        if not listing.problem and listing.hidden and not part:
            words = f"{words} {listing.hidden:,} hidden: type a dot to see them.".strip()
        self._say(words)

    def complete(self) -> None:
        """Complete the typed name as far as it is clear."""
        typed = self.query_one("#path", Input).value
        self.run_worker(self.app.guarded(self._complete(typed)), group="complete")

    async def _complete(self, typed: str) -> None:
        folder, _, prefix = typed.rpartition("/")
        listed = (await background.call(_read_typed, folder or "/", prefix)).entries
        entries = [entry for entry in listed if entry[0].startswith(prefix)]
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

    def action_filter(self) -> None:
        """To the name, of which any part filters the list."""
        self._go(self._listing.folder)
        self.query_one("#path").focus()

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        """A folder is entered, a file is the answer."""
        self._choose(event.option_index)

    def _choose(self, index: int) -> None:
        name, count = self._listing.entries[index]
        if count is None:
            self._go(self._listing.folder / name)
        elif self._purpose.wants != "folder":
            self.dismiss(self._listing.folder / name)

    @on(Button.Pressed, "#choose")
    def go_pressed(self) -> None:
        """What the button says: in the list the file under the cursor, else what is typed."""
        options = self.query_one("#entries", OptionList)
        index = options.highlighted if options.has_focus and self._purpose.wants == "file" else None
        if index is not None:
            self._choose(index)
        else:
            self.done()

    @on(Input.Submitted, "#path")
    def done(self) -> None:
        answer = self._answer(self.query_one("#path", Input).value)
        self.run_worker(self.app.guarded(answer), group="list", exclusive=True)

    @on(Button.Pressed, "#no")
    def left(self) -> None:
        self.dismiss(None)

    async def _answer(self, typed: str) -> None:
        await self._list(typed)  # first: it too says a line
        wants = self._purpose.wants
        try:
            path = named_path.typed(typed)
            found = await background.call(named_path.kind, path)
        except Misused as error:
            self._say(error.message)
            return
        if found == "folder" and wants == "file":
            self._go(path)
        elif found is not None and found in ("file", "folder") and wants in (found, "either"):
            self.dismiss(Path(os.path.abspath(path)))
        elif found is None and self._listing.entries:
            self._choose(self.query_one("#entries", OptionList).highlighted or 0)
        else:
            wanted = "such path" if wants == "either" else wants
            self._say(f"There is no {wanted} {short(str(path), _MOST_SHOWN)}.")

    def _say(self, text: str) -> None:
        self.query_one("#problem", Static).update(Text(clean(text)))


def _read_typed(folder: str, part: str, fits: Callable[[Path], bool] | None = None) -> Listing:
    try:
        return read(named_path.typed(folder), part, fits)
    except Misused as error:
        return Listing(Path.home(), problem=error.message)


def _typed(folder: Path) -> str:
    return f"{str(folder).rstrip('/')}/"


def _line(name: str, count: int | None, fits: bool) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{'' if count is None else size(count):>9} ", "dim")
    text.append(f"{_FITS if fits else ' '} ", "bold")
    text.append(clean(name) + ("/" if count is None else ""), "bold" if count is None else "")
    return text
