"""The faucet: where a ledger's money comes from, and who may grant it."""

from hashlib import sha256

from decentralml.core import signing
from decentralml.core.amount import MAX_AMOUNT, format_amount
from decentralml.core.chain.codec import Fund, canonical_address
from decentralml.core.chain.genesis import NONE, OPEN, Genesis
from decentralml.core.chain.state import Move, Note, Outcome, View
from decentralml.core.domain import MAX_U32
from decentralml.core.errors import Misused, Refused
from decentralml.core.signing import Crypto

# A ledger has fewer than 2^32 rows, so that no number of grants can ever overflow a u128.
MAX_GRANT = MAX_AMOUNT // (MAX_U32 + 1)


class OpenFaucet:
    """The signer of an open faucet's grants: its key follows from the genesis, so that anyone has it."""

    crypto = Crypto.sr25519

    def __init__(self, genesis: str) -> None:
        import sr25519

        self._pair = sr25519.pair_from_seed(sha256(f"open faucet of {genesis}".encode()).digest())
        self.address = signing.encode_address(self._pair[0])

    def sign(self, message: bytes) -> bytes:
        import sr25519

        return bytes(sr25519.sign(self._pair, message))


def check_may_grant(genesis: Genesis, signer: str | None) -> None:
    """Raises `Refused` ("NoFaucet", "NotTheFaucet") where ``signer`` may not grant money."""
    if genesis.faucet == NONE:
        raise Refused(
            "NoFaucet", "This ledger has no faucet.", "Ask somebody who has money there to hire you."
        )
    if genesis.faucet not in (OPEN, signer):
        raise Refused(
            "NotTheFaucet",
            f"Only {genesis.faucet} grants money on this ledger.",
            "Ask who keeps that key.",
        )


def grant(view: View, genesis: Genesis, fund: Fund, signer: str) -> Outcome:
    """What a grant does. Raises `Refused`: "NoFaucet", "NotTheFaucet", "BadGrant", "BadAddress"."""
    check_may_grant(genesis, signer)
    try:
        canonical_address(fund.address)
    except Misused as error:
        raise Refused("BadAddress", error.message, error.hint) from error
    least = view.constants.existential_deposit - view.balance(fund.address).free
    if not max(least, 1) <= fund.amount <= MAX_GRANT:
        raise Refused(
            "BadGrant",
            f"A grant to this account must lie between {format_amount(max(least, 1))} "
            f"and {format_amount(MAX_GRANT)}.",
            "Ask for another amount.",
        )
    move = Move("Funded", fund.address, fund.amount, 0)
    return Outcome(None, None, (move,), (Note("Funded", {"amount": str(fund.amount), "by": signer}),))
