"""What a home remembers of a ledger: a rewritten, replaced or missing one is refused."""

from pathlib import Path
from typing import Any

import pytest

from decentralml.core.chain import ledger as ledger_module
from decentralml.core.chain.connect import connect
from decentralml.core.chain.ledger import Ledger, create
from decentralml.core.paths import Home

from .conftest import code

RICH = 10**15


def test_an_unreadable_memory_is_refused(path: Path, tmp_path: Path, clock: Any) -> None:
    seen = tmp_path / "seen.json"
    seen.write_text("{")
    assert code(lambda: Ledger(path, seen=seen, now=clock)) == "SeenUnreadable"


def test_the_memory_only_moves_forward(path: Path, tmp_path: Path, clock: Any, key: Any) -> None:
    seen = tmp_path / "seen.json"
    one, two = (Ledger(path, seen=seen, now=clock) for _ in range(2))
    one.fund(key("anna").address, RICH)
    one.fund(key("anna").address, RICH)
    one.close()
    after = seen.read_bytes()
    assert b'"row":2' in after
    two.close()
    assert seen.read_bytes() == after


@pytest.mark.parametrize("often", [True, False])
def test_what_is_on_the_chain_is_not_called_undone_by_a_home_that_cannot_note_it(
    path: Path, tmp_path: Path, clock: Any, key: Any, monkeypatch: pytest.MonkeyPatch, often: bool
) -> None:
    seen = tmp_path / "seen.json"
    seen.with_name(".seen.json.lock").mkdir()
    monkeypatch.setattr(ledger_module, "SAVE_SECONDS", -1.0 if often else 60.0)
    for rows in (1, 2):
        ledger = Ledger(path, seen=seen, now=clock)
        assert ledger.fund(key("anna").address, RICH).block == 0
        assert ledger.last_cursor() == rows
        ledger.close()
    assert not seen.exists()


def test_another_chain_in_a_known_place_is_refused(path: Path, tmp_path: Path, clock: Any) -> None:
    seen = tmp_path / "seen.json"
    Ledger(path, seen=seen, now=clock).close()
    path.unlink()
    create(path, now=clock)
    assert code(lambda: Ledger(path, seen=seen, now=clock)) == "LedgerReplaced"
    path.unlink()
    create(path, now=clock, seen=seen)
    Ledger(path, seen=seen, now=clock).close()


def test_a_ledger_is_watched_where_it_was_moved_to(path: Path, tmp_path: Path, clock: Any) -> None:
    seen = tmp_path / "seen.json"
    Ledger(path, seen=seen, now=clock).close()
    moved = path.rename(tmp_path / "moved.sqlite")
    Ledger(moved, seen=seen, now=clock).close()
    moved.unlink()
    create(moved, now=clock)
    assert code(lambda: Ledger(moved, seen=seen, now=clock)) == "LedgerReplaced"


def test_a_home_whose_ledger_is_gone_makes_no_other_by_itself(home: Home) -> None:
    connect("local", home).close()
    home.ledger.unlink()
    assert code(lambda: connect("local", home)) == "LedgerGone"
    assert not home.ledger.exists()
