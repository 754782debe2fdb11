"""What is fetched appears whole and verified, goes on where it broke off, or is refused."""

import hashlib
import os
import re
import resource
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from decentralml.core.errors import Failed, Refused
from decentralml.core.storage import download
from decentralml.core.storage import manifest as manifests
from decentralml.core.storage.base import Caps, File, Manifest

PIECE = 2**20
CONTENT = {
    "a": b"small",
    "deep/er/b": b"",
    "deep/run.sh": b"#!/bin/sh\n",
    "z": bytes(range(256)) * (8 * PIECE // 256),
}


def listed(content: dict[str, bytes]) -> Manifest:
    return Manifest(
        tuple(
            File(name, len(data), hashlib.sha256(data).hexdigest(), name.endswith(".sh"))
            for name, data in sorted(content.items())
        )
    )


class Source:
    """Content in pieces, and a note of which file was asked for from where."""

    def __init__(
        self, content: dict[str, bytes], before: Callable[[str, int], object] = lambda *_: None
    ) -> None:
        self.content = content
        self.before = before
        self.asked: dict[str, int] = {}

    def __call__(self, file: File, offset: int) -> Iterator[bytes]:
        self.asked[file.name] = offset
        data = self.content[file.name]
        for at in range(offset, len(data), PIECE):
            self.before(file.name, at)
            yield data[at : at + PIECE]


LISTED = listed(CONTENT)


def receive(destination: Path, source: Source, manifest: Manifest = LISTED) -> None:
    download.receive(manifest, destination, source, check=lambda file: None, caps=Caps(), patience=30)


def part_of(destination: Path, manifest: Manifest = LISTED) -> Path:
    return destination.parent / f".{manifests.digest(manifest)}.part"


def test_the_destination_appears_whole_and_nothing_stays_beside_it(tmp_path: Path) -> None:
    there: list[bool] = []
    receive(tmp_path / "d", Source(CONTENT, lambda *_: there.append((tmp_path / "d").exists())))
    assert not any(there)
    assert manifests.scan(tmp_path / "d") == LISTED
    assert os.listdir(tmp_path) == ["d"]


def test_modes_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        receive(tmp_path / "d", Source(CONTENT))
    finally:
        os.umask(before)
    modes = {n: (tmp_path / "d" / n).stat().st_mode & 0o777 for n in (".", "deep", "a", "deep/run.sh")}
    assert modes == {".": 0o750, "deep": 0o750, "a": 0o640, "deep/run.sh": 0o750}


def test_a_download_killed_in_the_middle_goes_on_from_there(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:

        def kill(name: str, at: int) -> None:
            if (name, at) == ("z", 5 * PIECE):
                os.kill(os.getpid(), signal.SIGKILL)

        receive(tmp_path / "d", Source(CONTENT, kill))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert not (tmp_path / "d").exists()
    again = Source(CONTENT)
    receive(tmp_path / "d", again)
    assert again.asked["z"] == 5 * PIECE
    assert manifests.scan(tmp_path / "d") == LISTED
    assert os.listdir(tmp_path) == ["d"]


def test_what_was_kept_is_hashed_again_and_fetched_anew_when_wrong(tmp_path: Path) -> None:
    tree = part_of(tmp_path / "d") / "files"
    tree.mkdir(parents=True)
    part_of(tmp_path / "d").chmod(0o700)
    (tree / "a").write_bytes(b"other")
    (tree / "z").write_bytes(b"x" * PIECE)
    source = Source(CONTENT)
    receive(tmp_path / "d", source)
    assert source.asked["a"] == source.asked["z"] == 0
    assert manifests.scan(tmp_path / "d") == LISTED


def test_what_was_kept_and_is_right_is_not_fetched_again(tmp_path: Path) -> None:
    tree = part_of(tmp_path / "d") / "files"
    tree.mkdir(parents=True)
    part_of(tmp_path / "d").chmod(0o700)
    (tree / "z").write_bytes(CONTENT["z"])
    source = Source(CONTENT)
    receive(tmp_path / "d", source)
    assert source.asked["z"] == len(CONTENT["z"])


def test_links_and_strangers_in_the_hidden_folder_are_removed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "a").write_text("precious")
    tree = part_of(tmp_path / "d") / "files"
    (tree / "not" / "ours").mkdir(parents=True)
    part_of(tmp_path / "d").chmod(0o700)
    (tree / "a").symlink_to(victim / "a")
    (tree / "deep").symlink_to(victim)
    (tree / "not" / "ours" / "x").touch()
    (tree / "z").mkdir()
    receive(tmp_path / "d", Source(CONTENT))
    assert manifests.scan(tmp_path / "d") == LISTED
    assert not (tmp_path / "d" / "not").exists()
    assert os.listdir(victim) == ["a"]
    assert (victim / "a").read_text() == "precious"


def test_a_hidden_folder_that_is_a_link_or_open_to_others_is_refused(tmp_path: Path) -> None:
    part = part_of(tmp_path / "d")
    part.mkdir()
    part.chmod(0o777)
    with pytest.raises(Refused) as refused:
        receive(tmp_path / "d", Source(CONTENT))
    assert refused.value.code == "DestinationTaken"
    part.rmdir()
    (tmp_path / "elsewhere").mkdir()
    part.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Failed):
        receive(tmp_path / "d", Source(CONTENT))
    assert os.listdir(tmp_path / "elsewhere") == []


@pytest.mark.parametrize("kind", ["link", "broken link", "file", "other", "more"])
def test_a_taken_destination_stays_as_it_is(tmp_path: Path, kind: str) -> None:
    destination = tmp_path / "d"
    if kind == "link":
        (tmp_path / "elsewhere").mkdir()
        destination.symlink_to(tmp_path / "elsewhere")
    elif kind == "broken link":
        destination.symlink_to(tmp_path / "nowhere")
    elif kind == "file":
        destination.write_text("mine")
    elif kind == "other":
        destination.mkdir()
        (destination / "a").write_text("mine")
    else:
        receive(destination, Source(CONTENT))
        (destination / "notes").write_text("mine")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    with pytest.raises(Refused) as refused:
        receive(destination, Source(CONTENT))
    assert refused.value.code == "DestinationTaken"
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "wrong",
    [CONTENT["z"] + b"x", CONTENT["z"] * 2, CONTENT["z"][:-1] + b"x"],
    ids=["a byte", "as much again", "the last byte"],
)
def test_more_or_other_bytes_than_announced_are_refused_and_not_kept(tmp_path: Path, wrong: bytes) -> None:
    with pytest.raises(Refused) as refused:
        receive(tmp_path / "d", Source({**CONTENT, "z": wrong}))
    assert refused.value.code == "ContentDiffers"
    assert os.listdir(tmp_path) == []


def test_fewer_bytes_than_announced_are_a_broken_transfer_that_goes_on(tmp_path: Path) -> None:
    with pytest.raises(Failed) as failed:
        receive(tmp_path / "d", Source({**CONTENT, "z": CONTENT["z"][: 3 * PIECE]}))
    assert failed.value.code == "Truncated"
    again = Source(CONTENT)
    receive(tmp_path / "d", again)
    assert again.asked["z"] == 3 * PIECE


def test_a_storage_that_hangs_is_a_broken_transfer(tmp_path: Path) -> None:
    thawed = threading.Event()
    with pytest.raises(Failed) as failed:
        download.receive(
            LISTED,
            tmp_path / "d",
            Source(CONTENT, lambda *_: thawed.wait(30)),
            check=lambda file: None,
            caps=Caps(),
            patience=0.2,
        )
    thawed.set()
    assert failed.value.code == "Stalled"
    assert not (tmp_path / "d").exists()


def test_two_that_fetch_the_same_at_once_share_one_download(tmp_path: Path) -> None:
    first_is_in, other_began = threading.Event(), threading.Event()
    sources = [
        Source(CONTENT, lambda *_: (first_is_in.set(), other_began.wait(30))),
        Source(CONTENT),
    ]
    errors: list[BaseException] = []

    def fetch(source: Source) -> None:
        try:
            receive(tmp_path / "d", source)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=fetch, args=(source,)) for source in sources]
    threads[0].start()
    assert first_is_in.wait(30)
    threads[1].start()
    other_began.set()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert sources[1].asked == {}
    assert manifests.scan(tmp_path / "d") == LISTED
    assert os.listdir(tmp_path) == ["d"]


def test_too_little_space_is_said_before_anything_is_fetched(tmp_path: Path) -> None:
    huge = Manifest((File("a", shutil.disk_usage(tmp_path).total + 1, "0" * 64),))
    source = Source(CONTENT)
    with pytest.raises(Failed) as failed:
        download.receive(huge, tmp_path / "d", source, check=lambda file: None, caps=Caps(size=2**62))
    assert failed.value.code == "DiskFull"
    assert re.search(
        rf"needs [\d.]+ [GT]B more; the disk of {tmp_path} has [\d.]+ [MGT]B free", failed.value.message
    )
    assert source.asked == {}
    assert os.listdir(tmp_path) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MiB where one can be mounted; else a folder (the limit on file sizes does it)."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "none", place], capture_output=True, check=False
    ).returncode
    yield place
    if mounted:
        subprocess.run(["umount", "--lazy", place], check=True)


def test_a_disk_that_fills_up_leaves_nothing_visible_and_goes_on_later(
    small_disk: Path, in_child: Callable[..., None]
) -> None:
    content = {"a": bytes(4 * PIECE)}
    manifest = listed(content)

    def fill(_: str, at: int) -> None:
        if at == 2 * PIECE and not (small_disk / "filler").exists():
            with (small_disk / "filler").open("wb", buffering=0) as filler:
                try:
                    while filler.write(bytes(PIECE)) == PIECE and filler.tell() < 6 * PIECE:
                        pass
                except OSError:
                    pass

    def fails() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3 * PIECE, 3 * PIECE))
        with pytest.raises(Failed) as failed:
            receive(small_disk / "d", Source(content, fill), manifest)
        assert failed.value.code == "DiskFull"
        assert failed.value.hint

    in_child(fails)
    assert not (small_disk / "d").exists()
    (small_disk / "filler").unlink()
    again = Source(content)
    receive(small_disk / "d", again, manifest)
    assert again.asked["a"] >= 2 * PIECE
    assert manifests.scan(small_disk / "d") == manifest


def test_a_place_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Failed) as failed:
        receive(tmp_path / "file" / "d", Source(CONTENT))
    assert failed.value.code == "TransferBroken"
