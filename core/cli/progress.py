"""One line on stderr while something takes a while; nothing where that is no terminal."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from decentralml.core.cli.output import duration
from decentralml.core.storage.base import OnProgress, Progress
from decentralml.core.text import short
from decentralml.core.words import size

_CLEAR = "\r\x1b[K"
_INTERVAL = 0.1


def show(text: str) -> None:
    """Put ``text`` on the line, cut to the terminal's width; "" clears it."""
    if not sys.stderr.isatty():
        return
    import shutil

    width = shutil.get_terminal_size().columns
    print(_CLEAR + short(text, width - 1), end="", file=sys.stderr, flush=True)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show ``what`` while the body runs."""
    show(what)
    try:
        yield
    finally:
        show("")


@contextmanager
def transfer(what: str) -> Iterator[OnProgress]:
    """A callback for transfers that keeps the line up to date, at most ten times a second."""
    last = 0.0

    def on_progress(progress: Progress) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _INTERVAL:
            return
        last = now
        percent = 100 * progress.done // progress.total if progress.total else 100
        left = "" if progress.eta is None else f"  {duration(progress.eta)} left"
        show(
            f"{what} {percent:3d} %  {size(progress.done)} of {size(progress.total)}"
            f"  {size(progress.rate)}/s{left}  {progress.name}"
        )

    try:
        yield on_progress
    finally:
        show("")
