"""Runs as a supervisor leaves them: folder, lock and journal, without a training; and the screen of them."""

import math
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from decentralml.core.bounds import Bounds
from decentralml.core.machine import Gpu, Machine
from decentralml.core.training import journal
from decentralml.core.training.journal import Event
from decentralml.core.training.locks import hold
from decentralml.core.training.run_folder import RunFile, RunFolder, RunSpec
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.runs import RunsScreen
from decentralml.tui.widgets.paged_table import PagedTable

from .conftest import text_of, until

BEGAN = 1_800_000_000.0
HOSTILE = "red \x1b[31m bidi \u202egnp.exe wide 数字の認識 zero\u200bwidth [bold]markup[/] \x07"
TITLE = "Digits, round 3: train the model on your scans"
MACHINE = Machine(
    cores=8,
    busy=3.25,
    memory_free=9_000_000_000,
    memory=32_000_000_000,
    load=4.5,
    gpus=(Gpu("NVIDIA A10", 0.4, 3_000_000_000, 24_000_000_000),),
)
Start = Callable[..., "Training"]


class Training:
    """A run folder. While `alive` its lock is held, as by a supervisor."""

    def __init__(
        self, path: Path, events: Iterable[Event], *, alive: bool = False, log: str = "", **spec: Any
    ):
        path.mkdir(mode=0o700)
        self.folder = RunFolder(path)
        order = {"script": "model_contributor.py", "task_id": 1, "title": TITLE, "epochs": 20} | spec
        order.setdefault("assets", path)
        bounds = Bounds(1 << 33, 1 << 33, 512)
        self.folder.create(RunFile(spec=RunSpec(**order), bounds=bounds, created=BEGAN))
        self.folder.log.write_text(log)
        self._lock = hold(self.folder.lock) if alive else None
        self.write(*events)

    def write(self, *events: Event) -> None:
        """Append to the journal."""
        writer = journal.Writer(self.folder.journal)
        for event in events:
            writer.write(event)
        writer.close()

    def die(self) -> None:
        """Let the lock go, as a supervisor that is killed."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def started() -> list[Event]:
    """Up to the data."""
    return [
        journal.Queued(t=BEGAN),
        journal.Started(t=BEGAN + 1, protection="bwrap 0.8.0", pid=4711),
        journal.Hello(t=BEGAN + 5, python="3.11.7", keras="3.15.1", tensorflow="2.21.0", device="CPU"),
        journal.Data(
            t=BEGAN + 5,
            samples=4500,
            holdout=500,
            x_shape=[4500, 28, 28],
            y_shape=[4500],
            classes=10,
            digest="8882" * 16,
        ),
    ]


def fit(
    epochs: int, upto: float, *, number: int = 1, steps: int = 50, nan_from: float = math.inf
) -> Iterator[Event]:
    """A fit of ``epochs`` up to the epoch ``upto`` (2.5: in the middle of the third)."""
    yield journal.Fit(t=BEGAN + 6, fit=number, epochs=epochs, steps=steps, metrics=["loss", "accuracy"])
    for done in range(1, round(upto * steps) + 1):
        epoch, step = divmod(done - 1, steps)
        x, at = done / steps, {"t": BEGAN + 6 + done, "fit": number, "epoch": epoch + 1}
        loss = None if x > nan_from else 2 * math.exp(-x / 4) / number + 0.05 * math.sin(done) ** 2
        metrics = {"loss": loss, "accuracy": 1 - math.exp(-x / 5)}
        nonfinite = ["loss"] if loss is None else []
        yield journal.Step(
            step=step + 1,
            steps=steps,
            metrics=metrics,
            nonfinite=nonfinite,
            rate=47.5,
            seconds=step / 47.5,
            **at,
        )
        if step + 1 == steps:
            held = {f"val_{name}": value and value * 1.1 for name, value in metrics.items()}
            yield journal.Epoch(metrics=metrics | held, nonfinite=nonfinite, lr=0.001, seconds=1.05, **at)
            yield journal.Checkpoint(t=BEGAN + 6 + done, fit=number, epoch=epoch + 1, bytes=1_234_567)
    yield journal.Load(t=BEGAN + 9, cpu=184.2, rss=2_100_000_000, disk=3_000_000, processes=14)


def finished(folder: str = "model_abc") -> list[Event]:
    """From the evaluation on."""
    return [
        journal.Evaluated(
            metrics={"loss": 0.191, "accuracy": 0.948}, baseline={"loss": 0.284, "accuracy": 0.921}
        ),
        journal.Saved(folder=folder, model_name="model", parameters=101_770),
        journal.Finished(t=BEGAN + 90),
    ]


def failed() -> Event:
    frames = "\n".join(f'  File "/task/model_contributor.py", line {n}, in call_{n}' for n in range(1, 30))
    return journal.Failed(
        t=BEGAN + 60,
        error="ResourceExhaustedError: OOM when allocating tensor with shape[4096,4096]",
        traceback=f"Traceback (most recent call last):\n{frames}",
        where="train_model",
        hint="Ask for a smaller batch.",
        code="ScriptFailed",
    )


async def at_runs(app: DecentralMLApp, pilot: Pilot[None]) -> RunsScreen:
    """On the screen, once it has looked."""
    app.switch_to("runs")
    await until(
        pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.query(PagedTable), "the runs"
    )
    await until(pilot, lambda: isinstance(app.screen, RunsScreen) and app.screen.table.loaded, "the runs")
    return app.screen


async def shows(app: DecentralMLApp, pilot: Pilot[None], words: str) -> str:
    """The text on the screen once ``words`` are in it."""
    await until(pilot, lambda: words in text_of(app), f"{words!r} on\n{text_of(app)}")
    return text_of(app)
