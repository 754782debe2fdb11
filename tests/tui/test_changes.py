"""What is written to the terminal: the cells that changed, and what then stands there is the screen."""

import random
import re

import pytest
from rich.cells import cell_len
from rich.text import Text
from textual.app import App, ComposeResult
from textual.screen import Screen
from textual.widgets import Static

from decentralml.tui.changes import Written

from .conftest import Clock, Place, settled, text_of, until

_STYLE = re.compile(r"\x1b\[[0-9;]*m")


class Terminal:
    """Understands what is written to it, as far as that moves and prints."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cells: dict[tuple[int, int], str] = {}
        self.written: list[str] = []
        monkeypatch.setattr(App, "_display", lambda app, screen, update: self._display(app, update))

    def _display(self, app: App[None], update: object) -> None:
        """In place of Textual's, which writes nothing without a terminal."""
        if update is not None:
            self._print(update.render_segments(app.console))  # type: ignore[attr-defined]
        app.post_display_hook()

    def _print(self, text: str) -> None:
        for part in _STYLE.sub("", text).split("\x1b[")[1:]:
            place, _, words = part.partition("H")
            y, x = map(int, place.split(";"))
            words = words.removesuffix("\n")
            self.written.append(words)
            for character in words:
                for cell in range(cell_len(character)):
                    self.cells[y - 1, x - 1 + cell] = "" if cell else character
                x += cell_len(character)

    def text(self, height: int, width: int) -> str:
        return "\n".join("".join(self.cells.get((y, x), " ") for x in range(width)) for y in range(height))


class Page(App[None]):
    """Lines of text, written by changes alone."""

    CSS = "Static { height: 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._written = Written()

    def compose(self) -> ComposeResult:
        yield from (Static("", markup=False) for _ in range(6))

    def _display(self, screen: Screen[None], renderable: object) -> None:
        super()._display(screen, self._written.only_changes(renderable))

    def show(self, line: int, text: Text | str) -> None:
        list(self.query(Static))[line].update(text)


async def test_of_a_line_the_changed_digit_alone_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, app = Terminal(monkeypatch), Page()
    async with app.run_test(size=(60, 6)) as pilot:
        app.show(2, "task 12   pays 3.50   ends in 59 m   take it")
        await pilot.pause()
        terminal.written.clear()
        app.show(2, "task 12   pays 3.50   ends in 58 m   take it")
        await pilot.pause()
        assert terminal.written == ["8"]
        app.show(2, "task 13   pays 3.50   ends in 58 m   take it")
        app.show(4, "task 14")
        await pilot.pause()
        assert terminal.written == ["8", "3", "task 14"]


async def test_the_same_again_writes_nothing_and_another_colour_does(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, app = Terminal(monkeypatch), Page()
    async with app.run_test(size=(60, 6)) as pilot:
        app.show(0, Text("waits: task 7"))
        await pilot.pause()
        terminal.written.clear()
        app.show(0, Text("waits: task 7"))
        await pilot.pause()
        assert terminal.written == []
        app.show(0, Text.assemble("waits: ", ("task", "bold"), " 7"))
        await pilot.pause()
        assert terminal.written == ["task"]


async def test_what_is_written_adds_up_to_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with characters of two cells, and those that stand on the one before."""
    terminal, app, dice = Terminal(monkeypatch), Page(), random.Random(5)
    parts = ["ab", "数字", "é…", "│", " ", "12", "😀"]
    async with app.run_test(size=(30, 6)) as pilot:
        for _ in range(150):
            app.show(dice.randrange(6), "".join(dice.choices(parts, k=dice.randrange(12))))
            await pilot.pause()
            strips = app.screen._compositor.render_strips()
            assert terminal.text(6, 30) == "\n".join(strip.text for strip in strips)


@pytest.mark.parametrize(
    "way", [(), ("enter",), ("3",), ("6",)], ids=["tasks", "task", "validate", "activity"]
)
async def test_a_minute_that_passes_writes_the_times_alone(
    way: tuple[str, ...], market_home: Place, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    market_home.create("ada", "Ends within the hour", blocks=400)
    terminal = Terminal(monkeypatch)
    async with market_home.running() as (app, pilot):
        await pilot.press(*way)
        if not way:
            await until(pilot, lambda: app.screen._preview, "the task below the list")
        await settled(pilot)
        terminal.written.clear()
        before = text_of(app)
        clock.blocks(11)
        await app.refresh_pulse()
        await settled(pilot)
        assert text_of(app) != before
        assert terminal.text(24, 80) == text_of(app)
        assert max(map(len, terminal.written)) < 40
        assert len("".join(terminal.written)) < 150
