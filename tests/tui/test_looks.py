"""Every page and dialog as it looks: at two sizes, with strangers' strings, and once in every other theme."""

import pytest
from textual.pilot import Pilot

from .conftest import Place, opened
from .pages import LONG, PAGES, mode, opener, sees
from .trainings import Training, fit, started

SIZES = {"80x24": (80, 24), "140x40": (140, 40)}
THEMES = ("light", "high-contrast", "colour-blind", "ansi")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("page", PAGES)
def test_every_page_looks_as_it_did(painted: Place, snap_compare, page: str, size: str) -> None:
    assert snap_compare(painted.app(), terminal_size=SIZES[size], run_before=opener(painted, page))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("page", [page for page in PAGES if page != "runs"])
def test_every_page_looks_as_it_did_in_every_other_theme(
    painted: Place, snap_compare, page: str, theme: str
) -> None:
    assert snap_compare(painted.app(), terminal_size=(80, 24), run_before=opener(painted, page, theme))


SMALL = {"60x20": (60, 20), "40x12": (40, 12)}


@pytest.mark.parametrize(("page", "size"), [("sign", "60x20"), ("sign", "40x12"), ("train", "60x20")])
def test_what_is_filled_in_or_signed_looks_as_it_did_on_a_small_screen(
    painted: Place, snap_compare, page: str, size: str
) -> None:
    assert snap_compare(painted.app(), terminal_size=SMALL[size], run_before=opener(painted, page))


@pytest.mark.parametrize("size", SMALL)
def test_the_question_before_a_stop_looks_as_it_did_on_a_small_screen(
    painted: Place, snap_compare, size: str
) -> None:
    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot)
        await mode(pilot, "2")
        await sees(pilot, "run 13")
        await pilot.press("x")
        await sees(pilot, "Stop run 13")

    run = Training(painted.home.runs / "13", [*started(), *fit(20, 3)], title=LONG, task_id=3, alive=True)
    try:
        assert snap_compare(painted.app(), terminal_size=SMALL[size], run_before=show)
    finally:
        run.die()
