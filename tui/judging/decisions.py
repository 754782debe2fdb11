"""From a decision on a result to the calls that it takes, and why one is not possible now. Blocks."""

from dataclasses import dataclass
from pathlib import Path

from decentralml.core import judging
from decentralml.core.chain import rules
from decentralml.core.chain.calls import ValidateTaskResults
from decentralml.core.chain.overlay import Overlay
from decentralml.core.domain import Submission
from decentralml.core.drafts import Draft, Word
from decentralml.core.errors import DecentralMLError, Refused, Unavailable
from decentralml.tui import keys
from decentralml.tui.hints import read_only
from decentralml.tui.session import Session
from decentralml.tui.signing import proposals
from decentralml.tui.signing.proposal import Proposal

CALLS = {
    Word.accept: "accept_task_results",
    Word.reject: "reject_task_results",
    Word.changes: "request_changes",
}


@dataclass(frozen=True)
class Plan:
    """A decision and its calls in order; ``problem`` where the rules do not take it now (no calls then)."""

    draft: Draft
    calls: tuple[Proposal, ...] = ()
    problem: DecentralMLError | None = None


def plan(session: Session, draft: Draft) -> Plan:
    """The calls of a decision: this home's report first, where the chain does not have it yet."""
    try:
        return Plan(draft, tuple(_calls(session, draft)))
    except DecentralMLError as problem:
        return Plan(draft, problem=problem)


def report_to_publish(session: Session, submission: Submission) -> Path | None:
    """The folder of this home's report on what was delivered last, where the chain has no such report yet."""
    if submission.digest is None or judging.own_report(session.home, submission) is None:
        return None
    if judging.is_published(session.home, submission):
        return None
    return judging.report_folder(session.home, submission.id, submission.digest)


def refusals(session: Session, submission: Submission) -> dict[str, Refused | Unavailable | None]:
    """By call: why it cannot be signed now for ``submission``, its report being published before it."""
    first = () if report_to_publish(session, submission) is None else (_publishing(submission),)
    address = session.address
    found: dict[str, Refused | Unavailable | None] = {}
    with session.chain.view() as view:
        ahead = Overlay(view)
        try:
            for call in first:
                ahead.lay(rules.apply(ahead, call, address or "", view.block))
        except Refused:
            ahead = Overlay(view)
        for name in CALLS.values():
            if session.readonly:
                found[name] = read_only()
            elif name not in session.chain.capabilities:
                found[name] = Unavailable("MissingCall", f"{session.chain.name} has no call {name}.")
            else:
                found[name] = rules.check(ahead, name, address or "", submission_id=submission.id)
    return found


def _publishing(submission: Submission) -> ValidateTaskResults:
    return proposals.publishing(submission.id, submission.digest or "")


def _calls(session: Session, draft: Draft) -> list[Proposal]:
    submission = session.chain.submission(draft.submission_id)
    number, digest = draft.submission_id, draft.digest
    if submission.digest is not None and submission.digest != digest:
        raise Refused(
            "ResultChanged",
            f"The worker has delivered another result than the one submission {number} was judged by.",
            keys.said("Evaluate it again; {take_back} takes the draft back."),
        )
    report = report_to_publish(session, submission)
    first = () if report is None else (_publishing(submission),)
    calls = [] if report is None else [proposals.publish_report(session, number, report, digest)]
    if draft.word is Word.accept:
        calls.append(proposals.accept(session, number, digest, after=first))
    elif draft.word is Word.reject:
        calls.append(proposals.reject(session, number, digest, draft.reason, after=first))
    else:
        calls.append(proposals.request_changes(session, number, digest, draft.reason, after=first))
    return calls
