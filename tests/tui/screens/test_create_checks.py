"""What is wrong with a new task, said while it is typed: its fields, and the files that it ships."""

import shutil
from pathlib import Path

import pytest
from textual.widgets import Button

from decentralml.tui.widgets.choice import Choice

from ..conftest import ASSETS, Place, until
from ..forms import fill, findings, form


@pytest.mark.parametrize(
    ("fields", "of", "words"),
    [
        ({"question": "ü" * 1025}, "question", "2,050 bytes: at most 2,048 fit."),
        ({"pays": "1e3"}, "pays", "is not an amount"),
        ({"pays": "0"}, "the chain", "existential deposit"),
        ({"wanted": "1001"}, "wanted", "1 to 1,000"),
        ({"until": "soon"}, "until", "is no time"),
        ({"until": "block 0"}, "until", "not ahead"),
        ({"until": "9000d"}, "the chain", "block"),
        ({"until": "9999999d"}, "until", "too far ahead"),
        ({"files": "/nowhere/at/all"}, "files", "is not a folder"),
        ({"files": "local:#sha256=12"}, "files", "must end in #sha256="),
        ({"pays": "1001", "wanted": "1"}, "the chain", "free"),
    ],
)
async def test_what_would_be_refused_is_said_while_one_types(
    bare_home: Place, fields: dict[str, str], of: str, words: str, contributors_folder: Path
) -> None:
    async with bare_home.running() as (app, pilot):
        screen = await form(app, pilot)
        good = {
            "question": "Which?",
            "files": str(contributors_folder),
            "pays": "1",
            "wanted": "2",
            "until": "1d",
        }
        await fill(pilot, **{**good, **fields})
        await until(pilot, lambda: of in findings(screen))
        tone, said = findings(screen)[of]
        assert tone == "bad"
        assert words in said
        assert screen.query_one("#publish", Button).disabled


async def test_a_folder_without_the_script_of_its_kind_is_refused(
    bare_home: Place, contributors_folder: Path
) -> None:
    async with bare_home.running() as (app, pilot):
        screen = await form(app, pilot)
        await fill(pilot, files=str(contributors_folder))
        screen.query_one("#kind", Choice).focus()
        await pilot.press("right")
        await until(pilot, lambda: screen.draft.kind == "engineer")
        await until(pilot, lambda: findings(screen)["files"][0] == "bad")
        assert "model_engineer.py" in findings(screen)["files"][1]


async def test_a_contributors_folder_without_the_model_to_train_is_refused(
    bare_home: Place, contributors_folder: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(contributors_folder, tmp_path / "task"))
    (folder / "base_model.keras").unlink()
    async with bare_home.running() as (app, pilot):
        screen = await form(app, pilot)
        await fill(pilot, files=str(folder))
        tone, said = findings(screen)["files"]
        assert (tone, "base_model/" in said) == ("bad", True)


async def test_a_folder_that_is_mended_outside_is_seen_by_itself(
    bare_home: Place, contributors_folder: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(contributors_folder, tmp_path / "task"))
    model = (folder / "base_model.keras").rename(tmp_path / "base_model.keras")
    async with bare_home.running() as (app, pilot):
        screen = await form(app, pilot)
        await fill(pilot, question="Which?", files=str(folder), pays="1", wanted="1", until="1d")
        assert screen.query_one("#publish", Button).disabled
        model.rename(folder / "base_model.keras")
        bare_home.clock.blocks(1)
        await until(pilot, lambda: not screen.query_one("#publish", Button).disabled)


async def test_more_than_labels_is_checked_to_be_json(bare_home: Place) -> None:
    async with bare_home.running(size=(80, 30)) as (app, pilot):
        screen = await form(app, pilot)
        await pilot.press("left")
        files = str(ASSETS / "data_annotator" / "files")
        await fill(pilot, question="Which mood?", files=files, pays="0.1", wanted="3", labels="a, b")
        for more, tone in (('{"a": [1,}', "bad"), ("[" * 10_000, "bad"), ('{"a": 1}', "good")):
            await fill(pilot, more=more)
            await until(pilot, lambda tone=tone: findings(screen).get("more", ("",))[0] == tone)
            assert screen.query_one("#publish", Button).disabled is (tone == "bad")
        await fill(pilot, more="")
        await until(pilot, lambda: "more" not in findings(screen) and screen.checked.terms)
