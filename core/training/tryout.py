"""Try a task before a slot is held: a few batches in the sandbox, and what a whole training would take."""

import contextlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from decentralml.core import bounds, environments, hostile, sandbox
from decentralml.core.config import Settings
from decentralml.core.errors import Failed, Interrupted
from decentralml.core.paths import Home
from decentralml.core.training import journal, runs
from decentralml.core.training.follow import follow
from decentralml.core.training.run_folder import RunFile, RunFolder, RunSpec

if TYPE_CHECKING:
    from decentralml.core.models.inspect import ModelInfo


class TryReport(Struct, frozen=True, kw_only=True):
    """What a try has shown. Sizes in bytes, times in seconds; None where it could not be measured.

    ``seconds_total`` is for the epochs asked for. ``environment_size`` counts what the task's own
    environment holds, 0 where the program's own serves. ``model`` is what the static inspection, which the
    creator runs as well, says of the model that the script saves.
    """

    epochs: int
    seconds_epoch: float | None
    seconds_total: float | None
    peak_memory: int
    device: str
    gpus: tuple[str, ...]
    protection: str
    samples: int | None
    holdout: int | None
    x_shape: tuple[int | None, ...]
    y_shape: tuple[int | None, ...]
    classes: int | None
    batch_size: int | None
    parameters: int
    environment: str
    environment_size: int
    model: "ModelInfo"
    warnings: tuple[str, ...]


def try_task(
    spec: RunSpec,
    home: Home,
    settings: Settings,
    *,
    on_event: Callable[[journal.Event], None] = lambda event: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> TryReport:
    """Train a few batches of ``spec`` in the sandbox, inspect the model that it saves, leave nothing behind.

    Raises `Misused` for an order that cannot be carried out, `Failed` with the script's own error, `Refused`
    for a model that no creator could load, `Unavailable` without a sandbox, `Interrupted` when ``cancelled``.
    """
    from decentralml.core.models.inspect import inspect

    runs.check(spec)
    sandbox.protection(spec.unsandboxed)
    tries = home.folder(home.cache_dir / "tries")
    _sweep(tries)
    folder = RunFolder(Path(tempfile.mkdtemp(dir=tries)))
    try:
        trial = msgspec.structs.replace(runs.complete(spec, settings), trial=True)
        folder.create(RunFile(spec=trial, bounds=runs.bounds(settings), created=time.time()))
        folder.launch()
        tried: journal.Tried | None = None
        for event in follow(folder.path, cancelled=cancelled):
            on_event(event)
            if isinstance(event, journal.Tried):
                tried = event
        if cancelled():
            raise Interrupted("Interrupted", "The try was ended.")
        progress = folder.current().progress
        if progress.phase != "finished" or tried is None:
            raise Failed(
                progress.code or "TryFailed",
                progress.error or "The try ended without saying how.",
                progress.hint or _last_words(progress.code, folder),
            )
        model = inspect(folder.result(tried.folder))
        data = progress.data or journal.Data()
        return TryReport(
            epochs=spec.epochs,
            seconds_epoch=tried.seconds_epoch,
            seconds_total=None if tried.seconds_epoch is None else tried.seconds_epoch * spec.epochs,
            peak_memory=max(tried.peak_memory, progress.peak_rss),
            device=progress.device,
            gpus=tuple(progress.gpus),
            protection=progress.protection,
            samples=data.samples,
            holdout=data.holdout,
            x_shape=tuple(data.x_shape or ()),
            y_shape=tuple(data.y_shape or ()),
            classes=data.classes,
            batch_size=tried.batch,
            parameters=model.parameters,
            environment=(spec.interpreter or environments.own()).name,
            environment_size=_environment_size(spec),
            model=model,
            warnings=tuple(progress.warnings) + model.warnings,
        )
    finally:
        _end(folder)


def _last_words(code: str, folder: RunFolder) -> str:
    """What was printed last, where that is all that there is to go by."""
    return "\n".join(runs.tail(folder.log, 5)) if code in ("", "WorkerEnded") else ""


def _environment_size(spec: RunSpec) -> int:
    if spec.interpreter is None or spec.interpreter == environments.own():
        return 0
    return bounds.disk_used(spec.interpreter.executable.parent.parent)


def _end(folder: RunFolder) -> None:
    """Stop what still runs, without a grace period, and delete the folder."""
    if folder.alive():
        folder.tell("stop")
        for _ in follow(folder.path):
            pass
    hostile.delete(folder.path)


def _sweep(tries: Path) -> None:
    """Delete what tries left whose process was killed."""
    for path in tries.iterdir():
        folder = RunFolder(path)
        if folder.lock.exists() and not folder.alive():
            # Another try may be sweeping at the same time.
            with contextlib.suppress(OSError):
                hostile.delete(path)
