"""The worker's pipe: lines however they are cut, step lines that thin out as a run grows long."""

from decentralml.core.training import journal
from decentralml.core.training.intake import Intake


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_lines_are_whole_however_the_pipe_cuts_them() -> None:
    taken: list[journal.Event] = []
    intake = Intake(taken.append, clock=Clock())
    stream = b'{"kind":"warning","text":"one"}\n{"kind":"saved","folder":"m"}\n'
    for byte in stream:
        intake.feed(bytes([byte]))
    assert taken == [journal.Warning(text="one"), journal.Saved(folder="m")]


def test_a_line_without_end_takes_no_memory_and_hides_nothing_that_follows() -> None:
    taken: list[journal.Event] = []
    intake = Intake(taken.append, clock=Clock())
    for _ in range(100):
        intake.feed(b"x" * 100_000)
    intake.feed(b'\n{"kind":"saved","folder":"m"}\n')
    assert len(taken) == 2
    assert taken[1] == journal.Saved(folder="m")


def test_a_run_of_days_writes_a_journal_that_is_read_at_once() -> None:
    taken: list[journal.Event] = []
    clock = Clock()
    intake = Intake(taken.append, clock=clock)
    for tenth in range(10 * 3600 * 10):
        clock.now = tenth / 10
        intake.feed(b'{"kind":"step","fit":1,"epoch":1,"step":1}\n')
    assert 36_000 < len(taken) < 100_000


def test_an_epoch_is_never_thinned() -> None:
    taken: list[journal.Event] = []
    intake = Intake(taken.append, clock=Clock())
    for _ in range(1_000):
        intake.feed(b'{"kind":"epoch","fit":1,"epoch":1}\n')
    assert len(taken) == 1_000
