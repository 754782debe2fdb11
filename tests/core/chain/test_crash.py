"""Killed at any write, sync or rename: afterwards a call is there whole or not at all, and never twice."""

from pathlib import Path
from typing import Any

import kill_each
import pytest

from decentralml.core.chain import codec
from decentralml.core.chain.base import Extrinsic, TaskQuery
from decentralml.core.chain.calls import AcceptTaskResults, AssignTask, CreateTask, SendTaskResult
from decentralml.core.chain.ledger import Ledger, create
from decentralml.core.domain import StorageType

DIGEST = "a" * 64
DRIVER = Path(__file__).with_name("crash_driver.py")
PATH = f"local:#sha256={DIGEST}"


@pytest.fixture
def base(tmp_path: Path, key: Any, clock: Any, terms: Any) -> Path:
    """A ledger on which create, send and accept are each the next call of somebody, signed beside it."""
    path = tmp_path / "base" / "ledger.sqlite"
    create(path, now=clock)
    ledger = Ledger(path, seen=path.parent / "seen.json", now=clock)
    for who in ("creator", "anna", "ben", "other"):
        ledger.fund(key(who).address, 10**15)
    ledger.submit(ledger.sign(CreateTask(terms()), key("creator")))
    for who in ("anna", "ben"):
        ledger.submit(ledger.sign(AssignTask(1), key(who)))
    send = [SendTaskResult(n, result_path=PATH, result_storage_type=StorageType.Local) for n in (1, 2)]
    ledger.submit(ledger.sign(send[1], key("ben")))
    for name, call, who in (
        ("create", CreateTask(terms(question="Another?")), "other"),
        ("send", send[0], "anna"),
        ("accept", AcceptTaskResults(2, DIGEST), "creator"),
    ):
        (path.parent / name).write_bytes(ledger.sign(call, key(who)).body)
    ledger.close()
    return path


def done(ledger: Ledger, name: str) -> bool:
    """Whether the effect of the call is there, by the state alone."""
    if name == "create":
        return ledger.tasks(TaskQuery()).total == 2
    if name == "send":
        return ledger.submission(1).status == "PendingValidation"
    return ledger.submission(2).status == "Accepted"


# The most calls that a submission makes of each, and at which strace kills.
@pytest.mark.parametrize(
    ("name", "kills_at"), [("pwrite64", 150), ("fdatasync", 20), ("fsync", 20), ("rename", 20)]
)
def test_killed_at_every_call_nothing_is_half_and_nothing_twice(
    base: Path, tmp_path: Path, clock: Any, name: str, kills_at: int
) -> None:
    folder = tmp_path / "killed"
    folder.mkdir()
    files = ("create", "send", "accept")
    counts = kill_each.killed(
        DRIVER, name, kills_at, str(base), str(folder), name, str(kills_at), str(clock()), *files
    )
    assert all(counts.values()), "no child was ever killed"

    outcomes = set()
    for file in files:
        body = (base.parent / file).read_bytes()
        payload = codec.open_sealed(body)
        assert not isinstance(payload.call, codec.Fund)
        extrinsic = Extrinsic(payload.call, payload.signer, payload.nonce, codec.sha256(body), body)
        for number in range(1, counts[file] + 2):
            place = folder / f"{name}-{file}-{number}"
            ledger = Ledger(place / "ledger.sqlite", seen=place / "seen.json", now=clock)
            rows, there = ledger.last_cursor(), ledger.receipt(extrinsic.hash)
            assert ledger.verify().ok
            assert rows == 8 + (there is not None)
            assert done(ledger, file) == (there is not None)
            outcomes.add(there is not None)
            receipt = ledger.submit(extrinsic)
            assert there in (None, receipt)
            assert ledger.submit(extrinsic) == receipt
            assert (ledger.last_cursor(), done(ledger, file)) == (9, True)
            assert ledger.verify().ok
            assert ledger.total_issuance() == 4 * 10**15
            ledger.close()
    assert True in outcomes
