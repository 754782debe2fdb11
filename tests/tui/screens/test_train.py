"""The form that starts a training: what it asks, checks, and hands to the queue."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from decentralml.core.training import journal, queue
from decentralml.core.training.locks import hold
from decentralml.tui.run.ready import look_at_data
from decentralml.tui.screens.dialog import Ask, Choose
from decentralml.tui.screens.train import StartTraining

from ..conftest import Place, opened, text_of, until
from ..trainings import (
    BEGAN,
    Start,
    at_runs,
    fit,
    shows,
    started,
)

pytestmark = pytest.mark.usefixtures("quick_looks")


async def test_where_another_training_is_started_the_machine_and_its_runs_are_seen(
    market_home: Place, train: Start
) -> None:
    train(14, *started(), *fit(20, 2.5), alive=True)
    async with market_home.running(as_="chi", size=(120, 36)) as (app, pilot):
        app.push_screen(StartTraining(1))
        text = await shows(app, pilot, "machine  3.2 of 8 cores busy")
        assert "1 run going" in text
        assert "load 4.5" in text


@pytest.fixture
def busy(market_home: Place) -> Iterator[None]:
    """Another run holds the only slot: what is started waits."""
    folder = market_home.home.folder(market_home.home.runs / ".queue")
    queue.set_limit(folder, 1)
    slot = hold(folder / "running-999")
    assert slot is not None
    yield
    os.close(slot)


async def test_a_run_is_started_seen_in_the_queue_and_taken_out(market_home: Place, busy: None) -> None:
    async with market_home.running(as_="chi", size=(100, 40)) as (app, pilot):
        screen = await at_runs(app, pilot)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, Choose), "which task")
        lines = text_of(app).splitlines()
        title = next(number for number, line in enumerate(lines) if "Train which" in line)
        assert "yours" in lines[title + 2]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, StartTraining), "the form")
        await until(pilot, lambda: not app.screen.query_one("#start", Button).disabled, "the card")
        await shows(app, pilot, "the script's own load_data()")
        text = await shows(app, pilot, "writes")
        assert "the task's files" in text
        assert "none" in text
        app.screen.query_one("#epochs", Input).value = "3"
        await pilot.press("ctrl+g")
        await shows(app, pilot, "place 1 in the queue")
        [run] = screen.seen.runs
        assert (run.spec.epochs, run.spec.task_id, run.spec.submission_id) == (3, 1, 2)
        assert run.spec.chain == market_home.chain.genesis
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Ask), "the question")
        assert "taken out of the queue" in text_of(app)
        await pilot.press("y")
        await shows(app, pilot, "run 1  stopped")
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, StartTraining), "the form again, of its task")
        assert app.screen.query_one("#epochs", Input).value == "3"


async def test_without_data_enter_passes_every_field_before_it_starts(market_home: Place, busy: None) -> None:
    async with market_home.running(as_="chi") as (app, pilot):
        screen = await at_runs(app, pilot)
        await app.push_screen(StartTraining(1))
        form = app.screen
        await until(pilot, lambda: not form.query_one("#start", Button).disabled, "the card")
        passed = []
        for _ in range(5):
            passed.append(form.focused.id)
            await pilot.press("enter")
        assert passed == ["data", "epochs", "batch", "seed", "device"]
        assert form.focused.id == "start"
        assert app.screen is form
        assert not list(market_home.home.runs.glob("[0-9]*"))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen, "the run")


async def test_a_run_that_found_no_data_is_retried_with_other_data(market_home: Place, train: Start) -> None:
    """The same order would fail again."""
    error = journal.Failed(t=BEGAN + 60, error="No data.", hint="Give an .npz.", code="NoData")
    order = {"task_id": 1, "epochs": 7, "batch_size": 16, "data": Path("/nowhere/mine.npz")}
    train(14, *started(), error, **order)
    async with market_home.running(as_="chi") as (app, pilot):
        await at_runs(app, pilot)
        await shows(app, pilot, "Give an .npz.  ! asks for other data")
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: isinstance(app.screen, StartTraining), "the form")
        values = {field.id: field.value for field in app.screen.query(Input)}
        assert (values["data"], values["epochs"], values["batch"]) == ("/nowhere/mine.npz", "7", "16")


async def test_the_form_says_what_is_wrong_and_starts_nothing(market_home: Place, tmp_path: Path) -> None:
    async with market_home.running(as_="chi") as (app, pilot):
        await at_runs(app, pilot)
        await app.push_screen(StartTraining(1))
        form = app.screen
        await until(pilot, lambda: not form.query_one("#start", Button).disabled, "the card")
        for field, value, word in (
            ("data", str(tmp_path / "none.npz"), "There is nothing at"),
            ("epochs", "zero", "epochs: 'zero' is no number"),
            ("device", "tpu", "'tpu' is no device"),
        ):
            before = form.query_one(f"#{field}", Input).value
            form.query_one(f"#{field}", Input).value = value
            await shows(app, pilot, word)
            form.query_one(f"#{field}").focus()
            await pilot.press("enter")
            await until(pilot, lambda: not form._starting)
            assert app.screen is form
            form.query_one(f"#{field}", Input).value = before
        assert not list(market_home.home.runs.glob("[0-9]*"))


async def test_a_path_that_is_typed_half_is_said_and_is_no_failure(market_home: Place) -> None:
    async with market_home.running(as_="chi") as (app, pilot):
        await at_runs(app, pilot)
        await app.push_screen(StartTraining(1))
        await until(pilot, lambda: not app.screen.query_one("#start", Button).disabled, "the card")
        app.screen.query_one("#data", Input).value = "~nobody-of-this-name"
        await shows(app, pilot, "home of nobody here")
        assert not app.failures


def test_data_are_looked_at_by_their_headers(tmp_path: Path) -> None:
    import numpy as np

    np.savez(tmp_path / "good.npz", x=np.zeros((12, 28, 28), np.uint8), y=np.zeros(12, np.int64))
    np.savez(tmp_path / "other.npz", images=np.zeros(3))
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 no zip")
    (tmp_path / "a.txt").write_text("x")
    good = look_at_data(tmp_path / "good.npz", tmp_path)
    assert good.ok
    assert "x 12x28x28 uint8   y 12 int64" in good.text
    for name in ("other.npz", "broken.npz", "a.txt", "none.npz"):
        assert not look_at_data(tmp_path / name, tmp_path).ok
    assert not look_at_data(tmp_path, tmp_path).ok
    (tmp_path / "data.py").write_text("def load(path): ...")
    assert look_at_data(tmp_path, tmp_path).ok
    assert look_at_data(None, tmp_path).ok


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
def test_the_start_of_a_training_looks_as_it_did(
    market_of_one_path: Place, snap_compare: Any, size: tuple[int, int]
) -> None:
    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await at_runs(pilot.app, pilot)
        await pilot.app.push_screen(StartTraining(1))
        await shows(pilot.app, pilot, "WHAT IT MAY TOUCH")
        await shows(pilot.app, pilot, "reads")
        await shows(pilot.app, pilot, "no run going")
        for field in pilot.app.screen.query(Input):
            field.cursor_blink = False

    assert snap_compare(market_of_one_path.app(), terminal_size=size, run_before=show)


@pytest.mark.parametrize(
    ("who", "says"), [("ada", "You hold no slot"), ("bo", "You have had your slot"), ("chi", "")]
)
async def test_the_form_says_whom_a_training_brings_nothing(market_home: Place, who: str, says: str) -> None:
    """Who has delivered, or lost a slot, never has another of the same task."""
    async with market_home.running(as_=who) as (app, pilot):
        await at_runs(app, pilot)
        await app.push_screen(StartTraining(1))
        form = app.screen
        await until(pilot, lambda: not form.query_one("#start", Button).disabled, "the card")
        text = text_of(app)
        assert says in text
        assert ("cannot be delivered" in text) == bool(says)
