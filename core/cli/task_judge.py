"""`decentralml task accept|reject|request-changes`: the creator's word on a result."""

from collections.abc import Callable

import click

from decentralml.core.chain.base import Receipt
from decentralml.core.chain.calls import AcceptTaskResults, Call, RejectTaskResults, RequestChanges
from decentralml.core.cli.acting import act, answer, submission_facts
from decentralml.core.cli.commands import command
from decentralml.core.cli.context import App
from decentralml.core.cli.free_text import FREE_TEXT
from decentralml.core.cli.task_arguments import SUBMISSION
from decentralml.core.domain import Submission
from decentralml.core.errors import Refused
from decentralml.core.market import Market
from decentralml.core.words import STATUSES

DIGEST = click.option("--digest", metavar="HEX", help="The result meant; without it, the one delivered last.")
REASON = click.option(
    "--reason",
    type=FREE_TEXT,
    required=True,
    metavar="TEXT",
    help="What the worker reads; 1 to 1024 bytes.",
)


@command("task accept")
@SUBMISSION
@DIGEST
def accept(app: App, submission_id: int, digest: str | None) -> None:
    submission, meant = _delivered(app, submission_id, digest)

    def do(market: Market) -> Receipt:
        return market.accept_task_results(submission_id, digest=meant)

    _decide(app, "Accept a result and pay it", submission, AcceptTaskResults(submission_id, meant), do)


@command("task reject")
@SUBMISSION
@REASON
@DIGEST
def reject(app: App, submission_id: int, reason: str, digest: str | None) -> None:
    """
    Only what was measured can be rejected: its report is public, and so is the reason.
    """
    submission, meant = _delivered(app, submission_id, digest)

    def do(market: Market) -> Receipt:
        return market.reject_task_results(submission_id, reason, digest=meant)

    call = RejectTaskResults(submission_id, meant, reason)
    _decide(app, "Reject a result", submission, call, do, reason)


@command("task request-changes")
@SUBMISSION
@REASON
@DIGEST
def request_changes(app: App, submission_id: int, reason: str, digest: str | None) -> None:
    """
    At most twice a result; the worker's time starts anew.
    """
    submission, meant = _delivered(app, submission_id, digest)

    def do(market: Market) -> Receipt:
        return market.request_changes(submission_id, reason, digest=meant)

    call = RequestChanges(submission_id, meant, reason)
    _decide(app, "Send a result back to its worker", submission, call, do, reason)


def _delivered(app: App, submission_id: int, digest: str | None) -> tuple[Submission, str]:
    """The submission, and the digest decided on. Raises `Refused` ("NothingDelivered")."""
    submission = app.chain.submission(submission_id)
    meant = digest or submission.digest
    if meant is None:
        raise Refused(
            "NothingDelivered",
            f"Submission {submission_id} has delivered nothing.",
            "Wait until its worker has sent a result.",
        )
    return submission, meant


def _decide(
    app: App,
    action: str,
    submission: Submission,
    call: Call,
    do: Callable[[Market], Receipt],
    reason: str | None = None,
) -> None:
    facts = [*submission_facts(app, submission), ("result", submission.digest or "-")]
    if reason is not None:
        facts.append(("reason", reason))
    market, receipt = act(app, action, facts, call, do)
    status = STATUSES[market.chain.submission(submission.id).status]
    answer(app, receipt, f"Submission {submission.id} is {status}")
