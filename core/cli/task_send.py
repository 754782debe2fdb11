"""`decentralml task send`: what goes out, checked and listed, and the call that delivers it."""

from pathlib import Path
from typing import Any

import click

from decentralml.core import named_path, outgoing, work
from decentralml.core.chain.calls import SendTaskResult
from decentralml.core.cli.acting import act, answer, submission_facts
from decentralml.core.cli.commands import command
from decentralml.core.cli.context import App
from decentralml.core.cli.files import FILE, FOLDER
from decentralml.core.cli.numbers import Number
from decentralml.core.cli.progress import transfer
from decentralml.core.cli.task_arguments import TASK, own_submission
from decentralml.core.domain import RESULT_BYTES, Submission, Task, TaskType
from decentralml.core.errors import Misused, Refused
from decentralml.core.market import Market
from decentralml.core.storage.base import STAND_IN
from decentralml.core.words import STATUSES, count, size


@command("task send")
@TASK
@click.option("--run", "run_id", type=Number(0), metavar="RUN", help="The result of this training.")
@click.option("--result", type=FOLDER, metavar="FOLDER", help="A result folder.")
@click.option("--answers", type=FILE, metavar="FILE", help="An annotator's labels, JSON.")
def send(app: App, task_id: int, run_id: int | None, result: Path | None, answers: Path | None) -> None:
    """
    By default the result of your last finished training of this task. Only the model's three files and
    result.json go out; they are inspected first as the creator will.
    """
    task, mine = app.chain.task(task_id), own_submission(app, task_id)
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
    more = {"digest": sent.digest, "result_path": sent.result_path}
    answer(app, receipt, f"Submission {mine.id} is delivered: {STATUSES[sent.status]}", more)


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
                others = ", ".join(f"{r.id} ({r.state})" for r in fitting[:5])
                raise Refused(
                    "NoResult",
                    f"No training of submission {mine.id} is finished.",
                    f"--run sends what another left: {others}."
                    if others
                    else "`task train` makes one; --result sends a folder.",
                )
            run_id = done[0]
        else:
            work.require_run_of(runs.get(run_id), mine.task_id, app.chain.genesis)
        result = runs.result_folder(run_id)
    parcel = parcels.prepare(result, outgoing.folder(app.home), most=app.settings.result_size << 20)
    facts = [("goes out", f"{name}, {size(count)}") for name, count in parcel.files]
    facts += [("stays here", name) for name in parcel.left_out[:10]]
    facts.append(("model", count(parcel.model.parameters, "parameter")))
    return parcel.folder, facts


def _answers(app: App, task: Task, file: Path) -> tuple[str | None, Path | None, list[tuple[str, str]]]:
    """An annotator's answers, checked: inline where they are small, else in a folder of their own."""
    from decentralml.core import answers as checks
    from decentralml.core.paths import write_atomic

    raw = named_path.read(file, checks.MAX_BYTES)
    assets = task.terms.assets
    shipped = [file.name for file in app.storage.manifest(assets[1]).files] if assets else None
    found = checks.check(raw, checks.labels_of(task.terms.annotation_class_labels), shipped)
    facts = [("given", found.given)]
    facts += [("of no file", name) for name in found.unknown_files]
    facts += [("not in the list", name) for name in found.unknown_labels]
    if len(raw) <= RESULT_BYTES:
        return raw.decode(), None, facts
    folder = app.home.folder(outgoing.folder(app.home) / f"answers_{task.id}")
    write_atomic(folder / checks.ANSWERS, raw)
    return None, folder, facts
