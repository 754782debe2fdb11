"""Who may run: at most so many runs at once, the lowest id first. No daemon: everyone who waits looks.

In the queue's folder each waiting run holds a lock on ``waiting-ID``, each running one on ``running-ID``.
A lock dies with its process, so that a crash or a restart of the machine frees what was held.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from decentralml.core.paths import write_atomic
from decentralml.core.training.locks import held, hold


def set_limit(folder: Path, limit: int) -> None:
    """How many may run at once from now on; at least one."""
    limit = max(limit, 1)
    if limit != _limit(folder):
        write_atomic(folder / "limit", str(limit).encode())


def enter(folder: Path, id: int) -> int:
    """Take a place among those who wait: the descriptor that holds it, for a `Ticket` here or in a child."""
    with _alone(folder):
        return _hold(folder, "waiting", id)


class Ticket:
    """A run's place: waiting until `admitted` says yes, then running until `leave`."""

    def __init__(self, folder: Path, id: int, place: int | None = None) -> None:
        self._folder = folder
        self._id = id
        self._lock = enter(folder, id) if place is None else place
        self._running = False

    def admitted(self) -> bool:
        """Whether the run has a slot; takes one when it is this run's turn."""
        if self._running:
            return True
        with _alone(self._folder):
            if len(self._others("running")) >= _limit(self._folder):
                return False
            if any(other < self._id for other in self._others("waiting")):
                return False
            running = _hold(self._folder, "running", self._id)
            self._release("waiting")
            self._lock, self._running = running, True
            return True

    def running(self) -> int:
        """How many other runs hold a slot."""
        with _alone(self._folder):
            return len(self._others("running"))

    def leave(self) -> None:
        with _alone(self._folder):
            self._release("running" if self._running else "waiting")

    def _release(self, kind: str) -> None:
        (self._folder / f"{kind}-{self._id}").unlink(missing_ok=True)
        os.close(self._lock)

    def _others(self, kind: str) -> list[int]:
        """The ids of the other runs of a kind; what a crash left is swept away."""
        others = []
        for path in self._folder.glob(f"{kind}-*"):
            if path.name == f"{kind}-{self._id}":
                continue
            if held(path):
                others.append(int(path.name.rpartition("-")[2]))
            else:
                path.unlink(missing_ok=True)
        return others


def _hold(folder: Path, kind: str, id: int) -> int:
    descriptor = hold(folder / f"{kind}-{id}")
    if descriptor is None:
        raise BlockingIOError(f"another process is in the queue as run {id}")
    return descriptor


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else looks at or changes the queue meanwhile. Raises `TimeoutError` after a minute."""
    descriptor = hold(folder / "mutex", patience=60)
    if descriptor is None:
        raise TimeoutError(f"{folder} is held by another process")
    try:
        yield
    finally:
        os.close(descriptor)


def _limit(folder: Path) -> int:
    try:
        return max(int((folder / "limit").read_text()), 1)
    except (OSError, ValueError):
        return 1
