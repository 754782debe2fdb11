"""What to do about an error, or a key of no use, as the app says it: by a key or a page, where core's hint
names a command.
"""

import re
from collections.abc import Mapping

from decentralml.core.errors import DecentralMLError, Refused
from decentralml.tui import keys

_COMMAND = re.compile(r"`decentralml |--[a-z]|account create")
# By the error's code. What only a command or the start of the app can do keeps the hint that says so.
HINTS = {
    "CreatorCannotWork": "U switches the account.",
    "NoData": "Name an .npz file with x and y: Browse finds it.",
    "NoKeyring": "The password is asked for instead.",
    "NoResult": "2 Runs says how far it came.",
    "NoSigner": "The card asks for the password again.",
    "NotAccepted": "a in 3 Validate accepts it.",
    "NotTheCreator": "U switches the account.",
    "NotTheWorker": "U switches the account.",
    "NothingToTrain": "d on the task's page labels its files.",
    "RunIsAlive": "x in 2 Runs stops it.",
    "SubmissionNotFound": "The task's page lists its submissions.",
    "TaskNotFound": "1 Tasks lists those that exist.",
    "UnknownAccount": "n in 5 Accounts makes one.",
    "UnknownCall": "? says what every key does.",
    "UnknownRun": "2 Runs lists those that exist.",
}

NO_ACCOUNT_READONLY = "There is no account yet. Without --readonly one can be made."


def names_command(hint: str) -> bool:
    """Whether a hint speaks of the command line."""
    return _COMMAND.search(hint) is not None


def hint(error: DecentralMLError) -> str:
    """What to do about ``error`` in the app."""
    return HINTS.get(error.code, error.hint) if names_command(error.hint) else error.hint


def explain(error: DecentralMLError) -> str:
    """What went wrong and what to do about it, as every page and dialog says it."""
    return f"{error.message} {hint(error)}".strip()


def read_only() -> Refused:
    """Why an app that was started with --readonly leaves something undone."""
    return Refused("ReadOnly", "Nothing is signed or changed with --readonly.", "Start without it for that.")


def elsewhere(key: str, keymap: Mapping[str, str], here: str = "on this page") -> str:
    """What is said of a key that has no use ``here``; "" where it means nothing, or only moves."""
    for row in keys.TABLE:
        if key in keymap.get(row.name, row.keys).split(",") and row.method not in keys.MOVING | {"tab"}:
            modes = [f"{number} {mode}" for number, mode in enumerate(keys.MODES, 1) if mode in row.scopes]
            where = f", but on the list{'s' * (len(modes) > 1)} of {', '.join(modes)}" if modes else ""
            return f"{row.shown(keymap)} ({row.label}) does nothing {here}{where}."
    return ""
