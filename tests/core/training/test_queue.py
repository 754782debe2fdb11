"""The queue: who runs, who waits, and what a crash leaves."""

import subprocess
import sys
from pathlib import Path

import pytest

from decentralml.core.training.queue import Ticket, set_limit

HOLD = """
import sys
from pathlib import Path
from decentralml.core.training.queue import Ticket
ticket = Ticket(Path(sys.argv[1]), int(sys.argv[2]))
print(ticket.admitted(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    set_limit(tmp_path, 1)
    return tmp_path


def test_the_lowest_id_goes_first(folder: Path) -> None:
    first = Ticket(folder, 1)
    assert first.admitted()
    late, early = Ticket(folder, 9), Ticket(folder, 5)
    assert not late.admitted()
    assert not early.admitted()
    assert early.running() == 1
    first.leave()
    assert not late.admitted()
    assert early.admitted()
    early.leave()
    assert late.admitted()


def test_as_many_run_as_the_limit_says_and_a_new_limit_counts_at_once(folder: Path) -> None:
    tickets = [Ticket(folder, id) for id in range(4)]
    set_limit(folder, 2)
    assert [ticket.admitted() for ticket in tickets] == [True, True, False, False]
    set_limit(folder, 3)
    assert [ticket.admitted() for ticket in tickets] == [True, True, True, False]
    set_limit(folder, 0)
    for ticket in tickets[:3]:
        ticket.leave()
    assert tickets[3].admitted()


def test_who_gave_up_waiting_is_in_nobodys_way(folder: Path) -> None:
    waiting, other = Ticket(folder, 1), Ticket(folder, 2)
    assert not other.admitted()
    waiting.leave()
    assert other.admitted()


def test_a_crash_frees_the_slot(folder: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout
        assert holder.stdout.readline() == "True\n"
        ticket = Ticket(folder, 2)
        assert not ticket.admitted()
        holder.kill()
    assert ticket.admitted()
    assert not (folder / "running-1").exists()


def test_a_broken_limit_lets_one_run(folder: Path) -> None:
    (folder / "limit").write_text("many")
    first, second = Ticket(folder, 1), Ticket(folder, 2)
    assert first.admitted()
    assert not second.admitted()


def test_a_limit_that_stands_is_not_written_again(folder: Path) -> None:
    """Whoever lists the runs sets it, also on a full disk."""
    set_limit(folder, 2)
    (written,) = folder.glob("limit")
    before = written.stat().st_ino
    set_limit(folder, 2)
    assert written.stat().st_ino == before
