"""A wrong path on the command line is a wrong use of it, in one form, whatever command it is given to."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from decentralml.core.cli import table
from decentralml.core.cli.commands import root

# Every command that takes the path of something that is there, and of which kind that is.
SOURCES = {
    "account import --json-file PATH": "file",
    "account sign --file PATH": "file",
    "account verify 0x00 --file PATH": "file",
    "federate run 1 --data PATH": "file",
    "federate verify PATH": "folder",
    "federate verify . --input PATH --base .": "file or folder",
    "federate verify . --input . --base PATH": "file or folder",
    "home restore PATH": "file",
    "storage put PATH": "folder",
    "task create annotator --question q --pays-amount 1 --assets PATH": "folder",
    "task create annotator --question q --pays-amount 1 --assets . --annotation-json PATH": "file",
    "task send 1 --answers PATH": "file",
    "task send 1 --result PATH": "folder",
    "task train 1 --data PATH": "file or folder",
    "task try 1 --data PATH": "file or folder",
    "task validate 1 --data PATH": "file",
    "task validate 1 --policy PATH": "file",
}
# Every command that writes to a path, and what comes there.
TARGETS = {
    "account export --to PATH": "file",
    "chain init PATH": "file",
    "federate run 1 --out PATH": "folder",
    "home backup PATH": "file",
    "storage get local:#sha256=0 PATH": "folder",
    "task label 1 --to PATH": "file",
}
# Paths that every command may be given.
HOMES = ("--home PATH task list", "--home PATH demo")

KINDS = {*SOURCES.values(), *TARGETS.values()}


def put(path: Path | str, line: str) -> list[str]:
    return [str(path) if word == "PATH" else word for word in line.split()]


def parameters() -> Iterator[tuple[str, click.Parameter]]:
    """Every parameter of every command."""
    for entry in table.ENTRIES:
        found: click.Command | None = root()
        for word in entry.name.split():
            assert isinstance(found, click.Group)
            found = found.get_command(click.Context(found), word)
        assert found is not None
        yield from ((entry.name, parameter) for parameter in found.params)


def test_every_path_of_every_command_is_tried_below() -> None:
    taken = Counter(name for name, parameter in parameters() if parameter.type.name in KINDS)
    tried = Counter(next(name for name in taken if line.startswith(name)) for line in (*SOURCES, *TARGETS))
    assert taken == tried
    # click's own type would say it in another form.
    assert not [name for name, parameter in parameters() if isinstance(parameter.type, click.Path)]


@pytest.mark.parametrize("line", SOURCES)
def test_what_is_not_there_is_used_wrongly(run, tmp_path: Path, line: str) -> None:
    for path in (tmp_path / "nowhere", ""):
        refused = run("--json", *put(path, line))
        assert (refused.error["code"], refused.code) == ("NoSuchFile", 2)
        assert refused.error["message"] == f"There is no {SOURCES[line]} {str(path)!r}."
        assert refused.error["hint"]


@pytest.mark.parametrize("line", SOURCES)
def test_what_is_of_another_kind_is_used_wrongly(run, tmp_path: Path, line: str) -> None:
    other = tmp_path / "other"
    if SOURCES[line] == "file":
        other.mkdir()
    elif SOURCES[line] == "folder":
        other.touch()
    else:
        os.mkfifo(other)
    refused = run("--json", *put(other, line))
    assert (refused.error["code"], refused.code) == ("NoSuchFile", 2)
    assert refused.error["message"].startswith(f"{str(other)!r} is ")


@pytest.mark.parametrize("line", [*SOURCES, *TARGETS, *HOMES])
def test_a_path_that_cannot_be_is_used_wrongly(run, tmp_path: Path, line: str) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / ("x" * 300), "x" * 5000, tmp_path / "file" / "below"):
        refused = run("--json", *put(path, line))
        assert (refused.error["code"], refused.code) == ("NoSuchFile", 2)


@pytest.mark.parametrize("line", [*TARGETS, *HOMES])
def test_where_something_else_is_nothing_is_put(run, tmp_path: Path, line: str) -> None:
    other = tmp_path / "other"
    if TARGETS.get(line) == "file":
        other.mkdir()
    else:
        other.touch()
    refused = run("--json", *put(other, line))
    assert refused.error["code"] in ("NoSuchFile", "FileExists")
    assert refused.code == 2


@pytest.mark.parametrize("line", ["account export --to PATH", "home backup PATH", "task label 1 --to PATH"])
def test_a_file_goes_into_a_folder_that_is_there(run, tmp_path: Path, line: str) -> None:
    refused = run("--json", *put(tmp_path / "nowhere" / "file", line))
    assert (refused.error["code"], refused.code) == ("NoSuchFile", 2)
    assert str(tmp_path / "nowhere") in refused.error["message"]
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_is_made_with_those_above_it(run, tmp_path: Path, folder: Path) -> None:
    reference = run("--json", "storage", "put", str(folder)).data["reference"]
    assert run("storage", "get", reference, str(tmp_path / "new" / "got")).code == 0
    assert (tmp_path / "new" / "got" / "a.txt").read_text() == "alpha"


def test_a_link_to_nothing_is_taken_and_not_followed(run, account, tmp_path: Path) -> None:
    account("ada")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    refused = run("--json", "account", "export", "--to", str(tmp_path / "link"))
    assert (refused.error["code"], refused.code) == ("FileExists", 2)
    assert not (tmp_path / "elsewhere").exists()
