"""What is pasted, as one event, whatever stands in it: no character of it is a key."""

import time
from collections.abc import Callable, Iterable

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.message import Message

from decentralml.core.text import printed

_MOST = 1_000_000  # characters of one paste; what is more is left out
_PATIENCE = 3.0  # seconds without a character, after which a paste has ended though nothing said so


class Parser(XTermParser):
    """Textual's, which by itself takes what follows an escape within a paste for keys.

    It is told of a paste's beginning when that comes, and of the rest, without sequences, once it has ended.
    """

    def __init__(self, debug: bool = False, *, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(debug)
        self._now = now
        self._tail = ""  # of what came outside a paste: it may be the first half of a beginning
        self._pasted: str | None = None
        self._came = 0.0

    def feed(self, data: str) -> Iterable[Message]:
        """The events in ``data`` and, of a paste that it ends, in what came before."""
        known = "".join(self._known(data))
        return super().feed(known) if known else ()

    def tick(self) -> Iterable[Message]:
        """The events of what is waited for no longer."""
        if self._pasted is not None and self._now() - self._came > _PATIENCE:
            yield from super().feed(self._ended(self._pasted))
        waited = self._timeout_time is not None
        yield from super().tick()
        if waited and self._timeout_time is None:
            self._tail = ""

    def _known(self, data: str) -> Iterable[str]:
        """What of ``data`` is for Textual, now."""
        self._came = self._now()
        while data:
            if self._pasted is None:
                before, begins, after = (self._tail + data).partition(BRACKETED_PASTE_START)
                yield data[: len(data) - len(after)]
                self._tail = "" if begins else before[1 - len(BRACKETED_PASTE_START) :]
                self._pasted = "" if begins else None
            else:
                text, ends, after = (self._pasted + data).partition(BRACKETED_PASTE_END)
                # Of a paste that is too long the end is kept, and goes on: it may be half of its ending.
                self._pasted = text if len(text) <= _MOST else text[:_MOST] + text[_MOST:][-5:]
                if ends:
                    yield self._ended(text)
            data = after

    def _ended(self, text: str) -> str:
        self._pasted = None
        return printed(text[:_MOST]).replace("\x1b", "") + BRACKETED_PASTE_END
