"""Judging on the screen: what waits, and what is shown of a result."""

import re
import threading
from pathlib import Path

import numpy as np
import pytest
from textual.widgets import Input

from decentralml.core import judging as judging_core
from decentralml.core.drafts import Draft, Word
from decentralml.core.models import mistakes
from decentralml.tui.judging.work import Setup
from decentralml.tui.screens.validate import PANELS
from decentralml.tui.widgets.pane import Pane

from .. import judged
from ..conftest import Place, settled, text_of, until
from ..judged import judging, whole


async def test_every_field_of_a_report_stands_in_a_panel(known: Place) -> None:
    async with known.running(size=(100, 40)) as (app, pilot):
        await judging(pilot, "j")
        shown = "\n".join([await whole(pilot, panel) for panel in PANELS])
        found = judged.figures(known.chain.submission(2), 0.871, 0.402, 0.99)
        for value in (
            *(found.worker, found.result_digest, found.base_digest, found.dataset_digest),
            *(found.policy_digest, "30 samples", "standard", "0.8710", "0.9210", "-0.0500", "0.9900"),
            *("by 0.1190 too good", "seed", "e" * 64, "101,770", "412.3 kB", "5" * 64, "Sequential"),
            *("keras-folder", "(None, 10)", "4.1200", "43.4%", "0.9100", "1 tensor unmatched"),
            *(
                "units: 10 → 12",
                "layers/dropout",
                "odd but harmless",
                "bwrap 0.8.0",
                "decentralml 0.1.0",
                "reject: no better",
            ),
            *("not finite: calibration", "0 as 1", "0.90", "0.70"),
        ):
            assert value in shown, value
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert not list(app.failures)


async def test_what_was_refused_and_what_was_answered_is_said(known: Place) -> None:
    async with known.running(size=(100, 40)) as (_, pilot):
        await judging(pilot, "j", "j")
        assert "ForeignCode" in await whole(pilot, "figures")
        await pilot.press("G")
        await settled(pilot)
        said = await whole(pilot, "figures")
        assert "2 of 8" in said
        assert "no such label: no.png: x" in said
        assert "nothing of this task was evaluated" not in await whole(pilot, "ranking")


async def test_the_ranking_puts_the_baseline_where_it_belongs(known: Place) -> None:
    async with known.running(size=(100, 40)) as (_, pilot):
        await judging(pilot)
        lines = (await whole(pilot, "ranking")).splitlines()
        order = [
            next(i for i, line in enumerate(lines) if word in line) for word in ("bo ", "baseline", "chi ")
        ]
        assert order == sorted(order)
        mine = next(line for line in lines if "bo " in line)
        assert "measured" in mine, "as the inbox says it of what was measured here and not published"


async def test_a_wide_screen_keeps_the_lists_columns_and_says_nothing_twice(known: Place) -> None:
    async with known.running(size=(160, 48)) as (app, pilot):
        await judging(pilot, "j", "j", "j")
        shown = text_of(app)
        assert re.search(r"TASK +QUESTION +WORKER +FIGURE", shown)
        assert all(title in shown for title in ("TASK", "WORKER", "FIGURE", "STATE", "DUE"))
        assert shown.count("Not evaluated yet") == 1
        assert "ranked by accuracy" in shown, "the other pane is of use"
        await pilot.resize_terminal(140, 40)
        await settled(pilot)
        assert all(title in text_of(app) for title in ("TASK", "WORKER", "STATE", "DUE"))


async def test_beside_the_figures_a_panel_has_those_after_it_below_as_long_as_they_are_seen_whole(
    known: Place,
) -> None:
    async with known.running(size=(160, 48)) as (app, pilot):
        await judging(pilot, "z")
        beside = app.screen.query_one("#second", Pane)
        assert [beside.plain.count(title) for title in ("MISTAKEN", "DISTANCE BY LAYER")] == [1, 1]
        assert beside.max_scroll_y == 0
        await pilot.press("right_square_bracket")
        await settled(pilot)
        assert beside.plain.startswith("DISTANCE BY LAYER")
        await pilot.press("left_square_bracket")
        await pilot.resize_terminal(160, 24)
        await until(pilot, lambda: "DISTANCE BY LAYER" not in beside.plain, "less room")
        assert beside.plain.count("MISTAKEN") == 1


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 40), (160, 48)])
async def test_what_comes_and_goes_on_the_page_does_not_move_the_buttons(
    size: tuple[int, int], known: Place, tmp_path: Path
) -> None:
    free = threading.Event()
    async with known.running(size=size) as (app, pilot):
        await judging(pilot)
        buttons = app.screen.query_one("#decide")
        at = buttons.region
        for key in "jjj":  # to one with a reason why it cannot be rejected
            await pilot.press(key)
            await settled(pilot)
            assert buttons.region == at
        reason = "A reason. " * 30
        app.screen.desk.keep(Draft(submission_id=4, digest="0" * 64, word=Word.reject, reason=reason))
        app.judging.do(Setup(), lambda judge, cancelled: free.wait(30))
        app.judging.evaluate(1, Setup(tmp_path / "none.npz"))
        await app.screen.read()
        await until(pilot, lambda: "evaluating #1" in text_of(app), "the progress")
        await until(pilot, lambda: "draft reason" in text_of(app), "the draft")
        assert buttons.region == at
        free.set()
        await until(pilot, lambda: app.judging.failed(), "the end of it")
        await settled(pilot)
        assert buttons.region == at


async def test_an_inbox_of_nothing_says_so_once(bare_home: Place) -> None:
    async with bare_home.running(size=(160, 48)) as (app, pilot):
        await judging(pilot)
        assert text_of(app).count("Nothing to judge here") == 1


async def test_going_back_from_the_filter_goes_to_the_list(known: Place) -> None:
    async with known.running() as (app, pilot):
        await judging(pilot, "slash", *"task:2", "escape")
        assert (app.screen.SCOPE, app.screen.focused) == ("validate", app.screen.table)
        assert app.screen.table.total == 1


async def test_the_inbox_filters_sorts_and_marks(known: Place) -> None:
    async with known.running(size=(140, 40)) as (app, pilot):
        await judging(pilot, "slash", *"task:2", "enter")
        assert app.screen.table.total == 1
        await pilot.press("slash", *["backspace"] * 6, "enter")
        await settled(pilot)
        await pilot.press("s")
        await settled(pilot)
        assert app.screen.order == "gain"
        assert app.screen.table.row.key == 1
        await pilot.press("space")
        assert app.screen.table.marked == {1}


@pytest.mark.parametrize(
    ("words", "fit"),
    [
        ("to judge", {4}),
        ("measured", {5}),
        ("says reject", {2}),
        ("refused", {3}),
        ("PendingValidation", set()),
    ],
)
async def test_the_filter_takes_the_words_that_the_list_shows(
    known: Place, words: str, fit: set[int]
) -> None:
    async with known.running(size=(140, 40)) as (app, pilot):
        await judging(pilot)
        app.screen.query_one("#filter", Input).value = words
        await settled(pilot)
        assert set(app.screen.entries) == fit


async def test_a_filter_that_nothing_fits_says_so(known: Place) -> None:
    async with known.running() as (app, pilot):
        await judging(pilot, "j", "j", "j")
        assert "reject, ask changes not now" in text_of(app)
        app.screen.query_one("#filter", Input).value = "nobody-of-this-name"
        await until(pilot, lambda: "No result fits this filter" in text_of(app))
        assert "not now" not in text_of(app), "nothing is said of a result that is not shown"


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
@pytest.mark.parametrize("panel", ["figures", "matrix", "layers", "model", "ranking", "report"])
def test_validate_looks_as_it_did(known: Place, snap_compare, size: tuple[int, int], panel: str) -> None:
    async def show(pilot) -> None:
        await until(pilot, lambda: pilot.app.pulse is not None)
        await judging(pilot)
        await whole(pilot, panel)

    assert snap_compare(known.app(), terminal_size=size, run_before=show)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_what_it_is_wrong_about_looks_as_it_did(known: Place, snap_compare, size: tuple[int, int]) -> None:
    keep_mistakes(known, 1)

    async def show(pilot) -> None:
        await until(pilot, lambda: pilot.app.pulse is not None)
        await judging(pilot, "z")
        await whole(pilot, "matrix")
        if size < (100, 0):
            await pilot.press("l", "G")
            await settled(pilot)

    assert snap_compare(known.app(), terminal_size=size, run_before=show)


def keep_mistakes(place: Place, submission_id: int) -> None:
    """Real digits, of which a model says that each is the next one."""
    with np.load(judged.ASSETS / "mnist5k.npz") as data:
        x, y = data["x"][:60], data["y"][:60]
    digest = place.chain.submission(submission_id).digest
    assert digest is not None
    judging_core.keep_mistakes(
        place.home, submission_id, digest, mistakes.find(x, y, np.eye(10)[(y + 1) % 10])
    )


@pytest.mark.parametrize("row", ["refused", "new", "answers"])
def test_what_has_no_figures_looks_as_it_did(known: Place, snap_compare, row: str) -> None:
    async def show(pilot) -> None:
        await until(pilot, lambda: pilot.app.pulse is not None)
        await judging(pilot, *"j" * {"refused": 2, "new": 3, "answers": 4}[row])

    assert snap_compare(known.app(), terminal_size=(80, 24), run_before=show)


def test_an_empty_inbox_looks_as_it_did(bare_home: Place, snap_compare) -> None:
    async def show(pilot) -> None:
        await until(pilot, lambda: pilot.app.pulse is not None)
        await judging(pilot)

    assert snap_compare(bare_home.app(), terminal_size=(80, 24), run_before=show)
