"""The terminal's size, as the terminal itself says it."""

import os
import sys

from textual.geometry import Size

_LEFT_BEHIND = ("COLUMNS", "LINES")


def size() -> Size | None:
    """Columns and rows now; None where the output is no terminal, or one that does not know its size."""
    try:
        return Size(*os.get_terminal_size(sys.__stdout__.fileno())) or None if sys.__stdout__ else None
    except (OSError, ValueError):
        return None


def trust() -> None:
    """Forget a size that a shell, or a program before, left in the environment.

    Whoever draws prefers it, and it does not change with the terminal.
    """
    if size() is not None:
        for name in _LEFT_BEHIND:
            os.environ.pop(name, None)
