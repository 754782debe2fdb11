"""What is known of a run from its events."""

import math

from decentralml.core.training import journal as j
from decentralml.core.training.progress import Progress, fold


def test_the_end_is_told_by_the_batches_until_a_whole_epoch_was_seen_that_built_no_graph() -> None:
    p = fold(Progress(), [j.Started(t=1, attempt=1), j.Fit(fit=1, epochs=40, steps=10)])
    assert (p.phase, p.epoch, p.eta) == ("running", 1, None)
    # 20 s went into the graph; the batches after the first take 0.1 s each.
    fold(p, [j.Step(fit=1, epoch=1, step=1, steps=10, seconds=20.0)])
    assert p.eta is None
    fold(p, [j.Step(fit=1, epoch=1, step=5, steps=10, rate=10.0, seconds=20.4)])
    assert p.eta == 39.5
    fold(p, [j.Epoch(fit=1, epoch=1, seconds=21.0)])
    assert (p.eta, p.step, p.epoch_seconds) == (39.0, 10, 21.0)
    fold(p, [j.Epoch(fit=1, epoch=2, seconds=2.0)])
    assert p.eta == 76.0
    fold(p, [j.Step(fit=1, epoch=3, step=5, steps=10, rate=10.0, seconds=0.5)])
    assert p.eta == 75.0
    fold(p, [j.Finished(t=9)])
    assert (p.phase, p.eta, p.ended) == ("finished", None, 9)


def test_the_pace_forgets_a_machine_that_was_slow_and_a_new_attempt_begins_anew() -> None:
    slow = [j.Epoch(fit=1, epoch=n, seconds=9.0) for n in range(1, 11)]
    fast = [j.Epoch(fit=1, epoch=n, seconds=1.0) for n in range(11, 31)]
    p = fold(Progress(), [j.Fit(fit=1, epochs=40, steps=10), *slow])
    assert p.eta == 30 * 9.0
    fold(p, fast)
    assert p.eta is not None
    assert 10.0 <= p.eta < 10.1
    fold(p, [j.Started(t=7, attempt=2, resumed=True), j.Fit(fit=1, epochs=40, steps=10, initial_epoch=18)])
    assert (p.eta, p.pace) == (None, None)
    fold(p, [j.Epoch(fit=1, epoch=19, seconds=30.0)])
    assert p.eta is None


def test_no_end_is_invented_for_data_of_unknown_length() -> None:
    p = fold(Progress(), [j.Fit(fit=1, epochs=4), j.Step(fit=1, epoch=1, step=5, seconds=2.0)])
    fold(p, [j.Epoch(fit=1, epoch=1, seconds=6.0)])
    assert p.eta is None


def test_what_a_script_says_of_time_always_comes_to_an_end_that_can_be_reckoned_out() -> None:
    most = 2**53
    slow = b'{"kind":"step","step":1,"steps":%d,"rate":1e-9,"seconds":1e9}' % most
    p = fold(Progress(), [j.Fit(fit=1, epochs=most, steps=most), j.from_worker(slow)])
    assert p.eta is not None
    assert math.isfinite(p.eta)
    endless = j.from_worker(b'{"kind":"epoch","epoch":1,"seconds":1e9}')
    fold(p, [endless] * 5)
    assert math.isfinite(p.eta)


def test_a_new_attempt_forgets_how_the_last_one_ended() -> None:
    p = fold(Progress(), [j.Started(t=1, attempt=1), j.Failed(t=5, error="no", code="X", traceback="t")])
    assert (p.phase, p.error, p.ended) == ("failed", "no", 5)
    fold(p, [j.Queued(t=6)])
    assert (p.phase, p.error, p.traceback, p.code, p.ended) == ("queued", "", "", "", None)
    fold(p, [j.Started(t=7, attempt=2, resumed=True)])
    assert (p.phase, p.attempt, p.started) == ("starting", 2, 1)


def test_no_figure_of_a_broken_attempt_or_an_earlier_fit_stands_beside_a_new_epoch() -> None:
    loss: dict[str, float | None] = {"loss": 0.5}
    whole = [j.Fit(fit=1, epochs=40), j.Epoch(fit=1, epoch=31, metrics=loss, seconds=1.0)]
    p = fold(Progress(), [j.Started(t=1, attempt=1), *whole])
    assert (p.epoch, p.epoch_metrics) == (31, loss)
    fold(p, [j.Queued(t=6), j.Started(t=7, attempt=2, resumed=True)])
    assert (p.epoch, p.metrics, p.epoch_metrics) == (0, {}, {})
    fold(p, [j.Fit(fit=1, epochs=40, initial_epoch=18)])
    assert (p.epoch, p.metrics, p.epoch_metrics) == (19, {}, {})
    fold(p, [j.Epoch(fit=1, epoch=19, metrics=loss), j.Fit(fit=2, epochs=2)])
    assert (p.epoch, p.metrics, p.epoch_metrics) == (1, {}, {})


def test_pauses_are_seen_and_peaks_are_kept() -> None:
    p = fold(Progress(), [j.Load(rss=5), j.Load(rss=9), j.Load(rss=3), j.Paused()])
    assert (p.phase, p.peak_rss, p.load) == ("paused", 9, j.Load(rss=3))
    assert fold(p, [j.Resumed()]).phase == "running"


def test_warnings_do_not_pile_up() -> None:
    p = fold(Progress(), [j.Warning(text=str(n)) for n in range(100)])
    assert p.warnings == [str(n) for n in range(80, 100)]
