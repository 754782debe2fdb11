"""What each signing action would do, as the rules say before it is signed: a `Proposal` a call.

Every function blocks (it reads the chain, and hashes what would be uploaded), signs nothing, and raises
`Refused` with the chain's own reason where the rules would not take the call now.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec import structs

from decentralml.core.amount import format_amount
from decentralml.core.chain import rules
from decentralml.core.chain.base import Receipt
from decentralml.core.chain.calls import (
    AbandonTask,
    AcceptTaskResults,
    AssignTask,
    Call,
    ClaimTaskResult,
    CloseTask,
    CreateTask,
    RejectTaskResults,
    RequestChanges,
    SendTaskResult,
    TimeOut,
    ValidateTaskResults,
    call_name,
)
from decentralml.core.chain.ledger import Ledger
from decentralml.core.chain.overlay import Overlay
from decentralml.core.domain import Submission, Task, TaskType, Terms, ValidationStrategy
from decentralml.core.errors import Unavailable
from decentralml.core.market import Market
from decentralml.core.publishing import check_files
from decentralml.core.storage import manifest
from decentralml.core.storage.base import STAND_IN, OnProgress
from decentralml.core.words import KINDS, POLICIES, count, size
from decentralml.tui.session import Session
from decentralml.tui.signing import money
from decentralml.tui.signing.proposal import Proposal, Transfer
from decentralml.tui.words import ahead, duration

Send = Callable[[Market, OnProgress], Receipt]
Rows = Sequence[tuple[str, str]]
Calls = Sequence[Call]
"""Calls that are to be sent first: a proposal says what its own call does after them."""


def create(session: Session, terms: Terms, source: Path | str) -> Proposal:
    """Publish a task. ``source`` is the folder to upload, or a reference from an earlier upload.

    What ``terms`` says of the assets and their storage is filled in from ``source``.
    """
    check_files(session.market, terms.task_type, session.storage.type, source)
    reference = STAND_IN if isinstance(source, Path) else source
    call = CreateTask(terms.with_assets(session.storage.type, reference))
    ends = _in_time(session, terms.expiration_block)
    warnings, again = [], ""
    if terms.validation_strategy is ValidationStrategy.AutoAccept:
        most = format_amount(terms.pays_amount * terms.max_assignments)
        warnings = [f"Whoever delivers anything is paid, unread: up to {most}."]
        again = f"Nobody will look at the results before {most} is paid. Publish it all the same?"

    def send(market: Market, progress: OnProgress) -> Receipt:
        return _create(market, terms, source, progress)

    return _propose(
        session,
        call,
        send,
        [
            ("task_type", KINDS[terms.task_type]),
            ("question", terms.question),
            ("pays_amount", f"{format_amount(terms.pays_amount)} for each accepted result"),
            ("max_assignments", str(terms.max_assignments)),
            ("expiration", ends),
            ("judged", POLICIES[terms.validation_strategy]),
            *_labels(terms),
            *_uploads(source, f"folder {source}"),
        ],
        warnings=warnings,
        again=again,
    )


def assign(session: Session, task_id: int) -> Proposal:
    """Take a slot: the assets are downloaded and verified first, then a deposit is held."""
    task = session.chain.task(task_id)
    work = session.chain.constants.work_period * session.chain.constants.block_time
    return _propose(
        session,
        AssignTask(task_id),
        lambda market, progress: market.assign_task(task_id, on_progress=progress),
        _task_rows(task),
        more=f"Deliver within {duration(work)}, or the deposit is the creator's.",
    )


def send_result(
    session: Session,
    submission_id: int,
    *,
    result_path: Path | str | None = None,
    result: str | None = None,
    named: str = "the result",
) -> Proposal:
    """Deliver a result folder (uploaded first), a reference, or an annotator's inline answer.

    ``named``: what the person knows the folder by, which is a copy of their own.
    """
    submission = session.chain.submission(submission_id)
    reference = STAND_IN if isinstance(result_path, Path) else result_path
    kind = session.storage.type if reference else None
    call = SendTaskResult(submission_id, result=result, result_path=reference, result_storage_type=kind)
    return _propose(
        session,
        call,
        lambda market, progress: market.send_task_result(
            submission_id, result_path=result_path, result=result, on_progress=progress
        ),
        [
            *_submission_rows(session, submission),
            *([("result", result)] if result is not None else []),
            *(_uploads(result_path, named) if result_path is not None else []),
        ],
    )


def publishing(submission_id: int, digest: str) -> ValidateTaskResults:
    """The call that publishes a report, before its upload has given it a reference."""
    return ValidateTaskResults(submission_id, digest, STAND_IN, "0" * 64)


def publish_report(session: Session, submission_id: int, report: Path, digest: str) -> Proposal:
    """Put the reference of a validation report on the chain. ``digest`` is that of the result meant."""
    return _propose(
        session,
        publishing(submission_id, digest),
        lambda market, _: market.publish_report(submission_id, report, digest),
        [
            *_submission_rows(session, session.chain.submission(submission_id), digest),
            *_uploads(report, "the report"),
        ],
    )


def accept(session: Session, submission_id: int, digest: str, *, after: Calls = ()) -> Proposal:
    """Accept and pay the result with this digest."""
    return _propose(
        session,
        AcceptTaskResults(submission_id, digest),
        lambda market, _: market.accept_task_results(submission_id, digest=digest),
        _submission_rows(session, session.chain.submission(submission_id), digest),
        after=after,
    )


def reject(session: Session, submission_id: int, digest: str, reason: str, *, after: Calls = ()) -> Proposal:
    """Reject a validated result with a reason."""
    return _propose(
        session,
        RejectTaskResults(submission_id, digest, reason),
        lambda market, _: market.reject_task_results(submission_id, reason, digest=digest),
        [*_submission_rows(session, session.chain.submission(submission_id), digest), ("reason", reason)],
        after=after,
    )


def request_changes(
    session: Session, submission_id: int, digest: str, reason: str, *, after: Calls = ()
) -> Proposal:
    """Send a validated result back with what should change."""
    return _propose(
        session,
        RequestChanges(submission_id, digest, reason),
        lambda market, _: market.request_changes(submission_id, reason, digest=digest),
        [*_submission_rows(session, session.chain.submission(submission_id), digest), ("reason", reason)],
        after=after,
    )


def claim(session: Session, submission_id: int) -> Proposal:
    """Pay the worker of a result on which the creator stayed silent."""
    return _propose(
        session,
        ClaimTaskResult(submission_id),
        lambda market, _: market.claim(submission_id),
        _submission_rows(session, session.chain.submission(submission_id)),
    )


def abandon(session: Session, submission_id: int) -> Proposal:
    """Give a slot back."""
    return _propose(
        session,
        AbandonTask(submission_id),
        lambda market, _: market.abandon(submission_id),
        _submission_rows(session, session.chain.submission(submission_id)),
    )


def time_out(session: Session, submission_id: int) -> Proposal:
    """End a submission whose worker let the work period pass."""
    return _propose(
        session,
        TimeOut(submission_id),
        lambda market, _: market.time_out(submission_id),
        _submission_rows(session, session.chain.submission(submission_id)),
    )


def close(session: Session, task_id: int) -> Proposal:
    """Close a task to new workers; what nobody can earn any more comes back."""
    return _propose(
        session,
        CloseTask(task_id),
        lambda market, _: market.close(task_id),
        _task_rows(session.chain.task(task_id)),
    )


def fund(session: Session, address: str, amount: int) -> Proposal:
    """Units from the embedded ledger's faucet. Raises `Unavailable` ("NoFaucet") on another chain.

    An open faucet grants by its own key: no account signs.
    """
    chain = session.chain
    if not isinstance(chain, Ledger):
        raise Unavailable(
            "NoFaucet", f"The chain {chain.name} has no faucet.", "Only an embedded ledger has one."
        )
    _require_writing(session)
    own = chain.faucet == session.address
    return Proposal(
        call="fund",
        title=f"Take {format_amount(amount)} from the faucet",
        arguments=[("to", _person(session, address)), ("amount", format_amount(amount))],
        effect=f"{format_amount(amount)} are granted by the faucet of this ledger.",
        send=lambda: chain.fund(address, amount, session.signer if own else None),
        free=amount if address == session.address else 0,
        signed=own,
    )


# What they share

_TITLES = {
    CreateTask: "Publish a task",
    AssignTask: "Take a slot of task {task_id}",
    SendTaskResult: "Send the result of submission {submission_id}",
    ValidateTaskResults: "Publish the report on submission {submission_id}",
    AcceptTaskResults: "Accept submission {submission_id}",
    RejectTaskResults: "Reject submission {submission_id}",
    RequestChanges: "Ask for changes to submission {submission_id}",
    ClaimTaskResult: "Claim the pay of submission {submission_id}",
    AbandonTask: "Give submission {submission_id} back",
    TimeOut: "Time submission {submission_id} out",
    CloseTask: "Close task {task_id}",
}


# Their titles, and where the money goes, are all that they do.
_MONEY_SAYS_IT = (CreateTask, AssignTask, SendTaskResult, AcceptTaskResults, ClaimTaskResult)


def title(call: Call) -> str:
    """What a call does, in a few plain words."""
    return _TITLES[type(call)].format_map(structs.asdict(call))


def _propose(
    session: Session,
    call: Call,
    send: Send,
    arguments: Rows,
    *,
    more: str = "",
    warnings: Sequence[str] = (),
    again: str = "",
    after: Calls = (),
) -> Proposal:
    """The proposal of ``call``: its effect is that of a dry run over the chain as it stands."""
    address = _require_writing(session)
    chain = session.chain
    with chain.view() as view:
        ahead = Overlay(view)
        for earlier in after:
            ahead.lay(rules.apply(ahead, earlier, address, view.block))
        outcome = rules.apply(ahead, call, address, view.block)
    mine = [move for move in outcome.moves if move.account == address]
    moved = [text for move in outcome.moves if (text := money.moved(move, _who(session, move.account)))]
    general = "" if moved and isinstance(call, _MONEY_SAYS_IT) else rules.rule(call_name(call)).what
    effect = [general, *moved, more]
    transfer = Transfer()
    return Proposal(
        call=call_name(call),
        title=title(call),
        arguments=list(arguments),
        effect=" ".join(part for part in effect if part),
        send=lambda: send(session.market, transfer.moved),
        free=sum(move.free for move in mine),
        held=sum(move.held for move in mine),
        escrow=sum(move.held for move in outcome.moves if move.name.startswith("Escrow")),
        deposit=sum(move.held for move in outcome.moves if move.name.startswith("Deposit")),
        fee=chain.fee(call, address),
        warnings=list(warnings),
        again=again,
        transfer=transfer,
    )


def _require_writing(session: Session) -> str:
    """The address that would sign. Raises `Refused` ("ReadOnly", "NoAccount")."""
    if (refusal := session.cannot_sign()) is not None:
        raise refusal
    assert session.address is not None, "without one there is a reason"
    return session.address


def _person(session: Session, address: str) -> str:
    """The full address, with its name where this person has one for it."""
    name = session.name_of(address)
    return f"{address} ({name})" if name else address


def _who(session: Session, address: str) -> str:
    return "you" if address == session.address else _person(session, address)


def _task_rows(task: Task) -> list[tuple[str, str]]:
    return [("task_id", str(task.id)), ("question", task.terms.question)]


def _submission_rows(
    session: Session, submission: Submission, digest: str | None = None
) -> list[tuple[str, str]]:
    task = session.chain.task(submission.task_id)
    return [
        ("submission_id", str(submission.id)),
        ("of task", f"{task.id}  {task.terms.question}"),
        ("worker", _person(session, submission.worker)),
        *([("digest", digest)] if digest else []),
    ]


def _labels(terms: Terms) -> list[tuple[str, str]]:
    if terms.task_type is not TaskType.DataAnnotators:
        return []
    return [
        ("media", terms.annotation_type.value.lower() if terms.annotation_type else ""),
        ("labels", terms.annotation_class_labels or ""),
        *(("sample", sample) for sample in terms.annotation_media_samples or ()),
        *(("coordinates", text) for text in (terms.annotation_class_coordinates,) if text),
        *(("more", text) for text in (terms.annotation_json,) if text),
    ]


def _uploads(source: Path | str, named: str) -> list[tuple[str, str]]:
    """What of ``named`` goes out, with sizes, or the reference of what went out before."""
    if isinstance(source, str):
        return [("reference", source)]
    listed = manifest.scan(source)
    rows = [("uploads", f"{count(len(listed.files), 'file')}, {size(listed.size)}, of {named}")]
    rows += [("", f"{size(file.size):>9}  {file.name}") for file in listed.files[:12]]
    if len(listed.files) > 12:
        rows.append(("", f"and {len(listed.files) - 12} more"))
    return rows


def _in_time(session: Session, block: int) -> str:
    left = (block - session.chain.head().block) * session.chain.constants.block_time
    return f"block {block:,}, {ahead(left)}"


def _create(market: Market, terms: Terms, source: Path | str, on_progress: OnProgress) -> Receipt:
    common: dict[str, Any] = {
        name: getattr(terms, name)
        for name in ("question", "pays_amount", "expiration_block", "max_assignments", "validation_strategy")
    }
    common["on_progress"] = on_progress
    if terms.task_type is TaskType.ModelEngineer:
        return market.create_task_model_engineer(model_engineer_path=source, **common)
    if terms.task_type is TaskType.ModelContributor:
        return market.create_task_model_contributor(model_contributor_script_path=source, **common)
    annotation: dict[str, Any] = {
        name: getattr(terms, name)
        for name in (
            "annotation_type",
            "annotation_class_labels",
            "annotation_media_samples",
            "annotation_class_coordinates",
            "annotation_json",
        )
    }
    return market.create_task_data_annotator(annotation_files=source, **annotation, **common)
