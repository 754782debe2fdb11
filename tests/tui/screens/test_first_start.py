"""The first start: three ways in, each in a few keys."""

import re
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from decentralml.core.amount import UNIT
from decentralml.core.paths import Home
from decentralml.core.wallet.accounts import Accounts
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.first_start import FirstStart
from decentralml.tui.screens.form import Form
from decentralml.tui.screens.help import Help
from decentralml.tui.screens.new_words import Words
from decentralml.tui.screens.sign import Sign
from decentralml.tui.screens.tasks import Tasks
from decentralml.tui.screens.who import Who
from decentralml.tui.widgets.secret import Secret

from ..conftest import PASSWORD, SCRYPT_N, SEEDS, Clock, opened, text_of, until


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> DecentralMLApp:
    """The app on a home that nobody has used."""
    return DecentralMLApp(Home(tmp_path / "new"), now=clock)


async def at_the_start(app: DecentralMLApp, pilot: Pilot[None]) -> None:
    await opened(pilot)
    await until(pilot, lambda: isinstance(app.screen, FirstStart))


async def paste(pilot: Pilot[None], text: str) -> None:
    """Into the field that has the focus, and enter."""
    if text:
        pilot.app.screen.focused.post_message(events.Paste(text))
    await pilot.press("enter")


async def test_three_choices_have_a_sentence_each(app: DecentralMLApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await at_the_start(app, pilot)
        shown = text_of(app)
        for words in ("Create an account", "Import an account", "Try the demo market"):
            assert words in shown
        assert "12 words to get it back" in shown
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, Help))
        assert "There is nothing under the cursor" not in text_of(app), "enter opens the choice"
    app.finish()


async def test_an_account_with_money_is_made_and_then_come_the_tasks(app: DecentralMLApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await at_the_start(app, pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Form))
        for text in ("dora", "pw", "pw"):
            await paste(pilot, text)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Words))
        shown = dict(re.findall(r"(\d+) ([a-z]+)", app.screen.query_one(Secret).render().plain))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Form))
        for field in list(app.screen.query(Input)):
            await paste(pilot, shown[field.id.removeprefix("word-")])
        await until(pilot, lambda: isinstance(app.screen, Sign))
        assert "granted by the faucet" in text_of(app)
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, Tasks))
        await until(pilot, lambda: "dora" in text_of(app) and "100.00 free" in text_of(app))
        assert app.session.chain.balance(app.session.address).free == 100 * UNIT
    app.finish()


async def test_an_account_is_imported_and_the_faucet_declined(app: DecentralMLApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await at_the_start(app, pilot)
        await pilot.press("I")
        await until(pilot, lambda: app.screen.query("#choices") and not isinstance(app.screen, FirstStart))
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, Form))
        for text in ("bo", SEEDS["bo"], "pw", "pw", ""):
            await paste(pilot, text)
        await until(pilot, lambda: isinstance(app.screen, Sign))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Tasks))
        assert app.session.account.name == "bo"
    app.finish()


async def test_the_demo_is_left_for_and_comes_after_the_app(app: DecentralMLApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await at_the_start(app, pilot)
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: app.after == ["demo", "--app"])
    app.finish()
    assert not Accounts(app.home).list()


async def test_the_market_can_be_read_as_nobody(app: DecentralMLApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await at_the_start(app, pilot)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Tasks))
        assert "no account yet" in text_of(app)
    app.finish()


async def test_the_first_page_comes_back_and_the_way_to_it_is_said(app: DecentralMLApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await at_the_start(app, pilot)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Tasks))
        assert "U comes back to this page" in [note.message for note in app._notifications][-1]
        await until(pilot, lambda: "U makes one, or shows the demo market" in text_of(app))
        await pilot.press("U")
        await until(pilot, lambda: isinstance(app.screen, FirstStart))
        await pilot.press("escape")
        for wish in ("create an", "import an", "demo"):
            await until(pilot, lambda: isinstance(app.screen, Tasks))
            await pilot.press("colon")
            await until(pilot, lambda: app.screen.query("CommandInput"))
            await pilot.press(*wish)
            await until(pilot, lambda: "the first page" in text_of(app))
            await pilot.press("down", "enter")
            await until(pilot, lambda: isinstance(app.screen, FirstStart), wish)
            await pilot.press("escape")
    app.finish()


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 40)])
def test_the_first_start_looks_as_it_did(app: DecentralMLApp, snap_compare, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[None]) -> None:
        await at_the_start(pilot.app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=show)
    app.finish()


@pytest.mark.parametrize("theme", ["light", "high-contrast", "colour-blind", "ansi"])
def test_the_first_start_looks_as_it_did_in_every_other_theme(
    app: DecentralMLApp, snap_compare, theme: str
) -> None:
    async def show(pilot: Pilot[None]) -> None:
        await at_the_start(pilot.app, pilot)
        pilot.app.looks.use(theme)
        await pilot.pause()

    assert snap_compare(app, terminal_size=(80, 24), run_before=show)
    app.finish()


async def test_who_switches_to_an_account_that_a_command_made_is_at_the_tasks(app: DecentralMLApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await at_the_start(app, pilot)
        Accounts(app.home, scrypt_n=SCRYPT_N).create("zed", PASSWORD)
        await pilot.press("U")
        await until(pilot, lambda: isinstance(app.screen, Who))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Tasks))
        assert " zed " in text_of(app).splitlines()[1]
    app.finish()
