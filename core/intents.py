"""Signed calls whose outcome is not known yet: the outbox that keeps a crash from doing anything twice."""

import contextlib
import hashlib
import json
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from decentralml.core.chain import rules
from decentralml.core.chain.base import Chain, Extrinsic, Receipt
from decentralml.core.chain.calls import AssignTask, Call, CloseTask, CreateTask, call_name
from decentralml.core.domain import StorageType
from decentralml.core.errors import Failed, Refused
from decentralml.core.paths import Home, write_atomic
from decentralml.core.signing import Signer
from decentralml.core.storage.base import STAND_IN

_ATTEMPTS = 8
_LIFE = 86_400  # seconds; no chain takes an extrinsic that old


class Intent(Struct, frozen=True):
    """What was about to be sent: the hash of the signed extrinsic, and the chain that it is for."""

    extrinsic_hash: str
    genesis: str = ""


class Intents:
    """One file an unfinished call, written before it is sent and removed once its outcome is known."""

    def __init__(self, home: Home, chain: Chain) -> None:
        self._home = home
        self._chain = chain

    @property
    def _folder(self) -> Path:
        return self._home.intents

    def send_once(self, call: Call, signer: Signer) -> Receipt:
        """Sign and submit ``call``, unless the same call has landed already: then answer with its receipt.

        A call is made again once what it led to is over, which for a new task is never. Where another
        terminal of the same account comes between, it is signed anew. Raises as `Chain.submit`.
        """
        earlier = self._settled(call, signer.address)
        self._sweep()
        if earlier is not None:
            return earlier
        attempts = 0
        while True:
            attempts += 1
            extrinsic = self._chain.sign(call, signer)
            self._write(extrinsic)
            try:
                receipt = self._chain.submit(extrinsic)
            except Refused as refusal:
                self._forget(call, signer.address)
                if refusal.code != "StaleNonce" or attempts == _ATTEMPTS:
                    raise
            else:
                self._forget(call, signer.address)
                return receipt

    def landed(self, name: str, about: object, address: str) -> bool:
        """Whether ``address`` signed a call ``name`` about the same (see `about`) that landed unheard of.

        What such a call did is then no reason to refuse it: `send_once` answers with its receipt.
        """
        files = self._folder.glob(f"{self._wish(name, about, address)}-*.json")
        return any(self._receipt(path) is not None for path in files)

    def _settled(self, call: Call, address: str) -> Receipt | None:
        """The receipt of the same call sent before a crash; None where there was none or it never arrived."""
        path = self._path(call, address)
        receipt = self._receipt(path)
        if receipt is None:
            return None
        path.unlink(missing_ok=True)
        return receipt if isinstance(call, CreateTask) or self._stands(call, address) else None

    def _stands(self, call: Call, address: str) -> bool:
        """Whether ``call`` could not be made again, or would change nothing: what it led to is not over."""
        with self._chain.view() as view:
            try:
                after = rules.apply(view, call, address, view.block).submission
            except Refused:
                return True
            return after is not None and after == view.submission(after.id)

    def _receipt(self, path: Path) -> Receipt | None:
        intent = _read(path)
        return self._chain.receipt(intent.extrinsic_hash) if intent else None

    def _sweep(self) -> None:
        """Drop what never arrived on this chain, and cannot any more."""
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another terminal's, heard of meanwhile
                if time.time() - path.stat().st_mtime < _LIFE:
                    continue
                intent = _read(path)
                ours = intent is None or intent.genesis in ("", self._chain.genesis)
                if ours and self._receipt(path) is None:
                    path.unlink()

    def _write(self, extrinsic: Extrinsic) -> None:
        """Note that ``extrinsic`` is about to be sent. Durable when this returns. Raises `Failed`."""
        path = self._path(extrinsic.call, extrinsic.signer)
        try:
            write_atomic(path, msgspec.json.encode(Intent(extrinsic.hash, self._chain.genesis)))
        except OSError as error:
            raise Failed(
                "CannotWrite",
                f"{path} cannot be written: {error.strerror}.",
                "Nothing was sent. Make room, or see to the permissions, and try again.",
            ) from error

    def _forget(self, call: Call, address: str) -> None:
        """The outcome of ``call`` is known."""
        self._path(call, address).unlink(missing_ok=True)

    def _path(self, call: Call, address: str) -> Path:
        # A task created again after a crash ends a few blocks later: the expiry does not tell calls apart.
        if isinstance(call, CreateTask):
            call = CreateTask(msgspec.structs.replace(call.terms, expiration_block=0))
        wish = self._wish(call_name(call), about(call), address)
        return self._folder / f"{wish}-{_digest(msgspec.to_builtins(call))}.json"

    def _wish(self, name: str, about: object, address: str) -> str:
        return _digest([self._chain.genesis, address, name, about])


def about(call: Call) -> object:
    """What a call is about, known before anything is uploaded for it: its task, its submission, its terms."""
    if isinstance(call, CreateTask):
        terms = call.terms.with_assets(StorageType.Local, STAND_IN)
        return msgspec.to_builtins(msgspec.structs.replace(terms, expiration_block=0))
    if isinstance(call, AssignTask | CloseTask):
        return call.task_id
    return call.submission_id


def _read(path: Path) -> Intent | None:
    """None where there is none, or none that can be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Intent)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
