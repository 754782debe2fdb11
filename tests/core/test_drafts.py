"""Drafts of decisions: kept, replaced, taken back, and never lost to another terminal."""

import pytest

from decentralml.core.domain import REASON_BYTES
from decentralml.core.drafts import Drafts, Word
from decentralml.core.errors import Misused, Unavailable
from decentralml.core.paths import Home

DIGEST = "a" * 64


def test_a_draft_is_there_at_the_next_start_and_gone_once_taken_back(home: Home) -> None:
    made = Drafts(home, "genesis", now=lambda: 5.0).put(7, DIGEST, Word.reject, "no better")
    assert Drafts(home, "genesis").all() == {7: made}
    assert made.made == 5.0
    assert Drafts(home, "genesis").take_back(7) == made
    assert Drafts(home, "genesis").all() == {}
    assert Drafts(home, "genesis").take_back(7) is None


def test_a_later_draft_takes_the_place_of_an_earlier_one(home: Home) -> None:
    drafts = Drafts(home, "genesis")
    drafts.put(7, DIGEST, Word.accept)
    drafts.put(7, DIGEST, Word.changes, "train longer")
    assert [draft.word for draft in drafts.all().values()] == [Word.changes]


def test_drafts_of_another_chain_are_left_alone(home: Home) -> None:
    Drafts(home, "one").put(1, DIGEST, Word.accept)
    Drafts(home, "two").put(1, DIGEST, Word.reject, "no")
    Drafts(home, "two").take_back(1)
    assert set(Drafts(home, "one").all()) == {1}


def test_two_terminals_do_not_lose_each_others_drafts(home: Home) -> None:
    one, other = Drafts(home, "genesis"), Drafts(home, "genesis")
    one.put(1, DIGEST, Word.accept)
    other.put(2, DIGEST, Word.accept)
    one.put(3, DIGEST, Word.accept)
    assert set(other.all()) == {1, 2, 3}


@pytest.mark.parametrize("reason", ["", " \n ", "é" * REASON_BYTES])
def test_a_reason_that_the_chain_would_not_take_is_refused_at_once(home: Home, reason: str) -> None:
    with pytest.raises(Misused, match="bytes"):
        Drafts(home, "genesis").put(1, DIGEST, Word.reject, reason)


@pytest.mark.parametrize("content", [b"{ my long reason", b'{"\xff": "my long reason"}'])
def test_a_broken_file_is_set_aside_and_not_thrown_away(home: Home, content: bytes) -> None:
    path = home.folder(home.data_dir) / "drafts.json"
    path.write_bytes(content)
    Drafts(home, "genesis").put(7, DIGEST, Word.accept)
    assert set(Drafts(home, "genesis").all()) == {7}
    assert path.with_suffix(".broken").read_bytes() == content


def test_who_only_reads_a_broken_file_leaves_it_where_another_terminal_may_be_writing(home: Home) -> None:
    path = home.folder(home.data_dir) / "drafts.json"
    path.write_bytes(b"{ my long reason")
    assert Drafts(home, "genesis").all() == {}
    assert path.read_bytes() == b"{ my long reason"


def test_a_file_that_cannot_be_read_is_said(home: Home) -> None:
    (home.folder(home.data_dir) / "drafts.json").mkdir()
    with pytest.raises(Unavailable, match="cannot be read"):
        Drafts(home, "genesis").put(1, DIGEST, Word.accept)
