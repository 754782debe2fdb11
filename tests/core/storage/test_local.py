"""The local store: each content once, for a whole group, and a damaged one never gives a folder."""

import hashlib
import os
import resource
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from decentralml.core.errors import DecentralMLError, Failed, Refused, Unavailable
from decentralml.core.storage import local, upkeep
from decentralml.core.storage import manifest as manifests
from decentralml.core.storage.local import LocalStorage


def stored(store: LocalStorage, kind: str) -> list[Path]:
    return sorted(path for path in (store.root / kind).rglob("*") if path.is_file())


def blob(store: LocalStorage, reference: str, name: str) -> Path:
    [file] = [file for file in store.manifest(reference).files if file.name == name]
    return store.root / "blobs" / file.sha256[:2] / file.sha256


def test_two_folders_that_share_files_store_them_once(
    store: LocalStorage, folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "other")
    (tmp_path / "other" / "copy.bin").write_bytes((folder / "data" / "deep" / "weights.bin").read_bytes())
    (tmp_path / "other" / "new.txt").write_text("new")
    store.put(folder)
    before = {path: path.stat().st_ino for path in stored(store, "blobs")}
    store.put(tmp_path / "other")
    after = {path: path.stat().st_ino for path in stored(store, "blobs")}
    assert len(after) == len(before) + 1
    assert before.items() <= after.items()


def test_modes_are_set_whatever_the_umask(store: LocalStorage, folder: Path) -> None:
    before = os.umask(0o077)
    try:
        store.put(folder)
    finally:
        os.umask(before)
    for path in store.root.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o2770 if path.is_dir() else 0o440), path


def test_two_users_of_one_group_share_a_store(shared: LocalStorage, in_child: Callable[..., None]) -> None:
    alone = os.geteuid() != 0
    first, second, outsider, group = (None,) * 4 if alone else (64001, 64002, 64003, 64000)
    local.create(shared.root)
    if not alone:
        os.chown(shared.root, -1, 64000)
        shared.root.chmod(0o2770)
    places = {}
    for name, user in (("first", first), ("second", second), ("third", outsider)):
        place = shared.root.parent / name
        (place / "folder").mkdir(parents=True)
        (place / "folder" / "both").write_text("the same for both")
        (place / "folder" / "own").write_text(name)
        if user is not None:
            for path in (place, place / "folder"):
                os.chown(path, user, 64000 if user != outsider else user)
        places[name] = place

    def first_puts() -> None:
        reference = shared.put(places["first"] / "folder")
        (places["first"] / "reference").write_text(reference)
        (places["first"] / "reference").chmod(0o644)

    def second_gets_and_puts() -> None:
        reference = (places["first"] / "reference").read_text()
        shared.get(reference, places["second"] / "back")
        assert (places["second"] / "back" / "own").read_text() == "first"
        shared.put(places["second"] / "folder")
        assert upkeep.gc(shared.store, list, older_than=-1).manifests == 2

    def outsider_is_refused() -> None:
        with pytest.raises(Unavailable) as unavailable:
            shared.put(places["third"] / "folder")
        assert unavailable.value.code == "StorageDenied"

    in_child(first_puts, user=first, group=group)
    in_child(second_gets_and_puts, user=second, group=group)
    if not alone:
        in_child(outsider_is_refused, user=outsider, group=outsider)


def test_many_that_store_the_same_at_once_store_it_once(store: LocalStorage, folder: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        references = list(pool.map(lambda _: store.put(folder), range(16)))
    assert len(set(references)) == 1
    assert len(stored(store, "blobs")) == 3
    assert stored(store, "incoming") == []
    store.verify(references[0])


def test_many_processes_that_store_the_same_at_once_store_it_once(store: LocalStorage, folder: Path) -> None:
    children = []
    for _ in range(6):
        child = os.fork()
        if child == 0:
            store.put(folder)
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 6
    assert len(stored(store, "blobs")) == 3
    assert stored(store, "incoming") == []


def test_a_rotten_file_is_noticed_by_get_and_verify_and_healed_by_put(
    store: LocalStorage, folder: Path, tmp_path: Path
) -> None:
    reference = store.put(folder)
    path = blob(store, reference, "settings.py")
    path.chmod(0o640)
    path.write_bytes(b"epochs = 9\n")
    for action in (lambda: store.verify(reference), lambda: store.get(reference, tmp_path / "back")):
        with pytest.raises(Refused) as refused:
            action()
        assert refused.value.code == "ContentDiffers"
        assert "settings.py" in refused.value.message
    assert not (tmp_path / "back").exists()
    assert store.put(folder) == reference
    store.verify(reference)


@pytest.mark.parametrize(
    ("damage", "error", "code"),
    [
        (lambda path: path.unlink(), Unavailable, "ContentMissing"),
        (lambda path: os.truncate(path, 3), Refused, "ContentDiffers"),
        (lambda path: (path.unlink(), path.symlink_to("/etc/passwd")), DecentralMLError, None),
        (lambda path: (path.unlink(), os.mkfifo(path)), Unavailable, "ContentMissing"),
        (lambda path: (path.unlink(), path.mkdir()), DecentralMLError, None),
    ],
    ids=["missing", "cut", "link", "pipe", "folder"],
)
def test_a_damaged_store_never_gives_a_folder(
    store: LocalStorage,
    folder: Path,
    tmp_path: Path,
    damage: Callable[[Path], object],
    error: type[DecentralMLError],
    code: str | None,
) -> None:
    reference = store.put(folder)
    path = blob(store, reference, "settings.py")
    path.chmod(0o640)
    damage(path)
    with pytest.raises(error) as raised:
        store.get(reference, tmp_path / "back")
    assert code in (None, raised.value.code)
    assert not (tmp_path / "back").exists()
    assert not all(finding.ok for finding in upkeep.doctor(store.store)) or code is None


def test_a_changed_list_of_files_is_refused(store: LocalStorage, folder: Path) -> None:
    reference = store.put(folder)
    [path] = stored(store, "manifests")
    path.chmod(0o640)
    path.write_bytes(path.read_bytes().replace(b"settings.py", b"settings.pz"))
    with pytest.raises(Refused) as refused:
        store.manifest(reference)
    assert refused.value.code == "ContentDiffers"


def test_a_hostile_list_under_its_own_digest_is_refused(store: LocalStorage, tmp_path: Path) -> None:
    data = b'{"version":1,"files":[{"name":"../../x","size":0,"sha256":"%s","executable":false}]}' % (
        b"0" * 64
    )
    digest = hashlib.sha256(data).hexdigest()
    place = store.root / "manifests" / digest[:2] / digest
    place.parent.mkdir(parents=True)
    place.write_bytes(data)
    with pytest.raises(Refused) as refused:
        store.get(local.reference(digest), tmp_path / "back")
    assert refused.value.code == "BadManifest"


@pytest.mark.parametrize(
    "form", ["ipfs://x#sha256={}", "local:/etc#sha256={}", "LOCAL:#sha256={}", "#sha256={}"]
)
def test_a_local_reference_is_a_digest_and_never_a_path(store: LocalStorage, folder: Path, form: str) -> None:
    digest = store.put(folder)[-64:]
    with pytest.raises(Refused) as refused:
        store.manifest(form.format(digest))
    assert refused.value.code == "OtherStorage"


def test_a_missing_store_is_not_available(tmp_path: Path, folder: Path) -> None:
    missing = LocalStorage(tmp_path / "nowhere")
    for action in (
        lambda: missing.put(folder),
        lambda: missing.manifest(local.reference("0" * 64)),
        lambda: upkeep.gc(missing.store, list),
    ):
        with pytest.raises(Unavailable) as unavailable:
            action()
        assert unavailable.value.code == "NoStorage"
    assert [finding.ok for finding in upkeep.doctor(missing.store)] == [False]
    assert not missing.root.exists()


def test_a_full_disk_stores_nothing_half(
    store: LocalStorage, folder: Path, in_child: Callable[..., None]
) -> None:
    def fails() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
        with pytest.raises(Failed) as failed:
            store.put(folder)
        assert failed.value.code == "DiskFull"

    in_child(fails)
    assert stored(store, "manifests") == stored(store, "incoming") == []
    store.verify(store.put(folder))


KILLED = """
import sys
from pathlib import Path
from decentralml.core.storage.local import LocalStorage
LocalStorage(Path(sys.argv[1])).put(Path(sys.argv[2]))
"""


def killed_at(call: str, number: int, store: LocalStorage, folder: Path) -> bool:
    """Store ``folder`` in a process that SIGKILL ends at a thread's ``number``th ``call``; False: no more."""
    inject = f"inject={call}:signal=KILL:when={number}"
    code = subprocess.run(
        [
            *("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject),
            *(sys.executable, "-c", KILLED, str(store.root), str(folder)),
        ],
        capture_output=True,
        check=False,
    )
    assert code.returncode in (0, -9, 137), code.stderr.decode()
    return code.returncode != 0


@pytest.mark.parametrize("call", ["rename", "fsync"])
def test_killed_at_any_step_the_store_is_whole_and_the_next_try_ends(tmp_path: Path, call: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").write_text("first")
    (folder / "b").write_text("second")
    reference = local.reference(manifests.digest(manifests.scan(folder)))
    number, going = 0, True
    while going:
        number += 1
        root = tmp_path / f"store{number}"
        local.create(root)
        store = LocalStorage(root)
        going = killed_at(call, number, store, folder)
        if stored(store, "manifests"):
            store.verify(reference)
        elif not going:
            pytest.fail("it ended and stored nothing")
        assert store.put(folder) == reference
        store.verify(reference)
        upkeep.gc(store.store, lambda: [reference], older_than=-1)
        assert stored(store, "incoming") == []
        assert len(stored(store, "blobs")) == 2
    assert number > 3
