"""The terminal: its size, as it says it itself, what comes from it, and that it may go away at any time."""

import os
import selectors
import sys
from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.drivers.linux_driver import LinuxDriver
from textual.events import Resize
from textual.geometry import Size

from decentralml.tui.pastes import Parser

if TYPE_CHECKING:
    from textual.app import App

_LEFT_BEHIND = ("COLUMNS", "LINES")


def size() -> Size | None:
    """Columns and rows now; None where the output is no terminal, or one that does not know its size."""
    try:
        return Size(*os.get_terminal_size(sys.__stdout__.fileno())) or None if sys.__stdout__ else None
    except (OSError, ValueError):
        return None


def fit(app: "App[Any]") -> None:
    """Make up for a resize that was missed: its signal, or Textual's timer on a machine under load."""
    now = None if app.is_headless else size()
    if now is not None and now != app.screen.size:
        for pump in (app, *app.screen_stack):
            pump.post_message(Resize(now, now))


def trust() -> None:
    """Forget a size that a shell, or a program before, left in the environment.

    Whoever draws prefers it, and it does not change with the terminal.
    """
    if size() is not None:
        for name in _LEFT_BEHIND:
            os.environ.pop(name, None)


class Driver(LinuxDriver):
    """Textual's, for a terminal that may go away without a signal: the app ends then.

    By itself its writer ends at the first error, and the app waits for ever for room in the writer's queue.
    What comes from the terminal is read by a `Parser` for which a paste is never a key.
    """

    def __init__(self, app: "App[Any]", **options: Any) -> None:
        super().__init__(app, **options)
        self._file: Any = _Lasting(self._file, self._gone)

    def _sigcont_application(self, *_: Any) -> None:
        """After a stop alone: a hang-up sends it too, and would have all begun once more."""
        if self._must_signal_resume:
            super()._sigcont_application()

    def run_input_thread(self) -> None:
        parser, decode = Parser(self._debug), getincrementaldecoder("utf-8")("replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(0.1):
                    try:
                        data = os.read(self.fileno, 4096)
                    except OSError:
                        data = b""
                    if not data:  # The terminal is gone: who writes to it says so.
                        return
                    for event in parser.feed(decode(data)):
                        self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)

    def _gone(self) -> None:
        self._loop.call_soon_threadsafe(self._app.exit)


class _Lasting:
    """``file``, but that what cannot be written is lost, and said once to ``gone``."""

    def __init__(self, file: Any, gone: Callable[[], object]) -> None:
        self._file = file
        self._gone = gone
        self._lost = False

    def write(self, text: str) -> None:
        self._try(lambda: self._file.write(text))

    def flush(self) -> None:
        self._try(self._file.flush)

    def fileno(self) -> int:
        return int(self._file.fileno())

    def _try(self, write: Callable[[], object]) -> None:
        if self._lost:
            return
        try:
            write()
        except OSError:
            self._lost = True
            self._gone()
