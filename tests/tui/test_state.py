"""Where one was: kept over a restart, never in the way."""

import stat

import pytest

from decentralml.core.paths import Home
from decentralml.tui.state import State


def test_what_was_set_is_there_again(home: Home) -> None:
    state = State(home)
    assert state.set("tasks.filter", "free")
    assert not state.set("tasks.filter", "free")
    state.save()
    again = State(home)
    again.load()
    assert again.get("tasks.filter", "") == "free"
    assert stat.S_IMODE(home.ui_state.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", b"null"])
def test_a_broken_file_is_an_empty_one(home: Home, content: bytes) -> None:
    home.ui_state.write_bytes(content)
    state = State(home)
    state.load()
    assert state.get("mode", "tasks") == "tasks"


def test_a_value_of_another_type_is_none(home: Home) -> None:
    home.ui_state.write_text('{"tasks.row": "seven"}')
    state = State(home)
    state.load()
    assert state.get("tasks.row", 0) == 0


def test_what_a_terminal_would_obey_is_not_read_back(home: Home) -> None:
    home.ui_state.write_text(
        '{"create.draft": {"question": "A\\u001b]0;x\\u0007\\nB\\u202e", "more": ["\\u001bc"]}}'
    )
    state = State(home)
    state.load()
    assert state.get("create.draft") == {"question": "A]0;x\nB", "more": ["c"]}


def test_a_disk_that_takes_nothing_is_no_error(home: Home) -> None:
    home.ui_state.mkdir()
    State(home).save()
    assert list(home.ui_state.iterdir()) == []
