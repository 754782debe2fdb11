"""Chain and trainings as last seen, once a second: what the top line shows, and whether anything moved."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from decentralml.core.amount import format_amount
from decentralml.core.chain.base import Event, Head
from decentralml.core.domain import Balance, Constants
from decentralml.core.errors import DecentralMLError
from decentralml.core.inbox import Item, Waiting, waiting
from decentralml.core.text import short
from decentralml.core.training.runs import Run
from decentralml.tui.run import words as run_words
from decentralml.tui.session import Session
from decentralml.tui.words import person

_REASON = 80


@dataclass(frozen=True)
class Pulse:
    """Head, newest event, the account's money, and what waits for it.

    ``marks`` counts what waits behind each tab. ``rings`` is what began to wait since the pulse before,
    or comes near its deadline: (item, whether it is the deadline). ``news``, in words, is what others decided
    on results of one's own since then, and which trainings came to their end. ``training`` tells of those of
    this home that are ``at_work``; ``problem``, why they cannot be told.
    """

    head: Head
    cursor: int
    address: str | None
    balance: Balance | None
    inbox: tuple[Item, ...] = ()
    marks: dict[str, int] = field(default_factory=dict)
    rings: tuple[tuple[Item, bool], ...] = ()
    news: tuple[str, ...] = ()
    training: str = ""
    at_work: frozenset[int] = frozenset()
    problem: DecentralMLError | None = None


def take(session: Session, before: Pulse | None) -> Pulse:
    """Look at chain and trainings. Blocks. What only events can change is read again when there were any."""
    at_work, over, problem = _trainings(session, before)
    training = run_words.brief(at_work)
    now = _of_the_chain(session, before)
    same = before and (training, problem is None) == (before.training, before.problem is None)
    if before and now is before and not over and same:
        return before
    return replace(
        now,
        rings=() if now is before else now.rings,
        news=(*(() if now is before else now.news), *map(run_words.over, over)),
        training=training,
        at_work=frozenset(run.id for run in at_work),
        problem=problem,
    )


def _trainings(
    session: Session, before: Pulse | None
) -> tuple[list[Run], list[Run], DecentralMLError | None]:
    """Those that run or wait; those that came to an end since ``before``, by themselves; and why they cannot
    be looked at, which keeps nobody from the chain.
    """
    try:
        runs = session.runs.list()
    except DecentralMLError as problem:
        return [], [], problem
    known = before.at_work if before else frozenset()
    over = [run for run in runs if run.id in known and run.state in ("finished", "failed", "crashed")]
    return [run for run in runs if not run.ended], over, None


def _of_the_chain(session: Session, before: Pulse | None) -> Pulse:
    head = session.chain.head()
    cursor = session.chain.last_cursor()
    address = session.address
    if before and before.cursor == cursor and before.address == address and before.head == head:
        return before
    balance = session.chain.balance(address) if address else None
    inbox = waiting(session.chain, address) if address else ()
    judge = sum(item.why is Waiting.judge for item in inbox)
    rings: list[tuple[Item, bool]] = []
    verdicts: list[str] = []
    if before and address and before.address == address:
        events = session.chain.events(before.cursor) if before.cursor != cursor else ()
        verdicts = [_verdict(session, event) for event in events if _judges(event, address)]
        rings += [(item, False) for item in _begun(before.inbox, inbox)]
        constants = session.chain.constants
        rings += [(item, True) for item in _nearly_due(inbox, before.head.block, head.block, constants)]
    return Pulse(
        head=head,
        cursor=cursor,
        address=address,
        balance=balance,
        inbox=inbox,
        marks={"validate": judge, "activity": len(inbox) - judge},
        rings=tuple(rings),
        news=tuple(verdicts),
    )


def _judges(event: Event, worker: str) -> bool:
    """Whether somebody else judged a result of ``worker``: what they claim themselves is no news to them."""
    how = {"ResultAccepted": "creator", "ResultRejected": None, "ChangesRequested": None}
    return (
        event.name in how and event.data.get("worker") == worker and event.data.get("how") == how[event.name]
    )


def _verdict(session: Session, event: Event) -> str:
    """``+8.00  zoe accepted #5``, or who rejected which, and why."""
    creator = event.data.get("creator", "")
    who, number = person(creator, session.names()), event.submission_id
    if event.name == "ResultAccepted":
        return f"+{format_amount(int(event.data['amount']))}  {who} accepted #{number}"
    did = "rejected" if event.name == "ResultRejected" else "asks for changes to"
    return f"{who} {did} #{number}: {short(event.data.get('reason', ''), _REASON)}"


def _begun(before: Sequence[Item], now: Sequence[Item]) -> list[Item]:
    """What waits now and did not before; a slot just taken is no news, and of changes the verdict speaks."""
    known = {(item.why, item.task_id, item.submission_id) for item in before}
    new = [item for item in now if (item.why, item.task_id, item.submission_id) not in known]
    return [item for item in new if item.why is not Waiting.deliver]


def _nearly_due(items: Sequence[Item], before: int, now: int, constants: Constants) -> list[Item]:
    """What has come to the last eighth of its period between the blocks ``before`` and ``now``."""
    periods = {Waiting.deliver: constants.work_period, Waiting.judge: constants.review_period}
    near = []
    for item in items:
        if item.due_block is not None and item.why in periods:
            last = item.due_block - periods[item.why] // 8
            if before < last <= now:
                near.append(item)
    return near
