"""Dialogs that work while they are open: a thread that asks a person never waits for one who has left."""

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual.app import ComposeResult
from textual.pilot import Pilot
from textual.widgets import Static

from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.dialog import Ask
from decentralml.tui.screens.working import Working

from ..conftest import Place, text_of, until


class Fetching(Working[None]):
    """Wants an environment, on a thread of its own."""

    def body(self) -> ComposeResult:
        yield Static("", id="problem")

    def __init__(self) -> None:
        super().__init__("Fetching")
        self.answers: list[bool] = []
        self.thread = threading.Thread(target=self._fetch, daemon=True)

    def _fetch(self) -> None:
        self.answers.append(self.consent(12_000_000, ["numpy"]))

    def ended_with(self) -> list[bool]:
        self.thread.join(10)
        assert not self.thread.is_alive(), "it waits for an answer"
        return self.answers


@asynccontextmanager
async def asked(place: Place) -> AsyncIterator[tuple[DecentralMLApp, Pilot[None], Fetching]]:
    """The app, once the question is on its screen."""
    async with place.running() as (app, pilot):
        dialog = Fetching()
        await app.push_screen(dialog)
        dialog.thread.start()
        await until(pilot, lambda: isinstance(app.screen, Ask), "the question")
        assert "12.0 MB" in text_of(app)
        yield app, pilot, dialog


@pytest.mark.parametrize(("key", "answer"), [("y", True), ("escape", False)])
async def test_the_answer_is_the_persons(bare_home: Place, key: str, answer: bool) -> None:
    async with asked(bare_home) as (_, pilot, dialog):
        await pilot.press(key)
        await until(pilot, lambda: dialog.answers, "the answer")
    assert dialog.ended_with() == [answer]


LEAVING: dict[str, Callable[[DecentralMLApp], object]] = {
    "quit": lambda app: app.exit(),
    "the screen goes": lambda app: (app.pop_screen(), app.pop_screen()),
}


@pytest.mark.parametrize("how", LEAVING)
async def test_who_has_left_meanwhile_says_no(bare_home: Place, how: str) -> None:
    async with asked(bare_home) as (app, pilot, dialog):
        LEAVING[how](app)
        await until(pilot, lambda: not dialog.is_attached, "the end of the dialog")
    assert dialog.ended_with() == [False]


async def test_who_had_left_before_is_not_asked(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        dialog = Fetching()
        await app.push_screen(dialog)
        await pilot.press("escape")
        await until(pilot, lambda: not dialog.is_attached, "the end of the dialog")
        dialog.thread.start()
        assert dialog.ended_with() == [False]
        assert not isinstance(app.screen, Ask)


async def test_after_the_app_has_ended_nobody_is_asked(bare_home: Place) -> None:
    async with bare_home.running() as (app, _):
        dialog = Fetching()
        await app.push_screen(dialog)
    dialog.thread.start()
    assert dialog.ended_with() == [False]
