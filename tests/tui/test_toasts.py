"""What is said in passing: above the keys, a few lines, gone with a key."""

import pytest
from textual.widgets._toast import Toast

from decentralml.core.errors import Refused

from .conftest import Place, opened, said, text_of, until


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_what_is_said_stands_above_the_keys_and_hides_nothing_of_the_page(
    size: tuple[int, int], market_home: Place
) -> None:
    app = market_home.app()
    async with app.run_test(size=size, notifications=True) as pilot:
        await opened(pilot)
        await until(pilot, lambda: "9.50 each" in text_of(app), "the preview")
        *page, keys = text_of(app).splitlines()
        app.say("Nothing was signed.")
        await until(pilot, lambda: app.screen.query(Toast))
        *above, words, below = text_of(app).splitlines()
        assert "Nothing was signed." in words
        assert below == keys
        assert app.screen.query_one("#panes").region.bottom == len(above), "the page has given way"
        app.say("Two lines of words. " * 6)
        app.say("And last, " + "more than a line. " * (size[0] // 12))
        await until(pilot, lambda: len(app.screen.query(Toast)) == 3)
        bottom = app.screen.query_one("#panes").region.bottom
        assert "And last" in text_of(app).splitlines()[bottom], "the page has given way"
        assert "Two lines" not in text_of(app), "the newest is said"
        await pilot.press("escape")
        await until(pilot, lambda: text_of(app).splitlines() == [*page, keys], "as it was before")


async def test_a_toast_is_a_few_lines_and_goes_with_escape(market_home: Place) -> None:
    app = market_home.app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await opened(pilot)
        app.show_error(Refused("TooMuch", "It is a very long story. " * 100, "Read it in Activity."))
        app.say("Another long story. " * 100)
        await until(pilot, lambda: len(app.screen.query(Toast)) == 2)
        assert all(toast.region.height <= 3 for toast in app.screen.query(Toast))
        await pilot.press("escape")
        await until(pilot, lambda: not app.screen.query(Toast))
        assert app.failures[0].message.count("long story") == 100


async def test_what_is_said_holds_nothing_that_a_terminal_would_obey(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        app.say("red \x1b[31m bidi \u202egnp.exe [b]markup[/]")
        await pilot.pause()
        assert said(app) == ["red [31m bidi gnp.exe [b]markup[/]"]
