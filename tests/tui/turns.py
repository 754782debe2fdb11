"""The app's loop, turn by turn: what is under way, what is done, what comes in one packet."""

import asyncio
from collections.abc import Callable

from textual.app import App
from textual.events import Key

from decentralml.tui.app import DecentralMLApp

# A message on its way is in no queue for one turn of the loop.
_QUIET_TURNS = 3


async def at_once(condition: Callable[[], object]) -> None:
    """Until ``condition`` is true, not a turn of the loop longer: what began with it is still under way."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0)


async def handled(app: App[None]) -> None:
    """Until every widget is mounted, which comes before its first message, and every message was handled.

    Textual's pilot takes an app for idle that gets no processor time, and waits for one step of a key's way.
    """
    quiet = 0
    while quiet < _QUIET_TURNS and app.is_running:
        widgets = [widget for screen in app.screen_stack for widget in screen.walk_children(with_self=True)]
        waiting = any(pump.message_queue_size for pump in (app, *widgets))
        quiet = 0 if waiting or not all(widget.is_mounted for widget in widgets) else quiet + 1
        await asyncio.sleep(0)


def burst(app: DecentralMLApp, *keys: str) -> None:
    """Keys as a terminal sends them in one packet."""
    for key in keys:
        app.post_message(Key(key, key if len(key) == 1 else None))
