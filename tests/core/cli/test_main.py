"""The table of commands, their help, and how wrong use of any of them is answered."""

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from decentralml.core.chain.rules import TABLE
from decentralml.core.cli import table
from decentralml.core.cli.commands import Command, root
from decentralml.core.cli.failures import in_words
from decentralml.core.cli.main import main
from decentralml.core.errors import Failed
from decentralml.core.words import STATUSES

Run = Callable[..., object]


def find(name: str) -> click.Command:
    group: click.Command = root()
    context = click.Context(group, info_name="decentralml")
    for word in name.split():
        assert isinstance(group, click.Group)
        found = group.get_command(context, word)
        assert found is not None
        group = found
    return group


@pytest.mark.parametrize("entry", table.ENTRIES, ids=lambda entry: entry.name)
def test_every_command_of_the_table_exists_and_explains_itself(entry: table.Entry, run) -> None:
    declared = find(entry.name)
    assert isinstance(declared, Command)
    assert declared.entry is entry
    result = run(*entry.name.split(), "--help")
    assert result.code == 0
    assert entry.help in result.out


def test_every_declared_command_stands_in_the_table() -> None:
    for module in {entry.module or entry.name.split()[0] for entry in table.ENTRIES}:
        importlib.import_module(f"decentralml.core.cli.{module}")
    from decentralml.core.cli.commands import _DECLARED

    assert set(_DECLARED) == {entry.name for entry in table.ENTRIES}


def test_every_table_row_belongs_to_a_known_group() -> None:
    for entry in table.ENTRIES:
        words = entry.name.split()
        for count in range(1, len(words)):
            assert " ".join(words[:count]) in table.GROUPS


@pytest.mark.parametrize("entry", [e for e in table.ENTRIES if e.call], ids=lambda entry: entry.name)
def test_the_help_of_a_call_shows_its_rule(entry: table.Entry, run) -> None:
    rule = next(rule for rule in TABLE if rule.name == entry.call)
    shown = " ".join(run(*entry.name.split(), "--help").out.split())
    assert rule.who.role in shown
    for state in (*rule.sources, *rule.targets):
        assert STATUSES[state] in shown
    for guard in rule.guards:
        assert guard.code in shown
        assert " ".join(guard.sentence.split()) in shown


@pytest.mark.parametrize("words", [[], ["--readonly"], ["--home", "x", "--yes"]])
def test_without_a_command_it_says_that_the_app_needs_a_terminal(
    words: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(words, open_app=lambda flags, welcome, leaving: 0) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "terminal" in captured.err


@pytest.mark.parametrize("words", [("task", "list", "\udcff"), ("config", "set", "account", "\udcff")])
def test_bytes_that_are_no_text_are_wrong_use(words: tuple[str, ...], run) -> None:
    result = run("--json", *words)
    assert (result.code, result.error["code"]) == (2, "BadText")


def test_a_group_alone_lists_its_commands_to_people_and_points_programs_to_them(run) -> None:
    assert "request-changes" in run("task").err
    error = run("--json", "task").error
    assert "\n" not in error["message"]
    assert "decentralml task --help" in error["hint"]


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("config",),
        ("config", "nonsense"),
        ("config", "path", "--nonsense"),
        ("config", "path", "too", "many"),
        ("config", "set", "threads"),
        ("--password-fd", "x", "config", "path"),
        ("account", "import"),
    ],
)
def test_wrong_use_is_one_json_object_and_exit_2(words: tuple[str, ...], run) -> None:
    result = run("--json", *words)
    assert result.code == 2
    assert result.error["code"] == "Usage"
    assert result.error["message"]
    assert result.err == ""


def test_help_offers_no_chain_that_cannot_be_reached_yet(run) -> None:
    assert "ws://" not in run("--help").out


def test_what_is_no_number_is_said_in_words(run) -> None:
    refused = run("--json", "task", "show", "abc")
    assert "'abc' is not a valid whole number." in refused.error["message"]
    assert "1<=x<=1000" in run("task", "create", "--help").out


def test_help_is_help_behind_any_option(run) -> None:
    assert run("--help").out.startswith("Usage: decentralml")
    assert "task" in run("--readonly", "--help").out


def test_a_slip_is_answered_with_the_nearest_command(run) -> None:
    result = run("acount", "list")
    assert result.code == 2
    assert "account" in result.err
    assert result.out == ""


def test_global_options_stand_before_and_after_the_command(run, tmp_path: Path) -> None:
    before = run("--json", "--home", str(tmp_path / "x"), "config", "path")
    between = run("config", "--json", "--home", str(tmp_path / "x"), "path")
    after = run("config", "path", "--json", "--home", str(tmp_path / "x"))
    assert before.data == between.data == after.data
    assert after.data["path"] == str(tmp_path / "x" / "config.toml")


def test_readonly_refuses_what_changes_anything(run, folder: Path) -> None:
    paths = {"file": str(folder / "a.txt"), "folder": str(folder)}
    for entry in table.ENTRIES:
        if entry.writes:
            declared = find(entry.name)
            arguments = []
            for parameter in declared.params:
                if parameter.required:
                    choices = getattr(parameter.type, "choices", [paths.get(parameter.type.name, "1")])
                    arguments += [*parameter.opts[:1], choices[0]][isinstance(parameter, click.Argument) :]
            result = run("--json", "--readonly", *entry.name.split(), *arguments)
            assert (result.code, result.error["code"]) == (1, "ReadOnly"), entry.name


def test_a_reader_that_leaves_ends_it_without_a_word(command, home) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        command("--home", str(home.root), "config", "check"),
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert done.returncode == 128 + signal.SIGPIPE
    assert done.stderr == b""


@pytest.mark.parametrize("json", [("--json",), ()])
@pytest.mark.parametrize("where", [">&-", "> /dev/full"])
@pytest.mark.parametrize("words", [("config", "check"), ("--help",)])
def test_an_answer_that_cannot_be_written_is_said_on_stderr(
    command, home, where: str, json: tuple[str, ...], words: tuple[str, ...]
) -> None:
    done = shell(where, command(*json, "--home", str(home.root), *words))
    assert done.returncode == 4
    assert done.stderr.startswith(("AnswerLost: ", "SystemError: "))
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("json", [("--json",), ()])
@pytest.mark.parametrize(("where", "code"), [(">&-", 4), ("> /dev/full", 4), ("", 141)])
def test_what_landed_is_said_where_the_answer_cannot_be(
    command, home, account, run, where: str, json: tuple[str, ...], code: int
) -> None:
    account("ada")
    words = command(*json, "--yes", "--home", str(home.root), "account", "fund", "5")
    reader, writer = os.pipe()
    os.close(reader)  # nobody reads what goes there, if not redirected
    done = shell(where, words, stdout=writer)
    os.close(writer)
    assert done.returncode == code
    assert "fund is done all the same: finalised in block" in done.stderr
    assert "Traceback" not in done.stderr
    assert run("--json", "account", "show").data["free"] == str(5 * 10**12)


def test_what_landed_is_done_where_the_home_has_no_room_to_note_it(home, account, run) -> None:
    account("ada")
    home.seen.with_name(".seen.json.lock").mkdir()
    for free in (5, 10):
        funded = run("--json", "--yes", "account", "fund", "5")
        assert (funded.code, funded.envelope["ok"], funded.err) == (0, True, "")
        assert run("--json", "account", "show").data["free"] == str(free * 10**12)


def test_an_error_that_cannot_be_written_keeps_its_code(command, home) -> None:
    done = shell("> /dev/full", command("--json", "--home", str(home.root), "run", "show", "7"))
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, "UnknownRun: There is no run 7.")


def test_words_that_cannot_be_written_stop_nothing(command, home, account) -> None:
    account("ada")
    words = command("--yes", "--home", str(home.root), "account", "fund", "5")
    assert shell("2> /dev/full >/dev/null", words).returncode == 0
    assert shell("2> /dev/full >/dev/full", words).returncode == 4


def shell(where: str, words: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run ``words`` with their output redirected as a shell does it."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {where}', "sh", *words],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        **options,
    )


def test_a_pipe_that_breaks_elsewhere_than_at_the_output_is_an_error_in_words() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with pytest.raises(Failed) as failed, os.fdopen(writer, "wb", buffering=0) as pipe, in_words():
        pipe.write(b"a question that nobody takes")
    assert failed.value.code == "SystemError"


def test_an_interrupt_is_exit_130_and_one_object(home) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, "--json", "--home", str(home.root), "config", "path"],
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 130
    assert done.stdout.startswith('{"ok": false, "error": {"code": "Interrupted"')
    assert "Traceback" not in done.stderr


# The signal arrives while the command runs: the settings are being looked for.
INTERRUPTED = """
import os, signal, sys
from decentralml.core.cli.failures import in_words
from decentralml.core.cli.main import main
from decentralml.core.errors import Failed
from decentralml.core.paths import Home
Home.config = property(lambda home: os.kill(os.getpid(), signal.SIGINT))
sys.exit(main())
"""


def test_errors_of_the_system_come_out_in_words(run, home) -> None:
    home.config_dir.mkdir(parents=True)
    home.config.mkdir()
    result = run("--json", "config", "show")
    assert result.code == 2
    assert result.error["code"] == "BadConfig"
