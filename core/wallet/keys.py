"""Key pairs: from a mnemonic, a seed or a stored secret to a signer that never shows what it holds."""

import functools
import hashlib
import re
import unicodedata
from collections.abc import Callable
from typing import NoReturn, ParamSpec, TypeVar

from decentralml.core.errors import Misused, Unavailable
from decentralml.core.signing import Crypto, encode_address

P = ParamSpec("P")
R = TypeVar("R")

_JUNCTION = re.compile(r"(//?)([^/]+)")
_ED25519_DERIVATION = b"\x2cEd25519HDKD"


def without_traces(function: Callable[P, R]) -> Callable[P, R]:
    """What ``function`` raises carries no frame from within it.

    A frame holds its variables, and a crash report may print them: here these are passphrases and keys.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            failure = error
        del args, kwargs
        failure.__cause__ = failure.__context__ = None
        raise failure.with_traceback(None)

    return call


class UnlockedSigner:
    """A `decentralml.core.signing.Signer` over a secret in memory, until `lock`.

    Neither printed, pickled nor copied; its secret is overwritten by `lock`, by leaving a ``with``
    block and at the end of its life. (The libraries that sign take an immutable copy for the
    duration of a call, which Python frees but does not wipe.)
    """

    __slots__ = ("_secret", "crypto", "public_key")

    def __init__(self, crypto: Crypto, public_key: bytes, secret: bytes) -> None:
        """``secret``: 64 bytes (scalar and nonce) for sr25519, the 32-byte seed for ed25519."""
        self.crypto = crypto
        self.public_key = public_key
        self._secret = bytearray(secret)

    @property
    def address(self) -> str:
        return encode_address(self.public_key)

    @property
    def locked(self) -> bool:
        return not self._secret

    @without_traces
    def sign(self, message: bytes) -> bytes:
        """64 bytes over ``message``. Raises `Unavailable` ("Locked")."""
        secret = self.secret()
        if self.crypto is Crypto.sr25519:
            import sr25519

            return bytes(sr25519.sign((self.public_key, secret), message))
        import ed25519_zebra

        return bytes(ed25519_zebra.ed_sign(secret, message))

    def secret(self) -> bytes:
        """A copy of the secret, for the keystore. Raises `Unavailable` ("Locked")."""
        if self.locked:
            raise Unavailable("Locked", f"The account {self.address} is locked.", "Unlock it again.")
        return bytes(self._secret)

    def lock(self) -> None:
        """Overwrite the secret; signing is over."""
        self._secret[:] = bytes(len(self._secret))
        self._secret.clear()

    def __enter__(self) -> "UnlockedSigner":
        return self

    def __exit__(self, *_: object) -> None:
        self.lock()

    def __del__(self) -> None:
        if hasattr(self, "_secret"):
            self.lock()

    def __repr__(self) -> str:
        return f"<{self.crypto} signer of {self.address}{', locked' if self.locked else ''}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A signer is neither pickled nor copied: it holds a secret.")


def generate_mnemonic(words: int = 12) -> str:
    """A new English BIP-39 mnemonic of 12, 15, 18, 21 or 24 words."""
    import bip39

    return str(bip39.bip39_generate(words, "en"))


@without_traces
def from_mnemonic(mnemonic: str, crypto: Crypto, path: str = "") -> UnlockedSigner:
    """The key of a mnemonic as polkadot-js makes it: the entropy, not the BIP-39 seed, is the secret.

    ``path`` is a derivation such as ``//hard/soft``, with ``///passphrase`` at its end.
    Raises `Misused` ("BadMnemonic", "BadDerivation"); no word of the mnemonic is in the message.
    """
    import bip39

    words = unicodedata.normalize("NFKD", mnemonic).lower().split()
    hint = "Type the words as they were shown, in their order, with single spaces."
    if len(words) not in (12, 15, 18, 21, 24):
        raise Misused("BadMnemonic", f"A mnemonic has 12, 15, 18, 21 or 24 words, not {len(words)}.", hint)
    path, _, passphrase = path.partition("///")
    try:
        seed = bytes(bip39.bip39_to_mini_secret(" ".join(words), passphrase, "en"))
    except ValueError as error:
        place = re.search(r"index (\d+)", str(error))
        if place:
            reason = f"Word {int(place[1]) + 1} of the mnemonic is not in the English BIP-39 list."
        else:
            reason = "The mnemonic's checksum does not fit: a word is wrong or two changed places."
        raise Misused("BadMnemonic", reason, hint) from error
    return _derived(seed, crypto, path)


@without_traces
def from_seed(seed: str, crypto: Crypto) -> UnlockedSigner:
    """The key of ``seed``, 32 bytes as hex after 0x. Raises `Misused` ("BadSeed")."""
    text = seed.strip()
    if not re.fullmatch(r"0x[0-9a-fA-F]{64}", text):
        raise Misused(
            "BadSeed", "A seed is 0x and 64 hexadecimal digits.", "For words, import a mnemonic instead."
        )
    return _derived(bytes.fromhex(text[2:]), crypto, "")


def _derived(seed: bytes, crypto: Crypto, path: str) -> UnlockedSigner:
    junctions = _JUNCTION.findall(path)
    if "".join(slashes + name for slashes, name in junctions) != path:
        raise Misused("BadDerivation", "The derivation path cannot be read.", "Write it as //hard/soft.")
    if crypto is Crypto.sr25519:
        import sr25519

        public, secret = sr25519.pair_from_seed(seed)
        for slashes, name in junctions:
            step = sr25519.hard_derive_keypair if slashes == "//" else sr25519.derive_keypair
            _, public, secret = step((_chain_code(name), public, secret), b"")
        return UnlockedSigner(crypto, bytes(public), bytes(secret))
    import ed25519_zebra

    for slashes, name in junctions:
        if slashes != "//":
            raise Misused("BadDerivation", "ed25519 has no soft derivation.", "Write it as //hard//hard.")
        seed = hashlib.blake2b(_ED25519_DERIVATION + seed + _chain_code(name), digest_size=32).digest()
    secret, public = ed25519_zebra.ed_from_seed(seed)
    return UnlockedSigner(crypto, bytes(public), bytes(secret))


def _chain_code(name: str) -> bytes:
    """32 bytes of a junction: a number in little endian, else the SCALE of the text, hashed when longer."""
    if name.isascii() and name.isdigit():
        number = int(name) if len(name) < 79 else 1 << 256
        if number >= 1 << 256:
            raise Misused("BadDerivation", "A number in the derivation path has more than 256 bits.")
        return number.to_bytes(32, "little")
    text = name.encode()
    if len(text) >= 1 << 14:
        raise Misused("BadDerivation", "The derivation path is too long.")
    length = len(text) << 2 if len(text) < 64 else len(text) << 2 | 1
    encoded = length.to_bytes(1 if len(text) < 64 else 2, "little") + text
    if len(encoded) > 32:
        return hashlib.blake2b(encoded, digest_size=32).digest()
    return encoded.ljust(32, b"\0")


def stored_form(signer: UnlockedSigner) -> bytes:
    """What polkadot-js stores, 64 bytes: sr25519 expanded as ed25519 does, or ed25519 seed and public key."""
    if signer.crypto is Crypto.sr25519:
        import sr25519

        return bytes(sr25519.convert_secret_key_to_ed25519(signer.secret()))
    return signer.secret() + signer.public_key


@without_traces
def from_stored_form(crypto: Crypto, stored: bytes) -> UnlockedSigner:
    """The inverse of `stored_form`. Raises `ValueError` for what is no key."""
    if crypto is Crypto.sr25519:
        import sr25519

        public, secret = sr25519.pair_from_ed25519_secret_key(stored)
    else:
        import ed25519_zebra

        secret, public = ed25519_zebra.ed_from_seed(stored[:32])
    return UnlockedSigner(crypto, bytes(public), bytes(secret))
