"""Key files: the encrypted JSON of polkadot-js, version 3, read and written."""

import base64
import binascii
import hashlib
import os
import time
from typing import Any

import msgspec
from msgspec import Struct

from decentralml.core.errors import Failed, Misused, Refused
from decentralml.core.signing import Crypto, decode_address
from decentralml.core.wallet.keys import UnlockedSigner, from_stored_form, stored_form, without_traces

MAX_SIZE = 64 * 1024
"""Bytes of the longest key file that is read; a real one has about 600."""

SCRYPT_N = 1 << 17
"""What polkadot-js writes today; 1 << 15 is what it wrote before."""

_SCRYPT_R, _SCRYPT_P = 8, 1
_SCRYPT_MEMORY = 1 << 28
_MAX_WORK = 1 << 18

_HEADER = bytes.fromhex("3053020101300506032b657004220420")
_DIVIDER = bytes.fromhex("a123032100")
_PROTECTED = ["scrypt", "xsalsa20-poly1305"]
_BODY = len(_HEADER) + 64 + len(_DIVIDER) + 32


class Encoding(Struct, frozen=True):
    """``content``: pkcs8 and the kind of key. ``type``: scrypt and the cipher, or none."""

    content: list[str]
    type: list[str]
    version: str


class KeyFile(Struct, frozen=True):
    """A key file as it stands. Nothing in it is secret without the password if `protected`."""

    encoded: str
    encoding: Encoding
    address: str
    meta: dict[str, Any] = {}

    @property
    def crypto(self) -> Crypto:
        return Crypto(self.encoding.content[1])

    @property
    def protected(self) -> bool:
        return self.encoding.type != ["none"]

    @property
    def created(self) -> float | None:
        """Unix seconds, None where the file does not say."""
        when = self.meta.get("whenCreated")
        if not isinstance(when, int | float) or isinstance(when, bool):
            return None
        return when / 1000 if 0 < when < 1e14 else None


def parse(text: bytes, where: str = "The text") -> KeyFile:
    """The key file in ``text``; ``where`` names it in errors.

    Raises `Failed` ("HalfWrittenKeyFile", "UnreadableKeyFile") and what `decode_address` raises for
    an address that is none; the address may be of any network.
    """
    hint = "Take it from a backup, or import the account again from its mnemonic."
    if len(text) > MAX_SIZE:
        raise Failed("UnreadableKeyFile", f"{where} is no key file: it is larger than {MAX_SIZE} bytes.")
    if not text.strip(b"\0 \t\r\n"):
        raise Failed("HalfWrittenKeyFile", f"{where} is empty: it was never written to its end.", hint)
    try:
        file = msgspec.json.decode(text, type=KeyFile)
    except msgspec.ValidationError as error:
        raise Failed("UnreadableKeyFile", f"{where} is no key file: {error}.", hint) from error
    except msgspec.DecodeError as error:
        if "truncated" in str(error):
            raise Failed(
                "HalfWrittenKeyFile", f"{where} breaks off: it was not written to its end.", hint
            ) from error
        raise Failed("UnreadableKeyFile", f"{where} is not JSON: {error}.", hint) from error
    except (ValueError, RecursionError) as error:
        raise Failed("UnreadableKeyFile", f"{where} is not JSON: {error}.", hint) from error
    _require_known(file.encoding, where)
    decode_address(file.address, None)
    return file


def _require_known(encoding: Encoding, where: str) -> None:
    hint = "Export the account anew from a current polkadot-js."
    if encoding.version != "3":
        version = encoding.version[:20]
        raise Failed("UnreadableKeyFile", f"{where} has the format version {version!r}, not '3'.", hint)
    if len(encoding.content) != 2 or encoding.content[0] != "pkcs8" or encoding.content[1] not in set(Crypto):
        kind = " ".join(encoding.content)[:60]
        raise Failed(
            "UnreadableKeyFile",
            f"{where} holds a key of the kind {kind!r}.",
            "Only sr25519 and ed25519 accounts work here.",
        )
    if encoding.type not in (_PROTECTED, ["none"]):
        kind = " ".join(encoding.type)[:60]
        raise Failed("UnreadableKeyFile", f"{where} is protected by {kind!r}, which is not known.", hint)


@without_traces
def encrypt(
    signer: UnlockedSigner,
    password: str,
    *,
    name: str,
    created: float | None = None,
    scrypt_n: int = SCRYPT_N,
) -> KeyFile:
    """A new key file of ``signer`` under ``password``.

    ``created`` is in Unix seconds, now when None; ``scrypt_n`` a power of two.
    Raises `Misused` ("EmptyPassword", "BadPassword").
    """
    from nacl.bindings import crypto_secretbox

    if not password:
        raise Misused("EmptyPassword", "The password is empty.", "A key is stored only under a password.")
    salt, nonce = os.urandom(32), os.urandom(24)
    body = _HEADER + stored_form(signer) + _DIVIDER + signer.public_key
    sealed = crypto_secretbox(body, nonce, _stretch(password, salt, scrypt_n, _SCRYPT_R, _SCRYPT_P))
    parameters = b"".join(number.to_bytes(4, "little") for number in (scrypt_n, _SCRYPT_P, _SCRYPT_R))
    return KeyFile(
        encoded=base64.b64encode(salt + parameters + nonce + sealed).decode(),
        encoding=Encoding(content=["pkcs8", signer.crypto], type=list(_PROTECTED), version="3"),
        address=signer.address,
        meta={"name": name, "whenCreated": round((created or time.time()) * 1000)},
    )


@without_traces
def decrypt(file: KeyFile, password: str) -> UnlockedSigner:
    """The key in ``file``; an unprotected file needs no password.

    Raises `Refused` ("WrongPassword", "KeyMismatch") and `Failed` ("UnreadableKeyFile").
    """
    hint = "Take it from a backup, or import the account again from its mnemonic."
    try:
        raw = base64.b64decode(file.encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise Failed("UnreadableKeyFile", "The key file's encoded part is not base64.", hint) from error
    body = _opened(raw, password) if file.protected else raw
    split = len(_HEADER) + 64
    if len(body) != _BODY or body[:16] != _HEADER or body[split : split + len(_DIVIDER)] != _DIVIDER:
        raise Failed("UnreadableKeyFile", "What the key file holds is no key of version 3.", hint)
    try:
        signer = from_stored_form(file.crypto, body[len(_HEADER) : split])
    except ValueError as error:
        raise Failed("UnreadableKeyFile", "What the key file holds is no valid key.", hint) from error
    if not signer.public_key == body[-32:] == decode_address(file.address, None):
        raise Refused(
            "KeyMismatch",
            f"The key inside is not that of {file.address}, which the file names.",
            "Somebody changed the file: do not use it.",
        )
    return signer


def _opened(raw: bytes, password: str) -> bytes:
    from nacl.bindings import crypto_secretbox_open
    from nacl.exceptions import CryptoError

    if len(raw) != 32 + 12 + 24 + 16 + _BODY:
        raise Failed("UnreadableKeyFile", f"The key file's encoded part has {len(raw)} bytes, not 201.")
    n, p, r = (int.from_bytes(raw[at : at + 4], "little") for at in (32, 36, 40))
    if (
        n < 2
        or n & (n - 1)
        or r != _SCRYPT_R
        or p < 1
        or n * p > _MAX_WORK
        or n * r * 128 > _SCRYPT_MEMORY // 2
    ):
        raise Refused(
            "AbsurdKeyFile",
            f"The key file asks for scrypt with N={n}, r={r}, p={p}, which no wallet writes.",
            "Opening it could take hours or all memory. Export the account anew.",
        )
    key = _stretch(password, raw[:32], n, r, p)
    try:
        return bytes(crypto_secretbox_open(raw[68:], raw[44:68], key))
    except CryptoError as error:
        raise Refused(
            "WrongPassword",
            "The password does not open the key file.",
            "Type it again: capitals and spaces count.",
        ) from error


def _stretch(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    try:
        secret = password.encode()
    except UnicodeEncodeError as error:
        raise Misused("BadPassword", "The password is not valid Unicode text.") from error
    try:
        return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=_SCRYPT_MEMORY, dklen=64)[:32]
    except (ValueError, MemoryError) as error:
        raise Failed(
            "NotEnoughMemory",
            f"Opening a key file takes {n * r * 128 >> 20} MiB of memory, which this machine does not give.",
            "Free some memory and try again.",
        ) from error


def encode(file: KeyFile) -> bytes:
    """``file`` as JSON, for the disk or for polkadot-js."""
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"
