"""What to do about an error, or a key of no use, as the app says it: by a key or a page, where core's hint
names a command.
"""

import re

from decentralml.core.errors import DecentralMLError, Refused
from decentralml.tui import keys

_COMMAND = re.compile(r"`decentralml |--[a-z]|account create")
# By the error's code, for `keys.said`. What only a command or the start of the app can do keeps its hint.
HINTS = {
    "BadRun": "`{palette}` has a line that removes it.",
    "CreatorCannotWork": "{who} switches the account.",
    "InsufficientBalance": "{fund} in {accounts} funds it; or wait until what is held comes back.",
    "LedgerGone": "Put it back, from where it went or from a backup: the app goes on by itself.",
    "NoData": "Name an .npz file with x and y: Browse finds it.",
    "NoKeyring": "The password is asked for instead.",
    "NoResult": "{runs} says how far it came.",
    "NoSigner": "The card asks for the password again.",
    "NotAccepted": "{accept} in {validate} accepts it.",
    "NotTheCreator": "{who} switches the account.",
    "NotTheWorker": "{who} switches the account.",
    "NothingToTrain": "{deliver} on the task's page labels its files.",
    "RunIsAlive": "{stop} in {runs} stops it.",
    "SubmissionNotFound": "The task's page lists its submissions.",
    "TaskNotFound": "{tasks} lists those that exist.",
    "UnknownAccount": "{new} in {accounts} makes one.",
    "UnknownCall": "{help} says what every key does.",
    "UnknownRun": "{runs} lists those that exist.",
    "WrongState": "The history on its task's page says what happened to it.",
}

NO_ACCOUNT_READONLY = "There is no account yet. Without --readonly one can be made."


def names_command(hint: str) -> bool:
    """Whether a hint speaks of the command line."""
    return _COMMAND.search(hint) is not None


def hint(error: DecentralMLError) -> str:
    """What to do about ``error`` in the app."""
    if not names_command(error.hint):
        return error.hint
    return keys.said(HINTS[error.code]) if error.code in HINTS else error.hint


def explain(error: DecentralMLError) -> str:
    """What went wrong and what to do about it, as every page and dialog says it."""
    return f"{error.message} {hint(error)}".strip()


def read_only() -> Refused:
    """Why an app that was started with --readonly leaves something undone."""
    return Refused("ReadOnly", "Nothing is signed or changed with --readonly.", "Start without it for that.")


def elsewhere(key: str, here: str = "on this page") -> str:
    """What is said of a key that has no use ``here``; "" where it means nothing, or only moves."""
    for row in keys.TABLE:
        if key in row.pressed and row.method not in keys.MOVING | {"tab"}:
            pages = [keys.row(f"tab_{mode}").shown for mode in keys.MODES if mode in row.scopes]
            where = [f"page{'s' * (len(pages) > 1)} {', '.join(pages)}"] if pages else []
            where += ["a task's page"] if "task" in row.scopes else []
            but = f", but on {' and '.join(where)}" if where else ""
            return f"{row.shown} ({row.label}) does nothing {here}{but}."
    return ""
