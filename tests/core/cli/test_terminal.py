"""What only a person at a terminal sees."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

PASSWORD = "correct horse"


def test_an_account_is_made_by_asking_twice_and_shows_its_words_once(
    terminal: Callable[..., Any], run, tmp_path: Path
) -> None:
    asked = terminal("account", "create", "ada")
    asked.expect("A password for ada: ")
    asked.type(f"{PASSWORD}\n")
    asked.expect("Once more: ")
    asked.type(f"{PASSWORD}\n")
    assert asked.finish() == 0
    assert PASSWORD not in asked.shown
    (words,) = [line.strip() for line in asked.shown.splitlines() if len(line.split()) == 12]
    # The words are the key: imported elsewhere they give the same address.
    address = run("account", "list", "--json").data[0]["address"]
    imported = terminal("--home", str(tmp_path / "other"), "account", "import", "bob", "--mnemonic")
    imported.expect("Mnemonic: ")
    imported.type(f"{words}\n")
    imported.expect("A password for bob: ")
    imported.type("other\n")
    imported.expect("Once more: ")
    imported.type("other\n")
    assert imported.finish() == 0
    assert address in imported.shown
    assert words not in imported.shown


def test_two_passwords_that_differ_make_no_account(terminal: Callable[..., Any], run) -> None:
    asked = terminal("account", "create", "ada")
    asked.expect("A password for ada: ")
    asked.type("one\n")
    asked.expect("Once more: ")
    asked.type("two\n")
    assert asked.finish() == 2
    assert run("account", "list", "--json").data == []


def test_signing_shows_what_it_does_to_whom_and_asks(terminal: Callable[..., Any], run, account) -> None:
    address = account("ada")
    asked = terminal("account", "fund", "5")
    asked.expect("Go on? [y/N] ")
    assert address in asked.shown
    assert "+5.00" in asked.shown
    asked.type("n\n")
    assert asked.finish() == 1
    assert run("account", "show", "--json").data["free"] == "0"
    again = terminal("account", "fund", "5")
    again.expect("Go on? [y/N] ")
    again.type("y\n")
    assert again.finish() == 0
    assert run("account", "show", "--json").data["free"] == str(5 * 10**12)


def test_what_is_signed_is_shown_with_hidden_characters_visible(
    terminal: Callable[..., Any], account
) -> None:
    account("ada")
    asked = terminal("account", "sign", "pay \u202e\x1b[2J100")
    asked.expect("Password of ada: ")
    asked.type(f"{PASSWORD}\n")
    asked.expect("Go on? [y/N] ")
    assert "pay \\u202e\\x1b[2J100" in asked.shown
    assert "\x1b[2J" not in asked.shown
    asked.type("n\n")
    assert asked.finish() == 1


def test_an_interrupt_at_the_password_leaves_nothing(terminal: Callable[..., Any], run) -> None:
    asked = terminal("account", "create", "ada")
    asked.expect("A password for ada: ")
    asked.type("\x03")
    assert asked.finish() == 130
    assert "Traceback" not in asked.shown
    assert run("account", "list", "--json").data == []


def test_tables_fit_the_terminal(terminal: Callable[..., Any], account) -> None:
    for name in ("ada", "bob" * 12):
        account(name)
    shown = terminal("account", "list")
    assert shown.finish() == 0
    lines = [line.replace("\x1b[2m", "").replace("\x1b[0m", "") for line in shown.shown.splitlines()]
    assert max(map(len, lines)) <= 80
    assert "…" in shown.shown


def test_without_a_terminal_nothing_is_signed_unasked(command, home, account) -> None:
    account("ada")
    done = subprocess.run(
        command("--home", str(home.root), "--json", "account", "fund", "5"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    assert done.returncode == 2
    assert '"code": "NotConfirmed"' in done.stdout


def test_without_a_terminal_a_password_is_not_available(command, home, account, tmp_path: Path) -> None:
    account("ada")
    done = subprocess.run(
        command("--home", str(home.root), "--json", "--yes", "account", "sign", "hello"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    assert done.returncode == 3
    assert '"code": "NoPassword"' in done.stdout
