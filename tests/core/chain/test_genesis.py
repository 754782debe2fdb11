"""A ledger is made once, for one group; which one `local` and `local:FILE` name."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from decentralml.core.chain.base import Chain
from decentralml.core.chain.connect import connect
from decentralml.core.chain.ledger import Ledger, create
from decentralml.core.errors import Misused
from decentralml.core.paths import Home

from .conftest import code, forked

RICH = 10**15


def test_a_ledger_is_made_once(path: Path, ledger: Ledger, clock: Any) -> None:
    assert code(lambda: create(path, now=clock)) == "LedgerExists"
    create(path, now=clock, exist_ok=True)
    other = Ledger(path, now=clock)
    assert other.genesis == ledger.genesis
    other.close()
    assert [file.name for file in path.parent.glob("*.tmp")] == []


@pytest.mark.parametrize("period", ["block_time", "work_period", "review_period"])
@pytest.mark.parametrize("length", [0, -1, 2**32])
def test_a_period_of_no_length_is_refused(tmp_path: Path, period: str, length: int) -> None:
    assert code(lambda: create(tmp_path / "l", **{period: length})) == "BadPeriod"  # type: ignore[arg-type]


def test_a_faucet_that_is_no_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misused):
        create(tmp_path / "l", faucet="somebody")


def test_local_is_the_homes_own_ledger_made_where_missing(home: Home, tmp_path: Path) -> None:
    first = connect("local", home)
    again = connect("local", home)
    shared = connect(f"local:{home.ledger}", home)
    assert first.genesis == again.genesis == shared.genesis
    for chain in (first, again, shared):
        assert isinstance(chain, Chain)
        chain.close()
    assert code(lambda: connect(f"local:{tmp_path / 'missing'}", home)) == "NoLedger"
    assert code(lambda: connect("local:", home)) == "BadChain"
    assert code(lambda: connect(f"local:{tmp_path}", home)) == "BadChain", "a folder"
    assert code(lambda: connect("ipx://there", home)) == "UnknownChain"


def test_folder_and_files_are_set_for_the_group_whatever_the_umask(tmp_path: Path, key: Any) -> None:
    before = os.umask(0o077)
    try:
        path = tmp_path / "shared" / "ledger.sqlite"
        create(path)
        ledger = Ledger(path)
        ledger.fund(key("anna").address, RICH)
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o2770
        files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        ledger.close()
    finally:
        os.umask(before)
    assert files == dict.fromkeys(("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"), 0o660)


def test_two_users_of_a_group_take_turns(open_folder: Path, key: Any) -> None:
    group, one, two = 54321, 54322, 54323
    folder = open_folder / "shared"
    folder.mkdir()
    if os.geteuid() == 0:
        os.chown(folder, one, group)
    folder.chmod(0o2770)
    path = folder / "ledger.sqlite"

    def use(name: str) -> str:
        os.umask(0o077)
        create(path, exist_ok=True)
        ledger = Ledger(path)
        ledger.fund(key(name).address, RICH)
        free = ledger.balance(key("anna").address).free
        ledger.close()
        return str(free // RICH)

    answers = [forked(lambda: use("anna"), user, group) for user in (one, two, one)]
    assert answers == ["1", "2", "3"]


def test_somebody_outside_the_group_is_told(open_folder: Path) -> None:
    path = open_folder / "shared" / "ledger.sqlite"
    create(path)
    if os.geteuid() != 0:
        path.parent.chmod(0)
    answer = forked(lambda: Ledger(path).name, 54322)
    path.parent.chmod(0o2770)
    assert answer == "LedgerUnreachable"
