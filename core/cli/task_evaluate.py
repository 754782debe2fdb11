"""`decentralml task results|validate`: what was delivered, measured beside the baseline."""

from pathlib import Path
from typing import Any

import click

from decentralml.core import judging
from decentralml.core.amount import format_amount
from decentralml.core.chain.base import SubmissionQuery
from decentralml.core.cli import progress, report_view
from decentralml.core.cli.acting import task_facts
from decentralml.core.cli.answers import receipt_data, submission_data
from decentralml.core.cli.commands import command
from decentralml.core.cli.confirm import confirm
from decentralml.core.cli.context import App
from decentralml.core.cli.files import require_data
from decentralml.core.domain import ResultSubmissionStatus, Task, ValidationStrategy
from decentralml.core.judging import Judge, Judgement
from decentralml.core.market import Market
from decentralml.core.text import short_address


@command("task results")
@click.argument("task_id", type=click.IntRange(0), metavar="TASK")
def results(app: App, task_id: int) -> None:
    """
    Ranked by what this home measured with `task validate`; what was not evaluated here comes last.
    """
    found = judging.ranking(app.market(), task_id)
    baseline = next((c.report.baseline for c in found if c.report and c.report.baseline), None)
    data = {
        "task_id": task_id,
        "baseline": baseline,
        "items": [{"submission": submission_data(c.submission), "report": c.report} for c in found],
    }

    def show() -> None:
        rows = []
        if baseline is not None:
            value = baseline.values[baseline.main]
            figure = "not finite" if value is None else f"{baseline.main} {value:.4f}"
            rows.append(("-", "the base model", "-", figure, "", ""))
        for candidate in found:
            submission = candidate.submission
            name = app.known_name(submission.worker) or short_address(submission.worker)
            head = report_view.headline(candidate.report)
            rows.append((str(submission.id), name, submission.status.value, *head))
        columns = ("SUBMISSION", "WORKER", "STATUS", "FIGURE", "+/-", "POLICY")
        app.out.table(columns, rows, right="SUBMISSION +/-")

    app.out.done(data, show)


@command("task validate")
@click.argument("id_", type=click.IntRange(0), metavar="SUBMISSION")
@click.option("--pending", is_flag=True, help="The number is a TASK: evaluate all that waits, one by one.")
@click.option(
    "--data", type=click.Path(path_type=Path), metavar="PATH", help="Held-out data: an .npz with x and y."
)
@click.option("--policy", type=click.Path(path_type=Path), metavar="FILE", help="Your validation.py.")
@click.option("--dry-run", is_flag=True, help="Evaluate and show only; publish nothing.")
@click.option("--unsandboxed", is_flag=True, help="Load the models without a sandbox. The report says so.")
def validate(
    app: App,
    id_: int,
    pending: bool,
    data: Path | None,
    policy: Path | None,
    dry_run: bool,
    unsandboxed: bool,
) -> None:
    """
    Fetches the result, inspects it, predicts in the sandbox, and measures outside, beside the base model.
    The report is published; under CustomAccept a clear word of your policy then accepts and pays, or
    rejects. No data and no labels leave this machine.
    """
    require_data(data)
    task = app.chain.task(id_ if pending else app.chain.submission(id_).task_id)
    if pending:
        waiting = (ResultSubmissionStatus.PendingValidation,)
        query = SubmissionQuery(task_id=task.id, statuses=waiting, limit=10_000)
        wanted = [submission.id for submission in app.chain.submissions(query).items]
    else:
        wanted = [id_]
    if wanted and not dry_run:
        confirm(app, "Evaluate and publish the report", _facts(app, task, wanted))
    market = app.market(signing=bool(wanted) and not dry_run)
    with Judge(market, data=data, policy=policy, unsandboxed=unsandboxed) as judge:
        found = [_evaluate(market, judge, submission_id, sign=not dry_run) for submission_id in wanted]
    items = [_data(app, judgement) for judgement in found]

    def show() -> None:
        for number, judgement in enumerate(found):
            if number:
                app.out.say("")
            report_view.show(app.out, judgement.report)
            for receipt in judgement.receipts:
                app.out.say(f"{receipt.call} is in block {receipt.block:,}")
        if not found:
            app.out.say(f"No result of task {task.id} waits.")

    app.out.done({"items": items} if pending else items[0], show)


def _evaluate(market: Market, judge: Judge, submission_id: int, *, sign: bool) -> Judgement:
    def on_step(step: str) -> None:
        progress.show(f"submission {submission_id}: {step}")

    with progress.transfer(f"fetching the result of submission {submission_id}") as on_progress:
        return market.validate_task_results(
            submission_id, judge, sign=sign, on_progress=on_progress, on_step=on_step
        )


def _facts(app: App, task: Task, wanted: list[int]) -> list[tuple[str, str]]:
    facts = [
        *task_facts(app, task),
        ("submissions", ", ".join(map(str, wanted))),
        ("signed by", app.person(app.account().address)),
    ]
    if task.terms.validation_strategy is ValidationStrategy.CustomAccept:
        most = format_amount(task.terms.pays_amount * len(wanted))
        facts.append(("your policy", f"then accepts and pays, up to {most}, or rejects, unasked"))
    return facts


def _data(app: App, judgement: Judgement) -> dict[str, Any]:
    submission = app.chain.submission(judgement.submission_id)
    return {
        "submission_id": judgement.submission_id,
        "task_id": submission.task_id,
        "status": submission.status,
        "digest": judgement.digest,
        "verdict": {"decision": judgement.verdict.decision, "reason": judgement.verdict.reason},
        "report": judgement.report,
        "folder": judgement.folder,
        "receipts": [receipt_data(receipt) for receipt in judgement.receipts],
    }
