"""Signatures and addresses: sr25519 and ed25519, SS58 with the generic Substrate prefix."""

import hashlib
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

import base58

from decentralml.core.errors import Misused

SS58_PREFIX = 42
_SS58_SALT = b"SS58PRE"
_OPENING, _CLOSING = b"<Bytes>", b"</Bytes>"
_WRAPPING = len(_OPENING + _CLOSING)


class Crypto(StrEnum):
    sr25519 = "sr25519"
    ed25519 = "ed25519"


_KIND_NUMBERS = {0: Crypto.ed25519, 1: Crypto.sr25519}


class Signer(Protocol):
    """Whoever can sign for one account. The secret stays inside."""

    @property
    def address(self) -> str: ...

    @property
    def crypto(self) -> Crypto: ...

    def sign(self, message: bytes) -> bytes:
        """64 bytes over ``message``."""
        ...


def encode_address(public_key: bytes, prefix: int = SS58_PREFIX) -> str:
    """SS58 of a 32-byte public key (https://docs.polkadot.com/polkadot-protocol/basics/accounts/).

    ``prefix`` is 0 to 16383. Raises `ValueError` for another length or prefix.
    """
    if len(public_key) != 32 or not 0 <= prefix < 1 << 14:
        raise ValueError(f"no key of 32 bytes with a prefix below {1 << 14}")
    if prefix < 64:
        head = bytes([prefix])
    else:
        head = bytes([((prefix & 0b1111_1100) >> 2) | 0b0100_0000, (prefix >> 8) | ((prefix & 0b11) << 6)])
    body = head + public_key
    checksum = hashlib.blake2b(_SS58_SALT + body, digest_size=64).digest()[:2]
    return str(base58.b58encode(body + checksum), "ascii")


@lru_cache(maxsize=4096)
def decode_address(address: str, prefix: int | None = SS58_PREFIX) -> bytes:
    """The 32-byte public key of an SS58 address, of which there is one spelling.

    Raises `Misused`: "BadAddress" for what is no address, "OtherChain" for a prefix other than
    ``prefix`` (None accepts any).
    """
    try:
        # b58decode forgives white space, and so would give one key two addresses.
        raw = base58.b58decode(address) if len(address) < 64 and address.isalnum() else b""
    except ValueError:
        raw = b""
    head = 2 if raw and raw[0] & 0b0100_0000 else 1
    body, checksum = raw[:-2], raw[-2:]
    expected = hashlib.blake2b(_SS58_SALT + body, digest_size=64).digest()[:2]
    found = -1
    if len(raw) == head + 34 and raw[0] < 128 and checksum == expected:
        found = raw[0]
        if head == 2:
            found = ((raw[0] & 0b0011_1111) << 2) | (raw[1] >> 6) | ((raw[1] & 0b0011_1111) << 8)
    if found < 0 or (head == 2 and found < 64):
        raise Misused("BadAddress", f"{address[:60]!r} is not an address.", "Check it for a slip of the pen.")
    if prefix is not None and found != prefix:
        raise Misused(
            "OtherChain",
            f"{address} belongs to the network with prefix {found}, not {prefix}.",
            f"The same key here is {encode_address(body[head:], prefix)}.",
        )
    return body[head:]


def verify(address: str, message: bytes, signature: bytes, crypto: Crypto) -> bool:
    """Whether ``signature`` (64 bytes) over ``message`` was made by the key of ``address`` (any network).

    Raises `Misused` ("BadAddress"); a signature or key that is malformed is just not valid.
    """
    public_key = decode_address(address, None)
    if len(signature) != 64:
        return False
    try:
        if crypto is Crypto.sr25519:
            import sr25519

            return bool(sr25519.verify(signature, message, public_key))
        import ed25519_zebra

        return bool(ed25519_zebra.ed_verify(signature, message, public_key))
    except ValueError:
        return False


def wrapped(message: bytes) -> bytes:
    """``message`` as polkadot-js signs it: in <Bytes>…</Bytes>, so that it can be no extrinsic."""
    if message.startswith(_OPENING) and message.endswith(_CLOSING) and len(message) >= _WRAPPING:
        return message
    return _OPENING + message + _CLOSING


def sign_message(signer: Signer, message: bytes) -> bytes:
    """64 bytes over ``message`` in its wrapping."""
    return signer.sign(wrapped(message))


def verify_message(address: str, message: bytes, signature: bytes, crypto: Crypto | None = None) -> bool:
    """Whether `sign_message`, or polkadot-js, signed ``message`` (wrapped or not) for ``address``.

    ``crypto`` None tries each kind: an address does not say its own. A signature of 65 bytes, as some
    wallets give it, begins with the number of its kind. Raises `Misused` ("BadAddress").
    """
    kinds = [crypto] if crypto else list(Crypto)
    if len(signature) == 65:
        named = _KIND_NUMBERS.get(signature[0])
        kinds = [kind for kind in kinds if kind is named]
        signature = signature[1:]
    return any(verify(address, wrapped(message), signature, kind) for kind in kinds)
