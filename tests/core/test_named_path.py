"""What a person types as a path may be anything: it is a path, or wrongly used with a reason."""

import resource
from pathlib import Path

import pytest

from decentralml.core import named_path
from decentralml.core.errors import Failed, Misused


def test_what_is_there_has_a_kind_and_what_is_not_has_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert named_path.kind(tmp_path) == "folder"
    assert named_path.kind(tmp_path / "file") == "file"
    assert named_path.kind(Path("/dev/null")) == "special"
    assert named_path.kind(tmp_path / "nothing") is None
    assert named_path.kind(tmp_path / "file" / "beneath") is None


@pytest.mark.parametrize("text", ["/" + "x" * 400, "/a/\0b", "/\ud800/x", "~nobody-of-this-name/x"])
def test_what_the_system_will_not_look_at_is_wrongly_used(text: str) -> None:
    with pytest.raises(Misused, match=r"cannot be reached|home of nobody") as refused:
        named_path.kind(named_path.typed(text))
    assert refused.value.code == "NoSuchFile"
    assert len(refused.value.message) < 300


def test_a_tilde_is_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert named_path.typed("~/data") == tmp_path / "data"


def test_a_file_that_cannot_be_written_whole_is_not_left_in_the_way(tmp_path: Path) -> None:
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limit[1]))  # as good as a full disk
    try:
        with pytest.raises(Failed, match="cannot be written"):
            named_path.write_new(tmp_path / "key.json", bytes(1000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    named_path.write_new(tmp_path / "key.json", b"whole")
    assert (tmp_path / "key.json").read_bytes() == b"whole"
