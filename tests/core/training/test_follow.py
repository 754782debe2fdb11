"""Following a run by its journal, while somebody holds it and when nobody does."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from decentralml.core.training import journal
from decentralml.core.training.follow import follow
from decentralml.core.training.locks import hold


def text(event: journal.Event) -> str:
    assert isinstance(event, journal.Warning)
    return event.text


@pytest.fixture
def writer(tmp_path: Path) -> journal.Writer:
    return journal.Writer(tmp_path / "journal.jsonl")


def test_a_run_that_nobody_holds_is_read_to_its_end(tmp_path: Path, writer: journal.Writer) -> None:
    writer.write(journal.Warning(text="one"))
    offset = writer.offset
    writer.write(journal.Stopped())
    writer.write(journal.Warning(text="after a resume"))
    assert [type(e) for e in follow(tmp_path)] == [journal.Warning, journal.Stopped, journal.Warning]
    assert [type(e) for e in follow(tmp_path, offset)] == [journal.Stopped, journal.Warning]


def test_events_come_as_they_are_written_until_the_lock_is_let_go(
    tmp_path: Path, writer: journal.Writer
) -> None:
    lock = hold(tmp_path / "lock")
    assert lock is not None
    events = follow(tmp_path)
    writer.write(journal.Warning(text="one"))
    assert text(next(events)) == "one"
    later = threading.Thread(target=lambda: writer.write(journal.Warning(text="two")))
    later.start()
    assert text(next(events)) == "two"
    writer.write(journal.Finished())
    os.close(lock)
    assert list(events) == [journal.Finished()]


def test_following_can_be_given_up(
    tmp_path: Path, writer: journal.Writer, wait_for: Callable[..., Any]
) -> None:
    lock = hold(tmp_path / "lock")
    assert lock is not None
    enough = threading.Event()
    thread = threading.Thread(target=lambda: list(follow(tmp_path, cancelled=enough.is_set)))
    thread.start()
    enough.set()
    wait_for(lambda: not thread.is_alive())
    os.close(lock)
