"""Evaluation in the background: one thread, one warm sandbox, a queue; it lives as long as the app."""

import asyncio
import contextlib
import functools
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from decentralml.core.errors import DecentralMLError, Failed, Interrupted
from decentralml.core.storage.base import Progress
from decentralml.tui import keys

if TYPE_CHECKING:
    from decentralml.core.judging import Judge
    from decentralml.core.market import Market
    from decentralml.core.models.evaluate import Evaluator

T = TypeVar("T")
Cancelled = Callable[[], bool]
Run = Callable[[Callable[[], "Judge"]], None]
_CLOSE_SECONDS = 2.0
_DOING = {
    "fetch": "fetching",
    "digest": "verifying",
    "inspect": "inspecting",
    "predict": "predicting",
    "metrics": "measuring",
}
# Errors by which what was named to measure by cannot be used, whatever the result is.
_OF_THE_SETUP = frozenset(
    {"NoData", "BadData", "BadShape", "BadLabels", "LabelsDontFit", "BadPolicy", "PolicyFailed", "BadMetrics"}
)


@dataclass(frozen=True)
class Setup:
    """By what the results of a task are measured: held-out ``data``, and the creator's ``policy``."""

    data: Path | None = None
    policy: Path | None = None
    unsandboxed: bool = False


class Stage(StrEnum):
    waiting = "waiting"
    working = "working"
    done = "done"
    failed = "failed"


@dataclass(frozen=True)
class Job:
    """One evaluation. ``step`` is one of `validation.STEPS`, or "fetch"; ``place`` 1 is next in the queue."""

    submission_id: int
    setup: Setup
    stage: Stage = Stage.waiting
    step: str = ""
    place: int = 0
    progress: Progress | None = None
    error: DecentralMLError | None = None

    @property
    def doing(self) -> str:
        """The step that it is at, in a word for the screen."""
        return _DOING.get(self.step, "beginning")

    @property
    def bad_setup(self) -> bool:
        """Whether it failed by its setup, and would again."""
        return self.error is not None and self.error.code in _OF_THE_SETUP


@dataclass(frozen=True, eq=False)
class _Order:
    """What waits for the thread; ``number``: the result that is to be evaluated, if any."""

    number: int | None
    setup: Setup
    run: Run
    given_up: threading.Event = field(default_factory=threading.Event)


class JudgeWork:
    """Evaluates one result after the other and signs nothing. Every method returns at once.

    Whoever listens is told on the event loop, with a job whenever that moved on.
    """

    def __init__(self, market: Callable[[], "Market"]) -> None:
        self._market = market
        self._loop: asyncio.AbstractEventLoop | None = None
        self._on_change: Callable[[Job], None] = _nobody
        self._changed = threading.Condition()
        self._waiting: list[_Order] = []
        self._orders: dict[int, _Order] = {}
        self._jobs: dict[int, Job] = {}
        self._judges: dict[tuple[object, ...], Judge] = {}
        self._evaluators: dict[bool, Evaluator] = {}
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    def job(self, submission_id: int) -> Job | None:
        """What is being done, or was done last, about a submission."""
        with self._changed:
            job = self._jobs.get(submission_id)
            if job is None or job.stage is not Stage.waiting:
                return job
            queue = [order.number for order in self._waiting]
            place = queue.index(submission_id) + 1 if submission_id in queue else 0
            return replace(job, place=place)

    def busy(self) -> tuple[int, int]:
        """How many evaluations are at work, and how many wait behind them."""
        with self._changed:
            stages = [job.stage for job in self._jobs.values()]
        return stages.count(Stage.working), stages.count(Stage.waiting)

    def current(self) -> Job | None:
        """The evaluation that is at work, or the next."""
        with self._changed:
            jobs = sorted(self._jobs.values(), key=lambda job: job.stage is not Stage.working)
        return next((job for job in jobs if job.stage in (Stage.working, Stage.waiting)), None)

    def failed(self) -> list[Job]:
        """The evaluations that broke and were not tried again since."""
        with self._changed:
            return [job for job in self._jobs.values() if job.stage is Stage.failed]

    def listen(self, on_change: Callable[[Job], None]) -> None:
        """Whom to tell on the event loop from now on. To be called there."""
        self._loop, self._on_change = asyncio.get_running_loop(), on_change

    def evaluate(self, submission_id: int, setup: Setup) -> None:
        """Put a result into the queue, unless it stands there already and is not being given up."""
        order = _Order(submission_id, setup, lambda judge: self._evaluate(judge(), order))
        with self._changed:
            job, before = self._jobs.get(submission_id), self._orders.get(submission_id)
            busy = job is not None and job.stage in (Stage.waiting, Stage.working)
            if busy and before is not None and not before.given_up.is_set():
                return
            self._orders[submission_id] = order
            self._jobs[submission_id] = Job(submission_id, setup)
        self._queue(order)

    def cancel(self, submission_id: int) -> None:
        """Take a result out of the queue, or end its evaluation."""
        with self._changed:
            order, job = self._orders.get(submission_id), self._jobs.get(submission_id)
            if order is None or job is None:
                return
            order.given_up.set()
            if job.stage is Stage.waiting:
                self._waiting.remove(order)
                del self._jobs[submission_id]

    def do(self, setup: Setup, function: "Callable[[Judge, Cancelled], T]") -> "Future[T]":
        """``function(judge, cancelled)`` on this service's thread, after what waits already."""
        future: Future[T] = Future()

        def run(judge: "Callable[[], Judge]") -> None:
            try:
                future.set_result(function(judge(), self._closing.is_set))
            except BaseException as error:  # handed to whoever awaits it
                future.set_exception(error)

        self._queue(_Order(None, setup, run))
        return future

    def close(self) -> None:
        """Give up what is at work and end the sandbox; a thread that is stuck is left behind."""
        self._closing.set()
        with self._changed:
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_CLOSE_SECONDS)

    def _queue(self, order: _Order) -> None:
        with self._changed:
            self._waiting.append(order)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="judge", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    # On the thread

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing.is_set())
                if self._closing.is_set():
                    break
                order = self._waiting.pop(0)
                if order.number is not None:
                    self._jobs[order.number] = replace(self._jobs[order.number], stage=Stage.working)
            try:
                order.run(functools.partial(self._judge, order.setup))
            except DecentralMLError as error:
                self._failed(order, error)
            except Exception as error:  # whatever it is, the others in the queue are still evaluated
                self._failed(order, _bug(error))
        for evaluator in self._evaluators.values():
            with contextlib.suppress(OSError):
                evaluator.close()

    def _judge(self, setup: Setup) -> "Judge":
        """The judge of a setup, made anew where its files have changed; all share one sandbox."""
        from decentralml.core.judging import Judge
        from decentralml.core.models.evaluate import Evaluator

        key = (setup, _stamp(setup.data), _stamp(setup.policy))
        if key not in self._judges:
            market = self._market()
            evaluator = self._evaluators.get(setup.unsandboxed)
            if evaluator is None:
                evaluator = Evaluator(market.settings, unsandboxed=setup.unsandboxed)
                self._evaluators[setup.unsandboxed] = evaluator
            self._judges = {known: judge for known, judge in self._judges.items() if known[0] != setup}
            self._judges[key] = Judge(
                market,
                data=setup.data,
                policy=setup.policy,
                unsandboxed=setup.unsandboxed,
                evaluator=evaluator,
            )
        return self._judges[key]

    def _evaluate(self, judge: "Judge", order: _Order) -> None:
        assert order.number is not None
        self._set(order, step="fetch")
        judge.evaluate(
            order.number,
            on_progress=lambda progress: self._set(order, progress=progress),
            on_step=lambda step: self._set(order, step=step),
            cancelled=lambda: self._closing.is_set() or order.given_up.is_set(),
        )
        self._set(order, stage=Stage.done)

    def _failed(self, order: _Order, error: DecentralMLError) -> None:
        if not isinstance(error, Interrupted):
            self._set(order, stage=Stage.failed, error=error)
        elif order.number is not None:
            with self._changed:
                current = self._orders.get(order.number) is order
                job = self._jobs.pop(order.number, None) if current else None
            if job is not None:
                self._tell(replace(job, stage=Stage.failed, progress=None))

    def _set(self, order: _Order, *, progress: Progress | None = None, **fields: Any) -> None:
        """How an order comes on, unless another for the same result has taken its place.

        ``progress`` is of the step at which it is: one that ended, or the whole evaluation, has none.
        """
        if order.number is None:
            return
        with self._changed:
            if self._orders.get(order.number) is not order or order.number not in self._jobs:
                return
            self._jobs[order.number] = job = replace(self._jobs[order.number], progress=progress, **fields)
        self._tell(job)

    def _tell(self, job: Job) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the app has ended: nobody listens
                self._loop.call_soon_threadsafe(lambda: self._on_change(job))


def _nobody(job: Job) -> None:
    """Nobody listens yet."""


def _stamp(path: Path | None) -> tuple[int, int] | None:
    if path is None:
        return None
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _bug(error: Exception) -> DecentralMLError:
    found = Failed(
        "EvaluationFailed",
        f"The evaluation ended by an error of this program: {type(error).__name__}: {error}",
        keys.said("{activity} shows where. The other results can be evaluated as before."),
    )
    found.__cause__ = error
    return found
