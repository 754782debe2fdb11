"""Keys that are typed while what another key opens is still on its way: they wait, and go to it."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from textual import events
from textual.screen import Screen
from textual.widgets import Input
from textual.worker import Worker

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp

# Longer than any dialog takes to open: work that shows nothing in that time holds no key up.
_PATIENCE_SECONDS = 1.0


class TypedAhead:
    """Holds keys from the one that began something until that shows a screen or has ended.

    The opening key again is an auto-repeat, which a screen that came swallows. A dialog that signs or asks
    wants to be read first: of what was typed ahead it takes only what goes into a field.
    """

    def __init__(self, app: "DecentralMLApp") -> None:
        self._app = app
        self._opener = ""
        self._held: list[events.Key] = []
        self._coming: Screen[Any] | None = None
        self._shown: asyncio.Event | None = None

    def holds(self, event: events.Key) -> bool:
        """Whether ``event`` has to wait; it is kept then."""
        if self._shown is not None:
            self._held.append(event)
        return self._shown is not None

    def began(self, event: events.Key, workers: Iterable[Worker[Any]]) -> None:
        """The key ``event`` started ``workers``: what is typed from now on waits for them."""
        if workers := list(workers):
            self._opener, self._coming, self._shown = event.key, None, asyncio.Event()
            self._waiting = asyncio.create_task(self._wait(workers, self._shown))

    def comes(self, screen: Screen[Any]) -> None:
        """``screen`` was pushed: once it is drawn, what was typed is given to it."""
        if self._shown is not None:
            self._coming = screen
            screen.call_after_refresh(self._shown.set)

    async def _wait(self, workers: list[Worker[Any]], shown: asyncio.Event) -> None:
        ended = asyncio.gather(*(worker.wait() for worker in workers), return_exceptions=True)
        seen = asyncio.create_task(shown.wait())
        await asyncio.wait({ended, seen}, timeout=_PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if self._coming is not None:
            await asyncio.wait({seen}, timeout=_PATIENCE_SECONDS)
        seen.cancel()  # but not ``ended``: whoever waits for a worker cancels it with himself
        # By way of the app's queue, in which the screen's own wish for the focus stands before it.
        self._app.call_later(self._release)

    async def _release(self) -> None:
        held, self._held, self._shown = self._held, [], None
        if self._coming is not None:
            while held and held[0].key == self._opener:
                del held[0]
            asks = not getattr(self._coming, "TAKES_TYPED_AHEAD", True)
            if asks and not isinstance(self._app.focused, Input):
                held.clear()
        for event in held:
            await self._app.on_event(events.Key(event.key, event.character))
