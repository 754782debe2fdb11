"""A home's folders are its owner's alone, and its files are replaced in one step."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from decentralml.core.errors import Failed, Unavailable
from decentralml.core.paths import Home, write_atomic, writing

FOLDERS = ["themes", "accounts", "runs", "reports", "federations", "assets", "environments", "intents"]


def test_a_home_with_a_root_stays_inside_it(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    for name in [*FOLDERS, "config", "keymap", "address_book", "ledger", "storage", "seen", "ui_state"]:
        assert getattr(home, name).is_relative_to(tmp_path / "home")


def test_a_home_without_a_root_is_in_the_xdg_folders(tmp_path: Path) -> None:
    home = Home()
    for path in (home.config, home.accounts, home.ui_state, home.assets):
        assert path.is_relative_to(tmp_path / "xdg")


def test_a_relative_root_stays_where_it_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    home = Home(Path("here"))
    monkeypatch.chdir("/")
    assert home.config == tmp_path / "here" / "config.toml"


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_and_their_parents_are_the_owners_alone(tmp_path: Path, name: str) -> None:
    before = os.umask(0)
    try:
        made = getattr(Home(tmp_path / "new" / "home"), name)
    finally:
        os.umask(before)
    while made != tmp_path:
        assert stat.S_IMODE(made.stat().st_mode) == 0o700
        made = made.parent


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o750)
    assert Home(tmp_path / "home").accounts.is_dir()
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o750


def test_naming_a_home_makes_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert not any(path.exists() for path in (home.config, home.ledger, home.storage, home.seen))
    assert not (tmp_path / "home").exists()


def test_a_home_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for root in (tmp_path / "file", tmp_path / "file" / "home"):
        with pytest.raises(Unavailable) as unavailable:
            _ = Home(root).accounts
        assert unavailable.value.code == "NoHome"
        assert "--home" in unavailable.value.hint


def test_an_atomic_write_sets_content_and_mode_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "f"
    before = os.umask(0o777)
    try:
        write_atomic(path, b"one")
        write_atomic(path, b"two", 0o640)
    finally:
        os.umask(before)
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["f"]


def test_an_atomic_write_replaces_a_link_and_not_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "f").symlink_to(tmp_path / "victim")
    write_atomic(tmp_path / "f", b"new")
    assert (tmp_path / "victim").read_text() == "precious"
    assert (tmp_path / "f").read_bytes() == b"new"


def test_an_atomic_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "inside").touch()
    with pytest.raises(OSError, match="directory"):
        write_atomic(tmp_path / "f", b"new")
    assert os.listdir(tmp_path) == ["f"]


def test_writers_that_read_and_replace_a_file_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "count"
    path.write_text("0")

    def add_one(_: int) -> None:
        with writing(path):
            write_atomic(path, str(int(path.read_text()) + 1).encode())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add_one, range(40)))
    assert path.read_text() == "40"


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("not a folder")
    with pytest.raises(Failed, match="taken/file") as failed, writing(tmp_path / "taken" / "file"):
        pass
    assert failed.value.code == "CannotWrite"
