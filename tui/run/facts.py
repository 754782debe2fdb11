"""Everything that is known of a run, and its epochs as a table: each field of its order and its progress."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from msgspec import Struct

from decentralml.core.text import clean
from decentralml.core.training import journal
from decentralml.core.training.runs import Run
from decentralml.core.words import count, size
from decentralml.tui.run.words import figure
from decentralml.tui.widgets.lines import LineOf, folded
from decentralml.tui.words import duration

_LABELS = 16
# Learning rate and seconds, in the table of epochs.
_TAIL = 20


def _when(value: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(value))


_WORDS: dict[str, Callable[[Any], str]] = {
    "started": _when,
    "ended": _when,
    "created": _when,
    "t": _when,
    "eta": duration,
    "epoch_seconds": lambda value: f"{value:.2f} s",
    "pace": lambda value: f"{value:.2f} s",
    "since": lambda value: f"{value:.2f} s",
    "ahead": lambda value: count(value, "other") if value else "no others",
    "rate": lambda value: f"{value:.2f} batches/s",
    "peak_rss": size,
    "rss": size,
    "disk": size,
    "bytes": size,
    "cpu": lambda value: f"{value:.0f} % of one core",
    "parameters": lambda value: f"{value:,}",
    "holdout": lambda value: f"{value:.0%}" if isinstance(value, float) else f"{value:,}",
    "device": lambda value: value or "what there is",
    "pid": str,
    "seed": str,
    "threads": lambda value: str(value or "as many as the libraries like"),
    "task_type": lambda value: value.value,
}
# What says more in words than by the field's name.
_NAMES = {
    "claimed": "held-out claims",
    "claimed_baseline": "of its baseline",
    "folder": "result's name",
    "epoch_metrics": "last whole epoch",
    "metrics": "running means",
    "pid": "supervisor",
    "ahead": "waited behind",
    "initial_epoch": "began after",
    "since": "this epoch since",
    "model_name": "model's name",
    "forced": "ended by force",
    "epoch_seconds": "last epoch took",
    "pace": "an epoch takes",
    "lr": "learning rate",
    "eta": "time left",
    "peak_rss": "memory at most",
    "rss": "memory",
    "t": "measured",
}
_LATER = frozenset({"error", "code", "hint", "where", "traceback", "warnings", "load", "data", "checkpoint"})


def facts(run: Run, width: int) -> list[LineOf]:
    """Labelled lines for all of it; what is not known has none."""
    last = run.last
    lines: list[LineOf] = []
    if last.error or last.traceback:
        lines += _section("HOW IT BROKE", _of(last, "code", "error", "hint", "where"), width, "bad")
        lines += [((line, ""),) for line in _wrapped(clean(last.traceback, keep_newlines=True), width)]
    for number, warning in enumerate(last.warnings, 1):
        lines += _section("WARNINGS" if number == 1 else "", [(str(number), clean(warning))], width, "warn")
    result = [("result", "none yet" if run.result_folder is None else str(run.result_folder))]
    whole = [("run", str(run.id)), ("state", run.state), ("created", _when(run.created)), *result]
    lines += _section("RUN", [*whole, ("folder", str(run.folder))], width)
    progress = [name for name in last.__struct_fields__ if name not in _LATER]
    lines += _section("PROGRESS", _of(last, *progress), width)
    for title, part in (("LOAD", last.load), ("DATA", last.data), ("CHECKPOINT", last.checkpoint)):
        if part is not None:
            lines += _section(title, _of(part, *part.__struct_fields__), width)
    lines += _section("ORDER", _of(run.spec, *run.spec.__struct_fields__), width)
    return lines


def _of(part: Struct, *names: str) -> list[tuple[str, str]]:
    """(label, value) of the fields that say something."""
    found = []
    for name in names:
        value = getattr(part, name)
        if value is None or value in ("", [], {}) or (name == "phase" and isinstance(value, str)):
            continue
        found.append((_NAMES.get(name, name.replace("_", " ")), _value(name, value)))
    return found


def _value(name: str, value: Any) -> str:
    if name in _WORDS:
        return clean(_WORDS[name](value))
    if isinstance(value, dict):
        return "  ".join(
            f"{clean(key)} {clean(item) if isinstance(item, str) else figure(item)}"
            for key, item in value.items()
        )
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(clean(str(item)) for item in value)
    if isinstance(value, float):
        return figure(value)
    if is_dataclass(value):
        return clean(str(getattr(value, "name", "") or getattr(value, dataclass_fields(value)[0].name)))
    return (
        clean(str(value))
        if isinstance(value, str | Path)
        else f"{value:,}"
        if isinstance(value, int)
        else str(value)
    )


def _section(title: str, found: list[tuple[str, str]], width: int, tone: str = "") -> list[LineOf]:
    lines: list[LineOf] = [((title, "dim"),)] if title else []
    for label, value in found:
        for number, line in enumerate(_wrapped(value, max(width - _LABELS - 2, 10))):
            shown = label if number == 0 else ""
            lines.append(((f"  {shown:<{_LABELS}}"[: _LABELS + 2], "dim"), (line, tone)))
    return lines


def _wrapped(text: str, width: int) -> Iterator[str]:
    width = max(width, 10)
    for line in text.expandtabs(4).splitlines():
        yield from folded(line, width)


def epochs(table: Sequence[journal.Epoch], width: int) -> tuple[LineOf, list[LineOf]]:
    """A header, and a line an epoch, oldest first; metrics that do not fit in ``width`` are left out."""
    several = len({epoch.fit for epoch in table}) > 1
    names = list(dict.fromkeys(name for epoch in table for name in epoch.metrics))
    # A metric beside what it was on held-out data.
    bases = list(dict.fromkeys(name.removeprefix("val_") for name in names))
    names.sort(key=lambda name: bases.index(name.removeprefix("val_")))
    room = width - (5 if several else 0) - 7
    wide = sum(_column(name) for name in names) + _TAIL <= room
    room -= _TAIL if wide else 0
    shown: list[str] = []
    for name in names:
        if _column(name) > room:
            break
        room -= _column(name)
        shown.append(name)
    columns = [(f"{'FIT':>4} " if several else "") + f"{'EPOCH':>6} "]
    columns += [f"  {clean(name):>8}" for name in shown]
    header = "".join(columns) + (f"  {'LR':>8}  {'TOOK':>8}" if wide else "")
    return ((header, "dim"),), [((_epoch(epoch, shown, several=several, wide=wide), ""),) for epoch in table]


def _column(name: str) -> int:
    return max(len(clean(name)), 8) + 2


def _epoch(epoch: journal.Epoch, shown: Sequence[str], *, several: bool, wide: bool) -> str:
    cells = [(f"{epoch.fit:>4} " if several else "") + f"{epoch.epoch:>6} "]
    for name in shown:
        value = figure(epoch.metrics[name]) if name in epoch.metrics else ""
        cells.append(f"  {value:>{max(len(clean(name)), 8)}}")
    if not wide:
        return "".join(cells)
    lr = "" if epoch.lr is None else f"{epoch.lr:.3g}"
    took = "" if epoch.seconds is None else f"{epoch.seconds:.2f} s"
    return "".join(cells) + f"  {lr:>8}  {took:>8}"
