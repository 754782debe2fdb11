"""The part of an axis that is seen, and where on it a crosshair may stand. Knows no widget."""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from decentralml.tui.run import plot
from decentralml.tui.run.plot import Line, same

# No closer than this, in epochs.
_LEAST = 0.02
# It follows the newest point by such parts of itself, so that not each new point draws all anew.
_HOPS = 8
# Where an epoch takes so many columns, the crosshair also stops within it.
_WIDE_EPOCH = 8


@dataclass(frozen=True)
class Window:
    """``width`` of an axis up to ``right``; without a width all of it, without ``right`` up to the newest."""

    width: float | None = None
    right: float | None = None

    def seen(self, newest: float, end: float) -> tuple[float, float]:
        """The two ends of what is seen of an axis up to ``end`` whose ``newest`` point is there."""
        if self.width is None or self.width >= end:
            return 0.0, end
        hop = self.width / _HOPS
        right = math.ceil(newest / hop - 1e-9) * hop if self.right is None else self.right
        right = min(max(right, self.width), end)
        return right - self.width, right

    def zoomed(self, factor: float, around: float | None, newest: float, end: float) -> "Window":
        """So many times as wide. ``around`` stays where it is; without it what is newest does."""
        start, right = self.seen(newest, end)
        width = max((right - start) * factor, _LEAST)
        if width >= end:
            return Window()
        if around is None:
            return Window(width, self.right)
        around = min(max(around, start), right)
        return _upto(around + (right - around) * width / (right - start), width, newest)

    def panned(self, share: float, newest: float, end: float) -> "Window":
        """Moved by a share of its width."""
        start, right = self.seen(newest, end)
        if self.width is None:
            return self
        return _upto(right + share * (right - start), self.width, newest)

    def holding(self, place: float, newest: float, end: float) -> "Window":
        """Moved, if ``place`` is not in it, by half of its width beyond that."""
        start, right = self.seen(newest, end)
        if self.width is None or start < place <= right:
            return self
        return _upto(place + self.width / 2, self.width, newest)


def _upto(right: float, width: float, newest: float) -> Window:
    """One that holds the newest point stays with it."""
    return Window(width, None if right >= newest else max(right, width))


# Where points stand, by an axis of their own, and the ways from an epoch to its place there and back.
Track = tuple[Sequence[float], Callable[[float], float], Callable[[float], float]]


class Stops:
    """Where a crosshair may stand among ``lines``, in ``columns`` of what is ``seen``: in each at one place.

    The ends of epochs; where an epoch is wide, or none has ended, every point.
    """

    def __init__(self, lines: Sequence[Line], seen: tuple[float, float], columns: int) -> None:
        self._seen, self._columns = seen, columns
        self._cell = (seen[1] - seen[0]) / columns
        self._tracks: list[Track] = [(line.ends[0], same, same) for line in lines if line.ends[0]]
        if self._cell * _WIDE_EPOCH < 1 or not self._tracks:
            self._tracks += [(line.x, line.at, line.back) for line in lines if line.x]

    def at(self, place: float) -> float:
        """The last one up to ``place``; before the first the first."""
        found = [back(x[i - 1]) for x, at, back in self._tracks if (i := self._upto(x, at(place)))]
        return max(found) if found else min((back(x[0]) for x, _, back in self._tracks), default=0.0)

    def after(self, place: float) -> float:
        """The next one, in a column after that of ``place``; infinity where there is none."""
        edge = self._edge(place) + self._cell
        following = [back(x[i]) for x, at, back in self._tracks if (i := self._upto(x, at(edge))) < len(x)]
        return max(min(following), self.at(edge + self._cell)) if following else math.inf

    def before(self, place: float) -> float:
        """The last one in a column before that of ``place``, or the first of all."""
        return self.at(self._edge(place))

    def _edge(self, place: float) -> float:
        """Where the column of ``place`` begins."""
        return self._seen[0] + plot.column(place, self._seen, self._columns) * self._cell

    @staticmethod
    def _upto(x: Sequence[float], place: float) -> int:
        """How many points there are up to ``place``."""
        return bisect_right(x, place + 1e-9)
