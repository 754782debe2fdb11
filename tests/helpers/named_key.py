"""A key whose secret is its name."""

import sr25519

from decentralml.core.signing import Crypto, encode_address


class Key:
    crypto = Crypto.sr25519

    def __init__(self, name: str) -> None:
        self.pair = sr25519.pair_from_seed(name.encode().ljust(32, b"."))
        self.address = encode_address(self.pair[0])

    def sign(self, message: bytes) -> bytes:
        return bytes(sr25519.sign(self.pair, message))
