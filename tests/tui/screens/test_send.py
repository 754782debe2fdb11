"""Delivering: what goes out is listed and looked at before anything is signed."""

import shutil
import time
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Button

from decentralml.core.bounds import Bounds
from decentralml.core.domain import ResultSubmissionStatus
from decentralml.core.training.progress import Progress
from decentralml.core.training.run_folder import RunFile, RunFolder, RunSpec
from decentralml.tui import background
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.file_picker import FilePicker
from decentralml.tui.screens.send import SendResult
from decentralml.tui.screens.sign import Sign
from decentralml.tui.screens.task import TaskDetail

from ..conftest import PASSWORD, Place, settled, text_of, until
from ..turns import at_once, burst


def add_run(place: Place, result: Path, *, id: int = 1, submission_id: int = 2) -> Path:
    """A run of task 1 that has finished with ``result``; the folder of its result."""
    path = place.home.runs / str(id)
    path.mkdir()
    run = RunFolder(path)
    progress = Progress(phase="finished", epoch=3, epochs=3, ended=time.time(), folder=result.name)
    progress.claimed = {"loss": 0.2, "accuracy": 0.91}
    spec = RunSpec(
        assets=place.home.assets, script="model_contributor.py", task_id=1, submission_id=submission_id
    )
    run.create(RunFile(spec=spec, bounds=Bounds(1, 1, 1), created=0, progress=progress))
    return Path(shutil.copytree(result, run.out / result.name))


async def delivering(app: DecentralMLApp, pilot: Pilot[None]) -> SendResult:
    """By d on the task."""
    detail = TaskDetail(1)
    await app.push_screen(detail)
    await until(pilot, lambda: detail.facts)
    await pilot.press("d")
    await until(pilot, lambda: isinstance(app.screen, SendResult), "the dialog")
    return app.screen


async def test_a_finished_run_is_listed_looked_at_and_delivered(market_home: Place, trained: Path) -> None:
    result = add_run(market_home, trained / "honest")
    (result / "diary.txt").write_text("stays here")
    async with market_home.running(as_="chi") as (app, pilot):
        await delivering(app, pilot)
        await until(pilot, lambda: "run 1" in text_of(app), "the runs")
        assert "accuracy 0.910" in text_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: "GOES OUT" in text_of(app), "the parcel")
        text = text_of(app)
        for name in ("config.json", "metadata.json", "model.weights.h5", "result.json"):
            assert name in text
        assert "STAYS HERE  diary.txt" in text
        assert "its creator can load it" in text
        assert market_home.chain.submission(2).delivered is None
        await pilot.press("h")
        await until(pilot, lambda: "Which result?" in text_of(app), "the runs again")
        await pilot.press("enter")
        await until(pilot, lambda: "GOES OUT" in text_of(app), "the parcel")
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, Sign))
        assert "diary.txt" not in text_of(app)
        assert "of run 1" in text_of(app)
        assert str(market_home.home.cache_dir) not in text_of(app)
        await pilot.press("y", *PASSWORD, "enter")
        await until(pilot, lambda: isinstance(app.screen, TaskDetail), "the receipt")
        sent = market_home.chain.submission(2)
        assert sent.status is ResultSubmissionStatus.PendingValidation
        names = [file.name for file in market_home.storage.manifest(sent.result_path).files]
        assert names == ["config.json", "metadata.json", "model.weights.h5", "result.json"]
        assert "is delivered" in [note.message for note in app._notifications][-1]


async def test_a_second_yes_sends_nothing_anew_and_is_no_failure(market_home: Place, trained: Path) -> None:
    add_run(market_home, trained / "honest")
    async with market_home.running(as_="chi") as (app, pilot):
        await background.call(app.session.unlock, PASSWORD)
        screen = await delivering(app, pilot)
        await until(pilot, lambda: "run 1" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: "GOES OUT" in text_of(app))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, Sign))
        burst(app, "y", "y", "y")
        await at_once(lambda: not isinstance(app.screen, Sign))
        screen.action_yes()  # as by a key that comes before the dialog went after its card
        await until(pilot, lambda: isinstance(app.screen, TaskDetail), "the receipt")
        await settled(pilot)
        assert market_home.chain.submission(2).status is ResultSubmissionStatus.PendingValidation
        assert app.failures.newest() == []


async def test_a_result_that_no_creator_could_load_is_refused_before_the_signature(
    market_home: Place, trained: Path
) -> None:
    add_run(market_home, trained / "broken")
    async with market_home.running(as_="chi") as (app, pilot):
        screen = await delivering(app, pilot)
        await until(pilot, lambda: "run 1" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.failures, "the refusal")
        assert screen.query_one("#send", Button).disabled
        await pilot.press("y")
        assert app.screen is screen
        await pilot.press("escape")
        assert isinstance(app.screen, TaskDetail)


async def test_without_a_run_a_folder_is_chosen(market_home: Place, trained: Path) -> None:
    async with market_home.running(as_="chi") as (app, pilot):
        screen = await delivering(app, pilot)
        await until(pilot, lambda: "No run of this task has finished here" in text_of(app))
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, FilePicker))
        app.screen.dismiss(trained / "honest")
        await until(pilot, lambda: screen.query("#parcel") and "GOES OUT" in text_of(app))


async def test_runs_of_another_task_or_chain_are_not_offered(market_home: Place, trained: Path) -> None:
    add_run(market_home, trained / "honest")
    folder = RunFolder(market_home.home.runs / "1")
    file = folder.load()
    file.spec = RunSpec(assets=file.spec.assets, script=file.spec.script, task_id=1, chain="another")
    folder.store(file)
    async with market_home.running(as_="chi") as (app, pilot):
        await delivering(app, pilot)
        await until(pilot, lambda: "No run of this task has finished here" in text_of(app))


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 40)])
def test_what_goes_out_looks_as_it_did(
    market_home: Place, trained: Path, snap_compare, size: tuple[int, int]
) -> None:
    add_run(market_home, trained / "honest")

    async def show(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: pilot.app.pulse)
        await delivering(pilot.app, pilot)
        await until(pilot, lambda: "run 1" in text_of(pilot.app))
        await pilot.press("enter")
        await until(pilot, lambda: "GOES OUT" in text_of(pilot.app))

    assert snap_compare(market_home.app(as_="chi"), terminal_size=size, run_before=show)
