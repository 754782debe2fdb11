"""The one table of the market's rules: a row a call. Rules, help and screens all read it."""

from msgspec import Struct

from decentralml.core.chain import effects, guards
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
from decentralml.core.chain.effects import Effect
from decentralml.core.chain.guards import Guard, Who
from decentralml.core.domain import DELIVERED
from decentralml.core.domain import ResultSubmissionStatus as S


class Rule(Struct, frozen=True, kw_only=True):
    """One call: what it is for, who may make it, from which states to which, and its guards in order.

    ``sources`` is empty for calls on a task. Checked in this order: the task or submission exists,
    who, sources, guards.
    """

    call: type[Call]
    what: str
    who: Who
    sources: tuple[S, ...] = ()
    targets: tuple[S, ...] = ()
    guards: tuple[Guard, ...] = ()
    effect: Effect

    @property
    def name(self) -> str:
        """The call's name on the chain, such as ``assign_task``."""
        return call_name(self.call)


TABLE: tuple[Rule, ...] = (
    Rule(
        call=CreateTask,
        what="Publish a task and put its whole reward in escrow.",
        who=guards.ANYONE,
        guards=(
            guards.REWARD,
            guards.ASSIGNMENTS,
            guards.EXPIRATION,
            guards.QUESTION,
            guards.FIELDS,
            guards.ASSETS,
            guards.CREATE_OVERFLOW,
            guards.ESCROW,
        ),
        effect=effects.create,
    ),
    Rule(
        call=AssignTask,
        what="Take a slot of a task; a deposit is held until something is delivered.",
        who=guards.NOT_CREATOR,
        targets=(S.Assigned,),
        guards=(
            guards.NOT_EXPIRED,
            guards.NOT_CLOSED,
            guards.HAS_SLOT,
            guards.UNDER_CAP,
            guards.FIRST_TIME,
            guards.ASSIGN_OVERFLOW,
            guards.DEPOSIT,
        ),
        effect=effects.assign,
    ),
    Rule(
        call=SendTaskResult,
        what="Deliver a result; the deposit comes back. Where results are paid unread, it is paid at once.",
        who=guards.WORKER,
        sources=(S.Assigned,),
        targets=(S.PendingValidation, S.Accepted),
        guards=(guards.NOT_OVERDUE, guards.RESULT, guards.RESULT_STORAGE, guards.REFERENCE),
        effect=effects.send,
    ),
    Rule(
        call=ValidateTaskResults,
        what="Publish the validation report of a result. This is no decision yet.",
        who=guards.CREATOR,
        sources=DELIVERED,
        targets=(S.Validated,),
        guards=(guards.DIGEST, guards.REPORT, guards.REPORT_DIGEST),
        effect=effects.validate,
    ),
    Rule(
        call=AcceptTaskResults,
        what="Accept a result and pay its worker from the escrow.",
        who=guards.CREATOR,
        sources=DELIVERED,
        targets=(S.Accepted,),
        guards=(guards.DIGEST,),
        effect=effects.accept,
    ),
    Rule(
        call=RejectTaskResults,
        what="Reject a measured result with a reason; the slot becomes vacant.",
        who=guards.CREATOR,
        sources=(S.Validated,),
        targets=(S.Rejected,),
        guards=(guards.DIGEST, guards.REASON, guards.IN_REVIEW),
        effect=effects.reject,
    ),
    Rule(
        call=RequestChanges,
        what="Ask the worker for another result, with a reason; the work period starts anew.",
        who=guards.CREATOR,
        sources=(S.Validated,),
        targets=(S.Assigned,),
        guards=(guards.DIGEST, guards.REASON, guards.IN_REVIEW, guards.REQUESTS_LEFT),
        effect=effects.request_changes,
    ),
    Rule(
        call=ClaimTaskResult,
        what="Pay the worker of a result on which the creator stayed silent.",
        who=guards.ANYONE,
        sources=DELIVERED,
        targets=(S.Accepted,),
        guards=(guards.REVIEW_OVER,),
        effect=effects.claim,
    ),
    Rule(
        call=AbandonTask,
        what="Give a slot back. What was delivered is dropped; late, a held deposit goes to the creator.",
        who=guards.WORKER,
        sources=(S.Assigned,),
        targets=(S.Abandoned,),
        guards=(guards.NOT_OVERDUE,),
        effect=effects.abandon,
    ),
    Rule(
        call=TimeOut,
        what="Vacate an overdue slot, its deposit to the creator; an earlier delivery stands again instead.",
        who=guards.ANYONE,
        sources=(S.Assigned,),
        targets=(S.TimedOut, S.PendingValidation),
        guards=(guards.IS_OVERDUE,),
        effect=effects.time_out,
    ),
    Rule(
        call=CloseTask,
        what="Close a task to new workers and release the escrow of its free slots.",
        who=guards.CREATOR_OR_EXPIRED,
        guards=(guards.NOT_CLOSED_YET,),
        effect=effects.close,
    ),
)
