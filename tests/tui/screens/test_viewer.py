"""A stranger's file on screen: in colours, harmless, and never more of it than can be shown."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.viewer import MOST_BYTES, Viewer
from decentralml.tui.widgets.code_view import MOST_COLOURED, CodeView, highlight

from ..conftest import Place, opened, text_of, until

SCRIPT = '''"""Trains."""

import keras


def train_model(model, x, y, epochs=3):
    # as it was asked for
    return model.fit(x, y, epochs=epochs, batch_size=32)
'''


async def shown(app: DecentralMLApp, pilot: Pilot[None], folder: Path, name: str) -> Viewer:
    screen = Viewer(folder, name)
    await app.push_screen(screen)
    await until(pilot, lambda: "reading" not in text_of(app), "the file")
    return screen


def test_a_script_is_coloured_by_what_its_words_are() -> None:
    pieces = [piece for line in highlight(SCRIPT, "train.py") for piece in line]
    kinds = {text.strip(): kind for text, kind in pieces}
    assert kinds["import"] == kinds["def"] == kinds["return"] == "keyword"
    assert kinds["train_model"] == "name"
    assert kinds["32"] == "number"
    assert kinds["# as it was asked for"] == "comment"
    assert [
        "".join(text for text, _ in line) for line in highlight(SCRIPT, "train.py")
    ] == SCRIPT.splitlines()


def test_control_and_bidi_characters_are_shown_as_escapes() -> None:
    lines = highlight("access = 1  \u202e# \x1b[2J \u2066\n", "train.py")
    text = "".join(text for text, _ in lines[0])
    assert "\\u202e" in text
    assert "\\x1b[2J" in text
    assert text.isascii()


@pytest.mark.parametrize("name", ["notes.unknown", "train.py"])
def test_a_text_too_long_to_colour_or_of_no_known_language_stays_plain(name: str) -> None:
    text = "import os\n" * (MOST_COLOURED // 10 + 1) if name == "train.py" else "import os\n"
    assert {kind for line in highlight(text, name) for _, kind in line} == {""}


async def test_the_viewer_says_what_its_keys_do(market_home: Place, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    async with market_home.running(size=(100, 40)) as (app, pilot):
        await shown(app, pilot, tmp_path, "train.py")
        await pilot.press("question_mark")
        await until(pilot, lambda: "Keys of a file" in text_of(app) and "Moving" in text_of(app), "the help")


async def test_the_viewer_moves_by_the_moving_keys_and_goes_back(market_home: Place, tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text("".join(f"line_{n} = {n}  # {'x' * 200} end\n" for n in range(500)))
    async with market_home.running() as (app, pilot):
        await shown(app, pilot, tmp_path, "long.py")
        assert "line_0 = 0" in text_of(app)
        await pilot.press("G")
        await until(pilot, lambda: "line_499" in text_of(app))
        await pilot.press("g", "j")
        await until(pilot, lambda: "line_0 " not in text_of(app) and "line_1 " in text_of(app))
        await pilot.press("ctrl+d")
        await until(pilot, lambda: "line_20 " in text_of(app))
        await pilot.press(*("l" * 30))
        await until(pilot, lambda: "x end" in text_of(app))
        await pilot.press("escape")
        assert not isinstance(app.screen, Viewer)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("weights.bin", b"\x00\x01PK\xff" * 9, "no text: its first bytes"),
        ("empty.py", b"", "0 B"),
        ("huge.csv", b"1,2,3\n" * (MOST_BYTES // 6 + 9), "its first"),
    ],
)
async def test_what_is_no_text_or_too_much_says_so(
    market_home: Place, tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(data)
    async with market_home.running() as (app, pilot):
        await shown(app, pilot, tmp_path, name)
        assert words in text_of(app)


async def test_a_link_is_refused_and_said(market_home: Place, tmp_path: Path) -> None:
    (tmp_path / "train.py").symlink_to("/etc/passwd")
    async with market_home.running() as (app, pilot):
        await shown(app, pilot, tmp_path, "train.py")
        assert "refused" in text_of(app)
        assert "root:" not in text_of(app)
        assert app.failures[-1].code == "LinkInOutput"


async def test_a_model_is_shown_by_its_layers(market_home: Place, trained: Path) -> None:
    async with market_home.running(size=(120, 30)) as (app, pilot):
        await app.push_screen(Viewer(trained, "honest", model=True))
        await until(pilot, lambda: "Dense" in text_of(app), "the layers")
        text = text_of(app)
        assert "parameters" in text
        assert "can be loaded without its author's code" in text


async def test_only_the_lines_on_screen_are_drawn(market_home: Place, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("a line\n" * 200_000)
    async with market_home.running() as (app, pilot):
        await shown(app, pilot, tmp_path, "long.txt")
        assert app.screen.query_one(CodeView).virtual_size.height == 200_000
        await pilot.press("G")
        await until(pilot, lambda: "200000" in text_of(app))


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 40)])
def test_a_script_looks_as_it_did(
    market_home: Place, tmp_path: Path, snap_compare, size: tuple[int, int]
) -> None:
    (tmp_path / "model_contributor.py").write_text(SCRIPT + "\nname = '数字の認識 \u202e \x1b[2J'\n")

    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await shown(pilot.app, pilot, tmp_path, "model_contributor.py")

    assert snap_compare(market_home.app(), terminal_size=size, run_before=show)
