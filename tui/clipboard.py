"""Copying over ssh: OSC 52 for terminals that take it, and always a file, whose name is said."""

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING

from decentralml.core.paths import write_atomic
from decentralml.tui import background

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp


async def copy(app: "DecentralMLApp", text: str) -> None:
    """Put ``text`` on the clipboard of the person's own terminal, and into ``copied.txt``."""
    path = app.home.state_dir / "copied.txt"
    driver = app._driver
    if driver is not None:
        driver.write(osc52(text, in_tmux=bool(os.environ.get("TMUX"))))
    try:
        await background.call(_keep, app, path, text)
    except OSError as error:
        app.say(f"Copied. It could not be kept in {path}: {error.strerror}.")
    else:
        app.say(f"Copied, and kept in {path}.")


def _keep(app: "DecentralMLApp", path: Path, text: str) -> None:
    app.home.folder(path.parent)
    write_atomic(path, text.encode())


def osc52(text: str, *, in_tmux: bool) -> str:
    """The escape sequence that sets the clipboard.

    For tmux bare as well as wrapped: it takes the one where ``set-clipboard`` is on, and passes on the other
    where ``allow-passthrough`` is.
    """
    sequence = f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\a"
    return sequence + wrapped(sequence, in_tmux=True) if in_tmux else sequence


def wrapped(sequence: str, *, in_tmux: bool) -> str:
    """``sequence`` for the person's own terminal; tmux passes it on only in a wrapper of its own."""
    if not in_tmux:
        return sequence
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
