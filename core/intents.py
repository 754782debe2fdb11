"""Signed calls whose outcome is not known yet: the outbox that keeps a crash from doing anything twice."""

import hashlib
import json
from pathlib import Path

import msgspec
from msgspec import Struct

from decentralml.core.chain.base import Chain, Extrinsic, Receipt
from decentralml.core.chain.calls import Call, CreateTask
from decentralml.core.paths import Home, write_atomic


class Intent(Struct, frozen=True):
    """What was about to be sent: the hash of the signed extrinsic."""

    extrinsic_hash: str


class Intents:
    """One file an unfinished call, written before it is sent and removed once its outcome is known."""

    def __init__(self, home: Home, chain: Chain) -> None:
        self._folder = home.intents
        self._chain = chain

    def settled(self, call: Call, address: str) -> Receipt | None:
        """The receipt of the same call sent before a crash; None where there was none or it never arrived."""
        path = self._path(call, address)
        try:
            intent = msgspec.json.decode(path.read_bytes(), type=Intent)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError:
            path.unlink(missing_ok=True)
            return None
        receipt = self._chain.receipt(intent.extrinsic_hash)
        if receipt is not None:
            path.unlink(missing_ok=True)
        return receipt

    def write(self, extrinsic: Extrinsic) -> None:
        """Note that ``extrinsic`` is about to be sent. Durable when this returns."""
        write_atomic(
            self._path(extrinsic.call, extrinsic.signer), msgspec.json.encode(Intent(extrinsic.hash))
        )

    def forget(self, call: Call, address: str) -> None:
        """The outcome of ``call`` is known."""
        self._path(call, address).unlink(missing_ok=True)

    def _path(self, call: Call, address: str) -> Path:
        # A task created again after a crash ends a few blocks later: the expiry does not tell calls apart.
        if isinstance(call, CreateTask):
            call = CreateTask(msgspec.structs.replace(call.terms, expiration_block=0))
        key = json.dumps([self._chain.genesis, address, msgspec.to_builtins(call)], sort_keys=True)
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
