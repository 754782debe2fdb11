"""What a screen draws of a run: its metrics as series that stay small however long the run is."""

import bisect
import math
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path

from decentralml.core.training import journal
from decentralml.core.training.run_folder import RunFolder

MOST_POINTS = 4_000
MOST_SERIES = 64
MOST_EPOCHS = 2_000

# Decoding holds the interpreter: a block is so small that a screen that waits for it does not stutter.
_BLOCK = 256 * 1024


class Series:
    """Points with growing ``x``; ``y`` is NaN where a value was not finite.

    With more than ``MOST_POINTS`` of them, of every four neighbours the lowest and the highest stay, so
    that no peak is lost.
    """

    def __init__(self) -> None:
        self.x: list[float] = []
        self.y: list[float] = []

    def append(self, x: float, y: float | None) -> None:
        self.x.append(x)
        self.y.append(math.nan if y is None else y)
        if len(self.x) > MOST_POINTS:
            self._thin()

    def cut(self, x: float) -> None:
        """Forget the points beyond ``x``."""
        end = bisect.bisect_right(self.x, x)
        del self.x[end:], self.y[end:]

    def _thin(self) -> None:
        kept: list[int] = []
        for start in range(0, len(self.x), 4):
            four = range(start, min(start + 4, len(self.x)))
            finite = [i for i in four if not math.isnan(self.y[i])]
            if finite:
                ends = min(finite, key=self.y.__getitem__), max(finite, key=self.y.__getitem__)
                kept += sorted(set(ends))
            else:
                kept.append(start)
        self.x = [self.x[i] for i in kept]
        self.y = [self.y[i] for i in kept]


class Curves:
    """The series of one run, by metric; fits follow one another.

    ``steps``: running epoch means over batches since the beginning. ``epochs``: History's values over epochs
    since the beginning, counted from 1. ``marks``: at how many batches each epoch began, ``end``: where the
    last one ends. ``table``: the newest ``MOST_EPOCHS`` epochs as the journal has them. What an attempt
    trained beyond the checkpoint from which the next one went on is forgotten.
    """

    def __init__(self, run_folder: Path) -> None:
        self._folder = RunFolder(run_folder)
        self._offset = 0
        self._keys: list[tuple[int, int]] = []
        self.end = 0.0
        self.marks: list[float] = []
        self.table: deque[journal.Epoch] = deque(maxlen=MOST_EPOCHS)
        self.steps: dict[str, Series] = {}
        self.epochs: dict[str, Series] = {}

    def refresh(self) -> bool:
        """Read what the journal has in addition since the last time; whether there was anything to draw."""
        changed = False
        while True:
            before = self._offset
            events, self._offset = journal.read(self._folder.journal, before, _BLOCK)
            changed = self._feed(events) or changed
            if self._offset == before:
                return changed

    @property
    def fits(self) -> list[int]:
        """How many epochs were begun before each fit after the first."""
        keys = self._keys
        return [i for i in range(1, len(keys)) if keys[i][0] != keys[i - 1][0]]

    def _feed(self, events: Iterable[journal.Event]) -> bool:
        changed = False
        for event in events:
            if isinstance(event, journal.Step):
                self._enter(event.fit, event.epoch)
                x = self.marks[-1] + event.step
                self.end = self.marks[-1] + max(event.steps or 0, event.step)
                _append(self.steps, x, event.metrics)
            elif isinstance(event, journal.Epoch):
                self._enter(event.fit, event.epoch)
                _append(self.epochs, len(self.marks), event.metrics)
                self.table.append(event)
            else:
                continue
            changed = True
        return changed

    def _enter(self, fit: int, epoch: int) -> None:
        key = (fit, epoch)
        if self._keys and key == self._keys[-1]:
            return
        known = bisect.bisect_left(self._keys, key)
        if known < len(self._keys):
            self.end = self.marks[known]
            del self._keys[known:], self.marks[known:]
            for series in self.steps.values():
                series.cut(self.end)
            for series in self.epochs.values():
                series.cut(known)
            while self.table and (self.table[-1].fit, self.table[-1].epoch) >= key:
                self.table.pop()
        self._keys.append(key)
        self.marks.append(self.end)


def _append(series: dict[str, Series], x: float, metrics: Mapping[str, float | None]) -> None:
    for name, value in metrics.items():
        if name in series or len(series) < MOST_SERIES:
            series.setdefault(name, Series()).append(x, value)
