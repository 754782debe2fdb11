"""Finding a file or a folder by typing and by walking."""

import os
import shutil
from pathlib import Path

import pytest
from textual.widgets import Button, Input, OptionList, Static

from decentralml.tui.screens.file_picker import MOST_ENTRIES, FilePicker, Purpose, find, read

from ..conftest import Place, text_of, until
from .test_create import form

A_FILE = Purpose("file", "Choose a file", holds="a text", fits=lambda path: path.suffix == ".txt")
A_FOLDER = Purpose("folder", "Choose a folder", "folder")
EITHER = Purpose("either", "Choose", "either")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for folder in ("alpha", "alpine", "beta/inner", ".hidden"):
        (root / folder).mkdir(parents=True)
    (root / "one.txt").write_bytes(b"x" * 1500)
    (root / "alpha" / "two.txt").write_text("2")
    return root


def test_folders_come_first_and_hidden_ones_only_when_asked_for(tree: Path) -> None:
    assert [name for name, _ in read(tree).entries] == ["alpha", "alpine", "beta", "one.txt"]
    assert [name for name, _ in read(tree, "al").entries] == ["alpha", "alpine"]
    assert [name for name, _ in read(tree, ".").entries] == [".hidden", "one.txt"]


def test_a_folder_that_cannot_be_read_says_why(tree: Path) -> None:
    assert "No such file" in read(tree / "nowhere").problem


def test_a_huge_folder_is_cut_and_says_so(tmp_path: Path) -> None:
    for number in range(MOST_ENTRIES + 5):
        (tmp_path / f"{number:05d}").touch()
    listing = read(tmp_path)
    assert (len(listing.entries), listing.more) == (MOST_ENTRIES, 5)


def test_a_dangling_link_is_left_out(tree: Path) -> None:
    os.symlink(tree / "gone", tree / "alink")
    assert "alink" not in [name for name, _ in read(tree).entries]


async def test_tab_completes_and_enter_answers_with_the_folder(market_home: Place, tree: Path) -> None:
    async with market_home.running() as (app, pilot):
        answers: list[Path | None] = []
        app.push_screen(FilePicker(tree, A_FOLDER), answers.append)
        await until(pilot, lambda: "alpine" in text_of(app))
        path = app.screen.query_one("#path", Input)
        await pilot.press("a")
        await until(pilot, lambda: app.screen.query_one(OptionList).option_count == 3)
        await pilot.press("tab")
        await until(pilot, lambda: path.value == f"{tree}/alp")
        await pilot.press("h", "tab")
        await until(pilot, lambda: path.value == f"{tree}/alpha/")
        await pilot.press("enter")
        await until(pilot, lambda: answers == [tree / "alpha"])


async def test_one_walks_with_the_keys_and_chooses_a_file(market_home: Place, tree: Path) -> None:
    async with market_home.running() as (app, pilot):
        answers: list[Path | None] = []
        app.push_screen(FilePicker(tree, A_FILE), answers.append)
        await until(pilot, lambda: "one.txt" in text_of(app))
        await pilot.press("down", "l")
        await until(pilot, lambda: "two.txt" in text_of(app))
        await pilot.press("h")
        await until(pilot, lambda: "one.txt" in text_of(app))
        await pilot.press("j", "j", "j", "enter")
        await until(pilot, lambda: answers == [tree / "one.txt"])


def test_any_part_of_a_name_filters_whatever_its_case(tree: Path) -> None:
    (tree / "Betalpha").mkdir()
    assert [name for name, _ in read(tree, "ALP").entries] == ["alpha", "alpine", "Betalpha"]


async def test_what_fits_is_marked_and_what_is_hidden_is_counted(market_home: Place, tree: Path) -> None:
    async with market_home.running() as (app, pilot):
        app.push_screen(FilePicker(tree, A_FILE))
        await until(pilot, lambda: "one.txt" in text_of(app))
        assert "✓ a text" in text_of(app)
        assert "1.5 kB ✓ one.txt" in text_of(app)
        assert "✓ alpha" not in text_of(app)
        assert "1 hidden: type a dot to see them." in text_of(app)
        await pilot.press("full_stop")
        await until(pilot, lambda: ".hidden/" in text_of(app), "the hidden folder")


async def test_slash_filters_and_enter_takes_what_is_left(market_home: Place, tree: Path) -> None:
    async with market_home.running() as (app, pilot):
        answers: list[Path | None] = []
        app.push_screen(FilePicker(tree, A_FILE), answers.append)
        await until(pilot, lambda: "one.txt" in text_of(app))
        await pilot.press("down", "G", "slash", *"NE.t")
        await until(pilot, lambda: app.screen.query_one(OptionList).option_count == 1, "one name")
        await pilot.press("enter")
        await until(pilot, lambda: answers == [tree / "one.txt"])


async def test_the_first_button_chooses_from_the_list_too(market_home: Place, tree: Path) -> None:
    async with market_home.running() as (app, pilot):
        answers: list[Path | None] = []
        app.push_screen(FilePicker(tree, A_FILE), answers.append)
        await until(pilot, lambda: "one.txt" in text_of(app))
        await pilot.press("down", "G", "ctrl+g")
        await until(pilot, lambda: answers == [tree / "one.txt"])
        app.push_screen(FilePicker(tree, A_FOLDER), answers.append)
        await until(pilot, lambda: "one.txt" in text_of(app))
        await pilot.press("down", "l", "ctrl+g")
        await until(pilot, lambda: answers[1:] == [tree / "alpha"])


async def test_where_either_does_a_file_and_a_folder_do(market_home: Place, tree: Path) -> None:
    async with market_home.running() as (app, pilot):
        for typed, found in (("one.txt", tree / "one.txt"), ("alpha", tree / "alpha")):
            answers: list[Path | None] = []
            app.push_screen(FilePicker(tree, EITHER), answers.append)
            await until(pilot, lambda: "one.txt" in text_of(app))
            await pilot.press(*typed, "enter")
            await until(pilot, lambda answers=answers, found=found: answers == [found])


async def test_the_last_folder_of_each_purpose_is_remembered_over_a_restart(
    market_home: Place, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with market_home.running() as (app, pilot):
        app.run_worker(find(app, A_FILE, f"{tree}/alpha/"))
        await until(pilot, lambda: "alpine" in text_of(app))
        await pilot.press(*"alpha/two.txt", "enter")
        await until(pilot, lambda: len(app.screen_stack) == 1)
    async with market_home.running() as (app, pilot):
        for purpose, folder in ((A_FILE, tree / "alpha"), (A_FOLDER, tmp_path)):
            app.run_worker(find(app, purpose))
            await until(pilot, lambda: isinstance(app.screen, FilePicker))
            assert app.screen.query_one("#path", Input).value == f"{folder}/"
            await pilot.press("escape")
            await until(pilot, lambda: len(app.screen_stack) == 1)


async def test_what_is_not_there_is_said_and_escape_leaves(market_home: Place, tree: Path) -> None:
    async with market_home.running() as (app, pilot):
        answers: list[Path | None] = []
        app.push_screen(FilePicker(tree, A_FOLDER), answers.append)
        await until(pilot, lambda: "alpine" in text_of(app))
        await pilot.press(*"zzz")
        await until(pilot, lambda: "No name here has this in it" in text_of(app))
        await pilot.press("enter")
        await until(pilot, lambda: "There is no folder" in text_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: answers == [None])


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("/" + "x" * 400, "File name too long"),
        ("/nobody/\x00here", "null byte"),
        ("/\ud800/here", "encode"),
        ("~nobody-of-this-name/here", "the home of nobody"),
    ],
)
async def test_a_path_that_no_system_takes_is_a_line_in_the_picker(
    market_home: Place, tree: Path, typed: str, why: str
) -> None:
    async with market_home.running() as (app, pilot):
        answers: list[Path | None] = []
        app.push_screen(FilePicker(tree, A_FILE), answers.append)
        await until(pilot, lambda: "alpine" in text_of(app))
        path = app.screen.query_one("#path", Input)
        problem = app.screen.query_one("#problem", Static)
        path.value = typed
        await pilot.press("enter")
        await until(pilot, lambda: why in str(problem.content), "the reason")
        assert not app.failures
        path.value = f"{tree}/one.txt"
        await pilot.press("enter")
        await until(pilot, lambda: answers == [tree / "one.txt"])


async def test_a_name_with_escapes_is_shown_without_them(market_home: Place, tree: Path) -> None:
    (tree / "bad\x1b[31m\u202ename").touch()
    async with market_home.running() as (app, pilot):
        app.push_screen(FilePicker(tree, A_FILE))
        await until(pilot, lambda: "name" in text_of(app))
        assert not {"\x1b", "\u202e"} & set(text_of(app))


async def test_a_folder_to_ship_is_marked_only_where_the_form_would_take_it(
    bare_home: Place, contributors_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(contributors_folder, tmp_path / "whole")
    shutil.copytree(contributors_folder, tmp_path / "lacking", ignore=shutil.ignore_patterns("base_model*"))
    monkeypatch.chdir(tmp_path)
    async with bare_home.running() as (app, pilot):
        screen = await form(app, pilot)
        screen.query_one("#browse", Button).press()
        await until(pilot, lambda: "lacking/" in text_of(app))
        assert "✓ whole/" in text_of(app)
        assert "✓ lacking/" not in text_of(app)
