"""What every storage's transfers share: files two at a time, counted, checked while they stream."""

import errno
import hashlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from decentralml.core.errors import DecentralMLError, Failed, Interrupted, Refused
from decentralml.core.storage.base import Cancelled, File, OnProgress, Progress

T = TypeVar("T")

Chunks = Callable[[File, int], Iterator[bytes | memoryview]]
"""A file's content from an offset in bytes on; each piece is valid until the next is asked for."""

PATIENCE = 60.0
"""Seconds without a byte after which a transfer has failed."""

_THREADS = 2
TICK = 0.1  # seconds between two looks at the meter: progress, cancelled, stalled
_WINDOW = 5.0  # seconds over which the rate is taken
_GRACE = 1.0  # seconds for the threads to notice that it is over
_SYNC_EVERY = 64 * 2**20  # bytes; so that the last fsync is short, and progress is true
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class _Stopped(Exception):
    """Ends a job whose transfer is over already."""


class Meter:
    """Counts what moves, from any thread, and carries the word to stop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.done = 0
        self.kept = 0
        self.name = ""
        self.last = time.monotonic()

    def moved(self, size: int, name: str, *, kept: bool = False) -> None:
        """``size`` bytes of ``name`` were handled; ``kept``: they were here before, and make no rate.

        0 says only that something goes on; less than 0 takes back what has to be done again.
        """
        if self._stop.is_set():
            raise _Stopped
        with self._lock:
            self.done += size
            self.kept += size if kept else 0
            self.name = name
            self.last = time.monotonic()

    def stop(self) -> None:
        self._stop.set()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()


class _Pool(Generic[T]):
    """Jobs in order on a few threads; the first error stops the rest."""

    def __init__(self, jobs: Sequence[Callable[[Meter], T]], meter: Meter) -> None:
        self.results: dict[int, T] = {}
        self.errors: list[BaseException] = []
        self.ended = threading.Event()
        self._jobs = list(enumerate(jobs))[::-1]
        self._meter = meter
        self._lock = threading.Lock()
        # Daemons: one that hangs in a dead mount must not keep the program from ending.
        self.threads = [
            threading.Thread(target=self._work, daemon=True) for _ in range(min(_THREADS, len(jobs)))
        ]
        self._running = len(self.threads)

    def _work(self) -> None:
        try:
            while not self._meter.stopped:
                with self._lock:
                    if not self._jobs:
                        break
                    index, job = self._jobs.pop()
                self.results[index] = job(self._meter)
        except _Stopped:
            pass
        except BaseException as error:
            self.errors.append(error)
            self._meter.stop()
        finally:
            with self._lock:
                self._running -= 1
                if not self._running:
                    self.ended.set()


def run(
    jobs: Sequence[Callable[[Meter], T]],
    total: int,
    *,
    on_progress: OnProgress | None = None,
    cancelled: Cancelled | None = None,
    patience: float = PATIENCE,
) -> list[T]:
    """Do ``jobs``, two at a time, and return their results in order. ``total``: bytes that they will report.

    ``on_progress`` (ten times a second at most, and at both ends) and ``cancelled`` run in this thread.
    Raises what a job raises first; `Interrupted` ("Cancelled"); `Failed` ("Stalled") when no job has
    moved anything for ``patience`` seconds, however long the whole takes.
    """
    meter = Meter()
    pool = _Pool(jobs, meter)
    samples: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def report() -> None:
        if on_progress is None:
            return
        now, fresh = time.monotonic(), meter.done - meter.kept
        samples.append((now, fresh))
        while len(samples) > 2 and now - samples[1][0] > _WINDOW:
            samples.popleft()
        seconds = now - samples[0][0]
        rate = max(fresh - samples[0][1], 0) / seconds if seconds > 0 else 0.0
        left = total - meter.done
        eta = 0.0 if left <= 0 else left / rate if rate else None
        on_progress(Progress(meter.done, total, rate, eta, meter.name))

    def check() -> None:
        if cancelled is not None and cancelled():
            raise Interrupted(
                "Cancelled", "The transfer was cancelled.", "Start it again to go on from there."
            )

    check()
    for thread in pool.threads:
        thread.start()
    try:
        report()
        while pool.threads and not pool.ended.wait(TICK):
            check()
            if time.monotonic() - meter.last > patience:
                raise Failed(
                    "Stalled",
                    f"Nothing has moved for {patience:.0f} seconds.",
                    "Check the disk or the connection, then start it again: it goes on from there.",
                )
            report()
    finally:
        meter.stop()
        pool.ended.wait(_GRACE if pool.threads else 0)
    if pool.errors:
        raise pool.errors[0]
    report()
    return [pool.results[index] for index in range(len(jobs))]


class Sink:
    """Appends to an open file and sees that it reaches the disk."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._unsynced = 0

    def write(self, piece: bytes | memoryview) -> None:
        view = memoryview(piece)
        while view:
            view = view[os.write(self.descriptor, view) :]
        self._unsynced += len(piece)
        if self._unsynced >= _SYNC_EVERY:
            os.fdatasync(self.descriptor)
            self._unsynced = 0

    def sync(self) -> None:
        os.fsync(self.descriptor)


def broken(error: OSError, doing: str, *, resumes: bool = True) -> DecentralMLError:
    """An `OSError` of a disk as a `Failed` ("DiskFull", "TransferBroken"). ``doing``: "writing to …".

    ``resumes``: whether what is started again goes on from where it broke.
    """
    if error.errno in _FULL:
        again = ": it goes on from there" if resumes else ""
        return Failed(
            "DiskFull", f"The disk is full while {doing}.", f"Free some space, then start it again{again}."
        )
    return Failed(
        "TransferBroken",
        f"{error.strerror or error} while {doing}.",
        "Check the disk and its permissions, then start it again.",
    )


def differs(file: File, why: str = "its content has another SHA-256") -> Refused:
    """What is stored or kept is not what the manifest announces."""
    return Refused(
        "ContentDiffers",
        f"{file.name!r} is not what its reference names: {why}.",
        "Do not use it. Ask whoever uploaded it to upload it again.",
    )


def checked(file: File, chunks: Chunks, meter: Meter) -> None:
    """Stream a file through its digest, keeping nothing. Raises like `stream`."""
    stream(file, 0, hashlib.sha256(), chunks, lambda piece: meter.moved(len(piece), file.name))


def stream(
    file: File,
    offset: int,
    hasher: "hashlib._Hash",
    chunks: Chunks,
    take: Callable[[bytes | memoryview], None],
) -> None:
    """Hand ``take`` what ``file`` has from ``offset`` on; ``hasher`` has seen what is before.

    Raises `Refused` ("ContentDiffers") for a byte too many or another digest, `Failed` ("Truncated").
    """
    for piece in chunks(file, offset):
        offset += len(piece)
        if offset > file.size:
            raise differs(file, "it has more bytes than announced")
        hasher.update(piece)
        take(piece)
    if offset < file.size:
        raise Failed(
            "Truncated",
            f"{file.name!r} ended after {offset:,} of {file.size:,} bytes.",
            "Start it again: it goes on from there.",
        )
    if hasher.hexdigest() != file.sha256:
        raise differs(file)
