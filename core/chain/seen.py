"""What a home remembers of each ledger: the last row it saw, so that a rewritten file is refused."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from decentralml.core.errors import Failed, Refused, Unavailable
from decentralml.core.paths import write_atomic, writing


class Mark(Struct, frozen=True):
    """A row's number and its link; row 0 is the genesis."""

    row: int
    link: str


class Memory(Struct, frozen=True):
    """What stands in the file: the last mark by genesis, and the genesis by the ledger's path."""

    marks: dict[str, Mark] = {}
    ledgers: dict[str, str] = {}


class Seen:
    """One home's memory of one ledger. ``path`` None remembers nothing on disk.

    Raises `Refused` ("LedgerReplaced") where another chain stood at ``ledger`` before, `Failed` and
    `Unavailable` ("SeenUnreadable").
    """

    def __init__(self, path: Path | None, ledger: Path, genesis: str) -> None:
        self.path = path
        self.ledger = str(ledger.resolve())
        self.genesis = genesis
        self._guard = threading.Lock()
        memory = read(path)
        if memory.ledgers.get(self.ledger, genesis) != genesis:
            raise Refused(
                "LedgerReplaced",
                f"Another chain stood at {ledger} when this home last looked.",
                f"Ask who keeps the file; if you replaced it yourself, delete {path}.",
            )
        self._saved = memory.marks.get(genesis) if self.ledger in memory.ledgers else None
        self.newest = memory.marks.get(genesis, Mark(0, genesis))

    def notice(self, mark: Mark) -> None:
        """Remember ``mark``, in memory, if it is the newest."""
        with self._guard:
            if mark.row > self.newest.row:
                self.newest = mark

    def save(self) -> None:
        """Write the newest mark down. Raises `Failed` ("CannotWrite")."""
        with self._guard:
            newest, saved = self.newest, self._saved
        if self.path is None or newest == saved:
            return
        with _changing(self.path):
            memory = read(self.path)
            mark = max(memory.marks.get(self.genesis, newest), newest, key=lambda mark: mark.row)
            marks = {**memory.marks, self.genesis: mark}
            after = Memory(marks, {**memory.ledgers, self.ledger: self.genesis})
            if after != memory:
                _write(self.path, after)
        with self._guard:
            self._saved = newest


def remembers(path: Path, ledger: Path) -> bool:
    """Whether a ledger was seen at ``ledger``. Raises as `read`."""
    return str(ledger.resolve()) in read(path).ledgers


def forget(path: Path, ledger: Path) -> None:
    """A new ledger is made at ``ledger``: what stood there before is of no account. Raises as `Seen.save`."""
    if remembers(path, ledger):
        with _changing(path):
            memory = read(path)
            others = {key: value for key, value in memory.ledgers.items() if key != str(ledger.resolve())}
            _write(path, Memory(memory.marks, others))


def read(path: Path | None) -> Memory:
    """Raises `Failed` or `Unavailable` ("SeenUnreadable")."""
    if path is None:
        return Memory()
    try:
        return msgspec.json.decode(path.read_bytes(), type=Memory)
    except FileNotFoundError:
        return Memory()
    except (msgspec.MsgspecError, ValueError) as error:
        raise Failed(
            "SeenUnreadable",
            f"{path}, in which this home remembers what it saw of the ledger, cannot be read.",
            "Restore it, or delete it if you trust the ledger as it is now.",
        ) from error
    except OSError as error:
        raise Unavailable(
            "SeenUnreadable",
            f"{path} cannot be read: {error.strerror}.",
            "Check that the home's folder is yours.",
        ) from error


def rewritten(mark: Mark) -> Refused:
    return Refused(
        "LedgerRewritten",
        f"The ledger no longer holds row {mark.row} as this home saw it: it was cut off or rewritten.",
        "Ask who keeps the file; restore it from a backup, or delete the home's seen.json if you trust it.",
    )


@contextmanager
def _changing(path: Path) -> Iterator[None]:
    """Alone with the file, among the processes of this home, whose first file it may be."""
    with suppress(OSError):  # said by what needs it
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with writing(path):
        yield


def _write(path: Path, memory: Memory) -> None:
    write_atomic(path, msgspec.json.encode(memory))
