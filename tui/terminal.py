"""The terminal's size, as the terminal itself says it."""

import os
import sys
from typing import TYPE_CHECKING, Any

from textual.events import Resize
from textual.geometry import Size

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
