"""The worker's two ends towards its supervisor: events out as JSON lines, commands in from a control file."""

import fcntl
import json
import math
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

EVENT_BYTES = 64 * 1024
TEXT_CHARS = 4_000
METRIC_NAMES = 64
POLL_SECONDS = 0.05


class Stopped(BaseException):
    """The supervisor said stop. Not an `Exception`, so that a script's ``except Exception`` lets it pass."""


def finite(metrics: Mapping[str, Any]) -> tuple[dict[str, float | None], list[str]]:
    """``metrics`` as JSON can carry them, and the names of those that are not finite (null in the first).

    Values that are not single numbers are left out; at most 64 names are kept.
    """
    values: dict[str, float | None] = {}
    for name, value in list(metrics.items())[:METRIC_NAMES]:
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        except (TypeError, ValueError):
            continue
        values[str(name)[:100]] = number if math.isfinite(number) else None
    return values, [name for name, value in values.items() if value is None]


class Channel:
    """Writes events to a descriptor that the script's own prints cannot reach by accident.

    The given descriptor is moved to a high number, closed on exec, and its old number is turned into
    /dev/null: a script that writes to fd 3, or a child of it, writes nowhere.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 200)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, fd)
        os.close(nowhere)

    def emit(self, kind: str, /, **fields: Any) -> None:
        """Send one event. A field ``metrics`` is made finite, its bad names listed in ``nonfinite``.

        Ends the process when nobody reads any more: without a supervisor there is no run.
        """
        event: dict[str, Any] = {"kind": kind, **fields}
        if isinstance(fields.get("metrics"), Mapping):
            event["metrics"], nonfinite = finite(fields["metrics"])
            if nonfinite:
                event["nonfinite"] = nonfinite
        text = json.dumps(event, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        # UTF-8, so that a traceback in any script fits a line; half a surrogate pair, no text, becomes "?".
        line = text.encode(errors="replace") + b"\n"
        if len(line) > EVENT_BYTES:
            raise ValueError(f"an event of {len(line)} bytes ({kind}) is more than {EVENT_BYTES}")
        try:
            while line:
                line = line[os.write(self._fd, line) :]
        except BrokenPipeError:
            os._exit(75)

    def warn(self, text: str) -> None:
        self.emit("warning", text=text[:TEXT_CHARS])


class Control:
    """Reads the control file ``{"command": "run" | "pause" | "stop"}``; no file, or a torn one, is run."""

    def __init__(self, path: Path, channel: Channel, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._channel = channel
        self._clock = clock
        self._seen: tuple[int, int] | None = None
        self._command = "run"
        self._next = 0.0
        self._stopping = False

    def _read(self) -> str:
        try:
            status = os.stat(self._path)
            seen = (status.st_mtime_ns, status.st_ino)
            if seen != self._seen:
                command = json.loads(self._path.read_bytes()).get("command")
                self._seen = seen
                self._command = command if command in ("pause", "stop") else "run"
        except (OSError, ValueError, AttributeError):
            return "run" if self._seen is None else self._command
        return self._command

    def obey(self) -> float:
        """Do what the file says: wait while it says pause, raise `Stopped` when it says stop.

        Returns the seconds that were spent paused. Looks at the file at most every 50 ms, so that it
        can be called after every batch.
        """
        now = self._clock()
        if now < self._next and not self._stopping:
            return 0.0
        self._next = now + POLL_SECONDS
        command = self._read()
        if command == "pause":
            self._channel.emit("paused")
            while (command := self._read()) == "pause":
                time.sleep(POLL_SECONDS)
            if command == "run":
                self._channel.emit("resumed")
        if command == "stop" or self._stopping:
            if not self._stopping:
                self._stopping = True
                self._channel.emit("stopping")
            raise Stopped
        return self._clock() - now
