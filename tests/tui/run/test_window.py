"""What is seen of a run's epochs, and where the crosshair stands in it."""

import math

import pytest

from decentralml.tui.run.plot import Line
from decentralml.tui.run.window import Stops, Window

ALL = (0.0, 2000.0)


def epochs(count: int) -> Line:
    x = [float(n) for n in range(1, count + 1)]
    return Line("train", "train", x, x, ends=(x, x))


def batches(count: int, an_epoch: int) -> Line:
    x = [float(n) for n in range(1, count + 1)]
    ends = [float(n) for n in range(1, count // an_epoch + 1)]
    return Line(
        "train",
        "train",
        x,
        x,
        at=lambda epoch: epoch * an_epoch,
        back=lambda x: x / an_epoch,
        ends=(ends, ends),
    )


def test_closer_and_wider_lead_to_a_few_epochs_and_back_to_all() -> None:
    window = Window()
    for _ in range(6):
        window = window.zoomed(0.5, 490, 2000, 2000)
    start, end = window.seen(2000, 2000)
    assert start < 490 < end
    assert end - start == 2000 / 64
    for _ in range(6):
        window = window.zoomed(2, 490, 2000, 2000)
    assert window == Window()


def test_what_is_zoomed_around_stays_where_it_is() -> None:
    window = Window(100, 500)
    start, end = window.zoomed(0.5, 425, 2000, 2000).seen(2000, 2000)
    assert (425 - start) / (end - start) == pytest.approx((425 - 400) / 100)


def test_one_that_holds_the_newest_point_follows_it_and_not_at_every_point() -> None:
    window = Window().zoomed(0.25, None, 80, 80)
    seen = [window.seen(newest, 200) for newest in range(80, 121)]
    assert all(start < newest <= end for newest, (start, end) in enumerate(seen, 80))
    assert len({*seen}) <= 18


def test_one_that_does_not_hold_the_newest_point_stays() -> None:
    window = Window().zoomed(0.25, 30, 80, 80)
    assert window.seen(80, 80) == window.seen(120, 200)


def test_one_never_leaves_the_axis() -> None:
    window = Window(20, 40)
    for _ in range(9):
        window = window.panned(-0.5, 80, 80)
    assert window.seen(80, 80) == (0, 20)
    for _ in range(9):
        window = window.panned(0.5, 80, 80)
    assert window.seen(80, 80) == (60, 80)
    assert window.right is None, "it follows again"


def test_all_of_it_cannot_be_panned() -> None:
    assert Window().panned(0.5, 80, 80) == Window()


def test_the_crosshair_stops_at_whole_epochs_once_a_column() -> None:
    stops, place, visited = Stops([batches(60_000, 30)], ALL, 100), 0.0, []
    while not math.isinf(place := stops.after(place)):
        visited.append(place)
    assert all(place == int(place) for place in visited)
    assert visited == [20.0 * n for n in range(2, 101)]
    assert stops.before(visited[50]) == visited[49]


def test_of_few_epochs_it_stops_at_each() -> None:
    stops = Stops([batches(600, 30)], (0, 20), 100)
    assert [stops.after(place) for place in (0, 1, 2)] == [1, 2, 3]
    assert [stops.before(place) for place in (3, 2, 1)] == [2, 1, 1]


def test_within_a_wide_epoch_it_stops_at_each_point_of_each_line() -> None:
    lines = [batches(600, 5), epochs(20)]
    stops = Stops(lines, (7, 9), 100)
    assert [stops.after(7.0), stops.after(7.2), stops.after(7.8)] == pytest.approx([7.2, 7.4, 8])
    assert stops.before(8) == pytest.approx(7.8)


def test_before_an_epoch_has_ended_it_stops_at_points() -> None:
    assert Stops([batches(7, 30)], (0, 1), 100).after(0.1) == pytest.approx(4 / 30)


def test_of_no_point_and_of_a_single_one_there_is_a_stop() -> None:
    assert Stops([], (0, 1), 10).at(0.5) == 0
    assert math.isinf(Stops([], (0, 1), 10).after(0.5))
    single = Stops([epochs(1)], (0, 1), 10)
    assert single.at(0) == single.at(1) == single.before(1) == 1
