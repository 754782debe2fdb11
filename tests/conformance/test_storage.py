"""What every storage promises, asked of each of them."""

from pathlib import Path

import pytest

from decentralml.core.domain import StorageType, manifest_digest
from decentralml.core.errors import Interrupted, Refused, Unavailable
from decentralml.core.paths import Home
from decentralml.core.storage import manifest as manifests
from decentralml.core.storage.base import Caps, Progress, Storage
from decentralml.core.storage.connect import connect


@pytest.fixture(params=["local"])
def storage(request: pytest.FixtureRequest, home: Home) -> Storage:
    return connect(request.param, home)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "folder"
    (root / "model").mkdir(parents=True)
    (root / "model" / "weights.bin").write_bytes(bytes(range(251)) * 30_000)
    (root / "model" / ".hidden").write_text("kept")
    (root / "empty").touch()
    (root / "naïve 名前.txt").write_text("any language")
    (root / "start.sh").write_text("#!/bin/sh\n")
    (root / "start.sh").chmod(0o755)
    return root


def test_a_folder_comes_back_as_it_went(storage: Storage, folder: Path, tmp_path: Path) -> None:
    reference = storage.put(folder)
    manifest = storage.get(reference, tmp_path / "back")
    assert manifest == manifests.scan(folder) == manifests.scan(tmp_path / "back")
    assert (tmp_path / "back" / "start.sh").stat().st_mode & 0o100


def test_a_reference_ends_in_the_digest_of_the_manifest(storage: Storage, folder: Path) -> None:
    reference = storage.put(folder)
    assert manifest_digest(reference) == manifests.digest(manifests.scan(folder))
    assert storage.manifest(reference) == manifests.scan(folder)
    assert isinstance(storage.type, StorageType)


def test_the_same_folder_has_the_same_reference(storage: Storage, folder: Path) -> None:
    first = storage.put(folder)
    assert storage.put(folder) == first
    (folder / "empty").write_text("no longer")
    assert storage.put(folder) != first


def test_what_is_stored_verifies(storage: Storage, folder: Path) -> None:
    reference = storage.put(folder)
    seen: list[Progress] = []
    assert storage.verify(reference, on_progress=seen.append) == manifests.scan(folder)
    assert seen[-1].done == seen[-1].total == manifests.scan(folder).size


def test_progress_counts_every_byte_both_ways(storage: Storage, folder: Path, tmp_path: Path) -> None:
    size = manifests.scan(folder).size
    up: list[Progress] = []
    down: list[Progress] = []
    reference = storage.put(folder, on_progress=up.append)
    storage.get(reference, tmp_path / "back", on_progress=down.append)
    for seen in (up, down):
        assert (seen[0].total, seen[-1].done, seen[-1].eta) == (size, size, 0.0)
        assert [p.done for p in seen] == sorted(p.done for p in seen)


def test_getting_twice_hashes_what_is_there(storage: Storage, folder: Path, tmp_path: Path) -> None:
    reference = storage.put(folder)
    storage.get(reference, tmp_path / "back")
    seen: list[Progress] = []
    storage.get(reference, tmp_path / "back", on_progress=seen.append)
    assert seen[-1].done == seen[-1].total
    weights = tmp_path / "back" / "model" / "weights.bin"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(Refused) as refused:
        storage.get(reference, tmp_path / "back")
    assert refused.value.code == "DestinationTaken"
    assert "weights.bin" in refused.value.message


def test_an_empty_destination_is_filled(storage: Storage, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "back").mkdir()
    storage.get(storage.put(folder), tmp_path / "back")
    assert manifests.scan(tmp_path / "back") == manifests.scan(folder)


@pytest.mark.parametrize(
    ("caps", "code"),
    [(Caps(files=3), "TooManyFiles"), (Caps(size=1000), "TooLarge"), (Caps(name=6), "NameTooLong")],
)
def test_a_cap_refuses_before_anything_is_written(
    storage: Storage, folder: Path, tmp_path: Path, caps: Caps, code: str
) -> None:
    reference = storage.put(folder)
    with pytest.raises(Refused) as refused:
        storage.get(reference, tmp_path / "place" / "back", caps=caps)
    assert refused.value.code == code
    assert not (tmp_path / "place").exists()


@pytest.mark.parametrize(
    "reference", ["", "nothing", "#sha256=", "#sha256=" + "A" * 64, "\x1b#sha256=" + "a" * 64]
)
def test_what_is_no_reference_is_refused(storage: Storage, tmp_path: Path, reference: str) -> None:
    with pytest.raises(Refused) as refused:
        storage.get(reference, tmp_path / "back")
    assert refused.value.code == "BadReference"
    with pytest.raises(Refused) as refused:
        storage.renew(reference)
    assert refused.value.code == "BadReference"


def test_a_digest_that_nobody_stored_is_not_available(storage: Storage, folder: Path, tmp_path: Path) -> None:
    reference = storage.put(folder)
    unknown = reference[:-64] + "0" * 64
    with pytest.raises(Unavailable) as unavailable:
        storage.get(unknown, tmp_path / "back")
    assert unavailable.value.code == "NotStored"
    assert not (tmp_path / "back").exists()
    with pytest.raises(Unavailable) as unavailable:
        storage.renew(unknown)
    assert unavailable.value.code == "NotStored"


def test_what_is_renewed_is_what_it_was(storage: Storage, folder: Path) -> None:
    reference = storage.put(folder)
    storage.renew(reference)
    assert storage.verify(reference) == manifests.scan(folder)


def test_links_are_never_stored(storage: Storage, folder: Path) -> None:
    (folder / "secret").symlink_to("/etc/passwd")
    with pytest.raises(Refused) as refused:
        storage.put(folder)
    assert refused.value.code == "LinkRefused"


def test_an_empty_folder_is_refused(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(Refused) as refused:
        storage.put(tmp_path / "nothing")
    assert refused.value.code == "EmptyFolder"


def test_a_cancelled_transfer_leaves_no_destination_and_goes_on(
    storage: Storage, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(Interrupted):
        storage.put(folder, cancelled=lambda: True)
    reference = storage.put(folder)
    with pytest.raises(Interrupted):
        storage.get(reference, tmp_path / "back", cancelled=lambda: True)
    assert not (tmp_path / "back").exists()
    storage.get(reference, tmp_path / "back")
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []
