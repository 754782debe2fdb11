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


def test_of_two_apps_on_a_home_neither_erases_what_the_other_kept(home: Home) -> None:
    setups = {"1": {"answer": "a"}, "2": {"answer": "b"}}
    first = State(home)
    first.set("tasks.filter", "free")
    first.set("validate.setups", setups)
    first.save()
    one, two = State(home), State(home)
    one.load()
    two.load()
    one.set("create.draft", {"question": "Cats or dogs?"})
    one.set("validate.setups", {**setups, "3": {"answer": "c"}})
    two.set("tasks.filter", "mine")
    two.set("validate.setups", {"2": {"answer": "other"}})
    one.save()
    two.save()
    one.set("mode", "runs")
    one.save()
    again = State(home)
    again.load()
    assert again.get("create.draft") == {"question": "Cats or dogs?"}
    assert again.get("tasks.filter") == "mine"
    assert again.get("mode") == "runs"
    assert again.get("validate.setups") == {"2": {"answer": "other"}, "3": {"answer": "c"}}


def test_a_draft_is_of_one_app_and_who_publishes_his_own_leaves_the_others(home: Home) -> None:
    one, two = State(home), State(home)
    one.set("create.draft", {"question": "Cats?", "pays": "1"})
    one.save()
    two.set("create.draft", {"question": "Dogs?", "pays": ""})
    two.save()
    one.set("create.draft", {})
    one.save()
    again = State(home)
    again.load()
    assert again.get("create.draft") == {"question": "Dogs?", "pays": ""}
    two.set("create.draft", {})
    two.save()
    again.load()
    assert again.get("create.draft") == {}
