"""Trying a task, and setting it up: shown before it runs, run in the sandbox, and nothing of it signed."""

import shutil
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Checkbox, Input

from decentralml.core.amount import UNIT
from decentralml.core.domain import ValidationStrategy
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.set_up import SetUp
from decentralml.tui.screens.task import TaskDetail
from decentralml.tui.screens.try_task import TryTask
from decentralml.tui.widgets.prose import Prose

from ..conftest import ASSETS, Place, text_of, until


def publish(place: Place, folder: Path, setup: str = "", base: Path | None = None) -> int:
    """A contributor's task of ada's; with a setup.sh and a base model where they are given."""
    leave = shutil.ignore_patterns("__pycache__", "base_model")
    shutil.copytree(ASSETS / "model_contributor", folder, ignore=leave)
    if base is None:
        (folder / "base_model.keras").write_text("stands for a model")
    else:
        shutil.copytree(base, folder / "base_model")
    (folder / "setup.sh").unlink()
    if setup:
        (folder / "setup.sh").write_text(setup)
    receipt = place.market("ada").create_task_model_contributor(
        question="Which digit?",
        pays_amount=UNIT,
        expiration_block=10_000,
        max_assignments=2,
        validation_strategy=ValidationStrategy.ManualAccept,
        model_contributor_script_path=folder,
    )
    return receipt.task_id


async def opened_by(key: str, app: DecentralMLApp, pilot: Pilot[None], task_id: int) -> None:
    detail = TaskDetail(task_id)
    await app.push_screen(detail)
    await until(pilot, lambda: detail.facts)
    await pilot.press(key)
    await until(pilot, lambda: app.screen is not detail, "the dialog")


def found(app: DecentralMLApp) -> dict[str, str]:
    """The fields that the try has filled in."""
    blocks = app.screen.query_one("#found", Prose)._blocks
    pairs = [pair for block in blocks if isinstance(block, list) for pair in block]
    return {
        (label if isinstance(label, str) else label[0]): "".join(
            span if isinstance(span, str) else span[0] for span in spans
        )
        for label, spans in pairs
    }


async def test_a_try_says_what_it_may_touch_then_what_it_takes_and_pays(
    bare_home: Place, tmp_path: Path, trained: Path
) -> None:
    task_id = publish(bare_home, tmp_path / "task", base=trained / "base_model")
    before = bare_home.chain.last_cursor()
    numbers = tmp_path / "shard.npz"
    shutil.copy(ASSETS / "mnist5k.npz", numbers)
    async with bare_home.running(as_="bo") as (app, pilot):
        await opened_by("T", app, pilot, task_id)
        await until(pilot, lambda: not app.screen.query_one("#try", Button).disabled, "the card")
        assert found(app)["network"] == "none"
        assert found(app)["protection"].startswith("bwrap")
        assert found(app)["reads"].startswith("the task's files, the run's own folder/job")
        for half in ("~nobody-of-this-name", "/" + "x" * 400):
            app.screen.query_one("#data", Input).value = half
            await pilot.pause()
            await until(pilot, lambda: not any(w.is_running for w in app.workers if w.group == "card"))
        assert not app.failures, "nothing was tried with them"
        app.screen.query_one("#data", Input).value = str(tmp_path / "nothing.npz")
        await pilot.press("enter")
        await until(pilot, lambda: "There is nothing at" in text_of(app))
        app.screen.query_one("#data", Input).value = str(numbers)
        await until(pilot, lambda: "shard.npz" in found(app)["reads"], "the data on the card")
        await pilot.press("enter")
        await until(pilot, lambda: "pays an hour" in found(app) or len(app.failures) > 1, "the try")
        assert [failure.code for failure in app.failures] == ["NoData"]
        report = found(app)
        assert report["inspection"] == "its creator can load it"
        for field in ("memory", "download", "environment", "device", "an epoch", "protection"):
            assert report[field]
        assert report["an epoch"] not in ("0 s", "0.00 s")
        ten = report["10 epochs"]
        app.screen.query_one("#epochs", Input).value = "100000"
        await until(pilot, lambda: "100,000 epochs" in found(app), "the new estimate")
        assert found(app)["100,000 epochs"] != ten
    assert bare_home.chain.last_cursor() == before


async def test_setup_is_shown_in_full_with_escapes_and_runs_only_after_the_yes(
    bare_home: Place, tmp_path: Path
) -> None:
    script = "#!/bin/sh\n# \x1b[2J\u202e hidden\necho prepared > made.txt\necho it ran\n"
    task_id = publish(bare_home, tmp_path / "task", script)
    async with bare_home.running(as_="bo", size=(100, 40)) as (app, pilot):
        await opened_by("e", app, pilot, task_id)
        assert isinstance(app.screen, SetUp)
        await until(pilot, lambda: "echo prepared" in text_of(app), "the script")
        assert "\\x1b[2J\\u202e hidden" in text_of(app)
        assert "▐-▌ grant the network" in text_of(app)
        app.screen.query_one("#network", Checkbox).value = True
        await until(pilot, lambda: "loopback too" in text_of(app), "the warning")
        assert "▐X▌ grant the network" in text_of(app)
        app.screen.query_one("#network", Checkbox).value = False
        prepared = bare_home.home.cache_dir / "prepared"
        assert not prepared.exists() or not list(prepared.iterdir())
        app.screen.query_one("#run", Button).press()
        await until(pilot, lambda: "setup.sh is done" in text_of(app), "the end of setup.sh")
        assert "it ran" in text_of(app)
        (folder,) = [path for path in prepared.iterdir() if path.is_dir()]
        assert (folder / "made.txt").read_text() == "prepared\n"
        assert "setup.sh is done" in app.screen.why_not("yes").message
        await pilot.press("escape")


async def test_a_setup_that_could_not_be_fetched_is_not_said_to_be_missing(
    bare_home: Place, tmp_path: Path
) -> None:
    task_id = publish(bare_home, tmp_path / "task", "echo prepared\n")
    shutil.rmtree(bare_home.home.storage / "manifests")
    async with bare_home.running(as_="bo") as (app, pilot):
        await opened_by("e", app, pilot, task_id)
        await until(pilot, lambda: app.failures, "the failed download")
        await pilot.press("y")
        assert "Its setup.sh is not read yet." in text_of(app)


async def test_a_setup_that_fails_says_so_and_prepares_nothing(bare_home: Place, tmp_path: Path) -> None:
    task_id = publish(bare_home, tmp_path / "task", "echo no room\nexit 3\n")
    async with bare_home.running(as_="bo") as (app, pilot):
        await opened_by("e", app, pilot, task_id)
        await until(pilot, lambda: not app.screen.query_one("#run", Button).disabled)
        app.screen.query_one("#run", Button).press()
        await until(pilot, lambda: "setup.sh ended with 3" in text_of(app))
        assert "no room" in text_of(app)
        assert not app.screen.query_one("#run", Button).disabled, "it can be tried again"


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 40)])
async def test_the_dialog_fits(bare_home: Place, tmp_path: Path, size: tuple[int, int]) -> None:
    task_id = publish(bare_home, tmp_path / "task", "echo hello\n")
    async with bare_home.running(as_="bo", size=size) as (app, pilot):
        await opened_by("T", app, pilot, task_id)
        assert isinstance(app.screen, TryTask)
        await until(pilot, lambda: not app.screen.query_one("#try", Button).disabled)
        assert "The task has a setup.sh" in str(app.screen.query_one("#found", Prose)._blocks)
        for button in app.screen.query(Button):
            assert app.screen.find_widget(button).visible_region.height == 1
