"""The chain as last seen, once a second: what the top line shows, and whether anything moved."""

from dataclasses import dataclass, field

from decentralml.core.chain.base import Head
from decentralml.core.domain import Balance
from decentralml.core.inbox import Item, Waiting, waiting
from decentralml.tui.session import Session


@dataclass(frozen=True)
class Pulse:
    """Head, newest event, the account's money, and what waits for it."""

    head: Head
    cursor: int
    address: str | None
    balance: Balance | None
    inbox: tuple[Item, ...] = ()
    marks: dict[str, int] = field(default_factory=dict)


def take(session: Session, before: Pulse | None) -> Pulse:
    """Look at the chain. Blocks. What only events can change is read again only when there were any."""
    head = session.chain.head()
    cursor = session.chain.last_cursor()
    address = session.address
    if before and before.cursor == cursor and before.address == address and before.head == head:
        return before
    balance = session.chain.balance(address) if address else None
    inbox = waiting(session.chain, address) if address else ()
    judge = sum(item.why is Waiting.judge for item in inbox)
    return Pulse(
        head=head,
        cursor=cursor,
        address=address,
        balance=balance,
        inbox=inbox,
        marks={"validate": judge, "activity": len(inbox) - judge},
    )
