"""Accounts: who one can be, what each has, and what the faucet gives."""

import re
import time
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from decentralml.core import config
from decentralml.core.amount import UNIT, format_amount
from decentralml.core.chain import genesis
from decentralml.core.errors import Refused
from decentralml.tui import background
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.sign import Sign
from decentralml.tui.screens.who import Who

from ..conftest import PASSWORD, SEEDS, Clock, Place, opened, settled, text_of, until
from ..forms import dialog, go_to_accounts, problem, told
from ..pages import made_in_2025


def flat(app: DecentralMLApp) -> str:
    """The screen without its white space, for what may wrap."""
    return "".join(text_of(app).split())


async def test_every_account_is_listed_with_its_money_and_the_one_in_use(market_home: Place) -> None:
    async with market_home.running(size=(140, 40), as_="bo") as (app, pilot):
        await go_to_accounts(app, pilot)
        shown = text_of(app)
        for name in SEEDS:
            assert re.search(rf"{name} +{market_home.address(name)} +sr25519", shown)
        balance = market_home.chain.balance(market_home.address("bo"))
        money = f"{format_amount(balance.free)} +{format_amount(balance.held)}"
        assert re.search(rf"bo .* {money} +in use, locked", shown)
        assert "make one" not in shown


async def test_accounts_are_filtered_by_words_and_back_shows_them_all(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        screen = await go_to_accounts(app, pilot)
        await pilot.press("slash", *"chi", "enter")
        await until(pilot, lambda: screen.table.total == 1)
        assert screen.thing.id == bare_home.address("chi")
        await pilot.press("slash", *" zz")
        await until(pilot, lambda: "No account fits this filter" in text_of(app))
        await pilot.press("escape")
        await until(pilot, lambda: screen.table.total == 3)
        assert not screen.filter.region
        await pilot.press("slash", *"ada")
        screen.select(bare_home.address("bo"))
        await until(pilot, lambda: screen.thing and screen.thing.id == bare_home.address("bo"))


async def test_the_account_under_the_cursor_is_shown_with_both_sides_of_its_record(
    market_home: Place,
) -> None:
    async with market_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await until(pilot, lambda: "as worker" in text_of(app))
        assert market_home.address("ada") in text_of(app)
        assert "2 published" in text_of(app)
        assert "1 taken, 1 open" in text_of(app)
        assert "0 creators" not in text_of(app), "they are those who decided"
        await pilot.press("j", "j")
        await until(pilot, lambda: market_home.address("chi") in text_of(app))


async def test_a_damaged_key_file_is_listed_with_its_reason(market_home: Place) -> None:
    (market_home.home.accounts / "torn.json").write_text("{")
    async with market_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        assert "cannot be used" in text_of(app)
        await pilot.press("G")
        await until(pilot, lambda: "breaksoff" in flat(app))
        await pilot.press("E")
        await until(pilot, lambda: "The cursor is on no account" in told(app))


async def test_u_is_the_account_on_every_screen_and_after_a_restart(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("j", "u")
        await until(pilot, lambda: app.session.account.name == "bo")
        await until(pilot, lambda: config.load(market_home.home).account == "bo")
        for key in "156":
            await pilot.press(key)
            await until(pilot, lambda: re.search(r"^ bo ", text_of(app), re.MULTILINE), key)
    app = DecentralMLApp(market_home.home, now=market_home.clock)
    async with app.run_test() as pilot:
        await opened(pilot)
        assert app.session.account.name == "bo"
    app.finish()


async def test_an_account_that_another_program_forgets_is_used_no_longer(bare_home: Place) -> None:
    async with bare_home.running(size=(100, 24)) as (app, pilot):
        await background.call(app.session.unlock, PASSWORD)
        bare_home.accounts.forget("ada")
        await until(pilot, lambda: "no account in use: U chooses one" in text_of(app))
        assert app.session.signer is None
        assert "ada is not in the key folder any more" in told(app)
        assert "free" not in text_of(app).splitlines()[1]
        with pytest.raises(Refused, match="no account to sign with"):
            app.session.unlock(PASSWORD)
        await pilot.press("U")
        await dialog(pilot, Who)
        await pilot.press("enter")
        await until(pilot, lambda: text_of(app).splitlines()[1].strip().startswith("bo"))


async def test_an_account_that_another_program_renames_stays_in_use_and_unlocked(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await background.call(app.session.unlock, PASSWORD)
        bare_home.accounts.rename("ada", "ada of old")
        await until(pilot, lambda: app.session.account.name == "ada of old")
        assert app.session.signer is not None


async def test_the_faucet_gives_what_was_shown(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("j", "f")
        await until(pilot, lambda: app.screen.query("#amount"))
        await pilot.press("enter")
        await dialog(pilot, Sign)
        assert bare_home.address("bo") in text_of(app)
        await pilot.press("y")
        await until(pilot, lambda: "1,100.00" in text_of(app))
    assert bare_home.chain.balance(bare_home.address("bo")).free == 1100 * UNIT


async def test_a_wrong_amount_is_said_where_it_stands(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("f")
        await until(pilot, lambda: app.screen.query("#amount"))
        assert "Go on  ^g" in text_of(app)
        assert "Cancel  esc" in text_of(app)
        await pilot.press(*"x", "ctrl+g")
        await until(pilot, lambda: problem(app))
        assert "'x' is not an amount" in problem(app)
        assert app.screen.query_one("#amount", Input).value == "x"
        await pilot.press("backspace", *"7.5", "ctrl+g")
        await dialog(pilot, Sign)


async def test_who_may_not_take_from_the_faucet_is_told_who_may(bare_home: Place, clock: Clock) -> None:
    other = bare_home.home.root / "other.sqlite"
    genesis.create(other, faucet=bare_home.address("chi"), now=clock)
    config.store(bare_home.home, "chain", f"local:{other}")
    async with bare_home.running(size=(120, 60)) as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("f")
        await until(pilot, lambda: f"Only {bare_home.address('chi')} grants" in told(app))
        await pilot.press("question_mark")
        await until(pilot, lambda: "Not now: Only" in text_of(app))


@pytest.fixture
def pictured(market_home: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The market with key files made at a known time, in a home of a known name, and a file that is torn."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    for account in market_home.accounts.list():
        made_in_2025(account)
    (market_home.home.accounts / "torn.json").write_text("{")
    return market_home


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 40)])
def test_accounts_look_as_they_did(pictured: Place, snap_compare, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot)
        screen = await go_to_accounts(pilot.app, pilot)
        await until(pilot, lambda: screen._pasts)
        await settled(pilot)

    assert snap_compare(pictured.app(), terminal_size=size, run_before=show)
