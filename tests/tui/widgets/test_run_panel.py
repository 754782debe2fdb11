"""One training as the screen shows it: its state, its numbers, its log, live."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from decentralml.core.machine import Machine
from decentralml.core.training import journal
from decentralml.core.training.journal import Event
from decentralml.core.training.progress import Progress
from decentralml.core.training.run_folder import RunSpec
from decentralml.core.training.runs import Run
from decentralml.tui.run import words as run_words
from decentralml.tui.widgets.chart import Chart
from decentralml.tui.widgets.lines import Lines

from ..conftest import Place, opened, text_of, until
from ..trainings import (
    BEGAN,
    HOSTILE,
    MACHINE,
    Start,
    Training,
    at_runs,
    failed,
    finished,
    fit,
    shows,
    started,
)

pytestmark = pytest.mark.usefixtures("quick_looks")

STATES: dict[str, tuple[list[Event], bool, list[str]]] = {
    "queued": ([journal.Queued(t=1)], True, ["place 1 in the queue", "x takes it out"]),
    "starting": (started(), True, ["the sandbox starts", "bwrap 0.8.0", "network off"]),
    "running": (
        [*started(), *fit(20, 6.5)],
        True,
        [
            "epoch 7 of 20",
            "step 25 of 50",
            "left",
            "47.5 batches/s",
            "lr 0.001",
            "cpu 184 %",
            "checkpoint epoch 6",
        ],
    ),
    "paused": ([*started(), *fit(20, 1.5), journal.Paused()], True, ["p goes on"]),
    "stopping": ([*started(), *fit(20, 1.5), journal.Stopping()], True, ["it saves what it has"]),
    "stopped": (
        [*started(), *fit(20, 1.5), journal.Stopped(t=BEGAN + 9)],
        False,
        ["! goes on after epoch 1"],
    ),
    "finished": (
        [*started(), *fit(2, 2), *finished()],
        False,
        ["accuracy from 0.921 to 0.948", "claims, held out", "it left no result"],
    ),
    "failed": (
        [*started(), *fit(20, 1.5), failed()],
        False,
        ["ResourceExhaustedError", "Ask for a smaller batch."],
    ),
    "crashed": ([*started(), *fit(20, 1.5)], False, ["ended from outside", "! goes on after epoch 1"]),
}


@pytest.mark.parametrize("state", STATES)
async def test_each_state_says_what_it_is_and_what_one_can_do(
    market_home: Place, train: Start, state: str
) -> None:
    events, alive, words = STATES[state]
    run = train(14, *events, alive=alive)
    run.folder.tell("pause" if state == "paused" else "run")
    async with market_home.running(size=(100, 30)) as (app, pilot):
        await at_runs(app, pilot)
        text = await shows(app, pilot, "run 14")
        assert f"run 14  {state}  task 1" in text
        for word in words:
            assert word in text


async def test_a_live_run_is_followed_and_at_rest_nothing_is_drawn(
    market_home: Place, train: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = train(14, *started(), *fit(20, 2.5), alive=True)
    async with market_home.running() as (app, pilot):
        screen = await at_runs(app, pilot)
        await shows(app, pilot, "epoch 3 of 20  step 25 of 50")
        drawn: list[object] = []
        with monkeypatch.context() as patch:
            for widget in screen.query("Lines, Chart, PagedTable"):
                patch.setattr(widget, "refresh", lambda *a, w=widget, **k: drawn.append(w))
            seen = screen.seen
            await until(pilot, lambda: screen.seen is not seen, "another look")
            await pilot.pause()
            assert not drawn
        step = journal.Step(t=1, fit=1, epoch=3, step=26, steps=50, metrics={"loss": 0.123, "accuracy": 0.5})
        run.write(step)
        text = await shows(app, pilot, "step 26 of 50")
        assert "train 0.123" in text


async def test_how_busy_the_machine_is_stands_beside_what_the_run_takes(
    market_home: Place, train: Start
) -> None:
    train(14, *started(), *fit(20, 2.5), alive=True)
    async with market_home.running(size=(120, 36)) as (app, pilot):
        await at_runs(app, pilot)
        text = await shows(app, pilot, "machine  3.2 of 8 cores busy  9.0 GB free")
        assert "GPU 40 %, 3.0 GB of 24.0 GB used  load 4.5" in text
        assert "cpu 184 %" in text


async def test_while_no_run_is_at_work_the_machine_is_looked_at_once_a_block(
    market_home: Place, train: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(14, *started(), *fit(2, 2), *finished())
    looks: list[Machine] = []

    def look(self: object) -> Machine:
        looks.append(replace(MACHINE, load=float(len(looks))))
        return looks[-1]

    monkeypatch.setattr("decentralml.core.machine.Meter.look", look)
    async with market_home.running(size=(120, 36)) as (app, pilot):
        screen = await at_runs(app, pilot)
        await shows(app, pilot, "load 0.0")
        for _ in range(3):
            seen = screen.seen
            await until(pilot, lambda seen=seen: screen.seen is not seen, "another look")
        assert len(looks) == 1
        market_home.clock.blocks(1)
        await shows(app, pilot, "load 1.0")


async def test_what_was_told_and_not_yet_obeyed_is_said(market_home: Place, train: Start) -> None:
    run = train(14, *started(), *fit(20, 2.5), alive=True)
    async with market_home.running() as (app, pilot):
        await at_runs(app, pilot)
        await shows(app, pilot, "running")
        await pilot.press("p")
        await shows(app, pilot, "run 14  pausing")
        assert run.folder.told() == "pause"
        run.write(journal.Paused())
        await shows(app, pilot, "it waits at a batch end")
        await pilot.press("p")
        await until(pilot, lambda: run.folder.told() == "run", "go on")


@pytest.mark.parametrize(("forced", "said"), [(False, "stopped  !"), (True, "ended by force")])
async def test_a_run_that_had_to_be_ended_by_force_says_so(
    market_home: Place, train: Start, forced: bool, said: str
) -> None:
    train(14, *started(), *fit(20, 2.5), journal.Stopped(t=BEGAN + 60, forced=forced))
    async with market_home.running() as (app, pilot):
        await at_runs(app, pilot)
        await shows(app, pilot, said)
        await shows(app, pilot, "! goes on after epoch 2")


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
async def test_a_run_that_failed_before_its_first_value_says_all_of_what_to_do(
    market_home: Place, train: Start, size: tuple[int, int]
) -> None:
    hint = (
        "Look at the traceback in its log, mend the script of the task or ask its creator, then start again."
    )
    train(14, *started(), journal.Failed(t=BEGAN + 60, error="NameError: x", hint=hint, code="ScriptFailed"))
    async with market_home.running(size=size) as (app, pilot):
        await at_runs(app, pilot)
        await shows(app, pilot, "no value yet")
        await until(pilot, lambda: f"{hint} ! starts it anew" in " ".join(text_of(app).split()))


@pytest.mark.parametrize(
    ("action", "states"),
    [
        ("pause", {"queued", "starting", "running", "paused"}),
        ("stop", {"queued", "starting", "running", "paused"}),
        ("retry", {"stopped", "failed", "crashed"}),
        ("deliver", {"finished", "stopped"}),
    ],
)
def test_what_cannot_be_done_says_why(action: str, states: set[str]) -> None:
    spec = RunSpec(assets=Path("/a"), script="s.py", task_id=1)
    for state in STATES:
        run = Run(
            id=1,
            spec=spec,
            state=state,
            created=0,
            last=Progress(),
            folder=Path("/r"),
            result_folder=Path("/r/out/m"),
        )
        refusal = run_words.why_not(action, run)
        assert (refusal is None) == (state in states)
        assert refusal is None or (refusal.message and refusal.hint)
    assert run_words.why_not(action, None)


async def test_epochs_are_a_table_with_each_metric_beside_its_held_out_value(
    market_home: Place, train: Start
) -> None:
    train(14, *started(), *fit(20, 3.5))
    async with market_home.running() as (app, pilot):
        await at_runs(app, pilot)
        await shows(app, pilot, "run 14")
        await pilot.press("left_square_bracket")
        text = await shows(app, pilot, "EPOCH       loss  val_loss  accuracy")
        assert "1.05 s" in text


async def test_a_printed_line_that_is_wider_than_the_screen_is_there_to_its_end(
    market_home: Place, train: Start
) -> None:
    line = (
        "102/102 - 0s - 3ms/step - accuracy: 1.0000 - loss: 9.7e-09 - val_accuracy: 0.9333 - val_loss: 0.7344"
    )
    train(14, *started(), *fit(20, 3.5), log=f"Epoch 9/20\n{line}\n")
    async with market_home.running(size=(80, 24)) as (app, pilot):
        screen = await at_runs(app, pilot)
        await pilot.press("right_square_bracket")
        await shows(app, pilot, "val_loss: 0.7344")
        assert line in screen.live.plain, "what is copied is as it was printed"


async def test_the_log_is_read_when_it_is_shown(market_home: Place, train: Start) -> None:
    log = "".join(f"line {n} \x1b[31mred\x1b[0m\n" for n in range(100)) + "bar 1\rbar 2\rbar 3\n"
    train(14, *started(), *fit(20, 3.5), log=log)
    async with market_home.running() as (app, pilot):
        screen = await at_runs(app, pilot)
        await shows(app, pilot, "run 14")
        assert not screen.seen.log
        await pilot.press("right_square_bracket")
        text = await shows(app, pilot, "bar 3")
        assert "line 99 red" in text
        assert "bar 2" not in text
        await pilot.press("enter", "g")
        await shows(app, pilot, "line 0 red")


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (100, 30), (160, 48)])
async def test_it_fits(market_home: Place, train: Start, size: tuple[int, int]) -> None:
    for id in range(1, 9):
        train(id, *started(), *fit(20, 3), failed())
    train(14, *started(), *fit(20, 6.5), alive=True)
    async with market_home.running(size=size) as (app, pilot):
        screen = await at_runs(app, pilot)
        text = await shows(app, pilot, "run 14  running")
        assert "epoch 7 of 20" in text
        assert "cpu 184 %" in text
        chart = screen.query_one("#chart-0", Chart)
        assert chart.size.height >= 6
        assert screen.query_one("#chart-1").display == (size[0] > 72)
        assert ("FACTS" in text) == (size == (160, 48))
        foot = screen.query_one("#foot", Lines)
        assert foot.region.bottom <= size[1] - 1


async def test_in_ascii_mode_all_of_it_is_ascii(market_home: Place, train: Start) -> None:
    train(14, *started(), *fit(20, 6.5), alive=True)
    async with market_home.running(size=(100, 30)) as (app, pilot):
        app.ascii = True
        await at_runs(app, pilot)
        text = await shows(app, pilot, "run 14")
        live = text.splitlines()[5:-1]
        assert all(line.isascii() for line in live), live
        assert "|" in text
        assert "###" in text


PICTURES: dict[str, list[str]] = {
    "live": [],
    "nan": ["j"],
    "facts": ["j", "right_square_bracket", "right_square_bracket"],
    "fits": ["j", "j", "z", "h", *"hhhhhhhhhhhh"],
    "overlay": ["j", "j", "space", "k", "k", "o", "i", "underscore"],
}


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
@pytest.mark.parametrize("what", PICTURES)
def test_training_looks_as_it_did(
    market_of_one_path: Place, snap_compare: Any, what: str, size: tuple[int, int]
) -> None:
    runs = market_of_one_path.home.runs
    long = "A very long question " * 12
    log = "".join(f"Epoch {n}/20\n" for n in range(40))
    Training(runs / "12", [*started(), *fit(4, 4), *fit(6, 6, number=2), *finished()], title=long, log=log)
    Training(runs / "13", [*started(), *fit(20, 9.5, nan_from=5.2), failed()], title=HOSTILE, log=log)
    live = Training(runs / "14", [*started(), *fit(20, 6.5)], alive=True, log=log)

    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot)
        screen = await at_runs(pilot.app, pilot)
        await shows(pilot.app, pilot, "run 14")
        for key in PICTURES[what]:
            await pilot.press(key)
            await pilot.pause()
        seen = screen.seen
        await until(pilot, lambda: screen.seen is not seen and screen.run.id in screen.seen.curves)
        screen._timer.pause()
        await pilot.pause()

    try:
        assert snap_compare(market_of_one_path.app(), terminal_size=size, run_before=show)
    finally:
        live.die()


@pytest.mark.parametrize("theme", ["light", "high-contrast", "ansi", "colour-blind"])
def test_training_in_another_theme_looks_as_it_did(
    market_of_one_path: Place, snap_compare: Any, theme: str
) -> None:
    live = Training(market_of_one_path.home.runs / "14", [*started(), *fit(20, 6.5)], alive=True)

    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot)
        pilot.app.looks.use(theme)
        await at_runs(pilot.app, pilot)
        await shows(pilot.app, pilot, "run 14")

    assert snap_compare(market_of_one_path.app(), terminal_size=(80, 24), run_before=show)
    live.die()
