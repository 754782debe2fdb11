"""Signed calls whose outcome is not known yet: the outbox that keeps a crash from doing anything twice."""

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from decentralml.core.chain.base import Chain, Extrinsic, Receipt, Stage
from decentralml.core.chain.calls import Call, CreateTask
from decentralml.core.errors import Refused
from decentralml.core.paths import Home, write_atomic
from decentralml.core.signing import Signer

OnStage = Callable[[Stage], None]
_ATTEMPTS = 8
_LIFE = 86_400  # seconds; no chain takes an extrinsic that old


class Intent(Struct, frozen=True):
    """What was about to be sent: the hash of the signed extrinsic."""

    extrinsic_hash: str


class Intents:
    """One file an unfinished call, written before it is sent and removed once its outcome is known."""

    def __init__(self, home: Home, chain: Chain) -> None:
        self._home = home
        self._chain = chain

    @property
    def _folder(self) -> Path:
        return self._home.intents

    def send_once(self, call: Call, signer: Signer, *, on_stage: OnStage | None = None) -> Receipt:
        """Sign and submit ``call``, unless the same call has landed already: then answer with its receipt.

        Where another terminal of the same account comes between, it is signed anew. Raises as `Chain.submit`.
        """
        earlier = self._settled(call, signer.address)
        if earlier is not None:
            return earlier
        attempts = 0
        while True:
            attempts += 1
            extrinsic = self._chain.sign(call, signer)
            self._write(extrinsic)
            try:
                receipt = self._chain.submit(extrinsic, on_stage=on_stage)
            except Refused as refusal:
                self._forget(call, signer.address)
                if refusal.code != "StaleNonce" or attempts == _ATTEMPTS:
                    raise
            else:
                self._forget(call, signer.address)
                return receipt

    def unsettled(self) -> bool:
        """Whether a call was cut off before its outcome was known, within the last day."""
        found = False
        for path in self._folder.iterdir():
            if time.time() - path.stat().st_mtime > _LIFE:
                path.unlink(missing_ok=True)
            else:
                found = True
        return found

    def _settled(self, call: Call, address: str) -> Receipt | None:
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

    def _write(self, extrinsic: Extrinsic) -> None:
        """Note that ``extrinsic`` is about to be sent. Durable when this returns."""
        write_atomic(
            self._path(extrinsic.call, extrinsic.signer), msgspec.json.encode(Intent(extrinsic.hash))
        )

    def _forget(self, call: Call, address: str) -> None:
        """The outcome of ``call`` is known."""
        self._path(call, address).unlink(missing_ok=True)

    def _path(self, call: Call, address: str) -> Path:
        # A task created again after a crash ends a few blocks later: the expiry does not tell calls apart.
        if isinstance(call, CreateTask):
            call = CreateTask(msgspec.structs.replace(call.terms, expiration_block=0))
        key = json.dumps([self._chain.genesis, address, msgspec.to_builtins(call)], sort_keys=True)
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
