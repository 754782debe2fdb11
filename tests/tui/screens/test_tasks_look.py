"""The list of tasks as it looks: full, empty, hostile, failing, and once in every other theme."""

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from decentralml.core.errors import Refused
from decentralml.tui.screens.sign import Sign

from ..conftest import Place, opened, settled, until

Compare = Callable[..., bool]
SIZES = [(80, 24), (140, 40)]
SHAPES = ["80x24", "140x40"]
HOSTILE = "\x1b[31mred \u202egnp.exe 数字の認識 zero\u200bwidth\u2066 [b]markup[/] " + "long " * 60

every_size = pytest.mark.parametrize("size", SIZES, ids=SHAPES)


async def still(pilot: Pilot[None]) -> None:
    """Everything read, and the pane beside the list as well."""
    await opened(pilot)
    await until(pilot, lambda: pilot.app.screen.table.row is None or pilot.app.screen._preview is not None)
    await settled(pilot)


@every_size
def test_the_list_of_tasks_looks_as_it_did(
    market_home: Place, snap_compare: Compare, size: tuple[int, int]
) -> None:
    async def look(pilot: Pilot[None]) -> None:
        await still(pilot)
        await pilot.press("m", "m", "j")
        await settled(pilot)
        await until(pilot, lambda: pilot.app.screen._preview.task.id == 3)
        await settled(pilot)

    assert snap_compare(market_home.app(), terminal_size=size, run_before=look)


@every_size
def test_an_empty_market_looks_as_it_did(
    bare_home: Place, snap_compare: Compare, size: tuple[int, int]
) -> None:
    assert snap_compare(bare_home.app(), terminal_size=size, run_before=still)


@every_size
def test_questions_of_strangers_look_as_they_did(
    bare_home: Place, snap_compare: Compare, size: tuple[int, int]
) -> None:
    for _ in range(3):
        bare_home.create("bo", HOSTILE, pays=123_456 / 1000)
    assert snap_compare(bare_home.app(), terminal_size=size, run_before=still)


@every_size
def test_an_error_looks_as_it_did(market_home: Place, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def look(pilot: Pilot[None]) -> None:
        await still(pilot)
        pilot.app.show_error(Refused("NoSlot", "Every slot of task 4 is taken\x1b[31m.", "Look for another."))
        await pilot.pause()

    assert snap_compare(market_home.app(), terminal_size=size, run_before=look)


@every_size
def test_the_question_before_a_slot_is_taken_looks_as_it_did(
    market_home: Place, snap_compare: Compare, size: tuple[int, int]
) -> None:
    async def look(pilot: Pilot[None]) -> None:
        await still(pilot)
        await pilot.press("t")
        await until(pilot, lambda: isinstance(pilot.app.screen, Sign) and pilot.app.screen.query("#card"))
        pilot.app.screen.query_one("#password").cursor_blink = False
        await pilot.pause()

    assert snap_compare(market_home.app(as_="bo"), terminal_size=size, run_before=look)


@pytest.mark.parametrize("theme", ["light", "high-contrast", "colour-blind", "ansi"])
def test_the_list_looks_as_it_did_in_every_other_theme(
    market_home: Place, snap_compare: Compare, theme: str
) -> None:
    market_home.home.config.write_text(f'theme = "{theme}"\n')
    assert snap_compare(market_home.app(), terminal_size=(140, 40), run_before=still)


def test_in_ascii_alone_the_list_looks_as_it_did(market_home: Place, snap_compare: Compare) -> None:
    market_home.home.config.write_text("ascii = true\n")
    assert snap_compare(market_home.app(), terminal_size=(80, 24), run_before=still)
