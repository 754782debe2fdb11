"""Follow a run from any process, as if one had started it: its journal, tailed."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from decentralml.core.training import journal
from decentralml.core.training.run_folder import RunFolder

_POLL = 0.05


def follow(
    run_folder: Path, offset: int = 0, *, cancelled: Callable[[], bool] = lambda: False
) -> Iterator[journal.Event]:
    """The events of a run from byte ``offset`` of its journal on, as they come.

    Ends when nobody runs it any more (after its final event, or where it crashed), or when
    ``cancelled`` says so.
    """
    folder = RunFolder(run_folder)
    while not cancelled():
        # Asked before reading: what was written before the lock was let go is then still read.
        alive = folder.alive()
        events, offset = journal.read(folder.journal, offset)
        for event in events:
            yield event
            if cancelled():
                return
        if not alive:
            return
        if not events:
            time.sleep(_POLL)
