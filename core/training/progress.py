"""Where a run stands: its events folded into one value that stays small however long the run is."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct, field

from decentralml.core.training import journal

Phase = Literal["queued", "starting", "running", "paused", "stopping", "stopped", "finished", "failed"]

_WARNINGS = 20
_NEWEST = 0.3  # how much of the pace is the newest epoch's: it forgets what a machine did ten epochs ago


class Progress(Struct):
    """The last known of everything. Times in unix seconds, periods in seconds, sizes in bytes.

    ``pid`` is the supervisor's. Fits and epochs are counted from 1: ``epoch`` of ``epochs`` runs or has just
    ended, ``step`` batches of ``steps`` (None: not known) are done in it; ``rate`` is in batches a second.
    ``metrics`` are the newest running means, ``epoch_metrics`` those of the last whole epoch; None stands for
    NaN and infinity. ``pace``: seconds that an epoch takes, by the last few. ``eta``: seconds to the end of
    the fit at that pace, or, until there is one, at that of the batches; None where it is not known.
    ``claimed`` is what the worker says of its own result, ``folder`` where it says that it stands, a name
    below out/. ``ahead``: how many others held the slots when it had to wait. ``resumed``: the attempt goes
    on from a checkpoint. ``initial_epoch``: whole epochs that the fit had behind it when it began,
    ``figures`` what it measures, ``since``: seconds since the epoch began. ``forced``: a stop had to end it
    from outside.
    """

    phase: Phase = "queued"
    ahead: int = 0
    attempt: int = 0
    resumed: bool | None = None
    started: float | None = None
    ended: float | None = None
    protection: str = ""
    pid: int = 0
    device: str = ""
    gpus: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    data: journal.Data | None = None
    fit: int | None = None
    initial_epoch: int | None = None
    figures: list[str] = field(default_factory=list)
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int | None = None
    metrics: dict[str, float | None] = field(default_factory=dict)
    epoch_metrics: dict[str, float | None] = field(default_factory=dict)
    since: float | None = None
    rate: float | None = None
    lr: float | None = None
    eta: float | None = None
    epoch_seconds: float | None = None
    pace: float | None = None
    checkpoint: journal.Checkpoint | None = None
    load: journal.Load | None = None
    peak_rss: int = 0
    warnings: list[str] = field(default_factory=list)
    claimed: dict[str, float | None] | None = None
    claimed_baseline: dict[str, float | None] | None = None
    folder: str = ""
    model_name: str = ""
    parameters: int | None = None
    error: str = ""
    code: str = ""
    hint: str = ""
    where: str = ""
    traceback: str = ""
    forced: bool | None = None


def fold(progress: Progress, events: Iterable[journal.Event]) -> Progress:
    """``progress`` after ``events``, changed in place."""
    for event in events:
        _take(progress, event)
    return progress


def _take(p: Progress, event: journal.Event) -> None:
    match event:
        case journal.Step():
            p.phase = "running" if p.phase == "starting" else p.phase
            p.fit, p.epoch, p.step, p.steps = event.fit, event.epoch, event.step, event.steps
            p.metrics, p.rate, p.since = event.metrics, event.rate, event.seconds
            if event.steps:
                p.eta = _eta(p, event.epoch - 1 + event.step / event.steps)
        case journal.Load():
            p.load = event
            p.peak_rss = max(p.peak_rss, event.rss)
        case journal.Epoch():
            p.fit, p.epoch, p.step = event.fit, event.epoch, p.steps or p.step
            p.metrics = p.epoch_metrics = event.metrics
            # The first epoch of a process also builds the graph: it is no measure of those to come.
            if p.epoch_seconds is not None and event.seconds is not None:
                pace = event.seconds if p.pace is None else p.pace
                p.pace = pace + (event.seconds - pace) * _NEWEST
            p.lr, p.epoch_seconds = event.lr, event.seconds
            p.eta = _eta(p, event.epoch)
        case journal.Fit():
            p.phase = "running"
            p.fit, p.epochs = event.fit, event.epochs
            p.initial_epoch, p.figures = event.initial_epoch, event.metrics
            p.epoch = min(event.initial_epoch + 1, event.epochs)
            p.step, p.steps, p.eta, p.epoch_seconds = 0, event.steps, None, None
            p.rate = p.pace = p.since = None
            p.metrics, p.epoch_metrics = {}, {}
        case journal.Checkpoint():
            p.checkpoint = event
        case journal.Queued():
            p.phase, p.ended = "queued", None
            p.ahead, p.forced = event.running, None
            p.error = p.code = p.hint = p.where = p.traceback = ""
        case journal.Started():
            p.phase, p.attempt, p.resumed = "starting", event.attempt, event.resumed
            p.forced = None
            p.protection, p.pid = event.protection, event.pid
            p.started = p.started or event.t
            p.ended = p.load = p.rate = p.eta = None
            # What an attempt that broke had come to: this one begins before that.
            p.fit, p.epoch, p.step, p.steps = None, 0, 0, None
            p.initial_epoch, p.figures, p.since = None, [], None
            p.metrics, p.epoch_metrics = {}, {}
            p.error = p.code = p.hint = p.where = p.traceback = ""
        case journal.Hello():
            p.device, p.gpus = event.device, event.gpus
            p.versions = {"python": event.python, "keras": event.keras, "tensorflow": event.tensorflow}
        case journal.Data():
            p.data = event
        case journal.Evaluated():
            p.claimed, p.claimed_baseline = event.metrics, event.baseline
        case journal.Saved():
            p.folder, p.model_name, p.parameters = event.folder, event.model_name, event.parameters
        case journal.Warning():
            p.warnings = [*p.warnings, event.text][-_WARNINGS:]
        case journal.Paused():
            p.phase = "paused"
        case journal.Resumed():
            p.phase = "running"
        case journal.Stopping():
            p.phase = "stopping"
        case journal.Finished():
            p.phase, p.ended, p.eta, p.rate = "finished", event.t, None, None
        case journal.Stopped():
            p.phase, p.ended, p.eta, p.rate = "stopped", event.t, None, None
            p.forced = event.forced
        case journal.Failed():
            p.phase, p.ended, p.eta, p.rate = "failed", event.t, None, None
            p.error, p.code, p.hint = event.error, event.code, event.hint
            p.where, p.traceback = event.where, event.traceback


def _eta(p: Progress, done: float) -> float | None:
    """Seconds to the end of the fit after ``done`` epochs. Of data whose length nobody knows none is told."""
    if not p.steps:
        return None
    pace = p.pace if p.pace is not None else p.steps / p.rate if p.rate else None
    return None if pace is None else max(p.epochs - done, 0) * pace
