"""Many files at once: progress told truly, the first error ends the rest, and a hang is a failure."""

import errno
import threading
from collections.abc import Callable

import pytest

from decentralml.core.errors import Failed, Interrupted
from decentralml.core.storage import transfer
from decentralml.core.storage.base import Progress
from decentralml.core.storage.transfer import Meter


def moving(size: int, name: str = "f") -> Callable[[Meter], str]:
    def job(meter: Meter) -> str:
        meter.moved(size, name)
        return name

    return job


def test_results_come_back_in_the_order_of_the_jobs() -> None:
    jobs = [moving(1, str(index)) for index in range(50)]
    assert transfer.run(jobs, 50) == [str(index) for index in range(50)]


def test_no_job_is_no_work() -> None:
    assert transfer.run([], 0) == []


def test_progress_starts_at_nothing_and_ends_at_all() -> None:
    seen: list[Progress] = []
    transfer.run([moving(30, "a"), moving(70, "b")], 100, on_progress=seen.append)
    assert (seen[0].total, seen[-1].done, seen[-1].eta) == (100, 100, 0.0)
    assert [p.done for p in seen] == sorted(p.done for p in seen)


def test_progress_is_reported_in_the_thread_that_called() -> None:
    threads = set()
    transfer.run([moving(1)], 1, on_progress=lambda _: threads.add(threading.get_ident()))
    assert threads == {threading.get_ident()}


def test_what_was_here_before_makes_no_rate_and_no_promise() -> None:
    seen: list[Progress] = []
    reported = threading.Event()

    def job(meter: Meter) -> None:
        meter.moved(500, "f", kept=True)
        assert reported.wait(30)
        meter.moved(500, "f")

    def on_progress(progress: Progress) -> None:
        seen.append(progress)
        if progress.done == 500:
            reported.set()

    transfer.run([job], 1000, on_progress=on_progress)
    half = next(p for p in seen if p.done == 500)
    assert (half.rate, half.eta) == (0.0, None)


def test_the_first_error_stops_the_others() -> None:
    began = threading.Event()
    ended: list[str] = []

    def long(meter: Meter) -> None:
        began.set()
        try:
            while True:
                meter.moved(0, "long")
        finally:
            ended.append("long")

    def wrong(meter: Meter) -> None:
        assert began.wait(30)
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        transfer.run([long, wrong, moving(1)], 3)
    assert ended == ["long"]


def test_a_cancelled_transfer_is_an_interruption() -> None:
    def endless(meter: Meter) -> None:
        while True:
            meter.moved(1, "f")

    with pytest.raises(Interrupted) as interrupted:
        transfer.run([endless], 1, cancelled=lambda: True)
    assert interrupted.value.code == "Cancelled"


def test_nothing_moving_for_a_while_is_a_failure() -> None:
    thawed = threading.Event()
    with pytest.raises(Failed) as failed:
        transfer.run([lambda _: thawed.wait(30)], 1, patience=0.2)
    thawed.set()
    assert failed.value.code == "Stalled"


def test_a_long_transfer_that_moves_is_none() -> None:
    """It outlasts its patience: ten reports take most of a second."""
    seen: list[Progress] = []

    def slow(meter: Meter) -> str:
        while len(seen) < 10:
            meter.moved(1, "f")
        return "slow"

    assert transfer.run([slow], 1, on_progress=seen.append, patience=0.5) == ["slow"]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "DiskFull"),
        (errno.EDQUOT, "DiskFull"),
        (errno.EFBIG, "DiskFull"),
        (errno.EIO, "TransferBroken"),
    ],
)
def test_a_disks_error_says_what_to_do(number: int, code: str) -> None:
    failed = transfer.broken(OSError(number, "some words"), "writing")
    assert (failed.code, failed.exit_code) == (code, 4)
    assert failed.hint
