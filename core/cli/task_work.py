"""`decentralml task assign|try|setup|train|send|abandon`: the worker's side of a task."""

from pathlib import Path
from typing import Any

import click

from decentralml.core import sandbox, work
from decentralml.core.amount import UNIT, format_amount
from decentralml.core.chain.base import SubmissionQuery
from decentralml.core.chain.calls import AbandonTask, AssignTask, SendTaskResult, TimeOut
from decentralml.core.cli.acting import act, answer, submission_facts, task_facts
from decentralml.core.cli.answers import record_fields, when
from decentralml.core.cli.commands import command
from decentralml.core.cli.confirm import confirm
from decentralml.core.cli.context import App
from decentralml.core.cli.files import FILE, FILE_OR_FOLDER, FOLDER, read_small
from decentralml.core.cli.output import duration, size
from decentralml.core.cli.progress import transfer, working
from decentralml.core.domain import RESULT_BYTES, Submission, Task, TaskType
from decentralml.core.errors import Failed, Misused, Refused
from decentralml.core.market import Market
from decentralml.core.storage.base import STAND_IN
from decentralml.core.text import visible

TASK = click.argument("task_id", type=click.IntRange(0), metavar="TASK")
DATA = click.option("--data", type=FILE_OR_FOLDER, metavar="PATH", help="An .npz with x and y, or a folder.")
EPOCHS = click.option("--epochs", type=click.IntRange(1), default=1, show_default=True, metavar="N")
BATCH = click.option("--batch-size", type=click.IntRange(1), metavar="N")
SEED = click.option("--seed", type=int, default=0, show_default=True)
DEVICE = click.option("--device", default="", metavar="cpu|gpu|gpu:N")
UNSANDBOXED = click.option(
    "--unsandboxed", is_flag=True, help="Let this task's script do all that you may. Reports say so."
)


@command("task assign")
@TASK
def assign(app: App, task_id: int) -> None:
    """
    The task's files are downloaded and verified first. Where the only free slot is overdue, it is timed
    out and then taken: two calls, and somebody may come between.
    """
    task = app.chain.task(task_id)
    constants, head = app.chain.constants, app.chain.head()
    slot = app.market().overdue_slot(task_id)
    if slot is not None:
        facts = submission_facts(app, slot)
        act(
            app,
            "Time out the overdue slot, to take it",
            facts,
            TimeOut(slot.id),
            lambda market: market.time_out(slot.id),
        )

    def take(market: Market) -> Any:
        with transfer("fetching the task") as on_progress:
            return market.assign_task(task_id, on_progress=on_progress)

    deposit = constants.take_deposit(task.terms.pays_amount)
    facts = [
        *task_facts(app, task),
        *record_fields(app.chain.record(task.creator), constants)[:1],
        ("pays", format_amount(task.terms.pays_amount)),
        ("deposit", f"{format_amount(deposit)}, back when you deliver"),
        ("deliver by", when(head.block + constants.work_period, head.block, constants)),
        ("validation", task.terms.validation_strategy.value),
    ]
    market, receipt = act(app, "Take a slot", facts, AssignTask(task_id), take)
    folder = market.fetch_assets(task) if task.terms.assets else None
    more = {"folder": folder}
    answer(app, receipt, f"Submission {receipt.submission_id} is yours; the files are in {folder}", more)


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
            f"{report.samples} samples, {report.holdout} held out, x {report.x_shape} y {report.y_shape}",
        ),
        ("an epoch", "-" if report.seconds_epoch is None else _seconds(report.seconds_epoch)),
        (f"{report.epochs} epochs", "-" if total is None else _seconds(total)),
        (
            "pays an hour",
            "-" if trial.pays_per_hour is None else format_amount(_rounded(trial.pays_per_hour)),
        ),
        ("device", report.device),
        ("model", f"{report.parameters:,} parameters, can be loaded by its creator"),
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
    app.out.note(visible(found.script))
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
    from decentralml.core.cli.training import watch
    from decentralml.core.training.runs import Runs

    market, task = app.market(), app.chain.task(task_id)
    mine = _mine(app, task_id)
    if mine is None:
        app.out.note(f"You hold no slot of task {task_id}: what you train cannot be sent yet.")
    submission_id = None if mine is None else mine.id
    spec = _spec(app, market, task, unsandboxed=unsandboxed, submission_id=submission_id, **options)
    _card(app, spec)
    runs = Runs(app.home, app.settings)
    run = runs.start(spec)
    watch(app, runs, run, detach=detach)


@command("task send")
@TASK
@click.option("--run", "run_id", type=click.IntRange(0), metavar="RUN", help="The result of this training.")
@click.option("--result", type=FOLDER, metavar="FOLDER", help="A result folder.")
@click.option("--answers", type=FILE, metavar="FILE", help="An annotator's labels, JSON.")
def send(app: App, task_id: int, run_id: int | None, result: Path | None, answers: Path | None) -> None:
    """
    By default the result of your last finished training of this task. Only the model's three files and
    result.json go out; they are inspected first as the creator will.
    """
    task, mine = app.chain.task(task_id), _mine(app, task_id)
    if mine is None:
        raise Refused(
            "NotTaken", f"You hold no slot of task {task_id}.", f"`task assign {task_id}` takes one."
        )
    if task.terms.task_type is TaskType.DataAnnotators:
        if answers is None or run_id is not None or result is not None:
            raise Misused(
                "Usage", "This task is for labels.", "Give --answers FILE alone; `task label` makes one."
            )
        inline, folder, facts = _answers(app, task, answers)
    elif answers is not None:
        raise Misused("Usage", "This task is for a model, not for labels.", "Leave --answers out.")
    else:
        inline, folder, facts = None, *_result(app, mine, run_id, result)
    call = SendTaskResult(
        mine.id,
        result=inline,
        result_path=STAND_IN if folder else None,
        result_storage_type=app.storage.type if folder else None,
    )

    def deliver(market: Market) -> Any:
        with transfer("uploading") as on_progress:
            return market.send_task_result(
                mine.id, result=inline, result_path=folder, on_progress=on_progress
            )

    market, receipt = act(app, "Deliver a result", [*submission_facts(app, mine), *facts], call, deliver)
    sent = market.chain.submission(mine.id)
    more = {"status": sent.status.value, "digest": sent.digest, "result_path": sent.result_path}
    answer(app, receipt, f"Submission {mine.id} is delivered: {sent.status.value}", more)


@command("task abandon")
@TASK
def abandon(app: App, task_id: int) -> None:
    """
    Later than an eighth of the work period the deposit goes to the creator.
    """
    mine = _mine(app, task_id)
    if mine is None:
        raise Refused("NotTaken", f"You hold no slot of task {task_id}.", "There is nothing to give back.")
    facts = submission_facts(app, mine)
    _, receipt = act(
        app, "Give the slot back", facts, AbandonTask(mine.id), lambda market: market.abandon(mine.id)
    )
    answer(app, receipt, f"Submission {mine.id} is given back")


def _mine(app: App, task_id: int) -> Submission | None:
    """The account's submission of a task: nobody has two."""
    query = SubmissionQuery(task_id=task_id, worker=app.account().address)
    return next(iter(app.chain.submissions(query).items), None)


def _spec(
    app: App, market: Market, task: Task, *, unsandboxed: bool, submission_id: int | None, **options: Any
) -> Any:
    """The order for a run, asked about where an environment has to be made first."""

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
    return work.run_spec(
        market, task, unsandboxed=unsandboxed, submission_id=submission_id, consent=consent, **options
    )


def _card(app: App, spec: Any) -> None:
    """Say what the script may touch before it starts."""
    from decentralml.core.training import job
    from decentralml.core.training.run_folder import RunFolder
    from decentralml.core.training.runs import bounds

    cell = job.cell(spec, bounds(app.settings), RunFolder(app.home.runs / "new"))
    for line in sandbox.describe(cell, unsandboxed=spec.unsandboxed):
        app.out.note(line)


def _result(
    app: App, mine: Submission, run_id: int | None, result: Path | None
) -> tuple[Path, list[tuple[str, str]]]:
    """What goes out of a run or a folder, copied and inspected, and how big it is."""
    from decentralml.core.training import send as parcels
    from decentralml.core.training.runs import Runs

    if result is not None and run_id is not None:
        raise Misused("Usage", "--run and --result exclude each other.", "Give one of them.")
    if result is None:
        runs = Runs(app.home, app.settings)
        if run_id is None:
            fitting = work.results_for(mine, app.chain.genesis, runs.list())
            done = [r.id for r in fitting if r.spec.submission_id == mine.id and r.state == "finished"]
            if not done:
                raise Refused(
                    "NoResult",
                    f"No training of submission {mine.id} is finished.",
                    "`task train` makes one; --run and --result name others.",
                )
            run_id = done[0]
        else:
            work.require_run_of(runs.get(run_id), mine.task_id, app.chain.genesis)
        result = runs.result_folder(run_id)
    outgoing = app.home.folder(app.home.cache_dir / "outgoing")
    parcel = parcels.prepare(result, outgoing, most=app.settings.result_size << 20)
    facts = [("goes out", f"{name}, {size(count)}") for name, count in parcel.files]
    facts += [("stays here", name) for name in parcel.left_out[:10]]
    facts.append(("model", f"{parcel.model.parameters:,} parameters"))
    return parcel.folder, facts


def _answers(app: App, task: Task, file: Path) -> tuple[str | None, Path | None, list[tuple[str, str]]]:
    """An annotator's answers, checked: inline where they are small, else in a folder of their own."""
    from decentralml.core import answers as checks
    from decentralml.core.paths import write_atomic

    raw = read_small(file, checks.MAX_BYTES)
    files = [f.name for f in app.storage.manifest(task.terms.assets[1]).files] if task.terms.assets else None
    found = checks.check(raw, checks.labels_of(task.terms.annotation_class_labels), files)
    facts = [("labels", f"{found.answers} of {found.files} files")]
    facts += [("of no file", name) for name in found.unknown_files]
    facts += [("not in the list", name) for name in found.unknown_labels]
    if len(raw) <= RESULT_BYTES:
        return raw.decode(), None, facts
    folder = app.home.folder(app.home.cache_dir / "outgoing" / f"answers_{task.id}")
    write_atomic(folder / checks.ANSWERS, raw)
    return None, folder, facts


def _seconds(seconds: float) -> str:
    """Short times to hundredths, which the longer ones do not need."""
    return f"{seconds:.2f} s" if seconds < 10 else duration(seconds)


def _rounded(planck: int) -> int:
    """To hundredths of a unit: more would look measured."""
    hundredth: int = UNIT // 100
    return planck - planck % hundredth


def _text(planck: int | None) -> str | None:
    return None if planck is None else str(planck)
