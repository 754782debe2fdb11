"""Who one is: another account by one key, and the lock, by hand or after a while."""

import json
from contextlib import closing

from textual.widgets import Input

from decentralml.core.paths import Home
from decentralml.core.wallet.accounts import Accounts
from decentralml.tui import background
from decentralml.tui.screens.form import Field, Form
from decentralml.tui.session import Session

from .conftest import PASSWORD, SCRYPT_N, Clock, Place, said, text_of, until


async def test_another_account_is_one_key_away(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("U")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        assert market_home.address("chi") in text_of(app)
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: app.session.account.name == "chi")
        await until(pilot, lambda: " chi " in text_of(app).splitlines()[1])


async def test_who_makes_another_account_is_at_the_next_start_who_one_was(clock: Clock, home: Home) -> None:
    accounts = Accounts(home, scrypt_n=SCRYPT_N)
    accounts.create("mia", PASSWORD)
    path = accounts.create("bob", PASSWORD)[0].path
    file = json.loads(path.read_text())
    file["meta"]["whenCreated"] += 60_000
    path.write_text(json.dumps(file))
    with closing(Session(home, {}, now=clock)) as session:
        assert session.account is not None
        assert session.account.name == "mia"


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
