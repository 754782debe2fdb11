"""Nothing that a report or a run says stays unseen: a field that is changed changes what is drawn.

The fields are those of the structs themselves, so that a new one that no panel shows fails here.
"""

import typing
from collections.abc import Iterator
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from dataclasses import replace as replace_dataclass
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any

import msgspec
from msgspec import Struct
from rich.style import Style

from decentralml.core.environments import Interpreter
from decentralml.core.models.metrics import Metrics
from decentralml.core.report import Report
from decentralml.core.training import journal
from decentralml.core.training.journal import Event
from decentralml.core.training.progress import Progress, fold
from decentralml.core.training.run_folder import RunSpec
from decentralml.core.training.runs import Run
from decentralml.tui.judging import panels
from decentralml.tui.judging.canvas import Canvas
from decentralml.tui.run import facts as run_facts
from decentralml.tui.run import words as run_words
from decentralml.tui.run.reader import Drawn, Look

from . import judged
from .conftest import Place
from .trainings import BEGAN

CANVAS = Canvas(220, 60, lambda tone: Style(), lambda share, good: None)
Where = tuple[str, ...]


# Walking


def fields_of(kind: Any, at: Where = ()) -> Iterator[Where]:
    """The paths of all fields below a struct, by its types: through optional, tuple, list and dict."""
    for name, hint in typing.get_type_hints(kind).items():
        inner = list(structs_in(hint))
        yield from (path for one in inner for path in fields_of(one, (*at, name)))
        if not inner:
            yield (*at, name)


def structs_in(hint: Any) -> Iterator[type[Struct]]:
    """The structs that a type may hold."""
    if isinstance(hint, type) and issubclass(hint, Struct):
        yield hint
    for part in typing.get_args(hint) if isinstance(hint, UnionType) or typing.get_origin(hint) else ():
        yield from structs_in(part)


def variants(value: Any, at: Where = ()) -> Iterator[tuple[Where, Any]]:
    """``value`` with one field changed, for each field below it that is set: (path, changed)."""
    if isinstance(value, Struct):
        for one in msgspec.structs.fields(value):
            if isinstance(value, Metrics) and one.name == "main":
                yield (*at, "main"), msgspec.structs.replace(value, main="loss")
                continue
            for path, other in variants(getattr(value, one.name), (*at, one.name)):
                yield path, msgspec.structs.replace(value, **{one.name: other})
    elif is_dataclass(value) and not isinstance(value, type):
        for one in dataclass_fields(value):
            for path, other in variants(getattr(value, one.name), (*at, one.name)):
                yield path, replace_dataclass(value, **{one.name: other})
    elif isinstance(value, tuple | list) and value:
        for index, item in enumerate(value):
            for path, other in variants(item, at):
                yield path, type(value)([*value[:index], other, *value[index + 1 :]])
    elif isinstance(value, dict) and value:
        for key, item in value.items():
            for path, other in variants(item, at):
                yield path, {**value, key: other}
    elif (other := changed(value)) is not None:
        yield at, other


def changed(value: Any) -> Any:
    """Another value of the same kind; None where there is none to change."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, Enum):
        kinds = list(type(value))
        return kinds[(kinds.index(value) + 1) % len(kinds)]
    if isinstance(value, int):
        return 2 * value + 1_000_003
    if isinstance(value, float):
        return 1.5 * value + 1.25
    if isinstance(value, str):
        return f"x{value}"
    if isinstance(value, Path):
        return Path("/x") / value.relative_to("/")
    return None


# Reports


def drawn(report: Report) -> str:
    return "\n".join(panels.draw(panel, report, (), CANVAS).plain for panel in panels.PANELS)


def test_every_field_of_a_report_is_drawn(known: Place) -> None:
    submission = known.chain.submission
    seen: set[Where] = set()
    for report in (
        judged.figures(submission(1), 0.948, 0.191, 0.956),
        judged.figures(submission(2), 0.871, 0.402, 0.99),
        judged.refused(submission(3)),
        judged.answers(submission(5)),
    ):
        as_it_is = drawn(report)
        seen |= {path for path, other in variants(report) if drawn(other) != as_it_is}
    assert {".".join(path) for path in set(fields_of(Report)) - seen} == set()


# Runs

SPEC = RunSpec(
    assets=Path("/task"),
    script="model_contributor.py",
    task_id=1,
    submission_id=2,
    chain="0xabc",
    title="Digits",
    data=Path("/data/own.npz"),
    epochs=20,
    batch_size=32,
    seed=7,
    holdout=0.25,
    model_name="mine",
    device="cpu",
    threads=3,
    nice=5,
    interpreter=Interpreter(Path("/env/bin/python"), (Path("/env"),), name="an environment"),
)
BEGINS: list[Event] = [
    journal.Queued(t=BEGAN, running=2),
    journal.Started(t=BEGAN + 1, attempt=2, resumed=True, protection="bwrap 0.8.0", pid=4711),
    journal.Hello(python="3.11.7", keras="3.15.1", tensorflow="2.21.0", device="CPU", gpus=["A10"]),
    journal.Data(samples=4500, holdout=500, x_shape=[28, 28], y_shape=[10], classes=10, digest="8882" * 16),
    journal.Fit(fit=1, epochs=20, steps=50, initial_epoch=3, metrics=["loss", "accuracy"]),
    journal.Step(fit=1, epoch=4, step=25, steps=50, metrics={"loss": 0.5}, rate=47.5, seconds=0.5),
]
GOES_ON: list[Event] = [
    *BEGINS,
    journal.Epoch(fit=1, epoch=4, metrics={"loss": 0.4}, lr=0.001, seconds=1.05),
    journal.Epoch(fit=1, epoch=5, metrics={"loss": 0.3}, lr=0.001, seconds=0.95),
    journal.Checkpoint(fit=1, epoch=5, bytes=1_234_567),
    journal.Load(t=BEGAN + 9, cpu=184.2, rss=2_100_000_000, disk=3_000_000, processes=14),
    journal.Warning(text="It may be slow."),
    journal.Evaluated(metrics={"loss": 0.191}, baseline={"loss": 0.284}),
    journal.Saved(folder="mine_abc", model_name="mine", parameters=101_770),
]
STORIES: dict[str, list[Event]] = {
    "starting": BEGINS[:-1],
    "running": BEGINS,
    "paused": [*GOES_ON, journal.Paused()],
    "stopping": [*GOES_ON, journal.Stopping()],
    "stopped": [*GOES_ON, journal.Stopped(t=BEGAN + 60, forced=True)],
    "finished": [*GOES_ON, journal.Finished(t=BEGAN + 60)],
    "failed": [
        *GOES_ON,
        journal.Failed(
            t=BEGAN + 60, error="It broke.", traceback="line 7", where="train_model", hint="Mend.", code="X"
        ),
    ],
}
# What stands elsewhere, or is said in other words.
NOT_DRAWN = {
    "Step.nonfinite": "a metric that is None stands there as nan",
    "Epoch.nonfinite": "a metric that is None stands there as nan",
    "Evaluated.nonfinite": "a metric that is None stands there as nan",
    **{
        f"Tried.{name}": "a trial is no run; its dialog draws its report"
        for name in journal.Tried.__struct_fields__
    },
    **{
        f"{kind}.t": "times are told of the beginning, the end and the load"
        for kind in ("Queued", "Hello", "Fit", "Step", "Epoch", "Warning", "Evaluated", "Saved")
    },
    **{f"{kind}.t": "only that it is so is told" for kind in ("Paused", "Resumed", "Stopping")},
}


def told(state: str, events: list[Event], spec: RunSpec = SPEC, last: Progress | None = None) -> str:
    """All that the Runs screen says of a run in words."""
    run = Run(
        id=14,
        spec=spec,
        state=state,
        created=BEGAN,
        last=last or fold(Progress(), events),
        folder=Path("/runs/14"),
        result_folder=None,
    )
    table = tuple(event for event in events if isinstance(event, journal.Epoch))
    header, epochs = run_facts.epochs(table, 300)
    lines = [*run_facts.facts(run, 300), header, *epochs, run_words.head(run, Look(), 300)]
    lines += run_words.foot(run, Look(curves={14: Drawn()}), 300, ascii=False)
    return "\n".join("".join(text for text, _ in line) for line in lines)


def test_every_field_of_the_journal_is_told() -> None:
    seen: set[str] = set()
    for state, events in STORIES.items():
        as_it_is = told(state, events)
        for number, event in enumerate(events):
            for path, other in variants(event):
                if told(state, [*events[:number], other, *events[number + 1 :]]) != as_it_is:
                    seen.add(f"{type(event).__name__}.{path[0]}")
    kinds = typing.get_args(journal.ANY)
    wanted = {f"{kind.__name__}.{name}" for kind in kinds for name in kind.__struct_fields__}
    assert wanted - seen == NOT_DRAWN.keys()


def test_every_field_of_the_order_is_told() -> None:
    as_it_is = told("stopped", STORIES["stopped"])
    seen = {
        path[0]
        for path, other in variants(SPEC)
        if told("stopped", STORIES["stopped"], spec=other) != as_it_is
    }
    assert set(RunSpec.__struct_fields__) - seen == set()


def test_every_field_of_the_progress_is_told() -> None:
    seen: set[str] = set()
    for state, events in STORIES.items():
        last = fold(Progress(), events)
        as_it_is = told(state, events, last=last)
        seen |= {path[0] for path, other in variants(last) if told(state, events, last=other) != as_it_is}
    assert set(Progress.__struct_fields__) - seen == set()
