"""Ringing when something starts to wait: bell, a notification by OSC 9, and the person's own command."""

import os
import subprocess
import threading
from typing import TYPE_CHECKING

from decentralml.core.inbox import Item, Waiting
from decentralml.core.text import clean
from decentralml.tui.clipboard import wrapped
from decentralml.tui.pulse import Pulse

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp

_WORDS = {
    Waiting.judge: "result {submission} of task {task} waits for your decision",
    Waiting.deliver: "submission {submission} of task {task} is yours to deliver",
    Waiting.claim: "the creator of task {task} stayed silent: submission {submission} can be claimed",
    Waiting.time_out: "submission {submission} of task {task} is overdue",
    Waiting.close: "task {task} has expired and still holds your money",
}


def words(item: Item, *, soon: bool = False) -> str:
    """One line about what waits; ``soon``: its deadline is near."""
    text = _WORDS[item.why].format(task=item.task_id, submission=item.submission_id)
    return f"not much time left: {text}" if soon else text


def ring(app: "DecentralMLApp", command: list[str], now: Pulse) -> None:
    """Ring for all that began to wait, is nearly due, was decided or is over: bell, words, OSC 9, command."""
    for text in (*(words(item, soon=soon) for item, soon in now.rings), *now.news):
        app.bell()
        app.say(text)
        if app._driver is not None:
            app._driver.write(osc9(text, in_tmux=bool(os.environ.get("TMUX"))))
        if command:
            threading.Thread(target=_run, args=([*command, text],), daemon=True).start()


def osc9(text: str, *, in_tmux: bool) -> str:
    """The escape sequence by which many terminals show a notification of the desktop."""
    return wrapped(f"\x1b]9;{clean(text)}\a", in_tmux=in_tmux)


def _run(command: list[str]) -> None:
    """The person's own command, its output ignored: a notifier that fails must not ruin the screen."""
    try:
        subprocess.run(
            command,
            check=False,
            timeout=30,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return
