"""An account's statement, newest first, with what was left after each line; only pages are held."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from decentralml.core.amount import format_amount
from decentralml.core.chain.base import Chain, Movement

_CHUNK = 1000
_MARK_EVERY = 200
HEADER = ("block", "name", "task_id", "submission_id", "free", "held", "free_after", "held_after")


@dataclass(frozen=True)
class Line:
    """A movement, and the planck that were free and held once it had happened."""

    movement: Movement
    free: int
    held: int


@dataclass(frozen=True)
class _Mark:
    """What stood before one of the lines, so that the pages can be read from there."""

    cursor: int
    free: int
    held: int


class StatementPages:
    """The chain tells a statement forwards only: a mark every few hundred lines lets it be read from the end.

    Every method blocks.
    """

    def __init__(self, chain: Chain, address: str) -> None:
        self._chain = chain
        self._address = address
        self._marks = [_Mark(0, 0, 0)]
        self._last = _Mark(0, 0, 0)
        self.total = 0

    def catch_up(self) -> int:
        """Read on from where it was read to; how many lines there are now."""
        for line in self._lines(self._last):
            self._last = _Mark(line.movement.cursor, line.free, line.held)
            self.total += 1
            if self.total % _MARK_EVERY == 0:
                self._marks.append(self._last)
        return self.total

    def page(self, offset: int, limit: int) -> list[Line]:
        """``limit`` lines after the ``offset`` newest, newest first."""
        end = max(self.total - offset, 0)
        start = max(end - limit, 0)
        mark = start // _MARK_EVERY
        found = []
        for number, line in enumerate(self._lines(self._marks[mark]), mark * _MARK_EVERY):
            if number >= end:
                break
            if number >= start:
                found.append(line)
        return found[::-1]

    def csv(self) -> bytes:
        """Everything as CSV, oldest first, amounts in units without thousands separators."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(HEADER)
        for line in self._lines(_Mark(0, 0, 0)):
            m = line.movement
            amounts = (_plain(planck) for planck in (m.free, m.held, line.free, line.held))
            writer.writerow((m.block, m.name, m.task_id or "", m.submission_id or "", *amounts))
        return text.getvalue().encode()

    def _lines(self, mark: _Mark) -> Iterator[Line]:
        cursor, free, held = mark.cursor, mark.free, mark.held
        while page := self._chain.statement(self._address, since=cursor, limit=_CHUNK):
            for movement in page:
                cursor, free, held = movement.cursor, free + movement.free, held + movement.held
                yield Line(movement, free, held)
            if len(page) < _CHUNK:
                return


def _plain(planck: int) -> str:
    return format_amount(planck).replace(",", "")
