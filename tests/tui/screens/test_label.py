"""Labelling: a key a label, every answer kept at once, delivered inline or as a folder."""

import json
from pathlib import Path

import pytest
from textual.pilot import Pilot

from decentralml.core.amount import UNIT
from decentralml.core.domain import AnnotationType, ResultSubmissionStatus, ValidationStrategy
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.dialog import Ask
from decentralml.tui.screens.label import LabelFiles
from decentralml.tui.screens.sign import Sign
from decentralml.tui.screens.task import TaskDetail
from decentralml.tui.widgets.code_view import CodeView

from ..conftest import PASSWORD, Place, opened, text_of, until


@pytest.fixture
def letters(bare_home: Place, tmp_path: Path) -> int:
    """A task of ada's with three letters to label, one of which is hostile; bo holds a slot."""
    return _publish(
        bare_home,
        tmp_path / "letters",
        {"a.txt": "How much?", "b.txt": "Bad \x1b[2J\u202e.", "c.txt": "Nice"},
    )


def _publish(place: Place, folder: Path, files: dict[str, str]) -> int:
    (folder / "files").mkdir(parents=True)
    for name, text in files.items():
        (folder / "files" / name).write_text(text)
    receipt = place.market("ada").create_task_data_annotator(
        question="Which mood?",
        pays_amount=UNIT,
        expiration_block=10_000,
        max_assignments=2,
        validation_strategy=ValidationStrategy.ManualAccept,
        annotation_type=AnnotationType.Text,
        annotation_files=folder,
        annotation_class_labels="complaint, praise, question",
    )
    place.take("bo", receipt.task_id)
    return receipt.task_id


async def labelling(app: DecentralMLApp, pilot: Pilot[None], task_id: int) -> LabelFiles:
    """By d on the task: who holds a slot labels."""
    detail = TaskDetail(task_id)
    await app.push_screen(detail)
    await until(pilot, lambda: detail.facts)
    await pilot.press("d")
    await until(pilot, lambda: isinstance(app.screen, LabelFiles) and app.screen._names, "the files")
    await until(pilot, lambda: "labelled" in text_of(app))
    return app.screen


async def test_digits_label_and_the_next_file_comes_by_itself(bare_home: Place, letters: int) -> None:
    async with bare_home.running(as_="bo") as (app, pilot):
        screen = await labelling(app, pilot, letters)
        assert "How much?" in text_of(app)
        assert not (bare_home.home.data_dir / "answers").exists(), "who only reads leaves nothing"
        assert "1 Tasks" not in text_of(app), "here a digit is no tab's"
        await pilot.press("3")
        await until(pilot, lambda: "Bad" in text_of(app), "the next file")
        assert "\\x1b[2J" in text_of(app)
        await pilot.press("j", "enter")
        await until(pilot, lambda: "2 of 3 labelled" in text_of(app))
        await pilot.press("h", "h")
        await until(pilot, lambda: "1/3" in text_of(app))
        assert screen._answers["a.txt"] == "question"
        assert app.current_mode == "tasks", "a digit is a label here, not a tab"


async def test_answers_given_before_are_there_after_a_restart(bare_home: Place, letters: int) -> None:
    async with bare_home.running(as_="bo") as (app, pilot):
        await labelling(app, pilot, letters)
        await pilot.press("3", "1")
        await until(pilot, lambda: "2 of 3 labelled" in text_of(app))
        (kept,) = (bare_home.home.data_dir / "answers").glob("[!.]*.json")
        await until(pilot, lambda: len(json.loads(kept.read_text())) == 2)
    async with bare_home.running(as_="bo") as (app, pilot):
        screen = await labelling(app, pilot, letters)
        assert screen._answers == {"a.txt": "question", "b.txt": "complaint"}
        assert "c.txt" in text_of(app), "it goes on with the first file without a label"
    async with bare_home.running(as_="chi") as (app, pilot):
        detail = TaskDetail(letters)
        await app.push_screen(detail)
        await until(pilot, lambda: detail.facts)
        await pilot.press("T")
        await until(pilot, lambda: isinstance(app.screen, LabelFiles) and app.screen._names)
        await until(pilot, lambda: "0 of 3 labelled" in text_of(app), "an account sees no other's answers")
        assert "You hold no slot" in text_of(app)
        await pilot.press("d")
        await until(pilot, lambda: app._notifications)
        assert app.screen.why_not("deliver").code == "NotTaken"


async def test_few_answers_are_delivered_inline_after_a_signature(bare_home: Place, letters: int) -> None:
    async with bare_home.running(as_="bo") as (app, pilot):
        await labelling(app, pilot, letters)
        await pilot.press("3", "1")
        await until(pilot, lambda: "2 of 3 labelled" in text_of(app))
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Ask), "the question about the third")
        await pilot.press("escape", "2")
        await until(pilot, lambda: "3 of 3 labelled" in text_of(app))
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Sign))
        await pilot.press("y", *PASSWORD, "enter")
        await until(pilot, lambda: isinstance(app.screen, TaskDetail), "the receipt")
        sent = bare_home.chain.submission(1)
        assert sent.status is ResultSubmissionStatus.PendingValidation
        assert json.loads(sent.result) == {"a.txt": "question", "b.txt": "complaint", "c.txt": "praise"}


async def test_many_answers_are_delivered_as_a_folder(bare_home: Place, tmp_path: Path) -> None:
    names = [f"a letter with a long name, number {number:03}.txt" for number in range(60)]
    task_id = _publish(bare_home, tmp_path / "many", dict.fromkeys(names, "text"))
    async with bare_home.running(as_="bo", size=(100, 40)) as (app, pilot):
        screen = await labelling(app, pilot, task_id)
        screen._answers = dict.fromkeys(names, "praise")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Sign))
        assert "answers.json" in text_of(app)
        assert "of your answers" in text_of(app)
        await pilot.press("y", *PASSWORD, "enter")
        await until(pilot, lambda: isinstance(app.screen, TaskDetail), "the receipt")
        folder = bare_home.market("ada").fetch_result(bare_home.chain.submission(1))
        assert json.loads((folder / "answers.json").read_text()) == dict.fromkeys(names, "praise")


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 40)])
def test_labelling_looks_as_it_did(
    bare_home: Place, letters: int, snap_compare, size: tuple[int, int]
) -> None:
    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await labelling(pilot.app, pilot, letters)
        await pilot.press("1")
        await until(pilot, lambda: "1 of 3 labelled" in text_of(pilot.app))
        await until(pilot, lambda: "Bad" in text_of(pilot.app))

    assert snap_compare(bare_home.app(as_="bo"), terminal_size=size, run_before=show)


async def test_a_line_longer_than_its_pane_goes_on_below(bare_home: Place, tmp_path: Path) -> None:
    words = [f"word{number}" for number in range(60)]
    task = _publish(bare_home, tmp_path / "long", {"a.txt": " ".join(words)})
    async with bare_home.running(as_="bo", size=(80, 24)) as (app, pilot):
        await labelling(app, pilot, task)
        await until(pilot, lambda: all(word in text_of(app) for word in words), "all of it")
        await pilot.resize_terminal(60, 24)
        await until(pilot, lambda: all(word in text_of(app) for word in words), "all of it, anew")
        assert not app.screen.query_one(CodeView).show_horizontal_scrollbar
