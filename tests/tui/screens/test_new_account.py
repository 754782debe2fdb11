"""An account is made or imported, and no secret outlives its use."""

import re
from pathlib import Path

import pytest
from bare_key import BARE
from textual.pilot import Pilot
from textual.widgets import Input

from decentralml.core.signing import Crypto
from decentralml.core.wallet import keys
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.dialog import Ask
from decentralml.tui.screens.form import Form
from decentralml.tui.screens.new_words import Words
from decentralml.tui.widgets.secret import Secret

from ..conftest import PASSWORD, SEEDS, Place, opened, settled, text_of, until
from ..forms import dialog, fill_in, go_to_accounts, problem, told
from ..turns import burst

WORDS = "fine engage seed popular upon round differ belt engage space author pet"
NEW_PASSWORD = "correct horse"


async def start_creating(app: DecentralMLApp, pilot: Pilot[None], name: str = "dora") -> list[str]:
    """Up to the words, which are returned."""
    await pilot.press("n")
    await dialog(pilot, Form)
    await fill_in(pilot, name, NEW_PASSWORD, NEW_PASSWORD)
    await pilot.press("enter")
    await dialog(pilot, Words)
    return re.findall(r"\d+ ([a-z]+)", app.screen.query_one(Secret).render().plain)


def in_order(shown: list[str]) -> list[str]:
    """The words of the three columns, first column first."""
    return [shown[row * 3 + column] for column in range(3) for row in range(4)]


async def answer_check(app: DecentralMLApp, pilot: Pilot[None], words: list[str]) -> None:
    await dialog(pilot, Form)
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
        await until(pilot, lambda: "you have its words" in told(app))
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
        await until(pilot, lambda: "you have its words" in told(app))
        assert " ".join(words) not in told(app)
        assert NEW_PASSWORD not in told(app)
        assert not re.search(rf"\d +{words[3]}\b", text_of(app))
    for path in bare_home.home.root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert NEW_PASSWORD.encode() not in content
            assert words[0].encode() + b" " + words[1].encode() not in content


async def lock(app: DecentralMLApp, pilot: Pilot[None]) -> None:
    """As when nobody is there."""
    app.identity._touched -= app.session.settings.idle_lock
    app.identity.lock_when_idle()
    await pilot.pause()


def seen(app: DecentralMLApp, words: list[str]) -> list[str]:
    return [word for word in words if re.search(rf"\d +{word}\b", text_of(app))]


async def test_the_words_are_covered_while_nobody_is_there_and_come_back_by_the_password_alone(
    bare_home: Place,
) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        words = in_order(await start_creating(app, pilot))
        await lock(app, pilot)
        assert not seen(app, words)
        app.export_screenshot()
        await pilot.pause()
        assert not seen(app, words)
        assert "Show them again" in text_of(app)
        await pilot.press("y")
        await dialog(pilot, Form)
        await fill_in(pilot, "not it")
        await until(pilot, lambda: "does not open" in problem(app))
        await pilot.press("escape")
        await dialog(pilot, Words)
        assert not seen(app, words)
        await pilot.press("y")
        await dialog(pilot, Form)
        await fill_in(pilot, NEW_PASSWORD)
        await dialog(pilot, Words)
        await until(pilot, lambda: seen(app, words) == words)
        await pilot.press("y")
        await answer_check(app, pilot, words)
        await until(pilot, lambda: "you have its words" in told(app))


async def test_who_does_not_know_the_password_leaves_covered_words_after_a_yes(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        words = in_order(await start_creating(app, pilot))
        await lock(app, pilot)
        await pilot.press("escape")
        await dialog(pilot, Ask)
        await pilot.press("escape")
        await dialog(pilot, Words)
        await pilot.press("escape")
        await dialog(pilot, Ask)
        await pilot.press("y")
        await dialog(pilot, Form)
        assert not seen(app, words)


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
        await until(pilot, lambda: fields[0].has_focus and not any(field.value for field in fields))
        await answer_check(app, pilot, words)
        await until(pilot, lambda: "you have its words" in told(app))


async def test_an_account_whose_words_were_not_checked_stays_and_says_so(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        words = in_order(await start_creating(app, pilot))
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.query(Input), "the question for three of them")
        await pilot.press("escape")
        await until(pilot, lambda: "its words are unchecked" in told(app))
        assert words[0] not in told(app)
        assert bare_home.accounts.get("dora")


async def test_two_passwords_that_differ_make_nothing(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("n")
        await dialog(pilot, Form)
        await fill_in(pilot, "dora", "one", "two", "")
        assert "two passwords differ" in problem(app)
        form = app.screen
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not form)
        assert [account.name for account in bare_home.accounts.list()] == ["ada", "bo", "chi"]


async def test_how_strong_a_new_password_is_is_said_while_one_types_it(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("n")
        await dialog(pilot, Form)
        await pilot.press("tab", *"xx")
        assert re.search(r"Password +•• +weak: soon guessed", text_of(app))
        await pilot.press(*" and some more words")
        assert "strong" in text_of(app)


async def test_a_name_that_is_taken_is_said_and_nothing_has_to_be_typed_again(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("n")
        await dialog(pilot, Form)
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
        await dialog(pilot, Form)
        burst(app, *"dora", "enter", *"secret", "tab", *"secret")
        await until(pilot, lambda: app.screen.query_one("#again", Input).value == "secret")
        assert app.screen.query_one("#name", Input).value == "dora"
        assert app.screen.query_one("#password", Input).value == "secret"


async def choose_import(app: DecentralMLApp, pilot: Pilot[None], source: int) -> None:
    await pilot.press("I")
    await until(pilot, lambda: app.screen.query("#choices"))
    await pilot.press(*["down"] * source, "enter")
    await dialog(pilot, Form)


async def test_words_are_imported(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await choose_import(app, pilot, 0)
        await fill_in(pilot, "old", WORDS, "", "pw", "pw")
        assert "12 words" in text_of(app)
        assert "popular" not in text_of(app)
        await pilot.press("enter")
        await until(pilot, lambda: "old is imported" in told(app))
        assert bare_home.address("old") == keys.from_mnemonic(WORDS, Crypto.sr25519).address


async def test_words_that_stand_one_a_line_are_pasted_whole(bare_home: Place) -> None:
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await choose_import(app, pilot, 0)
        await fill_in(pilot, "old", WORDS.replace(" ", "\n") + "\n", "", "pw", "pw")
        await pilot.press("enter")
        await until(pilot, lambda: "old is imported" in told(app))
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
        await until(pilot, lambda: "chi is imported" in told(app))
    assert bare_home.address("chi") == address


async def test_an_import_that_was_not_encrypted_says_so(bare_home: Place, tmp_path: Path) -> None:
    file = tmp_path / "bare.json"
    file.write_bytes(BARE)
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await choose_import(app, pilot, 2)
        await fill_in(pilot, str(file), PASSWORD, "bare", "")
        await until(pilot, lambda: "bare is imported. The imported file is not encrypted" in told(app))


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
