"""`decentralml task assign|abandon`: a slot taken, a slot given back."""

from typing import Any

from decentralml.core.amount import format_amount
from decentralml.core.chain.calls import AbandonTask, AssignTask, TimeOut
from decentralml.core.cli.acting import act, answer, submission_facts, task_facts
from decentralml.core.cli.chain_values import record_fields, when
from decentralml.core.cli.commands import command
from decentralml.core.cli.context import App
from decentralml.core.cli.progress import transfer
from decentralml.core.cli.task_arguments import TASK, own_submission
from decentralml.core.errors import Refused
from decentralml.core.market import Market
from decentralml.core.words import POLICIES


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
        ("judged", POLICIES[task.terms.validation_strategy]),
    ]
    market, receipt = act(app, "Take a slot", facts, AssignTask(task_id), take)
    folder = market.fetch_assets(task) if task.terms.assets else None
    more = {"folder": folder}
    answer(app, receipt, f"Submission {receipt.submission_id} is yours; the files are in {folder}", more)


@command("task abandon")
@TASK
def abandon(app: App, task_id: int) -> None:
    """
    Later than an eighth of the work period the deposit goes to the creator.
    """
    mine = own_submission(app, task_id)
    if mine is None:
        raise Refused("NotTaken", f"You hold no slot of task {task_id}.", "There is nothing to give back.")
    facts = submission_facts(app, mine)
    _, receipt = act(
        app, "Give the slot back", facts, AbandonTask(mine.id), lambda market: market.abandon(mine.id)
    )
    answer(app, receipt, f"Submission {mine.id} is given back")
