"""A run's folder goes whatever a script has made of it."""

import os
from pathlib import Path

import pytest
from unprivileged import unprivileged

from decentralml.core.training.run_folder import delete


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A folder that a script has closed, with another in it, and a link to one of the person's own."""
    own = tmp_path / "own"
    own.mkdir(mode=0o755)
    left = tmp_path / "left"
    (left / "closed" / "deeper").mkdir(parents=True)
    (left / "closed" / "deeper" / "file").touch()
    (left / "link").symlink_to(own)
    for folder in (left / "closed" / "deeper", left / "closed", left):
        folder.chmod(0)
    return left


def test_closed_folders_are_deleted_and_what_a_link_names_stays_as_it_was(left: Path) -> None:
    with unprivileged():
        delete(left)
    assert not os.path.lexists(left)
    assert (left.parent / "own").stat().st_mode & 0o777 == 0o755


def test_folders_too_deep_for_a_path_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = tmp_path / "left"
    left.mkdir()
    monkeypatch.chdir(left)
    for _ in range(20):
        os.mkdir("d" * 250)
        os.chdir("d" * 250)
    delete(left)
    assert not left.exists()
