"""`decentralml task try|setup|train`: a task's script on this machine."""

from typing import Any

import click

from decentralml.core import sandbox, work
from decentralml.core.amount import UNIT, format_amount
from decentralml.core.cli.commands import command
from decentralml.core.cli.confirm import confirm
from decentralml.core.cli.context import App
from decentralml.core.cli.files import FILE_OR_FOLDER
from decentralml.core.cli.numbers import Number
from decentralml.core.cli.output import duration
from decentralml.core.cli.progress import working
from decentralml.core.cli.task_arguments import TASK, own_submission
from decentralml.core.domain import Task
from decentralml.core.errors import Failed
from decentralml.core.market import Market
from decentralml.core.text import visible
from decentralml.core.training import run_folder
from decentralml.core.words import count, size

DATA = click.option("--data", type=FILE_OR_FOLDER, metavar="PATH", help="An .npz with x and y, or a folder.")


def _one_of(allowed: range) -> Number:
    return Number(allowed[0], allowed[-1])


EPOCHS = click.option("--epochs", type=_one_of(run_folder.EPOCHS), default=1, show_default=True, metavar="N")
BATCH = click.option("--batch-size", type=_one_of(run_folder.BATCH_SIZES), metavar="N")
SEED = click.option("--seed", type=_one_of(run_folder.SEEDS), default=0, show_default=True, metavar="N")
DEVICE = click.option("--device", default="", metavar="cpu|gpu|gpu:N")
UNSANDBOXED = click.option(
    "--unsandboxed", is_flag=True, help="Let this task's script do all that you may. Reports say so."
)


@command("task try")
@TASK
@DATA
@EPOCHS
@BATCH
@SEED
@DEVICE
@UNSANDBOXED
def try_(app: App, task_id: int, unsandboxed: bool, **options: Any) -> None:
    """
    Says what it takes (download, environment, memory, time) and what the task then pays an hour, and
    passes the model through the creator's own inspection. Nothing is signed or sent.
    """
    market, task = app.market(), app.chain.task(task_id)
    spec = _spec(app, market, task, unsandboxed=unsandboxed, submission_id=None, **options)
    _card(app, spec)
    with working("training a few batches"):
        trial = work.try_task(market, spec)
    report = trial.report
    total = report.seconds_total
    fields = [
        ("download", size(trial.download)),
        ("environment", f"{report.environment}, {size(report.environment_size)}"),
        ("memory", f"{size(report.peak_memory)} at most"),
        (
            "data",
            f"{count(report.samples or 0, 'sample')}, {report.holdout} held out, "
            f"x {report.x_shape} y {report.y_shape}",
        ),
        ("an epoch", "-" if report.seconds_epoch is None else _seconds(report.seconds_epoch)),
        (count(report.epochs, "epoch"), "-" if total is None else _seconds(total)),
        (
            "pays an hour",
            _pays(trial.pays_per_hour, task.terms.pays_amount, total),
        ),
        ("device", report.device),
        ("model", f"{count(report.parameters, 'parameter')}, can be loaded by its creator"),
        ("protection", report.protection),
        *(("warning", text) for text in report.warnings),
    ]
    data = {"report": report, "download": trial.download, "pays_amount_per_hour": _text(trial.pays_per_hour)}
    app.out.done(data, lambda: app.out.fields(fields))


@command("task setup")
@TASK
@click.option("--network", is_flag=True, help="Grant the internet and this machine's own services.")
@UNSANDBOXED
def setup(app: App, task_id: int, network: bool, unsandboxed: bool) -> None:
    """
    It runs on a copy of the task's folder, which later trainings use.
    """
    market, task = app.market(), app.chain.task(task_id)
    found = work.read_setup(market, task, network=network)
    if found is None:
        app.out.done({"ran": False}, lambda: app.out.say("There is no setup.sh to run, or it ran already."))
        return
    # Visible and not stripped: this is about to be run.
    app.out.note(visible(found.script, keep_newlines=True))
    card = [("", line) for line in sandbox.describe(found.cell, unsandboxed=unsandboxed)]
    confirm(app, f"Run the setup.sh of task {task_id}", card)
    with working("running setup.sh"):
        result = work.run_setup(market, task, found, unsandboxed=unsandboxed)
    if not result.ok:
        raise Failed(
            "SetupFailed",
            result.stopped or f"setup.sh ended with {result.returncode}.",
            f"What it printed is in {result.log}.",
        )
    data = {"ran": True, "folder": work.folder(market, task), "log": result.log}
    app.out.done(data, lambda: app.out.say(f"setup.sh ran; the prepared folder is {data['folder']}"))


@command("task train")
@TASK
@DATA
@EPOCHS
@BATCH
@SEED
@DEVICE
@UNSANDBOXED
@click.option("--detach", is_flag=True, help="Start it and return at once.")
def train(app: App, task_id: int, detach: bool, unsandboxed: bool, **options: Any) -> None:
    """
    Shows a live line; the training goes on when this terminal goes away. `run tail` shows it again.
    """
    from decentralml.core.cli.run_watch import watch
    from decentralml.core.training.runs import Runs

    market, task = app.market(), app.chain.task(task_id)
    mine = own_submission(app, task_id)
    if mine is None:
        app.out.note(f"You hold no slot of task {task_id}: what you train cannot be sent yet.")
    submission_id = None if mine is None else mine.id
    spec = _spec(app, market, task, unsandboxed=unsandboxed, submission_id=submission_id, **options)
    _card(app, spec)
    runs = Runs(app.home, app.settings)
    run = runs.start(spec)
    watch(app, runs, run, detach=detach)


def _spec(
    app: App, market: Market, task: Task, *, unsandboxed: bool, submission_id: int | None, **options: Any
) -> Any:
    """The order for a run, looked at, and asked about where an environment has to be made first."""
    from decentralml.core.training.runs import check

    def consent(bytes_: int, packages: list[str]) -> bool:
        much = size(bytes_) if bytes_ else "the index does not say how much"
        confirm(
            app,
            f"Fetch the environment that task {task.id} asks for",
            [("size", much), *(("package", package) for package in packages)],
        )
        return True

    setup = work.read_setup(market, task)
    if setup is not None and setup.script.strip():
        app.out.note(f"This task has a setup.sh; `decentralml task setup {task.id}` shows and runs it.")
    with working("looking at the task's files"):
        market.fetch_assets(task)
    spec = work.run_spec(
        market, task, unsandboxed=unsandboxed, submission_id=submission_id, consent=consent, **options
    )
    check(spec)
    return spec


def _card(app: App, spec: Any) -> None:
    """Say what the script may touch before it starts."""
    from decentralml.core.training import job
    from decentralml.core.training.run_folder import RunFolder
    from decentralml.core.training.runs import bounds

    cell = job.cell(spec, bounds(app.settings), RunFolder(app.home.runs / "new"))
    for line in sandbox.describe(cell, unsandboxed=spec.unsandboxed):
        app.out.note(line)


def _seconds(seconds: float) -> str:
    """Short times to hundredths, which the longer ones do not need."""
    return f"{seconds:.2f} s" if seconds < 10 else duration(seconds)


def _pays(hourly: int | None, pays: int, seconds: float | None) -> str:
    """What comes of an hour of this, and of what work that is said: of seconds it is an odd figure."""
    if hourly is None or seconds is None:
        return "-"
    return f"{format_amount(_rounded(hourly))}, at {format_amount(pays)} for about {_seconds(seconds)}"


def _rounded(planck: int) -> int:
    """To hundredths of a unit: more would look measured."""
    hundredth: int = UNIT // 100
    return planck - planck % hundredth


def _text(planck: int | None) -> str | None:
    return None if planck is None else str(planck)
