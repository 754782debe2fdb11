"""Who one is: another account by one key, and the lock, by hand or after a while."""

from textual.widgets import Input

from decentralml.tui import background
from decentralml.tui.screens.form import Field, Form

from .conftest import PASSWORD, Place, said, text_of, until


async def test_another_account_is_one_key_away(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("U")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        assert market_home.address("chi") in text_of(app)
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: app.session.account.name == "chi")
        await until(pilot, lambda: " chi " in text_of(app).splitlines()[1])


async def test_locking_forgets_the_key_and_empties_secrets(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await background.call(app.session.unlock, PASSWORD)
        await pilot.press("L")
        await pilot.pause()
        assert app.session.signer is None
        app.push_screen(Form("Password", (Field("secret", "of ada", secret=True),), str))
        await until(pilot, lambda: app.screen.query("#secret"))
        await pilot.press(*PASSWORD)
        app.identity.lock("Locked.")
        assert app.screen.query_one("#secret", Input).value == ""


async def test_an_idle_session_locks_itself(market_home: Place) -> None:
    market_home.home.config.write_text("idle-lock = 1\n")
    async with market_home.running() as (app, pilot):
        await background.call(app.session.unlock, PASSWORD)
        await until(pilot, lambda: app.session.signer is None, "the lock")
        assert any("Locked after 1 s without" in text for text in said(app))


async def test_an_idle_screen_loses_its_secrets_though_no_key_is_unlocked(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        app.push_screen(Form("Password", (Field("secret", "of ada", secret=True),), str))
        await until(pilot, lambda: app.screen.query("#secret"))
        await pilot.press(*PASSWORD)
        app.identity.lock_when_idle()
        assert app.screen.query_one("#secret", Input).value == PASSWORD
        app.identity._touched -= app.session.settings.idle_lock
        app.identity.lock_when_idle()
        assert app.screen.query_one("#secret", Input).value == ""
        app.identity.lock_when_idle()
        await pilot.pause()
        words = [text for text in said(app) if "secret" in text]
        assert words == ["What is secret is off the screen after 15 m without a key."], "once"
