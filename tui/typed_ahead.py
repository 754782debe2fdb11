"""What is typed ahead: a key is looked at when the one before it has taken effect.

Over a slow link many keys come in one packet. Textual gives each to the widget that has the focus when it
comes, and a key that moves the focus or opens a screen takes effect later: what is meant for the next line
would land in this one, and what is meant for a dialog beneath it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import dropwhile
from typing import TYPE_CHECKING, Any

from textual import events
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widgets import Input
from textual.worker import Worker

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp

# First the key climbs from the widget to the app, then what a widget says because of it.
_CLIMBS = 2
# A widget that takes longer over a key does not hold up the next. On a busy machine keys take their time.
_HANDLED_SECONDS = 2.0
# Longer than any dialog takes to open: work that shows nothing in that time holds no key up.
_SHOWN_SECONDS = 1.0


@dataclass(eq=False)
class _Turn:
    """A key that is under way: the work that it began, the screen that it opened, and when that was shown.

    ``blind``: what was typed before that, and so without having seen the screen.
    """

    key: str
    to: Screen[Any]
    handled: bool = False
    workers: tuple[Worker[Any], ...] = ()
    screen: Screen[Any] | None = None
    shown: asyncio.Event = field(default_factory=asyncio.Event)
    blind: list[events.Key | events.Paste] = field(default_factory=list)


class TypedAhead:
    """Gives one key, or pasted text, at a time to ``deliver``, which is how the app handles it.

    The next is due when that was handled by all whom it concerns, and what it began shows a screen or has
    ended. The same key again is an auto-repeat, which a screen that came swallows. A dialog that signs or
    asks wants to be read first: of what was typed ahead it takes only what goes into a field, and the
    repeats of the key that closes it go with it.
    """

    def __init__(self, app: "DecentralMLApp", deliver: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app = app
        self._deliver = deliver
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._turn: _Turn | None = None

    async def take(self, event: events.Key | events.Paste) -> None:
        """Deliver ``event`` now, or when its turn comes."""
        self._waiting.append(event)
        if self._turn is None:
            await self._next()

    def began(self, workers: Iterable[Worker[Any]]) -> None:
        """The key that is under way started ``workers``."""
        if self._turn is not None:
            self._turn.workers = tuple(workers)

    def comes(self, screen: Screen[Any]) -> None:
        """``screen`` was pushed."""
        if self._turn is not None:
            self._turn.screen = screen
            screen.call_after_refresh(self._seen, self._turn)

    def painted(self) -> None:
        """The screen in front was written to the terminal: whoever answers to what stands there has seen it.

        What still waits in the queues behind that is no matter. Before its controls it shows no question.
        """
        turn = self._turn
        if turn is None or turn.screen is not self._app.screen or turn.shown.is_set():
            return
        if any(control.region for control in turn.screen.focus_chain):
            self._seen(turn)

    def _seen(self, turn: _Turn) -> None:
        if not turn.shown.is_set():
            turn.shown.set()
            turn.blind += self._waiting
            self._waiting.clear()

    async def _next(self) -> None:
        self._drop_repeats()
        if not self._waiting:
            self._turn = None
            return
        event, target = self._waiting.popleft(), self._app.focused or self._app.screen
        self._turn = turn = _Turn(event.key if isinstance(event, events.Key) else "", self._app.screen)
        loop = asyncio.get_running_loop()
        loop.call_later(_HANDLED_SECONDS, self._app.call_later, self._handled, turn)
        path = iter(target.ancestors_with_self * _CLIMBS)
        await self._deliver(event)
        await self._follow(path, turn)

    def _drop_repeats(self) -> None:
        """The key that answered a question answers nothing that lay beneath it."""
        turn = self._turn
        if turn is None or _takes(turn.to) or turn.to in self._app.screen_stack:
            return
        while self._waiting and getattr(self._waiting[0], "key", "") == turn.key:
            self._waiting.popleft()

    async def _follow(self, path: Iterator[DOMNode], turn: _Turn) -> None:
        """Go along ``path``, past what each has in its queue now."""
        for node in path:
            if node.call_later(self._follow, path, turn):
                return
        await self._handled(turn)

    async def _handled(self, turn: _Turn) -> None:
        if turn.handled:
            return
        turn.handled = True
        if turn.workers or turn.screen is not None:
            self._opening = asyncio.create_task(self._shows(turn))
        else:
            await self._next()

    async def _shows(self, turn: _Turn) -> None:
        """Wait until what the key began is on the screen, or ends without a screen."""
        seen = asyncio.create_task(turn.shown.wait())
        ended = asyncio.gather(*(worker.wait() for worker in turn.workers), return_exceptions=True)
        first: set[asyncio.Future[Any]] = {seen, ended} if turn.workers else {seen}
        await asyncio.wait(first, timeout=_SHOWN_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if turn.screen is not None:
            await asyncio.wait({seen}, timeout=_SHOWN_SECONDS)
        seen.cancel()  # but not ``ended``: whoever waits for a worker cancels it with himself
        # By way of the app's queue, in which the screen's own wish for the focus stands before it.
        self._app.call_later(self._opened, turn)

    async def _opened(self, turn: _Turn) -> None:
        if turn.screen is not None:
            self._seen(turn)  # or its time is over
            blind = list(dropwhile(lambda event: getattr(event, "key", "") == turn.key, turn.blind))
            takes = _takes(turn.screen) or isinstance(self._app.focused, Input)
            self._waiting.extendleft(reversed(blind) if takes else ())
        await self._next()


def _takes(screen: Screen[Any]) -> bool:
    """Whether keys typed before ``screen`` was seen do what they do in it."""
    return getattr(screen, "TAKES_TYPED_AHEAD", True)
