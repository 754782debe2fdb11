"""Evaluations in the background: the data asked for once, the queue, and nothing signed."""

import hashlib
import threading
from pathlib import Path

import numpy as np
from textual.widgets import Input

from decentralml.core.domain import ResultSubmissionStatus as S
from decentralml.core.domain import ValidationStrategy
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.judging.work import Setup
from decentralml.tui.screens.held_out import HeldOut

from .. import judged
from ..conftest import Place, said, settled, text_of, until
from ..forms import dialog
from ..judged import judging, whole


async def test_how_many_wait_is_said_whole_in_80_columns(known: Place, tmp_path: Path) -> None:
    free = threading.Event()
    async with known.running(size=(80, 24)) as (app, pilot):
        await judging(pilot)
        app.judging.do(Setup(), lambda judge, cancelled: free.wait(30))
        for number in (1, 2, 3):
            app.judging.evaluate(number, Setup(tmp_path / "none.npz"))
        app.screen.show_progress()
        await pilot.pause()
        assert "3 wait behind it" in text_of(app)
        assert "nothing is signed" not in text_of(app), "it is said whole or not at all"
        free.set()
        await until(pilot, lambda: len(app.judging.failed()) == 3, "the end of the queue")


async def test_one_question_serves_all_tasks_whose_results_wait(bare_home: Place, trained: Path) -> None:
    for _ in range(2):
        task = bare_home.create("ada")
        bare_home.deliver("bo", bare_home.take("bo", task))
    async with bare_home.running(size=(120, 40)) as (app, pilot):
        await judging(pilot, "V")
        await dialog(pilot, HeldOut)
        assert "Evaluate results of tasks 1 and 2" in text_of(app)
        app.screen.query_one("#data", Input).value = str(trained / "held-out.npz")
        await pilot.press("ctrl+g")
        await until(pilot, lambda: len(app.screen_stack) == 1, "the dialog to close")
        await until(pilot, lambda: app.judging.job(1) and app.judging.job(2), "both in the queue")


async def test_a_key_changes_the_data_of_a_task_and_measures_nothing(known: Place, trained: Path) -> None:
    data = trained / "held-out.npz"
    async with known.running(size=(100, 40)) as (app, pilot):
        await judging(pilot, "N")
        await dialog(pilot, HeldOut)
        app.screen.query_one("#data", Input).value = str(data)
        await pilot.press("ctrl+g")
        word = "held-out.npz measures results of task 1 from now on: v does it."
        await until(pilot, lambda: word in said(app), "the answer")
        await pilot.press("N")
        await dialog(pilot, HeldOut)
        assert app.screen.query_one("#data", Input).value == str(data)
        app.screen.query_one("#policy", Input).value = str(judged.ASSETS / "model_creator" / "validation.py")
        await pilot.press("ctrl+g")
        word = "held-out.npz, with validation.py, measures results of task 1 from now on: v does it."
        await until(pilot, lambda: word in said(app), "the script is named too")
        assert app.judging.busy() == (0, 0)


async def test_a_file_that_is_no_data_does_not_leave_the_dialog(known: Place, tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_text("a text")
    async with known.running(size=(100, 40)) as (app, pilot):
        await judging(pilot, "j", "j", "j", "v")
        await dialog(pilot, HeldOut)
        app.screen.query_one("#data", Input).value = str(tmp_path / "x.npz")
        await pilot.press("ctrl+g")
        await until(pilot, lambda: "x.npz is no .npz" in text_of(app), "the refusal")
        assert isinstance(app.screen, HeldOut)
        assert not app.state.get("validate.setups", {})


async def test_data_that_turn_out_bad_are_asked_for_again_with_the_reason(
    bare_home: Place, trained: Path, tmp_path: Path
) -> None:
    task = judged.publish_with_base(bare_home, trained, ValidationStrategy.ManualAccept)
    numbers = [judged.send(bare_home, who, task, trained / "honest") for who in ("bo", "chi")]
    data = tmp_path / "x.npz"
    np.savez(data, x=np.full((20, 28, 28), np.nan), y=np.arange(20) % 10)
    async with bare_home.running(size=(120, 40)) as (app, pilot):
        await judging(pilot, "v")
        await dialog(pilot, HeldOut)
        app.screen.query_one("#data", Input).value = str(data)
        await pilot.press("ctrl+g")
        await until(pilot, lambda: app.judging.failed(), "the failure")
        await until(
            pilot, lambda: "The evaluation failed. The data cannot be used: x holds NaN" in text_of(app)
        )
        assert "Not evaluated yet" not in text_of(app)
        assert "v asks again by what to measure it" in text_of(app)
        assert not app.state.get("validate.setups"), "nor would another start take it"
        await pilot.press("j", "v")
        await dialog(pilot, HeldOut)
        assert app.screen.query_one("#data", Input).value == str(data)
        assert f"Result {numbers[0]} was not measured: The data cannot be used" in text_of(app)
        app.screen.query_one("#data", Input).value = str(trained / "held-out.npz")
        await pilot.press("ctrl+g")
        await until(pilot, lambda: evaluated(app, numbers[1:]), "the report")
        await pilot.press("k", "v")
        await until(pilot, lambda: evaluated(app, numbers), "both reports, asked no more")


async def test_results_are_evaluated_in_the_background_and_nothing_is_signed(
    bare_home: Place, trained: Path, tmp_path: Path
) -> None:
    task = judged.publish_with_base(bare_home, trained, ValidationStrategy.CustomAccept)
    numbers = [
        judged.send(bare_home, who, task, trained / name)
        for who, name in (("bo", "honest"), ("chi", "boasts"))
    ]
    async with bare_home.running(size=(120, 40)) as (app, pilot):
        await judging(pilot, "V")
        await dialog(pilot, HeldOut)
        app.screen.query_one("#data", Input).value = str(tmp_path / "no.npz")
        await pilot.press("enter")
        await until(pilot, lambda: "There is no file" in text_of(app), "the refusal")
        app.screen.query_one("#data", Input).value = str(trained / "held-out.npz")
        policy = Path(judged.ASSETS / "model_creator" / "validation.py")
        app.screen.query_one("#policy", Input).value = str(policy)
        await pilot.press("enter")
        await until(pilot, lambda: len(app.screen_stack) == 1, "the dialog to close")
        await pilot.press("j", "k")
        await until(pilot, lambda: evaluated(app, numbers), "both reports")
        await settled(pilot)
        assert "says accept" in text_of(app)
        assert "says reject" in text_of(app)
        assert {bare_home.chain.submission(n).status for n in numbers} == {S.PendingValidation}
        assert app.judging.busy() == (0, 0)
        assert app.state.get("validate.setups")
        assert "SUREST MISTAKES" in await whole(pilot, "matrix")
        assert "▀" in await whole(pilot, "matrix")


async def test_a_result_whose_files_changed_on_the_storage_is_refused_and_its_row_says_so(
    bare_home: Place, trained: Path
) -> None:
    task = judged.publish_with_base(bare_home, trained, ValidationStrategy.ManualAccept)
    number = judged.send(bare_home, "bo", task, trained / "honest")
    weights = next((trained / "honest").rglob("*.h5")).read_bytes()
    digest = hashlib.sha256(weights).hexdigest()
    blob = bare_home.home.storage / "blobs" / digest[:2] / digest
    blob.chmod(0o600)
    blob.write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    async with bare_home.running(size=(120, 40)) as (app, pilot):
        await judging(pilot)
        app.judging.evaluate(number, Setup(trained / "held-out.npz"))
        await until(pilot, lambda: app.judging.busy() == (0, 0), "the end of it")
        await until(pilot, lambda: "what its reference names" in text_of(app), "the refusal")
        row = next(line for line in text_of(app).splitlines() if line.startswith("›"))
        assert "refused" in row


def evaluated(app: DecentralMLApp, numbers: list[int]) -> bool:
    entries = app.screen.entries
    return all(number in entries and entries[number].report for number in numbers)
