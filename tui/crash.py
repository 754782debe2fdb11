"""The app's last words, where what should not have happened has ended it."""

import traceback
from pathlib import Path

from textual.worker import WorkerFailed

from decentralml.core.errors import DecentralMLError
from decentralml.core.paths import Home, write_atomic
from decentralml.core.text import clean, printed, short


def last_words(error: BaseException, home: Home) -> str:
    """What a person reads then; where it happened is written into a file. No value of a variable is in it."""
    if isinstance(error, WorkerFailed):
        error = error.error
    what = f"{type(error).__name__}: {short(printed(str(error)), 500)}"
    return (
        f"decentralml has broken off. This should not have happened: {what}\n"
        f"{_where(error, home)} What was signed is on the chain, trainings go on.\n"
    )


def _where(error: BaseException, home: Home) -> str:
    trace = clean(printed("".join(traceback.format_exception(error))), keep_newlines=True)
    try:
        file: Path = home.crash
        write_atomic(file, trace.encode())
    except (OSError, DecentralMLError) as refused:
        return f"Where it happened could not be written down: {clean(str(refused))}"
    return f"Where it happened stands in {file}, for whoever mends it."
