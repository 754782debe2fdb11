"""Signatures and addresses: sr25519 and ed25519, SS58 with the generic Substrate prefix."""

import hashlib
from enum import StrEnum
from typing import Protocol

import base58

from decentralml.core.errors import Misused

SS58_PREFIX = 42
_SS58_SALT = b"SS58PRE"


class Crypto(StrEnum):
    sr25519 = "sr25519"
    ed25519 = "ed25519"


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
    """SS58 of a 32-byte public key (https://docs.polkadot.com/polkadot-protocol/basics/accounts/)."""
    if prefix < 64:
        head = bytes([prefix])
    else:
        head = bytes([((prefix & 0b1111_1100) >> 2) | 0b0100_0000, (prefix >> 8) | ((prefix & 0b11) << 6)])
    body = head + public_key
    checksum = hashlib.blake2b(_SS58_SALT + body, digest_size=64).digest()[:2]
    return base58.b58encode(body + checksum).decode()


def decode_address(address: str, prefix: int | None = SS58_PREFIX) -> bytes:
    """The 32-byte public key of an SS58 address.

    Raises `Misused`: "BadAddress" for what is no address, "OtherChain" for a prefix other than
    ``prefix`` (None accepts any).
    """
    try:
        raw = base58.b58decode(address) if len(address) < 64 else b""
    except ValueError:
        raw = b""
    head = 2 if raw and raw[0] & 0b0100_0000 else 1
    body, checksum = raw[:-2], raw[-2:]
    expected = hashlib.blake2b(_SS58_SALT + body, digest_size=64).digest()[:2]
    if len(raw) != head + 34 or raw[0] >= 128 or checksum != expected:
        raise Misused("BadAddress", f"{address[:60]!r} is not an address.", "Check it for a slip of the pen.")
    if head == 1:
        found = raw[0]
    else:
        found = ((raw[0] & 0b0011_1111) << 2) | (raw[1] >> 6) | ((raw[1] & 0b0011_1111) << 8)
    if prefix is not None and found != prefix:
        raise Misused(
            "OtherChain",
            f"{address} belongs to the network with prefix {found}, not {prefix}.",
            f"The same key here is {encode_address(body[head:], prefix)}.",
        )
    return body[head:]


def verify(address: str, message: bytes, signature: bytes, crypto: Crypto) -> bool:
    """Whether ``signature`` (64 bytes) over ``message`` was made by the key of ``address``."""
    public_key = decode_address(address, None)
    if len(signature) != 64:
        return False
    if crypto is Crypto.sr25519:
        import sr25519

        return bool(sr25519.verify(signature, message, public_key))
    import ed25519_zebra

    return bool(ed25519_zebra.ed_verify(signature, message, public_key))
