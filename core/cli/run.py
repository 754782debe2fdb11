"""`decentralml run`: trainings on this machine, which go on without this terminal."""

from typing import Any

import click

from decentralml.core.cli.commands import command
from decentralml.core.cli.confirm import confirm
from decentralml.core.cli.context import App
from decentralml.core.cli.numbers import Number
from decentralml.core.cli.output import duration
from decentralml.core.cli.run_words import figures, line_of
from decentralml.core.text import short
from decentralml.core.training import follow, journal
from decentralml.core.training.runs import Run, Runs

RUN = click.argument("run_id", type=Number(0), metavar="RUN")


@command("run list")
def list_(app: App) -> None:
    runs, unread = _runs(app).look()

    def show() -> None:
        if not runs and not unread:
            app.out.say("No training yet. `decentralml task train TASK` starts one.")
            return
        rows = [
            (
                str(run.id),
                "-" if run.spec.task_id is None else str(run.spec.task_id),
                run.state,
                f"{run.last.epoch}/{run.last.epochs or run.spec.epochs}",
                figures(run.last.epoch_metrics or run.last.metrics),
                "-" if run.ended or run.last.eta is None else duration(run.last.eta),
                short(run.spec.title, 40),
            )
            for run in runs
        ]
        app.out.table(
            ("RUN", "TASK", "STATE", "EPOCH", "METRICS", "ETA", "QUESTION"), rows, right="RUN TASK EPOCH"
        )

    app.out.done([run_data(run) for run in runs], show)
    for error in unread.values():
        app.out.note(f"{error.message} {error.hint}")


@command("run show")
@RUN
def show(app: App, run_id: int) -> None:
    run = _runs(app).get(run_id)
    last = run.last
    fields = [
        ("run", f"{run.id}, {run.state}"),
        ("task", "-" if run.spec.task_id is None else f"{run.spec.task_id}  {run.spec.title}"),
        ("epoch", f"{last.epoch} of {last.epochs or run.spec.epochs}"),
        ("metrics", figures(last.epoch_metrics or last.metrics) or "-"),
        ("checkpoint", f"after epoch {last.checkpoint.epoch}" if last.checkpoint else "-"),
        ("device", last.device or "-"),
        ("protection", last.protection or "-"),
        ("data", str(run.spec.data) if run.spec.data else "the script's own"),
        ("result", str(run.result_folder or "-")),
        ("folder", str(run.folder)),
    ]
    if last.claimed:
        fields.append(("it claims", figures(last.claimed)))
    fields += [("warning", text) for text in last.warnings]
    if last.error:
        fields.append(("error", f"{last.code}: {last.error}"))
    if last.hint:
        fields.append(("hint", last.hint))
    if run.ended and run.state != "finished":
        since = f"after epoch {last.checkpoint.epoch}" if last.checkpoint else "from its beginning"
        fields.append(("next", f"`decentralml run resume {run.id}` goes on {since}"))
    app.out.done(run_data(run), lambda: app.out.fields(fields))


@command("run tail")
@RUN
@click.option("--log", is_flag=True, help="What the script prints, not the events.")
@click.option("--lines", type=Number(1, 100_000), default=200, show_default=True, help="Of the log.")
def tail(app: App, run_id: int, log: bool, lines: int) -> None:
    """
    Events are followed until the training ends; interrupting this does not touch the training. With
    --json one object a line.
    """
    runs = _runs(app)
    if log:
        for text in runs.tail(run_id, lines):
            app.out.line({"line": text}, text)
        return
    for event in follow.follow(runs.folder(run_id)):
        text = line_of(event)
        if app.out.json or text:
            app.out.line(event_data(event), text)


@command("run stop")
@RUN
def stop(app: App, run_id: int) -> None:
    """
    It ends at the next batch and saves what it has learned as a result; `run resume` goes on after its
    last whole epoch.
    """
    _tell(app, run_id, "stop", "is told to stop")


@command("run pause")
@RUN
def pause(app: App, run_id: int) -> None:
    _tell(app, run_id, "pause", "is told to pause")


@command("run resume")
@RUN
def resume(app: App, run_id: int) -> None:
    """
    A training that was killed starts again from its last checkpoint; that is not exact to the bit.
    """
    _tell(app, run_id, "resume", "goes on")


@command("run remove")
@RUN
def remove(app: App, run_id: int) -> None:
    runs = _runs(app)
    folder = runs.folder(run_id)
    confirm(app, f"Delete run {run_id} with its checkpoint and result", [("folder", str(folder))])
    runs.remove(run_id)
    app.out.done({"id": run_id}, lambda: app.out.say(f"Run {run_id} is gone."))


def _tell(app: App, run_id: int, what: str, words: str) -> None:
    runs = _runs(app)
    getattr(runs, what)(run_id)
    run = runs.get(run_id)
    app.out.done(run_data(run), lambda: app.out.say(f"Run {run_id} {words}."))


def run_data(run: Run) -> dict[str, Any]:
    """A run as commands answer with it."""
    return {
        "id": run.id,
        "state": run.state,
        "created": run.created,
        "folder": run.folder,
        "result_folder": run.result_folder,
        "spec": run.spec,
        "last": run.last,
    }


def event_data(event: journal.Event) -> dict[str, Any]:
    """An event with its kind, as it stands in the journal."""
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return {"kind": event.__struct_config__.tag, **fields}


def _runs(app: App) -> Runs:
    runs = Runs(app.home, app.settings)
    if not app.flags.readonly:
        runs.wake()
    return runs
