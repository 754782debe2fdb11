"""The upkeep of a local store: only what nobody needs goes, and what is wrong is named."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from decentralml.core.errors import Unavailable
from decentralml.core.storage import local, upkeep
from decentralml.core.storage.local import LocalStorage
from decentralml.core.storage.store import BLOBS, MANIFESTS
from decentralml.core.storage.upkeep import Garbage


def paths(store: LocalStorage, kind: str) -> list[Path]:
    return sorted(path for path, _ in store.store.files(kind))


def made_old(store: LocalStorage) -> None:
    """Let two days pass over all that is stored."""
    for path in [*paths(store, BLOBS), *paths(store, MANIFESTS)]:
        os.utime(path, (path.stat().st_mtime - 2 * 24 * 3600,) * 2)


def blob(store: LocalStorage, reference: str, name: str) -> Path:
    [file] = [file for file in store.manifest(reference).files if file.name == name]
    return store.store.blob(file.sha256)


def test_gc_counts_then_frees_only_what_nothing_needs(store: LocalStorage, folder: Path) -> None:
    kept = store.put(folder)
    (folder / "settings.py").write_text("epochs = 4\n")
    freed = store.put(folder)
    (store.root / "incoming" / "broken").write_bytes(bytes(1000))
    keep = [kept, "not a reference"]
    listed = blob(store, freed, "settings.py").stat().st_size + paths(store, MANIFESTS)[0].stat().st_size
    counted = upkeep.gc(store.store, lambda: keep, older_than=-1, dry_run=True)
    assert (counted.manifests, counted.blobs, counted.incoming) == (1, 1, 1)
    assert counted.size == listed + 1000
    store.verify(freed)
    assert upkeep.gc(store.store, lambda: keep, older_than=-1) == counted
    store.verify(kept)
    with pytest.raises(Unavailable):
        store.manifest(freed)
    assert upkeep.gc(store.store, lambda: keep, older_than=-1) == Garbage(0, 0, 0, 0)


def test_gc_spares_what_was_stored_within_a_day(store: LocalStorage, folder: Path) -> None:
    reference = store.put(folder)
    assert upkeep.gc(store.store, list) == Garbage(0, 0, 0, 0)
    made_old(store)
    assert store.put(folder) == reference  # stored again: young again, with all it needs
    assert upkeep.gc(store.store, list) == Garbage(0, 0, 0, 0)
    store.verify(reference)


def test_gc_waits_for_nobody_who_is_storing(store: LocalStorage, folder: Path) -> None:
    store.put(folder)
    refused: list[str] = []

    def on_progress(_: object) -> None:
        with pytest.raises(Unavailable) as unavailable:
            upkeep.gc(store.store, list, older_than=-1)
        refused.append(unavailable.value.code)

    store.put(folder, on_progress=on_progress)
    assert set(refused) == {"StorageBusy"}


def test_gc_asks_what_to_keep_while_nobody_can_store_or_renew(store: LocalStorage, folder: Path) -> None:
    reference = store.put(folder)
    made_old(store)

    def keep() -> list[str]:
        with pytest.raises(Unavailable) as unavailable, store.store.locked(fcntl.LOCK_SH | fcntl.LOCK_NB):
            pass
        assert unavailable.value.code == "StorageBusy"
        return [reference]

    assert upkeep.gc(store.store, keep) == Garbage(0, 0, 0, 0)
    store.renew(reference)
    assert upkeep.gc(store.store, list) == Garbage(0, 0, 0, 0)
    store.verify(reference)


def test_what_has_lost_a_file_is_not_renewed(store: LocalStorage, folder: Path) -> None:
    reference = store.put(folder)
    blob(store, reference, "start.sh").unlink()
    with pytest.raises(Unavailable) as unavailable:
        store.renew(reference)
    assert unavailable.value.code == "ContentMissing"


def test_doctor_names_what_is_wrong(store: LocalStorage, folder: Path) -> None:
    reference = store.put(folder)
    assert all(finding.ok for finding in upkeep.doctor(store.store))
    blob(store, reference, "start.sh").unlink()
    store.root.chmod(0o777)
    wrong = [finding for finding in upkeep.doctor(store.store) if not finding.ok]
    assert all(finding.hint for finding in wrong)
    assert any("start.sh" in finding.text for finding in wrong)
    assert any("Everybody" in finding.text for finding in wrong)


def test_gc_removes_nothing_when_it_cannot_see_every_list(
    shared: LocalStorage, folder: Path, in_child: Callable[..., None]
) -> None:
    local.create(shared.root)
    shared.put(folder)
    lists = shared.root / "manifests"
    lists.chmod(0)
    user = None
    if os.geteuid() == 0:  # root sees all: somebody else then
        user = 64001
        for path in [shared.root, *shared.root.rglob("*")]:
            os.chown(path, user, user)

    def fails() -> None:
        with pytest.raises(Unavailable) as unavailable:
            upkeep.gc(shared.store, list, older_than=-1)
        assert unavailable.value.code == "StorageDenied"

    in_child(fails, user=user, group=user)
    lists.chmod(0o700)
    assert len(paths(shared, BLOBS)) == 3
