"""The journal: what a worker may say, and what a reader sees of it."""

import os
from pathlib import Path

import msgspec
import pytest

from decentralml.core.training import journal


def write(path: Path, *events: journal.Event) -> None:
    writer = journal.Writer(path)
    for event in events:
        writer.write(event)
    writer.close()


def test_events_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    events = [
        journal.Started(t=1.0, attempt=2, resumed=True, protection="bwrap"),
        journal.Step(t=2.0, fit=1, epoch=3, step=4, metrics={"loss": 0.5}),
        journal.Epoch(t=3.0, metrics={"loss": None}, nonfinite=["loss"]),
        journal.Stopped(t=4.0),
    ]
    write(path, *events)
    assert journal.read(path) == (events, path.stat().st_size)


def test_reading_goes_on_from_an_offset_and_leaves_a_torn_line_for_later(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    write(path, journal.Warning(text="one"))
    line = b'{"kind":"warning","text":"two"}\n'
    with path.open("ab") as file:
        file.write(line[:12])
    events, offset = journal.read(path)
    assert events == [journal.Warning(text="one")]
    assert journal.read(path, offset) == ([], offset)
    with path.open("ab") as file:
        file.write(line[12:])
    assert journal.read(path, offset) == ([journal.Warning(text="two")], path.stat().st_size)


def test_a_line_torn_by_a_crash_is_closed_and_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"kind":"warning","text":"one"}\n{"kind":"warn')
    write(path, journal.Warning(text="two"))
    assert [e.text for e in journal.read(path)[0] if isinstance(e, journal.Warning)] == ["one", "two"]


def test_a_kind_of_a_newer_version_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"kind":"weather","sun":true}\n{"kind":"finished","mood":"good"}\n')
    assert journal.read(path)[0] == [journal.Finished()]


def test_no_journal_yet_is_no_event(tmp_path: Path) -> None:
    assert journal.read(tmp_path / "none", 0) == ([], 0)


def test_every_line_is_one_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: (written.append(bytes(data)), real(fd, data))[1])
    write(tmp_path / "j", journal.Finished(), journal.Warning(text="x"))
    assert all(line.count(b"\n") == 1 and line.endswith(b"\n") for line in written)
    assert len(written) == 2


@pytest.mark.parametrize("kind", ["started", "load", "queued", "stopped", "weather"])
def test_a_worker_cannot_say_what_only_the_supervisor_may(kind: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        journal.from_worker(b'{"kind":"%s"}' % kind.encode())


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"epoch 3 of 5",
        b"[]",
        b'{"kind":"step","step":-1}',
        b'{"kind":"step","step":"3"}',
        b'{"kind":"step","metrics":{"loss":NaN}}',
        b'{"kind":"step","metrics":{"loss":1e999}}',
        b'{"kind":"step","metrics":{"loss":{"a":1}}}',
        b'{"kind":"step","step":99999999999999999999999}',
        b'{"kind":"step","rate":1e-320}',
        b'{"kind":"step","seconds":-1}',
        b'{"kind":"epoch","seconds":1e308}',
        b'{"kind":"tried","seconds_epoch":5e-324}',
        b'{"kind":"saved","folder":"%s"}' % (b"x" * 1000),
        b"\xff\xfe",
        b"[" * 5000,
    ],
)
def test_what_is_no_event_is_refused(line: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError, RecursionError)):
        journal.from_worker(line)


def test_control_and_bidi_characters_are_taken_out() -> None:
    event = journal.from_worker(
        '{"kind":"failed","error":"a\\u001b[2Jb\u202ec","traceback":"x\\ny\\u0007"}'.encode()
    )
    assert event == journal.Failed(error="a[2Jbc", traceback="x\ny")
    step = journal.from_worker('{"kind":"step","metrics":{"lo\u202ess":1}}'.encode())
    assert step == journal.Step(metrics={"loss": 1.0})
