"""An archive of a model is refused, in words, for what it declares, hides or lacks."""

import resource
import struct
import zipfile
from pathlib import Path

import pytest
from inspected import code

from decentralml.core.errors import Refused
from decentralml.core.models.inspect import inspect


def test_a_huge_config_in_a_small_archive_is_refused_by_what_it_declares(tmp_path: Path) -> None:
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("metadata.json", "{}")
        with archive.open("config.json", "w", force_zip64=True) as member:
            block = b" " * (16 * 2**20)
            for _ in range(12):
                member.write(block)
        archive.writestr("model.weights.h5", b"")
    assert path.stat().st_size < 2 * 2**20
    assert code(path) == "TooLarge"


def test_an_archive_that_lies_about_a_size_is_refused(tmp_path: Path, models: Path) -> None:
    raw = bytearray((models / "c.keras").read_bytes())
    with zipfile.ZipFile(models / "c.keras") as archive:
        size = archive.getinfo("config.json").file_size
    while (at := raw.find(struct.pack("<I", size))) >= 0:
        raw[at : at + 4] = struct.pack("<I", 100)
    path = tmp_path / "lie.keras"
    path.write_bytes(raw)
    assert code(path) in ("BadArchive", "BadConfig")


def test_a_list_of_members_that_is_longer_than_any_models_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "many.keras"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(30_000):
            archive.writestr(zipfile.ZipInfo(f"{number:05}"), b"")
    with pytest.raises(Refused, match="list of members is too long") as refused:
        inspect(path)
    assert refused.value.code == "BadArchive"


@pytest.mark.parametrize("name", ["../config.json", "/etc/cron.d/x", "assets/vocabulary.txt", "extra"])
def test_members_that_no_model_needs_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "x")
    assert code(path) == "BadArchive"


def test_a_cut_archive_is_refused(tmp_path: Path, models: Path) -> None:
    raw = (models / "c.keras").read_bytes()
    (tmp_path / "cut.keras").write_bytes(raw[: len(raw) // 2])
    assert code(tmp_path / "cut.keras") == "BadArchive"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_that_may_take_any_amount_of_memory_to_unpack_is_refused(
    method: int, tmp_path: Path, models: Path
) -> None:
    path = tmp_path / "packed.keras"
    with zipfile.ZipFile(models / "c.keras") as good, zipfile.ZipFile(path, "w", method) as archive:
        for name in good.namelist():
            archive.writestr(name, good.read(name))
    with pytest.raises(Refused, match="packed in a way that Keras never uses") as refused:
        inspect(path)
    assert refused.value.code == "BadArchive"


def test_an_archive_of_spoiled_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "spoiled.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "".join(str(number) for number in range(2000)))
    raw = bytearray(path.read_bytes())
    raw[60:80] = b"\xff" * 20
    path.write_bytes(raw)
    assert code(path) == "BadArchive"


def test_a_disk_too_full_to_unpack_on_is_not_the_archives_fault(models: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            inspect(models / "c.keras")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
