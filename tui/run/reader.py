"""The runs of a home as a screen shows them, read again and again in the background."""

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from decentralml.core.errors import Failed
from decentralml.core.machine import Machine, Meter
from decentralml.core.training import journal
from decentralml.core.training.curves import Curves, Series
from decentralml.core.training.run_folder import RunFolder
from decentralml.core.training.runs import Run, Runs, tail

_LOG_LINES = 500
_LOG_BYTES = 64 * 1024
# Curves that were looked at stay, since reading a long journal again takes seconds.
_KEPT = 8

Points = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True, eq=False)
class Drawn:
    """The curves of a run as they stood when they were read: nobody changes them meanwhile.

    Fields as those of `Curves`; a series is (x, y).
    """

    steps: dict[str, Points] = field(default_factory=dict)
    epochs: dict[str, Points] = field(default_factory=dict)
    marks: Sequence[float] = ()
    end: float = 0.0
    fits: Sequence[int] = ()
    table: Sequence[journal.Epoch] = ()

    def batches(self, epoch: float) -> float:
        """How many batches had ended after ``epoch`` epochs (7.5: in the middle of the eighth)."""
        marks = self.marks
        if not marks:
            return 0.0
        whole = min(int(epoch), len(marks) - 1)
        following = marks[whole + 1] if whole + 1 < len(marks) else self.end
        return marks[whole] + (epoch - whole) * (following - marks[whole])

    def epoch(self, batches: float) -> float:
        """How many epochs, and what part of the next, had passed after so many ``batches``."""
        marks = self.marks
        whole = max(bisect_right(marks, batches) - 1, 0)
        if whole + 1 > len(marks):
            return 0.0
        following = marks[whole + 1] if whole + 1 < len(marks) else self.end
        length = following - marks[whole]
        return whole + (batches - marks[whole]) / length if length else float(whole)


@dataclass(frozen=True)
class Look:
    """What one look has found. ``places``: of each run that waits, its place in the queue, from 1.

    ``told``: the command that stands for the run that is looked at. ``unread``: why a run cannot be read.
    """

    runs: tuple[Run, ...] = ()
    unread: dict[int, Failed] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)
    told: str = "run"
    curves: dict[int, Drawn] = field(default_factory=dict)
    log: Sequence[str] = ()
    machine: Machine | None = None


class Reader:
    """Reads what is new since the last look. Every look blocks; one at a time."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._curves: dict[int, tuple[Curves, Drawn]] = {}
        self._log: tuple[object, Sequence[str]] = (None, ())
        self._meter = Meter()
        self._machine: Machine | None = None

    def look(
        self, selected: int | None, overlaid: Collection[int], *, log: bool, machine: bool = False
    ) -> Look:
        """All runs, the curves of the ``selected`` one and of those ``overlaid``, its log if asked for.

        The machine is looked at while a run is at work, or where ``machine`` asks for it: at rest its
        figures stand still, and nothing is drawn.
        """
        runs, unread = self._runs.look()
        if machine or self._machine is None or any(not run.ended for run in runs):
            self._machine = self._meter.look()
        by_id = {run.id: run for run in runs}
        waiting = sorted(run.id for run in runs if run.state == "queued")
        shown = by_id.get(selected) if selected is not None else None
        wanted = [by_id[id] for id in dict.fromkeys((selected, *overlaid)) if id in by_id]
        return Look(
            runs=tuple(runs),
            unread=unread,
            places={id: place for place, id in enumerate(waiting, 1)},
            told=RunFolder(shown.folder).told() if shown and not shown.ended else "run",
            curves={run.id: self._read(run) for run in wanted},
            log=self._tail(shown.folder) if shown and log else (),
            machine=self._machine,
        )

    def _read(self, run: Run) -> Drawn:
        curves, drawn = self._curves.pop(run.id) if run.id in self._curves else (Curves(run.folder), Drawn())
        if curves.refresh():
            drawn = Drawn(
                steps=_points(curves.steps),
                epochs=_points(curves.epochs),
                marks=tuple(curves.marks),
                end=curves.end,
                fits=curves.fits,
                table=tuple(curves.table),
            )
        while len(self._curves) >= _KEPT:
            del self._curves[next(iter(self._curves))]
        self._curves[run.id] = curves, drawn
        return drawn

    def _tail(self, folder: Path) -> Sequence[str]:
        path = RunFolder(folder).log
        try:
            found = path.stat()
        except FileNotFoundError:
            return ()
        state = (path, found.st_ino, found.st_size, found.st_mtime_ns)
        if state != self._log[0]:
            self._log = state, tail(path, _LOG_LINES, _LOG_BYTES)
        return self._log[1]


def _points(series: dict[str, Series]) -> dict[str, Points]:
    return {name: (tuple(one.x), tuple(one.y)) for name, one in series.items()}
