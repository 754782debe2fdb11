"""Ringing when something starts to wait: the terminal's bell, and the person's own command."""

import subprocess
import threading
from typing import TYPE_CHECKING

from decentralml.core.inbox import Item, Waiting
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


def words(item: Item) -> str:
    """One line about what waits."""
    return _WORDS[item.why].format(task=item.task_id, submission=item.submission_id)


def ring(app: "DecentralMLApp", command: list[str], before: Pulse, now: Pulse) -> None:
    """Ring once for each thing that waits now and did not before, for the same account."""
    if before.address != now.address:
        return
    known = {(item.why, item.task_id, item.submission_id) for item in before.inbox}
    for item in now.inbox:
        if (item.why, item.task_id, item.submission_id) in known:
            continue
        app.bell()
        app.say(words(item))
        if command:
            threading.Thread(target=_run, args=([*command, words(item)],), daemon=True).start()


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
