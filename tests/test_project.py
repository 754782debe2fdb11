"""What must hold of the project as a whole."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PARTS = ("assets", "core", "themes", "tui")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WRITTEN_FOR_PEOPLE = ("README.md", "CHANGELOG.md", "docs", "Makefile", ".ci")

HEAVY = ("keras", "tensorflow", "substrateinterface", "textual", "h5py", "numpy", "keyring", "requests")
LOADED = """
import json, sys
from decentralml.core.cli.main import main
main(json.loads(sys.argv[1]))
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, text=True
    ).stdout
    if listed:
        return [ROOT / name for name in listed.split("\0") if name]
    # A source archive has no git: every file but those that are made.
    return [
        p for p in ROOT.rglob("*") if p.is_file() and not {".venv", "build"} & set(p.relative_to(ROOT).parts)
    ]


def test_every_package_on_disk_is_listed() -> None:
    on_disk = {
        ".".join(("decentralml", *init.parent.relative_to(ROOT).parts))
        for part in PARTS
        for init in (ROOT / part).rglob("__init__.py")
    }
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == sorted(on_disk)


def test_every_folder_with_modules_is_a_package() -> None:
    for part in ("core", "tui"):
        for module in (ROOT / part).rglob("*.py"):
            assert (module.parent / "__init__.py").exists(), module.parent


def test_every_style_sheet_stands_beside_what_it_styles() -> None:
    for sheet in (ROOT / "tui").rglob("*.tcss"):
        assert sheet.with_suffix(".py").exists(), sheet


@pytest.mark.parametrize(
    "words", [["--help"], ["task", "--help"], ["task", "list"], ["inbox", "--help"], ["config", "show"]]
)
def test_commands_that_only_look_import_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, json.dumps(["--home", str(tmp_path), *words])],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {name.partition(".")[0] for name in json.loads(done.stderr.splitlines()[-1])}
    assert loaded.isdisjoint(HEAVY)


def test_what_people_read_names_no_machine() -> None:
    private = re.compile(
        r"(?<![\w.:/~-])/(home|root|work|Users|opt/(?!decentralml))\b|https?://(localhost|127\.)"
    )
    for name in WRITTEN_FOR_PEOPLE:
        path = ROOT / name
        for file in [path] if path.is_file() else sorted(filter(Path.is_file, path.rglob("*"))):
            for number, line in enumerate(file.read_text().splitlines(), 1):
                assert not private.search(line), f"{file.relative_to(ROOT)}:{number}: {line}"


def test_links_between_pages_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readme_shows_every_screen_that_was_drawn() -> None:
    drawn = {f"docs/screens/{picture.name}" for picture in (ROOT / "docs" / "screens").iterdir()}
    assert drawn
    assert set(re.findall(r"\]\((docs/screens/[^)]+)\)", (ROOT / "README.md").read_text())) == drawn


def test_the_readme_names_only_commands_that_exist() -> None:
    from decentralml.core.cli import table

    text = "\n".join(page.read_text() for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))
    shown = re.findall(
        r"decentralml ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)*)",
        "\n".join(re.findall(r"`[^`]+`|```.*?```", text, re.S)),
    )
    assert shown
    names = {entry.name for entry in table.ENTRIES} | set(table.GROUPS)
    for words in shown:
        parts = words.split()
        assert any(" ".join(parts[:count]) in names for count in (1, 2, 3)), words


def test_scripts_can_be_executed() -> None:
    for name in (".ci/run", ".ci/setup"):
        assert os.access(ROOT / name, os.X_OK), name


# Stands for a Python: whoever makes .venv with it starts another setup meanwhile.
PYTHON = """#!/bin/sh
case "$*" in
*venv*--clear*)
    echo made >>made
    rm -rf .venv && mkdir -p .venv/bin && cp "$0" .venv/bin/python && cp "$0" .venv/bin/uv
    timeout 1 .ci/setup run || echo "other: $?" >>made ;;
esac
"""


def test_a_setup_waits_for_the_one_that_makes_the_environment(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    for name in (".ci/setup", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    subprocess.run(
        [tmp_path / ".ci" / "setup", "run"], env={**os.environ, "PYTHON": str(python)}, check=True, timeout=60
    )
    assert (tmp_path / "made").read_text().split("\n") == ["made", "other: 124", ""]
    assert (tmp_path / ".venv" / ".installed-run").exists()


def test_the_setup_takes_the_pythons_that_the_project_names() -> None:
    setup = (ROOT / ".ci" / "setup").read_text()
    taken = re.search(r"\((\d+), (\d+)\) <= sys.version_info < \((\d+), (\d+)\)", setup)
    assert taken is not None
    assert PROJECT["project"]["requires-python"] == ">={}.{},<{}.{}".format(*taken.groups())


def test_the_version_has_its_place_in_the_changelog() -> None:
    assert f"## [{PROJECT['project']['version']}]" in (ROOT / "CHANGELOG.md").read_text()


def test_nothing_that_is_made_is_tracked() -> None:
    made = {".venv", "build", "__pycache__", ".mypy_cache", "decentralml.egg-info"}
    for path in tracked():
        assert not made & set(path.relative_to(ROOT).parts), path
