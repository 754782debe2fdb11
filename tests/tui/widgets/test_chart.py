"""Curves as cells: nothing breaks them, no peak is lost, and only what changed is drawn again."""

import math

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.events import MouseScrollDown, MouseScrollUp
from textual.geometry import Region
from textual.pilot import Pilot

from decentralml.tui.run import plot
from decentralml.tui.run.plot import BREAK, Grid, Line
from decentralml.tui.run.window import Window
from decentralml.tui.widgets.chart import Chart, Picture, View

NAN = math.nan


def line(y: list[float], **more: object) -> Line:
    return Line("train", "train", list(map(float, range(len(y)))), y, **more)


class Shown(App[None]):
    def __init__(self, *, ascii: bool = False) -> None:
        super().__init__()
        self.ascii = ascii

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {"text-dim": "#767e90", "border-soft": "#2b3040"}

    def compose(self) -> ComposeResult:
        yield Chart(id="chart")


def test_a_peak_in_a_hundred_thousand_points_is_drawn() -> None:
    y = [0.5] * 100_000
    y[77_777] = 9.0
    sampled = plot.sample(line(y), 0, 100_000, 120)
    assert plot.span([sampled]) == (0.5, 9.0)
    assert len(sampled) == 120


def test_values_that_are_not_finite_break_the_line_and_nothing_else() -> None:
    sampled = plot.sample(line([1, 2, NAN, NAN, 3, 4]), 0, 6, 6)
    assert sampled[2] is BREAK
    assert plot.span([sampled]) == (1, 4)
    assert plot.span([plot.sample(line([NAN, NAN]), 0, 2, 4)]) is None


def test_values_beyond_what_a_float_can_add_are_drawn() -> None:
    sampled = plot.sample(line([1.7e308, -1.7e308, 1.7e308, 1e300]), 0, 4, 4)
    low, high, _ = plot.bounds(*plot.span([sampled]), 4)
    grid = Grid(2, 4)
    grid.draw(sampled, low, high, line([]), "tone")
    assert all(any(row[column] == "tone" for row in grid.tones) for column in range(2))


def test_a_logarithm_leaves_out_what_has_none() -> None:
    sampled = plot.logarithms(plot.sample(line([100, 0, -5, 10]), 0, 4, 4))
    assert plot.span([sampled]) == (1, 2)
    assert sampled[1] is BREAK


def test_smoothing_starts_at_the_first_value_and_anew_after_a_break() -> None:
    sampled = plot.smoothed(plot.sample(line([4, 4, NAN, 8, 8]), 0, 5, 5), 0.9)
    assert [b.first for b in sampled if b and b is not BREAK] == pytest.approx([4, 8, 8])


@pytest.mark.parametrize(
    ("low", "high"), [(0, 0), (3, 3), (-2, -2), (1e-300, 1e-300), (0.1, 0.97), (-1e9, 1e9), (5, 5.0000001)]
)
def test_an_axis_holds_its_values_and_is_never_empty(low: float, high: float) -> None:
    bottom, top, _ = plot.bounds(low, high, 4)
    assert bottom <= low <= high <= top
    assert bottom < top


def test_an_axis_stays_while_points_come() -> None:
    ends = {plot.stretch(end / 10) for end in range(1, 1000)}
    assert len(ends) < 25
    assert all(plot.stretch(end) >= end for end in (0.1, 1, 1.1, 7.3, 99, 12_345))


def test_a_line_between_two_points_has_no_hole() -> None:
    grid = Grid(10, 2)
    grid.draw(plot.sample(Line("", "train", [0, 9.9], [0, 1]), 0, 10, 20), 0, 1, line([]))
    drawn = {column for row in range(2) for column in range(10) if grid.cell(column, row)}
    assert drawn == set(range(10))


def test_in_ascii_mode_only_ascii_is_drawn() -> None:
    grid = Grid(8, 3, ascii=True)
    grid.draw(plot.sample(line([0, 1, 2, 3]), 0, 3, 8), 0, 3, line([]))
    drawn = "".join(grid.cell(column, row) for row in range(3) for column in range(8))
    assert drawn
    assert drawn.isascii()


async def test_a_chart_has_title_values_curve_and_both_axes() -> None:
    app = Shown()
    async with app.run_test(size=(60, 14)) as pilot:
        chart = app.query_one(Chart)
        chart.show(Picture("loss", (line([0.9, 0.5, 0.3, 0.2]),), end=4), View())
        await pilot.pause()
        assert "loss  ─ train 0.2" in chart.plain
        assert "epoch" in chart.plain.splitlines()[-1]
        assert "0.2" in chart.plain
        assert any("\u2800" < char <= "\u28ff" for char in chart.plain)


async def shown(pilot: Pilot[None], picture: Picture, view: View) -> list[str]:
    """What the chart draws, line by line."""
    chart = pilot.app.query_one(Chart)
    chart.show(picture, view)
    await pilot.pause()
    return chart.plain.splitlines()


@pytest.mark.parametrize("log", [False, True])
async def test_a_figure_of_the_whole_is_named_and_a_tick_at_its_height(log: bool) -> None:
    """Also where the curve never was: the axis reaches as far."""
    app = Shown()
    async with app.run_test(size=(60, 14)) as pilot:
        picture = Picture("loss", (line([0.9, 0.5, 0.3]),), end=3, levels=((0.1, "claimed"), (-1.0, "none")))
        rows = await shown(pilot, picture, View(log=log))
        assert "◀ claimed 0.1" in rows[0]
        ticks = [row for row in rows[1:] if row.endswith("◀")]
        assert len(ticks) == (1 if log else 2), "what is not above zero has no logarithm"
        assert all("┤" in row or "│" in row for row in ticks)


async def test_without_a_point_there_is_no_axis_and_no_crosshair() -> None:
    for lines in ((), (Line("train", "train", [], []),)):
        app = Shown()
        async with app.run_test(size=(60, 12)) as pilot:
            rows = await shown(pilot, Picture("loss", lines), View(cross=math.inf))
            assert "no value yet" in "".join(rows)
            assert not any(sign in "".join(rows) for sign in "│┤0")
            assert "epoch" not in "".join(rows)


async def test_the_crosshair_says_the_values_under_it_and_never_stands_beyond_the_last() -> None:
    async with Shown().run_test(size=(60, 14)) as pilot:
        picture = Picture("loss", (line([0.9, 0.5, 0.3, 0.2]),), end=4)
        assert (await shown(pilot, picture, View(cross=1)))[0] == "loss  epoch 1  ─ train 0.5"
        assert (await shown(pilot, picture, View(cross=1.25)))[0] == "loss  epoch 1.25  ─ train 0.5"
        for beyond in (3, 4, math.inf):
            assert (await shown(pilot, picture, View(cross=beyond)))[0] == "loss  epoch 3  ─ train 0.2"


async def test_in_little_room_a_value_is_said_whole_or_not_at_all() -> None:
    async with Shown().run_test(size=(38, 10)) as pilot:
        lines = tuple(line([0.0, value]) for value in (0.0003181, 0.0003499, 0.02612))
        [title, *_] = await shown(pilot, Picture("loss", lines, end=1), View(cross=1))
        assert title == "loss @1 ─ 0.000318 ─ 0.00035 ─ 0.0261"
        [title, *_] = await shown(pilot, Picture("loss", lines * 2, end=1), View(cross=1))
        assert title == "loss @1 ─ 0.000318 ─ 0.00035 ─ 0.0261"


async def test_at_the_end_of_an_epoch_the_value_is_that_of_the_epoch_however_thin_its_curve_is() -> None:
    async with Shown().run_test(size=(60, 14)) as pilot:
        thin = Line("train", "train", [0.1, 2.9], [9.0, 1.0], ends=([1.0, 2.0, 3.0], [7.0, 5.0, 3.0]))
        assert "train 5" in (await shown(pilot, Picture("loss", (thin,), end=4), View(cross=2)))[0]


async def test_under_the_crosshair_a_run_that_had_ended_has_no_value() -> None:
    async with Shown().run_test(size=(60, 14)) as pilot:
        ended = Line("run 1", "first", [1.0, 2.0, 3.0], [0.9, 0.8, 0.7])
        lines = (Line("train", "train", [1.0, 2.0, 3.0, 40.0], [9.0, 8.0, 7.0, 1.0]), ended)
        picture = Picture("loss", lines, end=40)
        assert "run 1 0.8" in (await shown(pilot, picture, View(cross=2)))[0]
        assert "run 1 -" in (await shown(pilot, picture, View(cross=40)))[0]
        assert "run 1 0.7" in (await shown(pilot, picture, View()))[0], "without one it is the newest"


async def test_a_window_draws_its_epochs_alone_and_the_height_fits_them() -> None:
    async with Shown().run_test(size=(60, 14)) as pilot:
        picture = Picture("loss", (line([100.0] * 480 + [3.0] * 20 + [50.0] * 1500),), end=2000)
        drawn = await shown(pilot, picture, View(window=Window(20, 499.5)))
        assert "479" not in drawn[-1]
        assert "480" in drawn[-1]
        assert "495" in drawn[-1]
        assert not [row for row in drawn if "100" in row or "50" in row[:4]]


async def test_a_curve_goes_through_a_window_in_which_no_point_lies() -> None:
    async with Shown().run_test(size=(60, 14)) as pilot:
        drawn = await shown(pilot, Picture("loss", (line([0, 10]),), end=1), View(window=Window(0.5, 0.75)))
        assert "7.5" in drawn[1] or "8" in drawn[1]
        assert all(any("\u2800" < char <= "\u28ff" for char in row) for row in drawn[2:-2])


async def test_before_the_first_epoch_has_ended_its_axis_has_no_parts_of_one() -> None:
    async with Shown().run_test(size=(60, 14)) as pilot:
        picture = Picture("loss", (line([1.0]),))
        assert (await shown(pilot, picture, View()))[-1].split() == ["0", "epoch"]


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("y", [[0.1, 4.05], [0.5], [0.03, 0.7], [3.0, 47.0], [1e-7, 2e9]])
async def test_the_axis_has_a_label_at_its_top_and_at_its_bottom(y: list[float], log: bool) -> None:
    async with Shown().run_test(size=(60, 17)) as pilot:
        drawn = await shown(pilot, Picture("loss", (line(y),), end=2), View(log=log))
        for row in (drawn[1], drawn[-2]):
            assert row.partition("┤")[0].strip(), row


async def test_the_wheel_and_a_click_say_where_on_the_axis() -> None:
    said: list[tuple[float, int]] = []

    class Told(Shown):
        def on_chart_wheel(self, event: Chart.Wheel) -> None:
            said.append((event.place, event.by))

        def on_chart_pointed(self, event: Chart.Pointed) -> None:
            said.append((event.place, 0))

    async with Told().run_test(size=(60, 14)) as pilot:
        await shown(pilot, Picture("loss", (line([1.0] * 500),), end=500), View(window=Window(100, 400)))
        [chart] = pilot.app.query(Chart)
        for event in (MouseScrollUp, MouseScrollDown):
            chart.post_message(event(chart, 59, 5, 0, 0, 0, False, False, False))
        await pilot.click(Chart, offset=(0, 5))
        await pilot.pause()
    assert said == [(400, 1), (400, -1), (300, 0)]


@pytest.mark.parametrize("size", [(1, 1), (15, 2), (16, 3), (20, 5), (200, 60)])
async def test_it_draws_in_any_room(size: tuple[int, int]) -> None:
    app = Shown()
    async with app.run_test(size=size) as pilot:
        for y in ([], [1.0], [NAN], [1, NAN, 3], [0, 1e308, -1e308]):
            views = (
                View(),
                View(log=True),
                View(smooth=0.9, cross=1.0),
                View(cross=2, window=Window(0.3, 1.5)),
            )
            for view in views:
                drawn = await shown(pilot, Picture("loss", (line(y),), end=3, marks=((1, "fit 2"),)), view)
                assert len(drawn) <= size[1]
                assert all(cell_len(row) <= size[0] for row in drawn)


async def test_only_cells_that_changed_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Shown()
    async with app.run_test(size=(80, 20)) as pilot:
        chart = app.query_one(Chart)
        y = [1 / (i + 1) for i in range(50)]
        chart.show(Picture("loss", (line(y),), end=100), View())
        await pilot.pause()
        drawn: list[Region] = []
        monkeypatch.setattr(chart, "refresh", lambda *regions: drawn.extend(regions))
        chart.show(Picture("loss", (line(y),), end=100), View())
        assert not drawn
        chart.show(Picture("loss", (line([*y, 1 / 51]),), end=100), View())
        assert drawn
        assert sum(region.area for region in drawn) < 30
