"""What fails in the background becomes words, and what comes too late for its screen does not fail."""

import asyncio
import gc

import pytest
from textual.widgets import Static

from decentralml.core.errors import Refused
from decentralml.tui.screens.create import CreateTask
from decentralml.tui.screens.statement import StatementScreen
from decentralml.tui.screens.working import Working

from .conftest import Place, until
from .turns import at_once


async def test_work_that_comes_back_after_its_screen_was_left_ends_without_a_word(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        for screen in (CreateTask(), StatementScreen(market_home.address("ada")), Late()):
            left, ended = asyncio.Event(), asyncio.Event()

            async def show(screen=screen, left=left, ended=ended) -> None:
                try:
                    await left.wait()
                    screen.query_one("#nothing-of-the-kind", Static).update("too late")
                finally:
                    ended.set()

            await app.push_screen(screen)
            screen.work(show())
            await pilot.pause()
            app.pop_screen()
            await at_once(lambda screen=screen: not screen.display)
            left.set()
            await ended.wait()
            await pilot.pause()
        assert app.failures.newest() == []


async def test_what_is_missing_on_a_screen_that_stands_is_said(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):

        async def look() -> None:
            raise Refused("Nothing", "Nothing of the kind.", "Look elsewhere.")

        app.front.work(look())
        await until(pilot, lambda: [failure.code for failure in app.failures.newest()] == ["Nothing"])
        assert app.failures[0].doing == "look", "in words: where it stands in the code its story says"


async def test_a_failure_that_is_noted_as_all_work_ends_leaves_none_behind(
    market_home: Place, recwarn: pytest.WarningsRecorder
) -> None:
    async with market_home.running() as (app, pilot):
        app.note(Refused("Nothing", "Nothing of the kind."))
        app.workers.cancel_all()
        await pilot.pause()
    gc.collect()
    assert [str(w.message) for w in recwarn if "never awaited" in str(w.message)] == []


class Late(Working[None]):
    def __init__(self) -> None:
        super().__init__("Late")

    def body(self):
        yield Static(id="problem")
