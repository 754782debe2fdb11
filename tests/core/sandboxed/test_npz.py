"""What headers tell of data, without a value being read, and that it is what reading them would tell."""

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from decentralml.core.errors import Failed
from decentralml.core.sandboxed import data, npz

X = np.zeros((20, 28, 28), np.uint8)
Y = np.arange(20)


def save(folder: Path, **arrays: Any) -> Path:
    np.savez_compressed(folder / "data.npz", **arrays)
    return folder / "data.npz"


def test_shapes_and_types_are_told(tmp_path: Path) -> None:
    found = npz.look(save(tmp_path, x=X, y=Y.astype(np.int64), more=X), tmp_path)
    assert found == {"x": ((20, 28, 28), "|u1"), "y": ((20,), "<i8")}
    assert found["x"].kind == "u"


def test_a_test_part_of_their_own_is_told_too(tmp_path: Path) -> None:
    arrays = {"x_train": X, "y_train": Y, "x_test": X[:3], "y_test": Y[:3]}
    assert list(npz.look(save(tmp_path, **arrays), tmp_path)) == list(arrays)
    assert list(npz.look(save(tmp_path, x_train=X, y_train=Y), tmp_path)) == ["x_train", "y_train"]


@pytest.mark.parametrize(
    "arrays",
    [
        {"a": X, "b": Y},
        {"x": X},
        {"x": X, "y": Y[:-1]},
        {"x": X[:0], "y": Y[:0]},
        {"x": X, "y": np.float32(1)},
        {"x": X, "y": Y.astype(str)},
        {"x": X, "y": np.array([{}] * 20)},
        {"x": np.zeros(20, [("a", "f4")]), "y": Y},
        {"x_train": X, "y_train": Y, "x_test": X[:3], "y_test": Y[:2]},
    ],
)
def test_what_headers_refuse_reading_refuses_as_well(arrays: dict[str, Any], tmp_path: Path) -> None:
    path = save(tmp_path, **arrays)
    for read in (lambda: npz.look(path, tmp_path), lambda: data.load(path, holdout=0, seed=0)):
        with pytest.raises(Failed) as raised:
            read()
        assert raised.value.code == "BadData"
        assert raised.value.hint


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04broken"])
def test_a_file_that_is_no_npz_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "data.npz").write_bytes(content)
    for read in (npz.headers, npz.read):
        with pytest.raises(Failed, match=r"^data\.npz is no \.npz; np\.savez") as raised:
            read(tmp_path / "data.npz")
        assert raised.value.code == "BadData"


def test_a_single_array_under_the_name_of_an_npz_is_called_so(tmp_path: Path) -> None:
    np.save(tmp_path / "data.npy", X)
    (tmp_path / "data.npy").rename(tmp_path / "data.npz")
    for read in (npz.headers, npz.read):
        with pytest.raises(Failed, match=r"single array \(\.npy\)"):
            read(tmp_path / "data.npz")


def test_whichever_byte_is_damaged_it_gives_the_data_or_a_sentence(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 9, (12, 5), np.uint8)
    path = save(tmp_path, x=x, y=Y[:12])
    whole = path.read_bytes()
    refusals: list[Failed] = []
    for offset in range(len(whole)):
        for flip in (0x01, 0x80, 0xFF):
            damaged = bytearray(whole)
            damaged[offset] ^= flip
            path.write_bytes(damaged)
            try:
                npz.headers(path)
                [(read_x, read_y)] = npz.read(path)
            except Failed as refusal:
                refusals.append(refusal)
            else:
                assert read_x.tolist() == x.tolist()
                assert read_y.tolist() == list(range(12))
    assert len(refusals) > len(whole)
    assert {refusal.code for refusal in refusals} == {"BadData"}
    assert not any("allow_pickle" in str(refusal) for refusal in refusals)


def test_bytes_behind_an_array_are_no_part_of_it(tmp_path: Path) -> None:
    path = save(tmp_path, x=X, y=Y)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part + b"more")
    with pytest.raises(Failed, match="damaged"):
        npz.read(path)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "data.npz")
    for name in ("data.npz", "none.npz"):
        with pytest.raises(Failed, match="There is no file"):
            npz.look(tmp_path / name, tmp_path)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"no array at all",
        b"\x93NUMPY\x01\x00\xff\xff{",
        b"\x93NUMPY\x01\x00\x04\x00[[[[",
        b"\x93NUMPY\x01\x00\x02\x00{}",
        b"\x93NUMPY\x01\x00\x07\x27" + b"-" * 9990 + b"1",
    ],
)
def test_a_header_that_is_none_is_refused(header: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as archive:
        archive.writestr("x.npy", header)
    with pytest.raises(Failed, match="damaged"):
        npz.look(tmp_path / "data.npz", tmp_path)


def test_a_folder_needs_the_tasks_data_py(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"no data\.py"):
        npz.look(tmp_path, tmp_path)
    (tmp_path / "data.py").write_text("def load(path): ...")
    assert npz.look(tmp_path, tmp_path) == {}
    assert npz.look(None, tmp_path) == {}
