"""Extrinsics as canonical bytes: sorted JSON without spaces, signed, one form for one meaning."""

import hashlib
from functools import lru_cache

import msgspec
from msgspec import Struct

from decentralml.core import signing
from decentralml.core.chain.base import Extrinsic
from decentralml.core.chain.calls import Call
from decentralml.core.domain import MAX_U32
from decentralml.core.errors import Misused, Refused
from decentralml.core.signing import Crypto, Signer

SPEC_VERSION = 1
# Blocks after its making in which a signed extrinsic can still be included.
MORTAL_BLOCKS = 64


class Fund(Struct, frozen=True, tag="fund"):
    """A faucet grant: ``amount`` planck that did not exist before, for ``address``."""

    address: str
    amount: int


class Payload(Struct, frozen=True, kw_only=True):
    """What is signed. ``era`` is the first and last block in which it may be included."""

    call: Call | Fund
    signer: str
    crypto: Crypto
    nonce: int
    era: tuple[int, int]
    genesis: str
    spec_version: int = SPEC_VERSION


class Signed(Struct, frozen=True):
    """A payload beside its signature, 64 bytes as hex."""

    payload: Payload
    signature: str


def encode(value: object) -> bytes:
    """Canonical JSON: sorted keys, no spaces, integers of any size, UTF-8."""
    return msgspec.json.encode(value, order="sorted")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def seal(call: Call | Fund, signer: Signer, nonce: int, block: int, genesis: str) -> bytes:
    """The canonical bytes of ``call``, signed, for inclusion from ``block`` on.

    Raises `Refused` ("BadText", "NotEncodable") for arguments that have no canonical form.
    """
    payload = Payload(
        call=call,
        signer=canonical_address(signer.address),
        crypto=signer.crypto,
        nonce=nonce,
        era=(block, min(block + MORTAL_BLOCKS, MAX_U32)),
        genesis=genesis,
    )
    try:
        message = encode(payload)
        same = msgspec.json.decode(message, type=Payload) == payload
    except UnicodeEncodeError as error:
        raise Refused("BadText", "A text in the call is not valid Unicode.", "Type it again.") from error
    except (msgspec.MsgspecError, TypeError, OverflowError) as error:
        raise Refused(
            "NotEncodable", f"The call cannot be encoded: {error}.", "Check its arguments."
        ) from error
    if not same:
        raise Refused("NotEncodable", "The call changes when it is encoded.", "Check its arguments.")
    return encode(Signed(payload, signer.sign(message).hex()))


def open_sealed(body: bytes) -> Payload:
    """The payload in ``body``, once its form is canonical and its signature holds.

    Raises `Refused`: "BadExtrinsic" for bytes in any other form, "BadSignature".
    """
    signed = decode(body)
    payload = signed.payload
    try:
        signature = bytes.fromhex(signed.signature)
        canonical_address(payload.signer)
        valid = signing.verify(payload.signer, encode(payload), signature, payload.crypto)
    except (Misused, ValueError) as error:
        raise Refused(
            "BadSignature", f"The signer or the signature is malformed: {error}.", "Sign the call again."
        ) from error
    if not valid:
        raise Refused(
            "BadSignature", f"The signature is not that of {payload.signer}.", "Sign the call again."
        )
    return payload


def decode(body: bytes) -> Signed:
    """What ``body`` says, its signature not looked at. Raises `Refused` ("BadExtrinsic")."""
    try:
        signed = msgspec.json.decode(body, type=Signed)
        canonical = encode(signed) == body and signed.signature == signed.signature.lower()
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Refused("BadExtrinsic", f"It is no extrinsic: {error}.", "Sign the call again.") from error
    if not canonical:
        raise Refused("BadExtrinsic", "The extrinsic is not in its canonical form.", "Sign the call again.")
    return signed


def call_name(call: Call | Fund) -> str:
    """The call's name on the chain, or ``fund``."""
    return str(call.__struct_config__.tag)


def extrinsic(call: Call, signer: Signer, nonce: int, block: int, genesis: str) -> Extrinsic:
    """``call`` signed and wrapped. Raises as `seal`."""
    body = seal(call, signer, nonce, block, genesis)
    return Extrinsic(call=call, signer=signer.address, nonce=nonce, hash=sha256(body), body=body)


@lru_cache(maxsize=4096)
def canonical_address(address: str) -> str:
    """``address`` itself, if it is the one way to write its key here. Raises `Misused` ("BadAddress", …).

    An account must not have several names. The decoder sees to that; the ledger does not rest on it.
    """
    if signing.encode_address(signing.decode_address(address)) != address:
        raise Misused("BadAddress", f"{address[:60]!r} is not an address.", "Check it for a slip of the pen.")
    return address


def link(previous: str, row: int, block: int, body: bytes) -> str:
    """The hash that chains a row to the one before: over that one's hash, number, block, and bytes."""
    head = bytes.fromhex(previous) + row.to_bytes(8, "big") + block.to_bytes(8, "big")
    return sha256(head + body)
