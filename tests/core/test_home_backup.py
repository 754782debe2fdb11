"""A backup has what cannot be had again, no secret in the open; a bad archive restores nothing."""

import hashlib
import io
import json
import os
import resource
import signal
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decentralml.core import home_backup
from decentralml.core.errors import DecentralMLError, Failed, Refused
from decentralml.core.paths import Home, write_atomic
from decentralml.core.storage import manifest as manifests
from decentralml.core.storage.base import File, Manifest
from decentralml.core.wallet.accounts import Accounts

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    accounts = Accounts(Home(tmp_path_factory.mktemp("keys")))
    accounts.create("alice", PASSWORD)
    return (accounts.folder / "alice.json").read_bytes()


@pytest.fixture
def full(home: Home, key_file: bytes) -> Home:
    """A home with one of everything, and with what no backup takes."""
    for path, data in {
        home.accounts / "alice.json": key_file,
        home.accounts / ".alice.json.12.tmp": b"half",
        home.config: b'theme = "light"\n',
        home.keymap: b"",
        home.themes / "mine.toml": b"x = 1\n",
        home.address_book: b'{"bob": "5Grw"}',
        home.seen: b"{}",
        home.drafts: b'{"genesis": []}',
        home.intents / "wish-call.json": b'{"extrinsic_hash": "ab"}',
        home.intents / ".wish-call.json.12.tmp": b"half",
        home.reports / "7" / "report.json": b'{"loss": null}',
        home.runs / "3" / "run.json": b"{}",
        home.runs / "3" / "journal.jsonl": b'{"kind":"hello"}\n' * 1000,
        home.runs / "3" / "output.log": b"much",
        home.runs / "3" / "out" / "weights.h5": bytes(10_000),
        home.storage / "blobs" / "x": b"shared",
        home.ledger: b"shared",
        home.assets / "x": b"cache",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return home


NAMES = [
    "accounts/alice.json",
    "addressbook.json",
    "config.toml",
    "drafts.json",
    "intents/wish-call.json",
    "keymap.toml",
    "reports/7/report.json",
    "runs/3/journal.jsonl",
    "runs/3/run.json",
    "seen.json",
    "themes/mine.toml",
]


def tree(home: Home) -> dict[str, bytes]:
    root = home.data_dir
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_what_cannot_be_had_again_comes_back(full: Home, tmp_path: Path) -> None:
    listed = home_backup.backup(full, tmp_path / "a.tar")
    assert [file.name for file in listed.files] == NAMES
    other = Home(tmp_path / "other")
    assert home_backup.restore(other, tmp_path / "a.tar") == listed
    assert tree(other) == {name: data for name, data in tree(full).items() if name in NAMES}
    account, *_ = Accounts(other).list()
    assert account.name == "alice"


def test_it_comes_back_into_the_xdg_folders_too(full: Home, tmp_path: Path) -> None:
    home_backup.backup(full, tmp_path / "a.tar")
    xdg = Home()
    home_backup.restore(xdg, tmp_path / "a.tar")
    assert xdg.config.read_bytes() == full.config.read_bytes()
    assert (xdg.accounts / "alice.json").exists()


def test_an_archive_is_for_its_owner_alone_and_so_is_what_comes_out(full: Home, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        home_backup.backup(full, tmp_path / "a.tar")
        home_backup.restore(Home(tmp_path / "other"), tmp_path / "a.tar")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.tar").stat().st_mode) == 0o600
    for path in [tmp_path / "other", *(tmp_path / "other").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_full_disk_leaves_no_archive_and_promises_no_going_on(full: Home, tmp_path: Path) -> None:
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, limit[1]))
    try:
        with pytest.raises(Failed) as failed:
            home_backup.backup(full, tmp_path / "a.tar")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert failed.value.code == "DiskFull"
    assert "goes on" not in failed.value.hint
    assert not (tmp_path / "a.tar").exists()


def test_no_secret_stands_in_it(full: Home, tmp_path: Path) -> None:
    home_backup.backup(full, tmp_path / "a.tar")
    assert PASSWORD.encode() not in (tmp_path / "a.tar").read_bytes()
    key = json.loads((full.accounts / "alice.json").read_bytes())
    key["encoding"]["type"] = ["none"]
    (full.accounts / "open.json").write_text(json.dumps(key))
    with pytest.raises(Refused) as refused:
        home_backup.backup(full, tmp_path / "b.tar")
    assert refused.value.code == "UnprotectedKey"
    assert not (tmp_path / "b.tar").exists()


def test_an_archive_is_never_overwritten(full: Home, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_text("precious")
    with pytest.raises(Refused) as refused:
        home_backup.backup(full, tmp_path / "a.tar")
    assert refused.value.code == "ArchiveExists"
    assert (tmp_path / "a.tar").read_text() == "precious"


def test_a_backup_that_was_killed_is_in_nobodys_way(full: Home, tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    child = os.fork()
    if child == 0:
        try:
            os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
            home_backup.backup(full, archive)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert not archive.exists()
    listed = home_backup.backup(full, archive)
    assert home_backup.restore(Home(tmp_path / "other"), archive) == listed


def test_settings_are_read_before_anything_is_written(full: Home, tmp_path: Path) -> None:
    home_backup.backup(full, tmp_path / "a.tar")
    assert home_backup.settings(tmp_path / "a.tar") == {"theme": "light"}
    full.config.write_bytes(b"\xff")
    home_backup.backup(full, tmp_path / "b.tar")
    assert home_backup.settings(tmp_path / "b.tar") == {}


def test_a_backup_that_fails_leaves_nothing(full: Home, tmp_path: Path) -> None:
    (full.reports / "link").symlink_to("/etc/passwd")
    place = tmp_path / "place"
    place.mkdir()
    with pytest.raises(Refused) as refused:
        home_backup.backup(full, place / "a.tar")
    assert refused.value.code == "LinkRefused"
    assert os.listdir(place) == []


def test_an_empty_home_has_nothing_to_back_up(home: Home, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        home_backup.backup(home, tmp_path / "a.tar")
    assert refused.value.code == "NothingToBackUp"


def test_what_is_there_is_replaced_only_by_force(full: Home, tmp_path: Path) -> None:
    home_backup.backup(full, tmp_path / "a.tar")
    write_atomic(full.config, b'theme = "dark"\n')
    full.seen.unlink()
    with pytest.raises(Refused) as refused:
        home_backup.restore(full, tmp_path / "a.tar")
    assert refused.value.code == "WouldOverwrite"
    assert "config.toml" in refused.value.message
    assert not full.seen.exists()
    home_backup.restore(full, tmp_path / "a.tar", force=True)
    assert full.config.read_bytes() == b'theme = "light"\n'
    assert full.seen.exists()


def test_a_link_in_the_home_is_replaced_and_not_followed(full: Home, tmp_path: Path) -> None:
    home_backup.backup(full, tmp_path / "a.tar")
    victim = tmp_path / "victim"
    victim.write_text("precious")
    full.seen.unlink()
    full.seen.symlink_to(victim)
    with pytest.raises(Refused):
        home_backup.restore(full, tmp_path / "a.tar")
    home_backup.restore(full, tmp_path / "a.tar", force=True)
    assert victim.read_text() == "precious"
    assert not full.seen.is_symlink()


def test_an_archive_cut_anywhere_is_refused(full: Home, tmp_path: Path) -> None:
    home_backup.backup(full, tmp_path / "a.tar")
    data = (tmp_path / "a.tar").read_bytes()
    end = data.rindex(b'"version"')
    cuts = [0, 1, 511, 512, 513, *range(1024, end, 1777), end]
    for cut in cuts:
        (tmp_path / "b.tar").write_bytes(data[:cut])
        with pytest.raises(Refused) as refused:
            home_backup.restore(Home(tmp_path / "other"), tmp_path / "b.tar")
        assert refused.value.code == "BadArchive"
    assert tree(Home(tmp_path / "other")) == {}


def test_a_changed_archive_is_refused(full: Home, tmp_path: Path) -> None:
    home_backup.backup(full, tmp_path / "a.tar")
    data = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "b.tar").write_bytes(data.replace(b'theme = "light"', b'theme = "other"'))
    with pytest.raises(Refused) as refused:
        home_backup.restore(Home(tmp_path / "other"), tmp_path / "b.tar")
    assert refused.value.code == "BadArchive"


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, 60_000), byte=st.integers(0, 255))
def test_a_flipped_byte_is_refused_or_changes_nothing(
    key_file: bytes, tmp_path_factory: pytest.TempPathFactory, at: int, byte: int
) -> None:
    root = tmp_path_factory.mktemp("flip")
    home, other = Home(root / "home"), Home(root / "other")
    write_atomic(home.accounts / "alice.json", key_file)
    home_backup.backup(home, root / "a.tar")
    data = bytearray((root / "a.tar").read_bytes())
    data[at % len(data)] = byte
    (root / "a.tar").write_bytes(data)
    try:
        home_backup.restore(other, root / "a.tar")
    except Refused:
        assert tree(other) == {}
    else:
        assert tree(other) == tree(home)


def archive_of(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    """An archive with an honest list of dishonest members."""
    listed = Manifest(
        tuple(File(info.name, len(data), hashlib.sha256(data).hexdigest()) for info, data in members)
    )
    with tarfile.open(path, "w") as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        last = tarfile.TarInfo("files.json")
        last.size = len(manifests.encode(listed))
        tar.addfile(last, io.BytesIO(manifests.encode(listed)))
    return path


def special(name: str, kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info, b""


@pytest.mark.parametrize(
    "member",
    [
        (tarfile.TarInfo("../escaped"), b"x"),
        (tarfile.TarInfo("/tmp/escaped"), b"x"),
        (tarfile.TarInfo("accounts/../../escaped.json"), b"x"),
        (tarfile.TarInfo("accounts/deep/a.json"), b"x"),
        (tarfile.TarInfo("accounts/.hidden.json"), b"x"),
        (tarfile.TarInfo("accounts/x.sh"), b"x"),
        (tarfile.TarInfo("runs/3/out/weights.h5"), b"x"),
        (tarfile.TarInfo("runs/../run.json"), b"x"),
        (tarfile.TarInfo("cache/assets/x"), b"x"),
        (tarfile.TarInfo("ledger/ledger.sqlite"), b"x"),
        (tarfile.TarInfo("reports/a\x1b[2J"), b"x"),
        special("reports/link", tarfile.SYMTYPE, "/etc/passwd"),
        special("reports/link", tarfile.LNKTYPE, "/etc/passwd"),
        special("reports/pipe", tarfile.FIFOTYPE),
        special("reports/device", tarfile.CHRTYPE),
        special("reports", tarfile.DIRTYPE),
        special("reports/sparse", tarfile.GNUTYPE_SPARSE),
    ],
    ids=lambda member: f"{member[0].name!r} {member[0].type.decode()}".replace("\x1b", ""),
)
def test_a_hostile_archive_writes_nothing(tmp_path: Path, member: tuple[tarfile.TarInfo, bytes]) -> None:
    archive = archive_of(tmp_path / "a.tar", member)
    other = Home(tmp_path / "place" / "other")
    with pytest.raises(Refused) as refused:
        home_backup.restore(other, archive, force=True)
    assert refused.value.code == "BadArchive"
    assert "\x1b" not in str(refused.value)
    assert tree(other) == {}
    assert not any("escaped" in path.name for path in tmp_path.rglob("*"))


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), os.mkfifo])
def test_what_is_no_file_is_no_archive(home: Home, tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "a.tar")
    with pytest.raises(DecentralMLError) as refused:
        home_backup.restore(home, tmp_path / "a.tar")
    assert refused.value.code == "NoSuchArchive"


def test_a_journal_that_grows_meanwhile_is_taken_as_it_was(full: Home, tmp_path: Path) -> None:
    journal = full.runs / "3" / "journal.jsonl"
    before = journal.stat().st_size
    with journal.open("ab", buffering=0) as growing:
        growing.write(b'{"kind":')
        home_backup.backup(full, tmp_path / "a.tar")
        growing.write(b'"step"}\n')
    home_backup.restore(Home(tmp_path / "other"), tmp_path / "a.tar")
    assert (Home(tmp_path / "other").runs / "3" / "journal.jsonl").stat().st_size == before + 8
