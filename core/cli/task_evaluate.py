"""`decentralml task results|validate`: what was delivered, measured beside the baseline."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from decentralml.core import judging
from decentralml.core.amount import format_amount
from decentralml.core.cli import progress, report_view
from decentralml.core.cli.acting import task_facts
from decentralml.core.cli.chain_values import receipt_data, submission_data
from decentralml.core.cli.commands import command
from decentralml.core.cli.confirm import confirm
from decentralml.core.cli.context import App
from decentralml.core.cli.failures import in_words
from decentralml.core.cli.files import FILE
from decentralml.core.cli.numbers import Number
from decentralml.core.cli.output import error_data
from decentralml.core.cli.task_arguments import TASK
from decentralml.core.domain import Submission, Task, TaskType, ValidationStrategy
from decentralml.core.errors import DecentralMLError, Interrupted
from decentralml.core.judging import Judge, Judgement
from decentralml.core.market import Market
from decentralml.core.text import short_address
from decentralml.core.words import STATUSES


@command("task results")
@TASK
def results(app: App, task_id: int) -> None:
    """
    Ranked by what this home measured with `task validate`; what was not evaluated here comes last.
    """
    found = judging.ranking(app.market(), task_id)
    baseline = next((c.report.baseline for c in found if c.report and c.report.baseline), None)
    data = {
        "task_id": task_id,
        "baseline": baseline,
        "items": [
            {"submission": submission_data(c.submission), "report": c.report, "broken": c.broken}
            for c in found
        ],
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
            head = report_view.headline(candidate.report, broken=candidate.broken)
            rows.append((str(submission.id), name, STATUSES[submission.status], *head))
        columns = ("SUBMISSION", "WORKER", "STATUS", "FIGURE", "+/-", "POLICY")
        app.out.table(columns, rows, right="SUBMISSION +/-")

    app.out.done(data, show)


@command("task validate")
@click.argument("id_", type=Number(0), metavar="SUBMISSION")
@click.option("--pending", is_flag=True, help="The number is a TASK: evaluate all that waits, one by one.")
@click.option("--data", type=FILE, metavar="PATH", help="Held-out data: an .npz with x and y.")
@click.option("--policy", type=FILE, metavar="FILE", help="Your validation.py.")
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
) -> int:
    """
    Fetches the result, inspects it, predicts in the sandbox, and measures outside, beside the base model.
    The report is published; judged by script, a clear word of your policy then accepts and pays, or
    rejects. No data and no labels leave this machine.

    With --pending every result has its own outcome: what is evaluated and signed stands, whatever breaks
    with another, and the exit code is the worst of them. Judged by script, that takes in what was cut off
    between its report and its decision, and what another policy than this one has judged.
    """
    sign = not dry_run
    with Judge(app.market(), data=data, policy=policy, unsandboxed=unsandboxed) as judge:
        if pending:
            task = app.chain.task(id_)
            wanted = judge.waiting(task)
        else:
            wanted = (app.chain.submission(id_),)
            task = app.chain.task(wanted[0].task_id)
        if wanted and sign:
            confirm(app, "Evaluate and publish the report", _facts(app, task, wanted))
        market = app.market(signing=bool(wanted) and sign)
        if pending and wanted:
            _prepare(market, judge, task, wanted, sign=sign)
        outcomes = _evaluate_all(market, judge, wanted, sign=sign, go_on=pending)
    if not pending and (error := outcomes[0].error):
        error.hint = f"{error.hint} {_what_stands(outcomes[0])}".strip()
        raise error
    items = [_data(outcome) for outcome in outcomes]

    def show() -> None:
        for number, outcome in enumerate(outcomes):
            if number:
                app.out.say("")
            _show(app, outcome)
        if not outcomes:
            app.out.say(f"No result of task {task.id} waits.")

    app.out.done({"items": items} if pending else items[0], show)
    return max((outcome.error.exit_code for outcome in outcomes if outcome.error), default=0)


class Outcome(Struct, frozen=True):
    """What became of one result: the judgement as far as it got, and what ended it early."""

    submission: Submission
    judgement: Judgement | None
    error: DecentralMLError | None


def _prepare(market: Market, judge: Judge, task: Task, wanted: Sequence[Submission], *, sign: bool) -> None:
    """What would fail for every result alike fails here, once, before any of them is evaluated."""
    if sign:
        market.require("validate_task_results", submission_id=wanted[0].id)
    if all(judge.left_open(submission.id) for submission in wanted):
        return
    if task.terms.task_type is not TaskType.DataAnnotators:
        with progress.working("measuring the base model"):
            judge.bench(task)


def _evaluate_all(
    market: Market, judge: Judge, wanted: Sequence[Submission], *, sign: bool, go_on: bool
) -> list[Outcome]:
    """The outcome of each, in order; after an interruption the others are said to be left."""
    outcomes: list[Outcome] = []
    for submission in wanted:
        outcomes.append(_evaluate(market, judge, submission, sign=sign, go_on=go_on))
        if isinstance(outcomes[-1].error, Interrupted):
            break
    left = Interrupted("Interrupted", "It was not this result's turn yet.", "`task validate` evaluates it.")
    return outcomes + [Outcome(submission, None, left) for submission in wanted[len(outcomes) :]]


def _evaluate(market: Market, judge: Judge, submission: Submission, *, sign: bool, go_on: bool) -> Outcome:
    judgement: Judgement | None = None
    error: DecentralMLError | None = None

    def on_judged(found: Judgement) -> None:
        nonlocal judgement
        judgement = found

    def on_step(step: str) -> None:
        progress.show(f"submission {submission.id}: {step}")

    try:
        with (
            in_words(),
            progress.transfer(f"fetching the result of submission {submission.id}") as on_progress,
        ):
            market.validate_task_results(
                submission.id,
                judge,
                sign=sign,
                go_on=go_on,
                on_progress=on_progress,
                on_step=on_step,
                on_judged=on_judged,
            )
    except DecentralMLError as broken:
        error = broken
    with suppress(DecentralMLError):
        submission = market.chain.submission(submission.id)
    return Outcome(submission, judgement, error)


def _facts(app: App, task: Task, wanted: Sequence[Submission]) -> list[tuple[str, str]]:
    facts = [
        *task_facts(app, task),
        ("submissions", ", ".join(str(submission.id) for submission in wanted)),
        ("signed by", app.person(app.account().address)),
    ]
    if task.terms.validation_strategy is ValidationStrategy.CustomAccept:
        most = format_amount(task.terms.pays_amount * len(wanted))
        facts.append(("your policy", f"then accepts and pays, up to {most}, or rejects, unasked"))
    return facts


def _show(app: App, outcome: Outcome) -> None:
    if outcome.judgement is not None:
        report_view.show(app.out, outcome.judgement.report)
        for receipt in outcome.judgement.receipts:
            app.out.say(f"{receipt.call} is in block {receipt.block:,}")
    if outcome.error is not None:
        app.out.say(f"submission {outcome.submission.id}: {outcome.error.code}: {outcome.error}")


def _what_stands(outcome: Outcome) -> str:
    """What was done before the error, in a sentence."""
    if outcome.judgement is None:
        return ""
    signed = [f"{receipt.call} is in block {receipt.block:,}" for receipt in outcome.judgement.receipts]
    return f"{', '.join([f'The report is in {outcome.judgement.folder}', *signed])}."


def _data(outcome: Outcome) -> dict[str, Any]:
    found, submission = outcome.judgement, outcome.submission
    verdict = found and {"decision": found.verdict.decision, "reason": found.verdict.reason}
    return {
        "submission_id": submission.id,
        "task_id": submission.task_id,
        "status": submission.status,
        "digest": found.digest if found else submission.digest,
        "verdict": verdict,
        "report": found and found.report,
        "folder": found and found.folder,
        "receipts": [receipt_data(receipt) for receipt in found.receipts] if found else [],
        "error": outcome.error and error_data(outcome.error),
    }
