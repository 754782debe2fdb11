"""Curves of runs on the screen: their values under a crosshair, and those of a part of the epochs."""

from pathlib import Path
from typing import Any

import pytest
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from decentralml.core.training import journal
from decentralml.core.training.journal import Event
from decentralml.core.training.progress import Progress
from decentralml.core.training.run_folder import RunSpec
from decentralml.core.training.runs import Run
from decentralml.tui.run import curves as run_curves
from decentralml.tui.run import plot
from decentralml.tui.run.reader import Drawn
from decentralml.tui.screens.runs import RunsScreen
from decentralml.tui.widgets.chart import Chart

from ..conftest import Place, opened, text_of, until
from ..trainings import HOSTILE, Start, Training, at_runs, failed, finished, fit, shows, started

pytestmark = pytest.mark.usefixtures("quick_looks")


async def test_nan_and_hostile_names_break_nothing(market_home: Place, train: Start) -> None:
    train(14, *started(), *fit(20, 9.5, nan_from=5.2), title=HOSTILE, alive=True)
    async with market_home.running() as (app, pilot):
        await at_runs(app, pilot)
        text = await shows(app, pilot, "train nan")
        assert not set("\x1b\u202e\u200b\x07") & set(text)
        assert "markup" in text or "red" in text


async def test_several_fits_in_a_run_are_told_apart(market_home: Place, train: Start) -> None:
    train(14, *started(), *fit(4, 4), *fit(6, 6, number=2), *finished())
    async with market_home.running(size=(160, 48)) as (app, pilot):
        await at_runs(app, pilot)
        text = await shows(app, pilot, "fit 2")
        assert "┊" in text


async def test_what_a_run_claims_is_a_tick_beside_its_curve(market_home: Place, train: Start) -> None:
    train(14, *started(), *fit(20, 20), *finished())
    async with market_home.running(size=(220, 48)) as (app, pilot):
        await at_runs(app, pilot)
        text = await shows(app, pilot, "◀ claimed 0.948")
        assert "◀ claimed 0.191" in text
        assert sum(line.count("◀") for line in text.splitlines()) == 4, "two titles, two ticks"


async def test_crosshair_zoom_metric_and_back(market_home: Place, train: Start) -> None:
    train(14, *started(), *fit(20, 9.5))
    async with market_home.running() as (app, pilot):
        screen = await at_runs(app, pilot)
        await shows(app, pilot, "run 14")
        await pilot.press("z")
        await until(pilot, lambda: not screen.query_one("#list").display)
        assert "accuracy  ─" not in text_of(app)
        await pilot.press("j")
        await shows(app, pilot, "accuracy  ─")
        await pilot.press("h")
        await shows(app, pilot, "epoch 9.5")
        await pilot.press("h")
        text = await shows(app, pilot, "epoch 9  ")
        assert "held out" in text
        await pilot.press("g")
        await shows(app, pilot, "epoch 1  ")
        await pilot.press("escape")
        await until(pilot, lambda: screen.live.cross is None)
        await pilot.press("escape")
        await until(pilot, lambda: screen.query_one("#list").display)
        assert isinstance(app.screen, RunsScreen)


async def test_marked_runs_are_drawn_over_this_one(market_home: Place, train: Start) -> None:
    train(13, *started(), *fit(20, 20), *finished())
    train(14, *started(), *fit(20, 9.5), alive=True)
    async with market_home.running(size=(160, 48)) as (app, pilot):
        await at_runs(app, pilot)
        await shows(app, pilot, "run 14")
        await pilot.press("o")
        await shows(app, pilot, "space marks the runs")
        await pilot.press("j", "space", "k")
        await shows(app, pilot, "─ r13 ")
        assert "run 14  running" in text_of(app)
        await pilot.press("o")
        await until(pilot, lambda: "─ r13 " not in text_of(app))


def test_an_axis_of_a_live_run_ends_a_little_ahead_within_what_was_asked_for() -> None:
    spec = RunSpec(assets=Path("/a"), script="s.py", epochs=8)
    last = Progress(epochs=8)
    run = Run(id=1, spec=spec, state="running", created=0, last=last, folder=Path("/r"), result_folder=None)
    assert [run_curves.end(run, Drawn(marks=[0.0] * n)) for n in (0, 1, 5, 7, 8, 9)] == [1, 1, 5, 8, 8, 9]


async def test_a_few_epochs_of_many_are_looked_at_with_their_exact_values(
    market_home: Place, train: Start
) -> None:
    """The curve keeps the highest and the lowest of many steps, and each epoch's own value."""
    other = train(13, *started(), *fit(300, 300, steps=1), *finished())
    run = train(14, *started(), *fit(2000, 747, steps=8), alive=True)
    async with market_home.running(size=(160, 48)) as (app, pilot):
        screen = await at_runs(app, pilot)
        await shows(app, pilot, "run 14")
        await pilot.press("j", "space", "k", "o", "enter")
        await shows(app, pilot, "r13 ")
        screen.live.cross = 290.0
        await pilot.press("plus", "plus", "plus", "plus", "plus", "l", "h")
        text = await shows(app, pilot, "@290 ")
        said = {line.name: line.value(290) for line in screen.query_one("#chart-0", Chart).picture.lines}
        mine, others = (
            next(e.metrics for e in journal.read(path)[0] if isinstance(e, journal.Epoch) and e.epoch == 290)
            for path in (run.folder.journal, other.folder.journal)
        )
        assert said == {"train": mine["loss"], "held out": mine["val_loss"], "run 13": others["loss"]}
        for value in said.values():
            assert plot.number(value) in text
        start, end = screen.query_one("#chart-0", Chart).seen
        assert end - start < 40
        await pilot.press("l", "l")
        await shows(app, pilot, "@292 ")
        await pilot.press(*"<<<")
        await until(pilot, lambda: screen.query_one("#chart-0", Chart).seen[1] < 290)
        assert screen.live.cross < 290, "the crosshair goes along"
        await pilot.press("G")
        await shows(app, pilot, "@747 ")
        await pilot.press("0")
        await until(pilot, lambda: screen.query_one("#chart-0", Chart).seen == (0, 800))


async def test_what_is_seen_stays_while_new_points_come_and_goes_along_at_the_end(
    market_home: Place, train: Start
) -> None:
    run = train(14, *started(), *fit(2000, 40, steps=4), alive=True)
    async with market_home.running() as (app, pilot):
        screen = await at_runs(app, pilot)
        await shows(app, pilot, "run 14")
        chart = screen.query_one("#chart-0", Chart)

        async def grow(upto: int) -> None:
            for epoch in range(int(chart.picture.newest) + 1, upto + 1):
                at = {"t": 1.0, "fit": 1, "epoch": epoch, "metrics": {"loss": 0.5, "accuracy": 0.5}}
                run.write(*(journal.Step(step=step, steps=4, **at) for step in range(1, 5)))
                run.write(journal.Epoch(**at))
            await until(pilot, lambda: chart.picture.newest == upto, "the new points")

        await pilot.press("plus", "plus")
        assert chart.seen == (30, 40)
        await grow(60)
        assert chart.seen[0] > 40
        assert chart.seen[1] == 60
        await pilot.press(*"<<")
        seen = chart.seen
        assert seen[1] < 60
        await grow(90)
        assert chart.seen == seen
        await pilot.press("escape")
        assert chart.seen[0] == 0


async def test_the_wheel_zooms_and_a_click_puts_the_crosshair(market_home: Place, train: Start) -> None:
    train(14, *started(), *fit(20, 20), *finished())
    async with market_home.running() as (app, pilot):
        screen = await at_runs(app, pilot)
        await shows(app, pilot, "run 14")
        chart = screen.query_one("#chart-0", Chart)
        chart.post_message(MouseScrollUp(chart, 20, 3, 0, 0, 0, False, False, False))
        await until(pilot, lambda: chart.seen != (0, 20), "closer")
        chart.post_message(MouseScrollDown(chart, 20, 3, 0, 0, 0, False, False, False))
        await until(pilot, lambda: chart.seen == (0, 20), "all of it")
        await pilot.click(chart, offset=(chart.size.width - 10, 3))
        await until(pilot, lambda: screen.live.cross is not None)
        assert screen.live.cross == int(screen.live.cross) > 10


@pytest.mark.parametrize("events", [[], [*fit(20, 0.02)], [*fit(3, 1, nan_from=0)]])
async def test_without_points_of_a_single_one_and_of_nan_every_key_does_no_harm(
    market_home: Place, train: Start, events: list[Event]
) -> None:
    train(14, *started(), *events, alive=True)
    async with market_home.running() as (app, pilot):
        await at_runs(app, pilot)
        await shows(app, pilot, "run 14")
        await pilot.press("plus", "h", "l", "plus", *"<>", "minus", "g", "G", "plus", "0", "minus")
        await shows(app, pilot, "run 14")
        assert not app.failures


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_a_few_epochs_look_as_they_did(
    market_of_one_path: Place, snap_compare: Any, size: tuple[int, int]
) -> None:
    runs = market_of_one_path.home.runs
    Training(runs / "13", [*started(), *fit(400, 400, steps=2), *finished()])
    Training(runs / "14", [*started(), *fit(2000, 747, steps=8), failed()])

    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot)
        screen = await at_runs(pilot.app, pilot)
        await pilot.press("j", "space", "k", "o", "enter")
        chart = screen.query_one("#chart-0", Chart)
        await until(pilot, lambda: len(chart.picture.lines) == 3, "the other run")
        screen.live.cross = 290.0
        await pilot.press("plus", "plus", "plus", "plus", "plus", "plus", "l")
        screen._timer.pause()
        await pilot.pause()

    assert snap_compare(market_of_one_path.app(), terminal_size=size, run_before=show)
