"""What a try measures in a running `Model.fit`."""

import time

SECONDS = 1.0
STEPS = 20


class Enough(BaseException):
    """A try has seen its batches. Not an `Exception`: a script's ``except Exception`` lets it pass."""


class Trial:
    """What a try measures: trains a few batches of the first fit, then raises `Enough`."""

    def __init__(self) -> None:
        self.seconds_epoch: float | None = None
        self._steps: int | None = None
        self._times: list[tuple[int, float]] = []

    def begin(self, steps: int | None) -> None:
        self._steps = steps
        self._times = [(0, time.perf_counter())]

    def batch_end(self, step: int) -> None:
        """Note ``step`` batches done; the first stands apart, since it builds the graph."""
        self._times.append((step, time.perf_counter()))
        first, now = self._times[1], self._times[-1]
        if step >= first[0] + STEPS or (len(self._times) > 2 and now[1] - first[1] > SECONDS):
            raise Enough

    def end(self) -> None:
        """Turn what was noted into ``seconds_epoch`` (None where nobody knows how long an epoch is)."""
        if len(self._times) < 2:
            return
        start, end = (self._times[1] if len(self._times) > 2 else self._times[0]), self._times[-1]
        if self._steps is not None and end[0] > start[0]:
            self.seconds_epoch = self._steps * (end[1] - start[1]) / (end[0] - start[0])
