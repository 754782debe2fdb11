"""A file of a task, read: a script in colours, a model by its layers, anything else as what it is."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical

from decentralml.core import hostile
from decentralml.core.errors import DecentralMLError, Refused
from decentralml.core.models.inspect import inspect
from decentralml.core.models.layers import Shape
from decentralml.core.text import clean, short
from decentralml.core.words import count, size
from decentralml.tui.hints import explain
from decentralml.tui.screens.base import MarketScreen, Thing
from decentralml.tui.widgets.code_view import CodeView, Piece, highlight
from decentralml.tui.widgets.paged_table import Column, PagedTable, Row
from decentralml.tui.widgets.prose import Field, Prose

MOST_BYTES = 4 * 2**20
_HEX_BYTES = 16 * 2**10
_SETTINGS = 6

LAYERS = (
    Column("name", "LAYER", 18, flexible=True, priority=100),
    Column("kind", "CLASS", 18, priority=90),
    Column("shape", "OUTPUT", 18, priority=70),
    Column("parameters", "PARAMETERS", 13, right=True, priority=95),
    Column("settings", "SETTINGS", 24, flexible=True, priority=40),
)


class Viewer(MarketScreen):
    """Shows ``name`` of ``folder``, a stranger's; with ``model`` what static inspection says of it."""

    SCOPE = "viewer"

    def __init__(self, folder: Path, name: str, *, model: bool = False) -> None:
        super().__init__()
        self._folder = folder
        self._file = name
        self._model = model
        self._rows: list[Row] = []
        self._text = ""
        self._read = False

    @property
    def place(self) -> list[Any]:
        return ["viewer", str(self._folder), self._file, self._model]

    @property
    def thing(self) -> Thing | None:
        """What the screen is about from which the file was opened."""
        opened = self.app.screen_stack
        below = opened[opened.index(self) - 1] if self in opened[1:] else None
        return below.thing if isinstance(below, MarketScreen) else None

    def body(self) -> ComposeResult:
        with Vertical(id="head"):
            yield Prose(id="title", wrap=False)
            yield Prose(id="facts")
        if self._model:
            yield PagedTable(LAYERS, self._layers, empty="No layers.", id="layers")
        else:
            yield CodeView(id="code")

    def on_mount(self) -> None:
        self.query_one("#title", Prose).show([((clean(self._file), "title"), ("   reading…", "dim"))])
        self.query_one("#layers, #code").focus()

    async def refresh_data(self) -> None:
        if self._read:
            return
        self._read = True
        try:
            if self._model:
                await self._show_model()
            else:
                await self._show_file()
        except Refused as refused:
            self.query_one("#title", Prose).show([((clean(self._file), "title"), ("   refused", "bad"))])
            self.query_one("#facts", Prose).show([((clean(explain(refused)), "bad"),)])
            raise

    # A file

    async def _show_file(self) -> None:
        lines, about, text = await self.call(_read, self._folder, self._file)
        self._text = text
        self.query_one("#title", Prose).show([((clean(self._file), "title"), (f"   {about}", "dim"))])
        self.query_one(CodeView).show(lines, numbers=bool(text))

    # A model

    async def _show_model(self) -> None:
        info = await self.call(inspect, self._folder / self._file)
        title = f"   {info.class_name}, {info.parameters:,} parameters, {size(info.size)}"
        self.query_one("#title", Prose).show([((clean(self._file), "title"), (title, "dim"))])
        fields: list[Field] = [
            ("model", (f"{clean(info.name)}   {info.format}, Keras {clean(info.keras_version)}",)),
            ("in, out", (f"{_shape(info.input_shape)} to {_shape(info.output_shape)}",)),
            ("inspection", (("can be loaded without its author's code", "good"),)),
        ]
        fields += [("warning", ((clean(warning), "warn"),)) for warning in info.warnings]
        self.query_one("#facts", Prose).show([fields])
        self._rows = [
            Row(
                number,
                {
                    "name": "  " * layer.depth + clean(layer.name),
                    "kind": (clean(layer.class_name), "dim"),
                    "shape": _shape(layer.output_shape),
                    "parameters": f"{layer.parameters:,}",
                    "settings": (_settings(layer.settings), "dim"),
                },
            )
            for number, layer in enumerate(info.layers)
        ]
        self._text = "\n".join(f"{layer.name} {layer.class_name} {layer.parameters}" for layer in info.layers)
        await self.table.reload()

    async def _layers(self, offset: int, limit: int) -> tuple[Sequence[Row], int]:
        return self._rows[offset : offset + limit], len(self._rows)

    # Keys

    def why_not(self, action: str) -> DecentralMLError | None:
        if action == "copy":
            return None if self._text else Refused("NoText", "What is shown is no text.", "")
        return super().why_not(action)

    def action_copy(self) -> None:
        if self._text:
            self.app.copy(self._text)

    def _scroll(self, x: int = 0, y: int = 0) -> None:
        self.query_one(CodeView).scroll_relative(x=x, y=y, animate=False)

    def action_down(self) -> None:
        super().action_down() if self._model else self._scroll(y=1)

    def action_up(self) -> None:
        super().action_up() if self._model else self._scroll(y=-1)

    def action_left(self) -> None:
        if not self._model:
            self._scroll(x=-8)

    def action_right(self) -> None:
        if not self._model:
            self._scroll(x=8)

    def action_top(self) -> None:
        super().action_top() if self._model else self.query_one(CodeView).scroll_home(animate=False)

    def action_bottom(self) -> None:
        super().action_bottom() if self._model else self.query_one(CodeView).scroll_end(animate=False)

    def action_page_down(self) -> None:
        super().action_page_down() if self._model else self._scroll(y=self._page)

    def action_page_up(self) -> None:
        super().action_page_up() if self._model else self._scroll(y=-self._page)

    @property
    def _page(self) -> int:
        return max(1, self.query_one(CodeView).size.height - 1)


def _read(folder: Path, name: str) -> tuple[list[list[Piece]], str, str]:
    """Lines to show, a word about the file, and its text (empty where it is none). Blocks."""
    try:
        data = hostile.read_bytes(folder, name, MOST_BYTES)
    except Refused as refused:
        if refused.code != "TooLarge":
            raise
        with hostile.open_file(folder, name, 2**63 - 1) as file:
            data = file.read(_HEX_BYTES)
        return _hex(data), f"larger than {size(MOST_BYTES)}: its first {size(len(data))}", ""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = ""
    if (data and not text) or "\0" in text:
        return _hex(data[:_HEX_BYTES]), f"{size(len(data))}, no text: its first bytes", ""
    lines = highlight(text, PurePosixPath(name).name)
    return lines, f"{size(len(data))}, {count(len(lines), 'line')}", text


def _hex(data: bytes) -> list[list[Piece]]:
    lines: list[list[Piece]] = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append([(f"{at:06x}  ", "comment"), (f"{row.hex(' '):<48} ", ""), (shown, "string")])
    return lines


def _shape(shape: Shape | None) -> str:
    if shape is None:
        return "not told"
    return " x ".join("any" if axis is None else str(axis) for axis in shape)


def _settings(settings: dict[str, str]) -> str:
    shown = [f"{clean(name)} {short(value, 24)}" for name, value in list(settings.items())[:_SETTINGS]]
    return ", ".join(shown)
