"""The log of a worker: bounded, and shown without what would act on a terminal."""

from pathlib import Path

from decentralml.core.training.output import Output
from decentralml.core.training.runs import tail


def test_a_log_keeps_its_newest_and_stays_small(tmp_path: Path) -> None:
    output = Output(tmp_path / "output.log", half=1_000)
    for number in range(1_000):
        output.write(b"line %d\n" % number)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2_000
    assert tail(tmp_path / "output.log", 150) == [f"line {n}" for n in range(850, 1_000)]


def test_of_a_progress_bar_its_last_state_is_shown(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"\r1/3\r2/3\r3/3\r\n\x1b]0;title\x07\x1b[1mbold\x1b[0m\n")
    assert tail(tmp_path / "log") == ["3/3", "bold"]


def test_of_no_log_nothing_is_shown(tmp_path: Path) -> None:
    assert tail(tmp_path / "log") == []
