"""Which storage a name means, and the folder that it is in."""

import stat
from pathlib import Path

import pytest

from decentralml.core.errors import Misused, Unavailable
from decentralml.core.paths import Home
from decentralml.core.storage.connect import connect
from decentralml.core.storage.local import LocalStorage


def test_local_is_the_homes_own(home: Home, folder: Path) -> None:
    storage = connect("local", home)
    assert isinstance(storage, LocalStorage)
    assert storage.root == home.storage
    assert storage.manifest(storage.put(folder)).files


def test_a_named_folder_is_made_for_the_group(home: Home, tmp_path: Path, folder: Path) -> None:
    storage = connect(f"local:{tmp_path / 'shared'}", home)
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o2770
    reference = storage.put(folder)
    assert connect(f"local:{tmp_path / 'shared'}", home).manifest(reference)


def test_a_folder_that_is_there_keeps_its_mode(home: Home, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir(mode=0o700)
    connect(f"local:{tmp_path / 'there'}", home)
    assert stat.S_IMODE((tmp_path / "there").stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_not_available(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in ("no/such/parent", "file", "file/inside"):
        with pytest.raises(Unavailable) as unavailable:
            connect(f"local:{tmp_path / place}", home)
        assert unavailable.value.code == "NoStorage"


def test_what_is_no_storage_says_what_is(home: Home) -> None:
    with pytest.raises(Misused):
        connect("local:", home)
    for spec in ("", "ipfs", "s3://bucket", "/a/path"):
        with pytest.raises(Unavailable) as unavailable:
            connect(spec, home)
        assert unavailable.value.code == "UnknownStorage"
        assert "local" in unavailable.value.hint
