"""What the tests' own pilot promises: where it goes on, nothing is under way."""

import asyncio

from textual.screen import Screen
from textual.widgets import Static

from .conftest import Place
from .turns import handled


class Slow(Static):
    """Takes a while until it is there, and then wants the focus."""

    can_focus = True

    async def on_mount(self) -> None:
        there = asyncio.Event()
        asyncio.get_running_loop().call_later(0.2, there.set)
        await there.wait()
        self.focus()


async def test_what_is_still_being_mounted_is_waited_for(market_home: Place) -> None:
    async with market_home.running() as (app, _):
        await app.push_screen(Screen())
        app.screen.mount(Slow())
        await handled(app)
        assert isinstance(app.focused, Slow)
