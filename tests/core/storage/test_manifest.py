"""The list of a folder: what it takes, what it refuses, and that its digest is one."""

import hashlib
import os
import socket
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decentralml.core.errors import Failed, Refused
from decentralml.core.storage import manifest as manifests
from decentralml.core.storage.base import Caps, File, Manifest

SHA = hashlib.sha256(b"").hexdigest()

parts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(
    lambda part: manifests.name_fault(part) is None and "/" not in part
)
names = st.lists(parts, min_size=1, max_size=4).map("/".join)
files = st.builds(
    File,
    name=names,
    size=st.integers(0, 2**63 - 1),
    sha256=st.binary(min_size=32, max_size=32).map(bytes.hex),
    executable=st.booleans(),
)


def valid(listed: list[File]) -> list[File]:
    """Those of ``listed`` that can stand beside each other, sorted."""
    chosen: dict[str, File] = {}
    for file in listed:
        clash = any(n.startswith(file.name + "/") or file.name.startswith(n + "/") for n in chosen)
        if not clash:
            chosen[file.name] = file
    return [chosen[name] for name in sorted(chosen)]


manifests_strategy = st.lists(files, min_size=1, max_size=8).map(lambda fs: Manifest(tuple(valid(fs))))


def raw(*listed: dict[str, Any], version: Any = 1, **more: Any) -> bytes:
    return msgspec.json.encode({"version": version, "files": list(listed), **more})


def entry(name: str = "a", size: Any = 0, sha256: str = SHA, executable: Any = False) -> dict[str, Any]:
    return {"name": name, "size": size, "sha256": sha256, "executable": executable}


@given(manifests_strategy)
def test_what_was_encoded_is_decoded_to_the_same(manifest: Manifest) -> None:
    data = manifests.encode(manifest)
    assert manifests.decode(data) == manifest
    assert manifests.digest(manifest) == hashlib.sha256(data).hexdigest()


@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_bytes_from_anywhere_are_refused(data: bytes) -> None:
    with pytest.raises(Refused) if not data.startswith(b'{"version":1') else nullcontext():
        assert manifests.encode(manifests.decode(data)) == data


@given(manifests_strategy, st.integers(0, 10_000), st.integers(0, 255))
def test_a_flipped_byte_is_refused_or_another_manifest(manifest: Manifest, at: int, byte: int) -> None:
    data = bytearray(manifests.encode(manifest))
    same = data[at % len(data)] == byte
    data[at % len(data)] = byte
    try:
        decoded = manifests.decode(bytes(data))
    except Refused:
        assert not same
    else:
        assert (decoded == manifest) == same
        assert all(manifests.name_fault(file.name) is None for file in decoded.files)


@given(st.text(max_size=40))
def test_a_name_without_fault_stays_inside_its_folder(name: str) -> None:
    if manifests.name_fault(name) is None:
        root = Path("/root/of/all")
        inside = Path(os.path.normpath(root / name))
        assert inside.is_relative_to(root)
        assert inside != root
        assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "..",
        "../up",
        "a/../../up",
        "a//b",
        "./a",
        "a/.",
        "a/",
        "a\\b",
        "a\nb",
        "a\x00b",
        "a\x1b[31mb",
        "a\u202eb",
        "a\u200bb",
        "a\udce4",
        "x" * 256,
        "é" * 128,
        "/".join(["a"] * 600),
    ],
)
def test_a_hostile_name_is_refused(name: str) -> None:
    assert manifests.name_fault(name)
    surrogate = any(0xD800 <= ord(char) < 0xE000 for char in name)
    if not surrogate:
        with pytest.raises(Refused, match="not valid"):
            manifests.decode(raw(entry(name)))


@pytest.mark.timeout(20)
def test_a_name_without_an_end_keeps_nobody_waiting() -> None:
    endless = raw(entry("/".join("a" * (manifests.MAX_BYTES // 4))))
    with pytest.raises(Refused, match="too long"):
        manifests.decode(endless)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[" * 100_000,
        b'{"version":1,"files":' + b"[" * 100_000,
        b'{"version":1,"files":[],"x":' + b"[" * 100_000,
        raw(),
        raw(entry(), version=2),
        raw(entry(), version="1"),
        raw(entry(), extra=1),
        raw({**entry(), "link": "/etc/passwd"}),
        raw(entry(size=-1)),
        raw(entry(size=2**63)),
        raw(entry(size=1.0)),
        raw(entry(size="1")),
        raw(entry(sha256="")),
        raw(entry(sha256=SHA.upper())),
        raw(entry(sha256="g" * 64)),
        raw(entry(executable=1)),
        raw(entry("b"), entry("a")),
        raw(entry("a"), entry("a")),
        raw(entry("a"), entry("a/b")),
        raw(entry("a"), entry("a-"), entry("a/b/c")),
        raw(entry()) + b" ",
        raw(entry()).replace(b":0", b":0e0"),
        b'{"version":1,"version":1,"files":[]}',
        b" " * (manifests.MAX_BYTES + 1),
    ],
    ids=lambda data: f"{data[:40]!r}"[2:-1].replace("\\", ""),
)
def test_a_hostile_list_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        manifests.decode(data)
    assert refused.value.code == "BadManifest"


def test_a_scan_lists_every_file_by_name_size_and_digest(folder: Path) -> None:
    found = manifests.scan(folder)
    assert [file.name for file in found.files] == ["data/deep/weights.bin", "settings.py", "start.sh"]
    assert [file.executable for file in found.files] == [False, False, True]
    for file in found.files:
        content = (folder / file.name).read_bytes()
        assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert manifests.decode(manifests.encode(found)) == found


def test_an_empty_folder_inside_does_not_count(folder: Path) -> None:
    before = manifests.digest(manifests.scan(folder))
    (folder / "nothing").mkdir()
    assert manifests.digest(manifests.scan(folder)) == before


def test_an_executable_bit_changes_the_digest(folder: Path) -> None:
    before = manifests.digest(manifests.scan(folder))
    (folder / "settings.py").chmod(0o700)
    assert manifests.digest(manifests.scan(folder)) != before


def hostile_link(folder: Path) -> None:
    (folder / "data" / "secret").symlink_to("/etc/passwd")


def hostile_folder_link(folder: Path) -> None:
    (folder / "loop").symlink_to(folder)


def hostile_pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")


def hostile_socket(folder: Path) -> None:
    here = os.getcwd()
    os.chdir(folder)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
    os.chdir(here)


def hostile_escape(folder: Path) -> None:
    (folder / "\x1b[2Jx").touch()


def hostile_bytes(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe")).touch()


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (hostile_link, "LinkRefused"),
        (hostile_folder_link, "LinkRefused"),
        (hostile_pipe, "SpecialFile"),
        (hostile_socket, "SpecialFile"),
        (hostile_escape, "BadName"),
        (hostile_bytes, "BadName"),
    ],
)
def test_what_is_no_plain_file_is_refused(folder: Path, make: Any, code: str) -> None:
    make(folder)
    with pytest.raises(Refused) as refused:
        manifests.scan(folder)
    assert refused.value.code == code
    assert "\x1b" not in str(refused.value)


def test_a_folder_that_is_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(folder)
    with pytest.raises(Refused) as refused:
        manifests.scan(tmp_path / "alias")
    assert refused.value.code == "LinkRefused"


@pytest.mark.parametrize("name", ["nothing", "settings.py"])
def test_a_missing_folder_is_told_from_an_empty_one(folder: Path, name: str) -> None:
    with pytest.raises(Refused) as missing:
        manifests.scan(folder / name)
    assert missing.value.code == "NoSuchFolder"
    (folder / "empty").mkdir()
    with pytest.raises(Refused) as empty:
        manifests.scan(folder / "empty")
    assert empty.value.code == "EmptyFolder"


@pytest.mark.parametrize(
    ("caps", "code"),
    [(Caps(files=2), "TooManyFiles"), (Caps(size=1000), "TooLarge"), (Caps(name=10), "NameTooLong")],
)
def test_caps_hold_before_anything_is_read(folder: Path, caps: Caps, code: str) -> None:
    with pytest.raises(Refused) as refused:
        manifests.scan(folder, caps)
    assert refused.value.code == code


@pytest.mark.parametrize("change", [b"", b"shorter", b"x" * 100])
def test_a_file_that_changes_while_it_is_read_is_noticed(folder: Path, change: bytes) -> None:
    path = folder / "data" / "deep" / "weights.bin"

    def rewrite(_: memoryview) -> None:
        path.write_bytes(change)

    with manifests.opened(folder) as root:
        [entry, *_] = manifests.entries(root)
        with pytest.raises(Failed) as failed:
            manifests.read_file(root, entry, rewrite)
    assert failed.value.code == "FileChanged"


def test_a_file_swapped_for_a_link_after_the_look_is_not_followed(folder: Path) -> None:
    with manifests.opened(folder) as root:
        [entry, *_] = manifests.entries(root)
        (folder / entry.name).unlink()
        (folder / entry.name).symlink_to("/etc/passwd")
        with pytest.raises(Failed) as failed:
            manifests.read_file(root, entry, len)
    assert failed.value.code == "Unreadable"
