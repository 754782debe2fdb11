"""Series for the screens: small, with their peaks, without what a resume took back."""

import math
from pathlib import Path

from decentralml.core.training import journal
from decentralml.core.training.curves import MOST_POINTS, Curves, Series


def curves(folder: Path, *events: journal.Event) -> Curves:
    writer = journal.Writer(folder / "journal.jsonl")
    for event in events:
        writer.write(event)
    made = Curves(folder)
    assert made.refresh()
    assert not made.refresh()
    return made


def step(epoch: int, step: int, loss: float | None, fit: int = 1) -> journal.Step:
    return journal.Step(fit=fit, epoch=epoch, step=step, steps=10, metrics={"loss": loss})


def epoch(epoch: int, loss: float, fit: int = 1) -> journal.Epoch:
    return journal.Epoch(fit=fit, epoch=epoch, metrics={"loss": loss, "val_loss": loss + 1})


def test_epochs_and_fits_follow_one_another(tmp_path: Path) -> None:
    made = curves(
        tmp_path,
        step(1, 5, 9.0),
        epoch(1, 8.0),
        step(2, 5, 7.0),
        epoch(2, 6.0),
        step(1, 5, 5.0, 2),
        epoch(1, 4.0, 2),
    )
    assert (made.steps["loss"].x, made.steps["loss"].y) == ([5, 15, 25], [9.0, 7.0, 5.0])
    assert (made.epochs["val_loss"].x, made.epochs["val_loss"].y) == ([1, 2, 3], [9.0, 7.0, 5.0])
    assert made.marks == [0, 10, 20]


def test_what_a_resume_takes_back_is_forgotten(tmp_path: Path) -> None:
    made = curves(
        tmp_path,
        step(1, 5, 9.0),
        epoch(1, 8.0),
        step(2, 5, 7.0),
        epoch(2, 6.0),
        step(3, 1, 5.0),
        step(2, 2, 6.5),
        epoch(2, 6.2),
    )
    assert (made.steps["loss"].x, made.steps["loss"].y) == ([5, 12], [9.0, 6.5])
    assert (made.epochs["loss"].x, made.epochs["loss"].y) == ([1, 2], [8.0, 6.2])


def test_nan_is_a_gap(tmp_path: Path) -> None:
    made = curves(tmp_path, step(1, 1, 1.0), step(1, 2, None))
    assert math.isnan(made.steps["loss"].y[1])


def test_a_long_series_stays_small_and_keeps_its_peaks() -> None:
    series = Series()
    for x in range(50_000):
        series.append(x, 1000.0 if x == 777 else None if x == 5_000 else math.sin(x))
    assert len(series.x) <= MOST_POINTS + 1
    assert series.x == sorted(series.x)
    assert max(y for y in series.y if not math.isnan(y)) == 1000.0
    assert series.x[-1] == 49_999


def test_a_script_with_thousands_of_metrics_fills_no_memory(tmp_path: Path) -> None:
    made = curves(
        tmp_path,
        *(journal.Step(fit=1, epoch=1, step=n, metrics={f"m{n}": 1.0}) for n in range(500)),
    )
    assert len(made.steps) == 64
