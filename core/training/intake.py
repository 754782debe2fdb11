"""What comes out of the worker's pipe, on its way to the journal: cut into lines, checked, thinned."""

import time
from collections.abc import Callable

import msgspec

from decentralml.core.training import journal

# The journal takes a step line every 100 ms at first. A run of days would fill it: from half an hour on
# the lines come as much further apart as the run is long, at last every 10 s. Epochs are never thinned.
_STEP_SECONDS = (0.09, 10.0)
_STEP_LINES = 20_000

# A script that floods: bytes a second that pass, and bytes at once. An honest one stays far below.
_BYTES_A_SECOND = 256 * 1024
_BURST = 4 * 1024 * 1024
_LINE_COST = 256


class Intake:
    """Feeds blocks of bytes in, hands checked events out to ``take``; says once what it had to drop."""

    def __init__(
        self, take: Callable[[journal.Event], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._take = take
        self._clock = clock
        self._rest = b""
        self._skipping = False
        self._said: set[str] = set()
        self._began = self._refilled = clock()
        self._budget = float(_BURST)
        self._last_step = float("-inf")

    def feed(self, block: bytes) -> None:
        lines = (self._rest + block).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if self._skipping:
                self._skipping = False
            elif len(line) > journal.MAX_LINE:
                self._too_long()
            elif line.strip():
                self._line(line)
        if len(self._rest) > journal.MAX_LINE:
            if not self._skipping:
                self._too_long()
            self._skipping, self._rest = True, b""

    def _line(self, line: bytes) -> None:
        try:
            event = journal.from_worker(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._say("The script sent lines that are no events; they are dropped.")
            return
        if not isinstance(event, journal.FINAL) and not self._affordable(event, len(line)):
            return
        self._take(event)

    def _affordable(self, event: journal.Event, size: int) -> bool:
        """Whether the journal has room for the event now. A final one is asked for once and has it always."""
        now = self._clock()
        if isinstance(event, journal.Step):
            least, most = _STEP_SECONDS
            if now - self._last_step < min(max((now - self._began) / _STEP_LINES, least), most):
                return False
            self._last_step = now
        self._budget = min(_BURST, self._budget + (now - self._refilled) * _BYTES_A_SECOND)
        self._refilled = now
        if self._budget < _LINE_COST:
            self._say("The script reports more than a journal takes; some of its events are dropped.")
            return False
        self._budget -= max(size, _LINE_COST)
        return True

    def _too_long(self) -> None:
        self._say(f"The script sent a line of more than {journal.MAX_LINE // 1024} KiB; it is dropped.")

    def _say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._take(journal.Warning(text=text))
