"""Accounts: who one can be, what each has, and that no secret outlives its use."""

import csv
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from decentralml.core import config
from decentralml.core.amount import UNIT, format_amount
from decentralml.core.chain import genesis
from decentralml.core.errors import Refused
from decentralml.core.signing import Crypto
from decentralml.core.wallet import keys
from decentralml.core.wallet.accounts import Account
from decentralml.core.wallet.addressbook import AddressBook
from decentralml.tui import background
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.account_dialogs import Words
from decentralml.tui.screens.accounts import AccountsScreen
from decentralml.tui.screens.address_book import AddressBookScreen
from decentralml.tui.screens.form import Form
from decentralml.tui.screens.sign import Sign
from decentralml.tui.screens.statement import StatementScreen
from decentralml.tui.screens.who import Who
from decentralml.tui.widgets.secret import Secret

from .conftest import PASSWORD, SEEDS, Clock, Place, opened, settled, text_of, until

WORDS = "fine engage seed popular upon round differ belt engage space author pet"
NEW_PASSWORD = "correct horse"


async def go_to_accounts(app: DecentralMLApp, pilot: Pilot[None]) -> AccountsScreen:
    await pilot.press("5")
    await until(pilot, lambda: isinstance(app.screen, AccountsScreen) and app.screen.table.loaded)
    await settled(pilot)
    assert isinstance(app.screen, AccountsScreen)
    return app.screen


async def dialog(app: DecentralMLApp, pilot: Pilot[None], kind: type) -> None:
    await until(pilot, lambda: isinstance(app.screen, kind), kind.__name__)


async def fill_in(pilot: Pilot[None], *texts: str) -> None:
    """Paste each text into its field; enter goes to the next, and from the last one sends the form."""
    for text in texts:
        if text:
            pilot.app.screen.focused.post_message(events.Paste(text))
        await pilot.press("enter")


def said(app: DecentralMLApp) -> str:
    """Everything that notifications say or said, and every failure."""
    notes = [note.message for note in app._notifications] + [str(error) for error in app.failures]
    return "\n".join(notes)


def flat(app: DecentralMLApp) -> str:
    """The screen without its white space, for what may wrap."""
    return "".join(text_of(app).split())


def problem(app: DecentralMLApp) -> str:
    return str(app.screen.query_one("#problem").content)


# Seeing


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
        await until(pilot, lambda: "The cursor is on no account" in said(app))


# Being


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


# Making


async def start_creating(app: DecentralMLApp, pilot: Pilot[None], name: str = "dora") -> list[str]:
    """Up to the words, which are returned."""
    await pilot.press("n")
    await dialog(app, pilot, Form)
    await fill_in(pilot, name, NEW_PASSWORD, NEW_PASSWORD)
    await pilot.press("enter")
    await dialog(app, pilot, Words)
    return re.findall(r"\d+ ([a-z]+)", app.screen.query_one(Secret).render().plain)


def in_order(shown: list[str]) -> list[str]:
    """The words of the three columns, first column first."""
    return [shown[row * 3 + column] for column in range(3) for row in range(4)]


async def answer_check(app: DecentralMLApp, pilot: Pilot[None], words: list[str]) -> None:
    await dialog(app, pilot, Form)
    places = [int(field.id.removeprefix("word-")) for field in app.screen.query(Input)]
    assert len(set(places)) == 3
    await fill_in(pilot, *(words[place - 1] for place in places))


async def test_a_new_account_shows_its_words_once_and_asks_for_three(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        words = in_order(await start_creating(app, pilot))
        await until(pilot, lambda: all(word in text_of(app) for word in words))
        await pilot.press("enter")
        await answer_check(app, pilot, words)
        await until(pilot, lambda: "you have its words" in said(app))
        account = bare_home.accounts.get("dora")
        assert keys.from_mnemonic(" ".join(words), Crypto.sr25519).address == account.address
        assert app.screen.table.row.key == account.address
        assert app.session.account.name == "ada", "one stays who one was"
        bare_home.accounts.unlock("dora", NEW_PASSWORD).lock()


async def test_no_screenshot_notification_or_file_holds_the_words_or_the_password(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        words = in_order(await start_creating(app, pilot))
        picture = app.export_screenshot()
        assert "•••" in picture
        text = re.sub(r"<style>.*</style>|<[^>]+>", "", picture, flags=re.DOTALL).replace("&#160;", " ")
        assert "On the next page" in text, "the rest of the dialog is in the picture"
        kept = [word for word in words if re.search(rf"\d +{word}\b", text)]
        assert not kept
        assert words[0] in text_of(app), "the terminal still shows them"
        await pilot.press("enter")
        await answer_check(app, pilot, words)
        await until(pilot, lambda: "you have its words" in said(app))
        assert " ".join(words) not in said(app)
        assert NEW_PASSWORD not in said(app)
        assert not re.search(rf"\d +{words[3]}\b", text_of(app))
    for path in bare_home.home.root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert NEW_PASSWORD.encode() not in content
            assert words[0].encode() + b" " + words[1].encode() not in content


async def test_the_words_are_covered_while_nobody_is_there_and_come_back_on_a_key(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        words = in_order(await start_creating(app, pilot))
        app.identity._touched -= app.session.settings.idle_lock
        app.identity.lock_when_idle()
        await pilot.pause()
        assert not any(re.search(rf"\d +{word}\b", text_of(app)) for word in words)
        app.export_screenshot()
        await pilot.pause()
        assert not any(re.search(rf"\d +{word}\b", text_of(app)) for word in words)
        await pilot.press("escape")
        assert "Show them again" in text_of(app)
        await pilot.press("enter")
        assert all(re.search(rf"\d +{word}\b", text_of(app)) for word in words)
        await until(pilot, lambda: not app.screen.query(".-active"), "the button's rest")
        await pilot.press("enter")
        await answer_check(app, pilot, words)
        await until(pilot, lambda: "you have its words" in said(app))


async def test_a_wrong_word_is_said_by_its_place_and_can_be_typed_again(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        words = in_order(await start_creating(app, pilot))
        await pilot.press("escape")
        assert "not shown again" in problem(app)
        await pilot.press("enter")
        await answer_check(app, pilot, ["wrong"] * 12)
        await until(pilot, lambda: "is another one" in problem(app))
        fields = list(app.screen.query(Input))
        assert all(field.password for field in fields), "the words are not on the screen a second time"
        await pilot.press("escape")
        await until(pilot, lambda: "its words are unchecked" in said(app))
        assert words[0] not in said(app)
        assert bare_home.accounts.get("dora")


async def test_two_passwords_that_differ_make_nothing(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("n")
        await dialog(app, pilot, Form)
        await fill_in(pilot, "dora", "one", "two", "")
        assert "two passwords differ" in problem(app)
        form = app.screen
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not form)
        assert [account.name for account in bare_home.accounts.list()] == ["ada", "bo", "chi"]


async def test_a_name_that_is_taken_is_said_and_nothing_has_to_be_typed_again(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("n")
        await dialog(app, pilot, Form)
        await fill_in(pilot, "Ada", "pw", "pw", "")
        await until(pilot, lambda: "There is an account" in problem(app))
        password = app.screen.query_one("#password", Input)
        assert password.value == "pw"
        await pilot.press("escape")
        assert password.value == ""


async def test_a_password_that_comes_in_one_packet_with_the_name_is_not_seen(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("n")
        await dialog(app, pilot, Form)
        for key in [*"dora", "enter", *"secret", "tab", *"secret"]:
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: app.screen.query_one("#again", Input).value == "secret")
        assert app.screen.query_one("#name", Input).value == "dora"
        assert app.screen.query_one("#password", Input).value == "secret"


# Importing


async def choose_import(app: DecentralMLApp, pilot: Pilot[None], source: int) -> None:
    await pilot.press("I")
    await until(pilot, lambda: app.screen.query("#choices"))
    await pilot.press(*["down"] * source, "enter")
    await dialog(app, pilot, Form)


async def test_words_are_imported(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await choose_import(app, pilot, 0)
        await fill_in(pilot, "old", WORDS, "", "pw", "pw")
        assert "12 words" in text_of(app)
        assert "popular" not in text_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: "old is imported" in said(app))
        assert bare_home.address("old") == keys.from_mnemonic(WORDS, Crypto.sr25519).address


@pytest.mark.parametrize(
    ("source", "texts", "sentence"),
    [
        (0, ("x", WORDS.replace("popular", "populous"), "", "pw", "pw", ""), "Word 4 of the mnemonic"),
        (0, ("x", WORDS.replace("pet", "author"), "", "pw", "pw", ""), "checksum does not fit"),
        (0, ("x", "fine engage", "", "pw", "pw", ""), "24 words, not 2"),
        (1, ("x", "0x12", "pw", "pw", ""), "A seed is 0x and 64"),
        (1, ("x", SEEDS["bo"], "pw", "pw", ""), "is here already, as 'bo'"),
        (2, ("/nowhere.json", "pw", "x", ""), "There is no file '/nowhere.json'"),
        (2, ("FILE", "wrong", "x", ""), "password"),
    ],
)
async def test_each_way_an_import_can_fail_has_its_own_sentence(
    bare_home: Place, tmp_path: Path, source: int, texts: tuple[str, ...], sentence: str
) -> None:
    file = tmp_path / "chi.json"
    file.write_text(bare_home.accounts.export_json("chi"))
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await choose_import(app, pilot, source)
        await fill_in(pilot, *(text.replace("FILE", str(file)) for text in texts))
        await until(pilot, lambda: sentence in problem(app), sentence)


async def test_a_json_file_is_imported_under_its_own_name_and_password(
    bare_home: Place, tmp_path: Path
) -> None:
    file = tmp_path / "chi.json"
    file.write_text(bare_home.accounts.export_json("chi"))
    address = bare_home.accounts.forget("chi").address
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await choose_import(app, pilot, 2)
        await fill_in(pilot, str(file), PASSWORD, "", "")
        await until(pilot, lambda: "chi is imported" in said(app))
    assert bare_home.address("chi") == address


# One account's key


async def test_an_export_is_a_new_file_that_only_its_owner_reads(bare_home: Place, tmp_path: Path) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        for _ in range(2):
            await pilot.press("E")
            await dialog(app, pilot, Form)
            app.screen.query_one("#file", Input).value = str(tmp_path / "out.json")
            await pilot.press("enter")
            await until(pilot, lambda: not isinstance(app.screen, Form) or "there already" in problem(app))
        assert "is there already" in problem(app)
    assert (tmp_path / "out.json").stat().st_mode & 0o777 == 0o600
    assert json.loads((tmp_path / "out.json").read_text())["address"] == bare_home.address("ada")


async def test_a_password_is_changed_by_who_knows_it(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("P")
        await dialog(app, pilot, Form)
        await fill_in(pilot, "guess", "new", "new")
        await until(pilot, lambda: "password" in problem(app))
        assert [field.value for field in app.screen.query(Input)] == ["", "", ""]
        await fill_in(pilot, PASSWORD, "new", "new")
        await until(pilot, lambda: "ada has a new password" in said(app))
    bare_home.accounts.unlock("ada", "new").lock()


async def test_without_a_keyring_k_says_so_and_the_help_too(bare_home: Place) -> None:
    async with bare_home.running(size=(120, 60)) as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("K")
        await until(pilot, lambda: "No keyring answers" in said(app))
        await pilot.press("question_mark")
        await until(pilot, lambda: "Not now: No keyring answers" in text_of(app))


class Desktop(KeyringBackend):
    """A desktop's keyring, as far as it is asked."""

    priority = 10
    name = "Desktop of the test"

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desktop]:
    monkeypatch.setattr(Desktop, "__module__", "keyring.backends.SecretService")
    before = keyring.get_keyring()
    backend = Desktop()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


async def test_the_keyring_remembers_a_password_and_forgets_it(bare_home: Place, desktop: Desktop) -> None:
    async with bare_home.running() as (app, pilot):
        screen = await go_to_accounts(app, pilot)
        await until(pilot, lambda: screen._keyring)
        await pilot.press("K")
        await dialog(app, pilot, Form)
        assert "Desktop of the test" in text_of(app)
        await fill_in(pilot, "guess")
        await until(pilot, lambda: "password" in problem(app))
        assert not desktop.kept
        await fill_in(pilot, PASSWORD)
        await until(pilot, lambda: "in use, locked, k" in text_of(app))
        assert list(desktop.kept.values()) == [PASSWORD]
        await pilot.press("K")
        await until(pilot, lambda: not desktop.kept)
        await until(pilot, lambda: "locked, k" not in text_of(app))


async def test_forgetting_asks_for_the_name_and_says_what_is_lost(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("F")
        await dialog(app, pilot, Form)
        assert "It owns 1,000.00" in text_of(app)
        await fill_in(pilot, "bo")
        await until(pilot, lambda: "That is another name" in problem(app))
        assert bare_home.accounts.get("ada")
        app.screen.query_one("#name", Input).value = ""
        await fill_in(pilot, "ada")
        await until(pilot, lambda: app.session.account.name == "bo")
    assert [account.name for account in bare_home.accounts.list()] == ["bo", "chi"]


async def test_an_account_that_another_program_forgets_is_used_no_longer(bare_home: Place) -> None:
    async with bare_home.running(size=(100, 24)) as (app, pilot):
        await background.call(app.session.unlock, PASSWORD)
        bare_home.accounts.forget("ada")
        await until(pilot, lambda: "no account in use: U chooses one" in text_of(app))
        assert app.session.signer is None
        assert "ada is not in the key folder any more" in said(app)
        assert "free" not in text_of(app).splitlines()[1]
        with pytest.raises(Refused, match="no account to sign with"):
            app.session.unlock(PASSWORD)
        await pilot.press("U")
        await dialog(app, pilot, Who)
        await pilot.press("enter")
        await until(pilot, lambda: text_of(app).splitlines()[1].strip().startswith("bo"))


async def test_an_account_that_another_program_renames_stays_in_use_and_unlocked(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await background.call(app.session.unlock, PASSWORD)
        bare_home.accounts.rename("ada", "ada of old")
        await until(pilot, lambda: app.session.account.name == "ada of old")
        assert app.session.signer is not None


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
async def test_the_name_to_type_is_shown_whole(bare_home: Place, size: tuple[int, int]) -> None:
    name = "Margarethe von Hohenzollern-Sigmaringen"
    bare_home.accounts.rename("ada", name)
    async with bare_home.running(as_=name, size=size) as (app, pilot):
        await go_to_accounts(app, pilot)
        app.screen.table.go_to(bare_home.address(name))
        await until(pilot, lambda: app.screen.table.row.key == bare_home.address(name))
        await pilot.press("F")
        await dialog(app, pilot, Form)
        await until(pilot, lambda: app.screen.focused is not None)
        label = app.screen.query_one(".label")
        lines = [label.render_line(y).text.strip() for y in range(label.size.height)]
        assert "".join(lines).replace(" ", "") == f"Type{name}".replace(" ", "")
        assert app.screen.can_view_entire(label)


async def test_who_forgets_the_last_account_is_nobody(bare_home: Place) -> None:
    bare_home.accounts.forget("bo")
    bare_home.accounts.forget("chi")
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("F")
        await dialog(app, pilot, Form)
        await fill_in(pilot, "ada")
        await until(pilot, lambda: "no account yet" in text_of(app))
        await until(pilot, lambda: "No account yet. n makes one" in text_of(app))


# Money


async def test_the_faucet_gives_what_was_shown(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("j", "f")
        await until(pilot, lambda: app.screen.query("#amount"))
        await pilot.press("enter")
        await dialog(app, pilot, Sign)
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
        await dialog(app, pilot, Sign)


async def test_who_may_not_take_from_the_faucet_is_told_who_may(bare_home: Place, clock: Clock) -> None:
    other = bare_home.home.root / "other.sqlite"
    genesis.create(other, faucet=bare_home.address("chi"), now=clock)
    config.store(bare_home.home, "chain", f"local:{other}")
    async with bare_home.running(size=(120, 60)) as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("f")
        await until(pilot, lambda: f"Only {bare_home.address('chi')} grants" in said(app))
        await pilot.press("question_mark")
        await until(pilot, lambda: "Not now: Only" in text_of(app))


async def test_a_statement_tells_every_movement_and_what_was_left(market_home: Place) -> None:
    async with market_home.running(size=(110, 30)) as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("H")
        await dialog(app, pilot, StatementScreen)
        await until(pilot, lambda: "from the faucet" in text_of(app))
        rows = [
            re.split(r" {2,}", line.strip("› ")) for line in text_of(app).splitlines()[5:-1] if line.strip()
        ]
        balance = market_home.chain.balance(market_home.address("ada"))
        assert rows[0][1] == "deposit held"
        assert [float(cell.replace(",", "")) for cell in rows[0][-2:]] == [
            balance.free / UNIT,
            balance.held / UNIT,
        ]
        assert rows[-1][-1] == "0.00"
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.SCOPE == "task")


async def test_a_statement_is_exported_as_csv(market_home: Place, tmp_path: Path) -> None:
    async with market_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("H")
        await dialog(app, pilot, StatementScreen)
        await until(pilot, lambda: "from the faucet" in text_of(app))
        await pilot.press("E")
        await dialog(app, pilot, Form)
        app.screen.query_one("#file", Input).value = str(tmp_path / "ada.csv")
        await pilot.press("enter")
        await until(pilot, lambda: "The statement is in" in said(app))
    with (tmp_path / "ada.csv").open() as file:
        rows = list(csv.DictReader(file))
    balance = market_home.chain.balance(market_home.address("ada"))
    assert float(rows[-1]["free_after"]) * UNIT == balance.free
    assert sum(float(row["held"]) for row in rows) * UNIT == balance.held


# The address book


async def test_addresses_are_noted_checked_and_taken_out(bare_home: Place) -> None:
    book = AddressBook(bare_home.home)
    address = keys.from_mnemonic(WORDS, Crypto.sr25519).address
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("A")
        await dialog(app, pilot, AddressBookScreen)
        await pilot.press("n")
        await dialog(app, pilot, Form)
        await fill_in(pilot, "eve", address[:-1])
        await until(pilot, lambda: "address" in problem(app))
        assert not book.list()
        await fill_in(pilot, address[-1])
        await until(pilot, lambda: "eve is in the address book" in said(app))
        await until(pilot, lambda: address in text_of(app))
        await pilot.press("F")
        await until(pilot, lambda: app.screen.query("#yes"))
        await pilot.press("y")
        await until(pilot, lambda: not book.list())
        await pilot.press("escape")
        await dialog(app, pilot, AccountsScreen)


# Pictures


@pytest.fixture
def pictured(market_home: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The market with key files made at a known time, in a home of a known name, and a file that is torn."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    for account in market_home.accounts.list():
        _made_in_2025(account)
    (market_home.home.accounts / "torn.json").write_text("{")
    return market_home


def _made_in_2025(account: Account) -> None:
    file = json.loads(account.path.read_text())
    file["meta"]["whenCreated"] = 1_750_000_000_000
    account.path.write_text(json.dumps(file))


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (140, 40)])
def test_accounts_look_as_they_did(pictured: Place, snap_compare, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot)
        screen = await go_to_accounts(pilot.app, pilot)
        await until(pilot, lambda: screen._pasts)
        await settled(pilot)

    assert snap_compare(pictured.app(), terminal_size=size, run_before=show)


def test_the_words_look_as_they_did_without_them(home_of_one_path: Place, snap_compare) -> None:
    """The picture holds dots: it can be the same every time only where no word is in it."""

    async def show(pilot: Pilot[None]) -> None:
        await opened(pilot)
        screen = await go_to_accounts(pilot.app, pilot)
        await until(pilot, lambda: screen._pasts)
        await settled(pilot)
        await pilot.app.push_screen(Words("dora", WORDS))
        await pilot.pause()

    assert snap_compare(home_of_one_path.app(), terminal_size=(80, 24), run_before=show)
