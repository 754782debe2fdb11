"""`decentralml task claim|time-out|close`: what ends a task or a slot without a judgement."""

from decentralml.core.amount import format_amount
from decentralml.core.chain.calls import ClaimTaskResult, CloseTask, TimeOut
from decentralml.core.cli.acting import act, answer, submission_facts, task_facts
from decentralml.core.cli.commands import command
from decentralml.core.cli.context import App
from decentralml.core.cli.task_arguments import SUBMISSION, TASK
from decentralml.core.words import STATUSES


@command("task claim")
@SUBMISSION
def claim(app: App, submission_id: int) -> None:
    facts = submission_facts(app, app.chain.submission(submission_id))
    _, receipt = act(
        app,
        "Pay the worker of a result on which the creator stayed silent",
        facts,
        ClaimTaskResult(submission_id),
        lambda market: market.claim(submission_id),
    )
    answer(app, receipt, f"Submission {submission_id} is paid")


@command("task time-out")
@SUBMISSION
def time_out(app: App, submission_id: int) -> None:
    facts = submission_facts(app, app.chain.submission(submission_id))
    market, receipt = act(
        app,
        "End a slot whose worker let the work period pass",
        facts,
        TimeOut(submission_id),
        lambda market: market.time_out(submission_id),
    )
    status = STATUSES[market.chain.submission(submission_id).status]
    answer(app, receipt, f"Submission {submission_id} is {status}")


@command("task close")
@TASK
def close(app: App, task_id: int) -> None:
    """
    Live results stay untouched: they can still be delivered and paid.
    """
    before = app.chain.task(task_id)
    market, receipt = act(
        app, "Close a task", task_facts(app, before), CloseTask(task_id), lambda market: market.close(task_id)
    )
    task = market.chain.task(task_id)
    answer(
        app,
        receipt,
        f"Task {task_id} is closed, {format_amount(before.held - task.held)} came back",
        {"amount": before.held - task.held},
    )
