"""What many write at once is made once, and each of them finds it."""

import os
from pathlib import Path

import pytest

from decentralml.core.storage import shared


def test_a_folder_that_another_replaces_while_it_is_reached_into_is_reached_for_again(tmp_path: Path) -> None:
    # Between its lookup and its use the old folder dies: rename(2) puts another in the place of an empty one.
    folder, races = tmp_path / "blobs" / "ab", iter([True, True])

    def create() -> None:
        reached = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if next(races, False):
                other = tmp_path / "other"
                other.mkdir()
                other.rename(folder)
            os.close(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=reached))
        finally:
            os.close(reached)

    shared.reach((folder.parent, folder), create)
    assert (folder / "file").is_file()
    assert next(races, None) is None


def test_a_folder_whose_parent_is_gone_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        shared.reach((tmp_path / "gone" / "ab",), lambda: None)
    assert not (tmp_path / "gone").exists()
