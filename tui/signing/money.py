"""What calls do to money, as rows of a card: escrow and deposits, what is free, what is held, the fee."""

from collections.abc import Sequence

from decentralml.core.amount import format_amount
from decentralml.core.chain.state import Move
from decentralml.core.domain import Balance
from decentralml.tui.signing.proposal import Proposal

_MOVES = {
    "Escrowed": "{amount} go from free into escrow.",
    "DepositHeld": "A deposit of {amount} is held.",
    "DepositReleased": "The deposit of {amount} is free again.",
    "DepositLost": "{who} loses the deposit of {amount}.",
    "DepositReceived": "It goes to {who}.",
    "EscrowReleased": "{amount} of escrow go back to {who}.",
    "Paid": "{who} is paid {amount} from the escrow.",
}


def rows(calls: Sequence[Proposal], balance: Balance | None) -> list[tuple[str, str]]:
    """(label, text) of all ``calls`` together; ``balance``: the signer's before them, where it is known."""
    fee = sum(call.fee for call in calls)
    escrow, deposit = sum(call.escrow for call in calls), sum(call.deposit for call in calls)
    found = [("escrow", f"{_by(escrow)}   deposit {_by(deposit)}")]
    if balance is not None:
        found.append(("free", _change(balance.free, sum(call.free for call in calls) - fee)))
        found.append(("held", _change(balance.held, sum(call.held for call in calls))))
    return [*found, ("fee", format_amount(fee))]


def moved(move: Move, who: str) -> str:
    """One movement in words, of what is ``who``'s; nothing for the half that the other half says."""
    amount = format_amount(max(move.free, move.held, -move.held))
    sentence = _MOVES.get(move.name, "").format(amount=amount, who=who)
    return sentence.replace("you is ", "You are ").replace("you loses", "You lose")


def _by(amount: int) -> str:
    return f"{'+' if amount > 0 else '-'} {format_amount(abs(amount))}" if amount else "unchanged"


def _change(before: int, by: int) -> str:
    if not by:
        return f"{format_amount(before)}, unchanged"
    return f"{format_amount(before)} {_by(by)} = {format_amount(before + by)}"
