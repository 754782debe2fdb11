"""The first bytes of a ledger: its constants, its faucet, and when its first block was."""

import os
import secrets
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from decentralml.core.chain import codec, database, schema
from decentralml.core.chain.database import FILE_MODE, FOLDER_MODE, translated
from decentralml.core.chain.seen import forget
from decentralml.core.domain import MAX_U32, Constants
from decentralml.core.errors import Failed, Misused, Refused
from decentralml.core.paths import sync

OPEN = "open"
NONE = "none"
_COMPANIONS = ("-wal", "-shm", "-journal")


class Genesis(Struct, frozen=True, kw_only=True):
    """``time`` is the Unix second of block 0; ``salt`` tells ledgers of the same second apart.

    ``faucet``: "open" (anyone grants), "none", or the one address that may grant.
    """

    time: int
    salt: str
    faucet: str
    constants: Constants

    def block(self, now: float) -> int:
        """The block of the Unix time ``now``; negative before the first."""
        return int((now - self.time) // self.constants.block_time)


def decode(body: bytes) -> Genesis:
    """Raises `Failed` ("LedgerDamaged")."""
    try:
        genesis = msgspec.json.decode(body, type=Genesis)
    except (msgspec.MsgspecError, ValueError) as error:
        raise schema.damaged("its genesis cannot be read") from error
    if codec.encode(genesis) != body or not _sane(genesis.constants):
        raise schema.damaged("its genesis cannot be read")
    return genesis


def _sane(constants: Constants) -> bool:
    periods = (constants.block_time, constants.work_period, constants.review_period, constants.max_term)
    return all(1 <= number <= MAX_U32 for number in periods) and constants.existential_deposit > 0


def create(
    path: Path,
    *,
    block_time: int = Constants().block_time,
    work_period: int = Constants().work_period,
    review_period: int = Constants().review_period,
    faucet: str = OPEN,
    seen: Path | None = None,
    now: Callable[[], float] = time.time,
    exist_ok: bool = False,
) -> None:
    """Make a new ledger at ``path``, whole or not at all; its folder, where missing, for one group.

    ``block_time`` in seconds, periods in blocks. ``seen`` is the home's memory, told to forget the
    ledger that was at ``path`` before. Raises `Misused` ("BadPeriod", "BadAddress"), `Refused`
    ("LedgerExists" unless ``exist_ok``), `Unavailable` ("LedgerUnreachable", "NetworkFileSystem").
    """
    constants = Constants(block_time=block_time, work_period=work_period, review_period=review_period)
    if not _sane(constants):
        raise Misused(
            "BadPeriod",
            f"Block time and periods must be whole numbers from 1 to {MAX_U32}.",
            "Give the block time in seconds, the periods in blocks.",
        )
    if faucet not in (OPEN, NONE):
        codec.canonical_address(faucet)
    genesis = Genesis(time=int(now()), salt=secrets.token_hex(16), faucet=faucet, constants=constants)
    if exist_ok and database.exists(path):
        return
    with translated(path):
        _make_folder(path.parent)
        database.refuse_network_file_system(path.parent)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
        try:
            _write(temporary, codec.encode(genesis))
            # A link, unlike a rename, fails where another process was quicker.
            os.link(temporary, path)
        except FileExistsError as error:
            if not exist_ok:
                raise Refused(
                    "LedgerExists",
                    f"There is a ledger at {path} already.",
                    "Name another file, or use that one.",
                ) from error
            return
        finally:
            for end in ("", *_COMPANIONS):
                temporary.with_name(temporary.name + end).unlink(missing_ok=True)
        sync(path.parent)
    if seen is not None:
        forget(seen, path)


def _make_folder(folder: Path) -> None:
    """Make ``folder`` for one group; one that is there keeps the mode that its owner chose."""
    if folder.is_dir():
        return
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        folder.mkdir()
    except FileExistsError:
        return
    folder.chmod(FOLDER_MODE)


def _write(path: Path, genesis: bytes) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
    path.chmod(FILE_MODE)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {schema.VERSION}")
        connection.execute("BEGIN")
        for statement in schema.SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute("INSERT INTO genesis VALUES (0, ?)", (genesis,))
        connection.execute("COMMIT")
    finally:
        connection.close()
    if any(path.with_name(path.name + end).exists() for end in _COMPANIONS):
        raise Failed("DiskFull", f"The ledger {path} could not be completed.", "Make room on the disk.")
    sync(path)
