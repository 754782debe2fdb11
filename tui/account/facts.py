"""What the accounts screen shows: read in one go off the loop, and put into words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from decentralml.core.amount import format_amount
from decentralml.core.chain.base import Event, Record
from decentralml.core.chain.genesis import NONE, OPEN
from decentralml.core.chain.ledger import Ledger
from decentralml.core.domain import Balance, Constants
from decentralml.core.errors import DecentralMLError, Refused, Unavailable
from decentralml.core.text import clean
from decentralml.core.wallet.accounts import Account
from decentralml.core.words import count
from decentralml.tui.hints import hint
from decentralml.tui.session import Session
from decentralml.tui.signing.receipt import event_words
from decentralml.tui.task.words import creator_record, worker_record
from decentralml.tui.widgets.prose import Block, Field, Line
from decentralml.tui.words import ago

_LATEST = 40


@dataclass(frozen=True)
class Entry:
    """An account of this home and its money."""

    account: Account
    balance: Balance


@dataclass(frozen=True)
class Book:
    """Every account of the home, and the files among them that cannot be used."""

    entries: Sequence[Entry] = ()
    damaged: Sequence[tuple[Path, DecentralMLError]] = ()

    def find(self, address: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.account.address == address), None)


@dataclass(frozen=True)
class Past:
    """What the chain knows of one address; ``names`` are what this person calls others."""

    record: Record
    latest: tuple[Event, ...]
    names: dict[str, str]


def read(session: Session) -> Book:
    """Blocks."""
    chain = session.chain
    entries = [Entry(account, chain.balance(account.address)) for account in session.accounts.list()]
    return Book(entries, session.accounts.damaged())


def read_past(session: Session, address: str) -> Past:
    """Blocks."""
    chain = session.chain
    latest = chain.events(account=address, limit=_LATEST, newest=True)[::-1]
    return Past(chain.record(address), latest, session.names())


def no_faucet(session: Session) -> Refused | Unavailable | None:
    """Why nothing can be taken from a faucet as the account in use; None where it can."""
    chain = session.chain
    if not isinstance(chain, Ledger):
        return Unavailable(
            "NoFaucet", f"The chain {chain.name} has no faucet.", "Only an embedded ledger has one."
        )
    if chain.faucet == NONE:
        return Refused("NoFaucet", "This ledger has no faucet.", "Money comes from being paid for work.")
    if chain.faucet not in (OPEN, session.address):
        return Refused(
            "NotTheFaucet", f"Only {chain.faucet} grants money on this ledger.", "Ask who keeps that key."
        )
    return None


def standing(session: Session, account: Account, *, remembered: bool) -> tuple[str, str]:
    """Whether the account is in use; unlocked, or how it will be, by the keyring or by hand; and its tone."""
    in_use = session.address == account.address
    if in_use and session.signer is not None:
        key = "unlocked"
    else:
        key = "keyring" if remembered else "locked"
    return (f"in use, {key}", "accent") if in_use else (key, "dim")


def damaged(path: Path, error: DecentralMLError) -> list[Block]:
    """A key file that cannot be used, with its reason."""
    return [
        ((clean(path.name), "title"), ("  cannot be used", "bad")),
        [
            ("file", (short_path(path),)),
            ("why", (clean(error.message),)),
            ("what now", (clean(hint(error)),)),
        ],
    ]


def described(
    session: Session, entry: Entry, past: Past | None, *, remembered: bool, keyring: str | None
) -> list[Block]:
    """Everything about one account."""
    account, balance = entry.account, entry.balance
    state, tone = standing(session, account, remembered=remembered)
    kept = f"{keyring} remembers its password" if remembered else f"{keyring} does not remember its password"
    fields: list[Field] = [
        ("money", _money(balance)),
        (
            "key",
            (f"{account.crypto.value}, {_made(account)}", ("" if keyring is None else f"; {kept}", "dim")),
        ),
        ("file", (short_path(account.path),)),
    ]
    if past is not None:
        fields += _record(past.record, session.chain.constants)
    return [((clean(account.name), "title"), "  ", (state, tone)), (account.address,), fields]


def latest(past: Past, block: int, constants: Constants) -> list[Block]:
    """What happened to the account, newest first."""
    if not past.latest:
        return [(("nothing yet", "dim"),)]
    return [
        [
            (
                f"{event.block:>9,}  {ago((block - event.block) * constants.block_time, units=1):>9}",
                (event_words(event, past.names),),
            )
            for event in past.latest
        ]
    ]


def _money(balance: Balance) -> Line:
    free = (f"{format_amount(balance.free)} free", "good" if balance.free else "dim")
    return (
        (free, f"   {format_amount(balance.held)} held in escrow and deposits") if balance.held else (free,)
    )


def _made(account: Account) -> str:
    if account.created is None:
        return "made at a time not known"
    return f"made {datetime.fromtimestamp(account.created):%Y-%m-%d %H:%M}"


def _record(record: Record, constants: Constants) -> list[Field]:
    creator, worker = record.creator, record.worker
    as_creator = (
        f"{creator.tasks} published: {creator_record(creator, constants)}, paid {format_amount(creator.paid)}"
    )
    people = f", {count(worker.creators, 'creator')}" if worker.creators else ""
    as_worker = f"{worker.taken} taken, {worker.open.count} open: {worker_record(worker)}{people}"
    return [
        ("as creator", (as_creator,) if creator.tasks else (("no task yet", "dim"),)),
        ("as worker", (as_worker,) if worker.taken else (("nothing taken yet", "dim"),)),
    ]


def short_path(path: Path) -> str:
    """``path`` with the person's home folder as ``~``."""
    home = Path.home()
    return clean(f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path))
