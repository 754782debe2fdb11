"""What waits for one account: results to judge, work to deliver, pay to claim, money to take back."""

from collections.abc import Callable
from enum import StrEnum
from functools import cache

from msgspec import Struct

from decentralml.core.chain import rules
from decentralml.core.chain.base import Chain, SubmissionQuery, TaskQuery
from decentralml.core.domain import LIVE, MAX_U32, ResultSubmissionStatus, Submission, Task

TaskOf = Callable[[int], Task]


class Waiting(StrEnum):
    """Why something waits, the most urgent first."""

    judge = "judge"
    deliver = "deliver"
    claim = "claim"
    time_out = "time_out"
    close = "close"


class Item(Struct, frozen=True, kw_only=True):
    """One thing to do: ``call`` on the chain, in time until ``due_block`` (None: no deadline)."""

    why: Waiting
    call: str
    task_id: int
    submission_id: int | None = None
    counterparty: str | None = None
    due_block: int | None = None
    question: str = ""


def waiting(chain: Chain, address: str) -> tuple[Item, ...]:
    """Everything on ``chain`` that waits for ``address``, what is due first at the top.

    All of it, however much that is: what is due first may be the last that was taken.
    """
    task = cache(chain.task)  # many results of few tasks
    items = [*_to_judge(chain, address, task), *_to_work(chain, address, task), *_to_close(chain, address)]
    items.sort(key=lambda item: (item.due_block is None, item.due_block or 0, item.task_id))
    return tuple(items)


def _to_judge(chain: Chain, creator: str, task_of: TaskOf) -> list[Item]:
    """Results that the creator decides on, and slots whose workers let their time pass."""
    block, constants = chain.head().block, chain.constants
    query = SubmissionQuery(creator=creator, statuses=LIVE, limit=MAX_U32)
    items = []
    for submission in chain.submissions(query).items:
        task = task_of(submission.task_id)
        if submission.status is ResultSubmissionStatus.Assigned:
            if rules.overdue(submission, constants, block):
                items.append(_item(Waiting.time_out, "time_out", task, submission, submission.worker))
        elif submission.delivered is not None:
            fresh = submission.status is ResultSubmissionStatus.PendingValidation
            call = "validate_task_results" if fresh else "accept_task_results"
            due = submission.delivered + constants.review_period
            items.append(_item(Waiting.judge, call, task, submission, submission.worker, due))
    return items


def _to_work(chain: Chain, worker: str, task_of: TaskOf) -> list[Item]:
    """Slots the worker holds, and results on which the creator stayed silent."""
    block, constants = chain.head().block, chain.constants
    query = SubmissionQuery(worker=worker, statuses=LIVE, limit=MAX_U32)
    items = []
    for submission in chain.submissions(query).items:
        task = task_of(submission.task_id)
        if submission.status is ResultSubmissionStatus.Assigned:
            due = submission.started + constants.work_period
            items.append(_item(Waiting.deliver, "send_task_result", task, submission, task.creator, due))
        elif submission.delivered is not None and block - submission.delivered > constants.review_period:
            items.append(_item(Waiting.claim, "claim_task_result", task, submission, task.creator))
    return items


def _to_close(chain: Chain, creator: str) -> list[Item]:
    """Expired tasks that still hold money for slots nobody can take."""
    query = TaskQuery(creator=creator, expires_before=chain.head().block, slots_min=1, limit=MAX_U32)
    return [
        Item(why=Waiting.close, call="close_task", task_id=task.id, question=task.terms.question)
        for task in chain.tasks(query).items
    ]


def _item(
    why: Waiting,
    call: str,
    task: Task,
    submission: Submission,
    counterparty: str,
    due_block: int | None = None,
) -> Item:
    return Item(
        why=why,
        call=call,
        task_id=task.id,
        submission_id=submission.id,
        counterparty=counterparty,
        due_block=due_block,
        question=task.terms.question,
    )
