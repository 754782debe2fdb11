"""From the curves of runs to the pictures that charts show: one a metric, training beside held-out."""

import math
from collections.abc import Mapping, Sequence

from decentralml.core.text import short
from decentralml.core.training.runs import Run
from decentralml.tui.run import plot
from decentralml.tui.run.plot import Line
from decentralml.tui.run.reader import Drawn
from decentralml.tui.widgets.chart import Picture

NOTE = "running epoch mean"
_HELD = "val_"
_OTHERS = (("first", "a"), ("second", "b"), ("third", "c"))


def metrics(drawn: Drawn) -> list[str]:
    """Names of what there is to draw, the loss first; a metric and its ``val_`` are one."""
    names = [name.removeprefix(_HELD) for name in (*drawn.steps, *drawn.epochs)]
    return sorted(dict.fromkeys(names), key=lambda name: name != "loss")


def picture(
    metric: str, run: Run, drawn: Drawn, others: Mapping[int, Drawn], *, title: str | None = None
) -> Picture:
    """One metric of ``run``, and of ``others`` (by run id) its training over it, over epochs."""
    claimed = (run.last.claimed or {}).get(metric)
    lines = [
        *_lines(metric, drawn),
        *(
            line
            for (id, other), (tone, sign) in zip(others.items(), _cycle(len(others)), strict=True)
            for line in _training(metric, other, f"run {id}", tone, sign, f"r{id}")
        ),
    ]
    return Picture(
        title=short(metric, 24) if title is None else title,
        lines=tuple(lines),
        end=max((end(run, drawn), *(float(len(other.marks)) for other in others.values()))),
        marks=tuple((float(place), f"fit {number}") for number, place in enumerate(drawn.fits, 2)),
        levels=((claimed, "claimed"),) if claimed is not None and math.isfinite(claimed) else (),
    )


def end(run: Run, drawn: Drawn) -> float:
    """Where the axis ends: a little ahead of a run that goes on, within the epochs that it was given."""
    begun = max(len(drawn.marks), 1)
    if run.ended:
        return float(begun)
    planned = (drawn.fits[-1] if drawn.fits else 0) + run.last.epochs
    return min(plot.stretch(begun), float(max(planned, begun)))


def _lines(metric: str, drawn: Drawn) -> list[Line]:
    held = drawn.epochs.get(_HELD + metric)
    lines = [Line("held out", "held", *held, dotted=True, sign="o", short="held", ends=held)] if held else []
    return [*_training(metric, drawn, "train", "train", ""), *lines]


def _training(metric: str, drawn: Drawn, name: str, tone: str, sign: str, short: str = "") -> list[Line]:
    steps, epochs = drawn.steps.get(metric), drawn.epochs.get(metric)
    # Epochs that are over in a moment have few steps or none on record: their ends say more.
    if steps and (not epochs or len(steps[0]) >= 4 * len(epochs[0])):
        ends = epochs or ((), ())
        return [
            Line(name, tone, *steps, sign=sign, at=drawn.batches, back=drawn.epoch, short=short, ends=ends)
        ]
    return [Line(name, tone, *epochs, sign=sign, short=short, ends=epochs)] if epochs else []


def _cycle(count: int) -> Sequence[tuple[str, str]]:
    return [_OTHERS[i % len(_OTHERS)] for i in range(count)]
