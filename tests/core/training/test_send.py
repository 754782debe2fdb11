"""What goes out of a result: four files, never a link, never a model that no creator could load."""

import os
import shutil
from pathlib import Path

import pytest

from decentralml.core.errors import Refused
from decentralml.core.training import send

MOST = 2**30


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result as a worker leaves it, saved by Keras in a process of its own."""
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("saved") / "model_abcdefghij"
    code = (
        "import keras, sys; "
        "model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)]); "
        "model.save(sys.argv[1], zipped=False)"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, capture_output=True)
    (folder / "result.json").write_text("{}")
    return folder


@pytest.fixture
def result(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "out" / saved.name))


def test_the_four_files_go_out_with_their_sizes_and_nothing_else(result: Path, tmp_path: Path) -> None:
    (result / "notes.txt").write_text("my password")
    parcel = send.prepare(result, tmp_path / "send", most=MOST)
    assert parcel.folder == tmp_path / "send" / "model_abcdefghij"
    assert sorted(os.listdir(parcel.folder)) == sorted(send.FILES)
    assert dict(parcel.files) == {name: (result / name).stat().st_size for name in send.FILES}
    assert parcel.size == sum(size for _, size in parcel.files)
    assert parcel.left_out == ("notes.txt",)
    assert parcel.model.parameters == 3
    assert send.prepare(result, tmp_path / "send", most=MOST) == parcel


def test_a_model_that_was_trained_by_hand_goes_out_and_claims_nothing(result: Path, tmp_path: Path) -> None:
    (result / "result.json").unlink()
    parcel = send.prepare(result, tmp_path / "send", most=MOST)
    assert [name for name, _ in parcel.files] == list(send.MODEL)
    assert sorted(os.listdir(parcel.folder)) == sorted(send.MODEL)


@pytest.mark.parametrize("name", send.MODEL)
def test_a_result_that_is_not_whole_is_refused(result: Path, tmp_path: Path, name: str) -> None:
    (result / name).unlink()
    with pytest.raises(Refused, match=name) as raised:
        send.prepare(result, tmp_path / "send", most=MOST)
    assert raised.value.code == "MissingFile"


@pytest.mark.parametrize("name", ["result.json", "extra"])
def test_a_link_is_refused_whatever_its_name(result: Path, tmp_path: Path, name: str) -> None:
    (result / name).unlink(missing_ok=True)
    (result / name).symlink_to("/etc/hostname")
    with pytest.raises(Refused) as raised:
        send.prepare(result, tmp_path / "send", most=MOST)
    assert raised.value.code == "LinkInOutput"
    assert not (tmp_path / "send").exists()


def test_a_result_that_is_itself_a_link_is_refused(result: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(result)
    with pytest.raises(Refused):
        send.prepare(tmp_path / "link", tmp_path / "send", most=MOST)


def test_a_model_that_no_creator_could_load_is_refused_and_leaves_nothing(
    result: Path, tmp_path: Path
) -> None:
    config = (result / "config.json").read_text()
    (result / "config.json").write_text(config.replace('"Dense"', '"Lambda"'))
    with pytest.raises(Refused):
        send.prepare(result, tmp_path / "send", most=MOST)
    assert not (tmp_path / "send" / result.name).exists()


def test_a_result_that_no_creator_would_fetch_is_refused_before_it_is_copied(
    result: Path, tmp_path: Path
) -> None:
    (result / "notes.txt").write_bytes(bytes(100))
    size = sum((result / name).stat().st_size for name in send.FILES)
    send.prepare(result, tmp_path / "send", most=size)
    with pytest.raises(Refused) as raised:
        send.prepare(result, tmp_path / "other", most=size - 1)
    assert (raised.value.code, "result-size" in raised.value.hint) == ("TooLarge", True)
    assert not (tmp_path / "other").exists()
