"""What a home remembers of each ledger: the last row it saw, so that a rewritten file is refused."""

import fcntl
import os
import threading
from pathlib import Path

import msgspec
from msgspec import Struct

from decentralml.core.errors import Failed, Refused, Unavailable
from decentralml.core.paths import write_atomic


class Mark(Struct, frozen=True):
    """A row's number and its link; row 0 is the genesis."""

    row: int
    link: str


class Seen:
    """The marks of one home, by genesis, in one JSON file. ``path`` None remembers nothing on disk."""

    def __init__(self, path: Path | None, genesis: str) -> None:
        self.path = path
        self.genesis = genesis
        self._guard = threading.Lock()
        self._saved = self._read().get(genesis, Mark(0, genesis))
        self.newest = self._saved

    def notice(self, mark: Mark) -> None:
        """Remember ``mark``, in memory, if it is the newest."""
        with self._guard:
            if mark.row > self.newest.row:
                self.newest = mark

    def save(self) -> None:
        """Write the newest mark down. Raises `Unavailable` ("SeenUnwritable")."""
        with self._guard:
            newest, saved = self.newest, self._saved
        if self.path is None or newest.row <= saved.row:
            return
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                marks = self._read()
                if marks.get(self.genesis, Mark(0, "")).row < newest.row:
                    write_atomic(self.path, msgspec.json.encode({**marks, self.genesis: newest}))
            finally:
                os.close(lock)
        except OSError as error:
            raise Unavailable(
                "SeenUnwritable",
                f"What this home saw of the ledger cannot be written to {self.path}: {error.strerror}.",
                "Make room, or check that the home's folder is yours.",
            ) from error
        with self._guard:
            self._saved = newest

    def _read(self) -> dict[str, Mark]:
        if self.path is None:
            return {}
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=dict[str, Mark])
        except FileNotFoundError:
            return {}
        except (msgspec.MsgspecError, ValueError) as error:
            raise Failed(
                "SeenUnreadable",
                f"{self.path}, in which this home remembers what it saw of the ledger, is unreadable.",
                "Restore it, or delete it if you trust the ledger as it is now.",
            ) from error
        except OSError as error:
            raise Unavailable(
                "SeenUnreadable",
                f"{self.path} cannot be read: {error.strerror}.",
                "Check that the home's folder is yours.",
            ) from error


def rewritten(mark: Mark) -> Refused:
    return Refused(
        "LedgerRewritten",
        f"The ledger no longer holds row {mark.row} as this home saw it: it was cut off or rewritten.",
        "Ask who keeps the file; restore it from a backup, or delete the home's seen.json if you trust it.",
    )
