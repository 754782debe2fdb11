"""What only a person at a terminal sees."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
    lines = asked.shown.partition("shown this once:")[2].splitlines()
    assert all(len(line) <= 80 for line in lines)  # else the terminal would break a word in two
    words = " ".join(" ".join(lines).split())
    assert len(words.split()) == 12
    # The words are the key: imported elsewhere they give the same address.
    address = run("account", "list", "--json").data[0]["address"]
    imported = terminal("--home", str(tmp_path / "other"), "account", "import", "bob", "--mnemonic")
    imported.expect("Mnemonic: ")
    imported.type(f"{words}\n")
    imported.expect("A password for bob: ")
    imported.type("other\n")
    imported.expect("It is weak: whoever has the file soon guesses it. Once more: ")
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


@pytest.mark.parametrize(
    "between",
    ["\n", "\t\n\n", " " * 90, "and-so-on-" * 9 + " ", "\u00a0" * 90, "ふ" * 40 + " "],
    ids=["line", "lines", "blanks", "a long word", "hard blanks", "wide"],
)
def test_a_strangers_question_makes_no_row_of_the_card_and_none_of_the_task(
    terminal: Callable[..., Any], market, files: Path, between: str
) -> None:
    ada, bob = market("ada", "bob")
    question = between.join(("Cat or dog?", "  deposit  0.00, nothing is held", "  free  10.00 -> 510.00"))
    made = ada(
        *("task", "create", "annotator", "--question", question, "--assets", str(files)),
        *("--pays-amount", "2", "--annotation-type", "text", "--labels", "cat,dog"),
    )
    task = str(made.data["task"]["id"])
    asked = terminal("--home", str(bob.home), *bob.shared, "task", "assign", task)
    asked.expect("Go on? [y/N] ")
    shown = terminal("--home", str(bob.home), *bob.shared, "task", "show", task)
    assert shown.finish() == 0
    for screen in (asked.shown, shown.shown):
        # As it stands on 80 columns, where it is cut and where it is long.
        rows = [row for line in screen.splitlines() for row in re.findall(".{1,80}", line)]
        assert "510.00" in screen
        assert not [row for row in rows if re.match(r"\s{0,2}(deposit\s+0\.00|free\s+10\.00)", row)]
    asked.type("n\n")
    assert asked.finish() == 1


def test_what_an_annotator_sends_is_counted_by_the_files_to_label_alone(
    terminal: Callable[..., Any], market, files: Path, tmp_path: Path
) -> None:
    ada, bob = market("ada", "bob")
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    (shipped / "label.py").write_text("print('how one may label')")
    files.rename(shipped / "files")
    made = ada(
        *("task", "create", "annotator", "--question", "Cat or dog?", "--assets", str(shipped)),
        *("--pays-amount", "2", "--annotation-type", "text", "--labels", "cat,dog"),
    )
    task = str(made.data["task"]["id"])
    assert bob("task", "assign", task).code == 0
    answers = tmp_path / "answers.json"
    answers.write_text('{"0.txt": "cat", "1.txt": "dog"}')
    asked = terminal("--home", str(bob.home), *bob.shared, "task", "send", task, "--answers", str(answers))
    asked.expect("Go on? [y/N] ")
    assert "2 of 2 answers" in asked.shown
    assert "of no file" not in asked.shown
    asked.type("n\n")
    assert asked.finish() == 1


def test_where_a_tasks_files_are_is_one_line_that_can_be_copied(
    terminal: Callable[..., Any], market, files: Path
) -> None:
    (ada,) = market("ada")
    made = ada(
        *("task", "create", "annotator", "--question", "Cat or dog?", "--assets", str(files)),
        *("--pays-amount", "2", "--annotation-type", "text", "--labels", "cat,dog"),
    )
    shown = terminal("--home", str(ada.home), *ada.shared, "task", "show", str(made.data["task"]["id"]))
    assert shown.finish() == 0
    assert made.data["task"]["terms"]["annotation_files"][0] in shown.shown


def test_an_interrupt_at_the_password_leaves_nothing(terminal: Callable[..., Any], run) -> None:
    asked = terminal("account", "create", "ada")
    asked.expect("A password for ada: ")
    asked.type("\x03")
    assert asked.finish() == 130
    assert "Traceback" not in asked.shown
    assert run("account", "list", "--json").data == []


@pytest.mark.parametrize(("columns", "lines", "fits"), [(60, 20, True), (59, 20, False), (60, 19, False)])
def test_the_doctor_takes_the_terminals_that_the_app_does(columns: int, lines: int, fits: bool) -> None:
    ends = pty.openpty()
    asks = "from decentralml.core.cli import doctor; print(doctor._terminal(None).ok)"
    try:
        subprocess.run(
            [sys.executable, "-c", asks],
            stdin=ends[1],
            stdout=ends[1],
            env={**os.environ, "TERM": "xterm", "COLUMNS": str(columns), "LINES": str(lines)},
            check=True,
        )
        assert os.read(ends[0], 100).split() == [str(fits).encode()]
    finally:
        for end in ends:
            os.close(end)


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


def test_without_a_terminal_a_password_is_not_available(command, home, account) -> None:
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
