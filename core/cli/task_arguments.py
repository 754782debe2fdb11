"""What the commands on tasks take: a task, a submission, and the account's own submission of a task."""

import click

from decentralml.core.chain.base import SubmissionQuery
from decentralml.core.cli.context import App
from decentralml.core.cli.numbers import Number
from decentralml.core.domain import Submission

TASK = click.argument("task_id", type=Number(0), metavar="TASK")
SUBMISSION = click.argument("submission_id", type=Number(0), metavar="SUBMISSION")


def own_submission(app: App, task_id: int) -> Submission | None:
    """The account's submission of a task: nobody has two."""
    query = SubmissionQuery(task_id=task_id, worker=app.account().address)
    return next(iter(app.chain.submissions(query).items), None)
