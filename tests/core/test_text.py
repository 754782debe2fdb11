"""Texts of strangers lose what moves or hides, and nothing else."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decentralml.core.text import clean, hidden, printed, short, short_address, visible

UNSAFE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
anything = st.text(st.characters(codec=None), max_size=200)


def unsafe(text: str) -> set[str]:
    return {char for char in text if unicodedata.category(char) in UNSAFE}


@given(anything)
def test_a_cleaned_text_has_nothing_that_moves_or_hides(text: str) -> None:
    assert unsafe(clean(text)) == set()
    assert unsafe(clean(text, keep_newlines=True)) <= {"\n", "\t"}


@given(anything)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(anything)
def test_cleaning_only_takes_away(text: str) -> None:
    kept = [char for char in text if not unsafe(char) or char in "\n\t"]
    assert clean(text, keep_newlines=True) == "".join(kept)


@given(anything)
def test_a_cleaned_text_can_be_written_anywhere(text: str) -> None:
    for shown in (clean(text), visible(text), visible(text, keep_newlines=True)):
        assert shown.encode().decode() == shown


@given(anything)
def test_a_visible_text_has_no_unsafe_character_and_hides_none(text: str) -> None:
    assert unsafe(visible(text)) == set()
    assert unsafe(visible(text, keep_newlines=True)) <= {"\n", "\t"}
    for char in unsafe(text):
        assert char.encode("unicode_escape").decode() in visible(text)


@given(anything, st.integers(-5, 50))
def test_a_short_text_fits(text: str, width: int) -> None:
    cut = short(text, width)
    assert len(cut) <= max(width, 1)
    assert unsafe(cut) == set()
    if len(clean(text)) <= width:
        assert cut == clean(text)
    else:
        assert cut.endswith("…")


@pytest.mark.parametrize(
    ("hostile", "cleaned", "shown"),
    [
        ("a\x1b[2Jb", "a[2Jb", "a\\x1b[2Jb"),
        ("safe\u202egpj.exe", "safegpj.exe", "safe\\u202egpj.exe"),
        ("a\u200bb", "ab", "a\\u200bb"),
        ("a\rb", "ab", "a\\rb"),
        ("a\nb\tc", "a b c", "a\\nb\\tc"),
        ("a\x9bb", "ab", "a\\x9bb"),
        ("\U000e0041", "", "\\U000e0041"),
        ("naïve 名前 🙂", "naïve 名前 🙂", "naïve 名前 🙂"),
    ],
    ids=["escape", "bidi", "zero width", "return", "lines", "C1", "tag", "any language"],
)
def test_known_tricks_are_taken_away_or_made_visible(hostile: str, cleaned: str, shown: str) -> None:
    assert clean(hostile) == cleaned
    assert visible(hostile) == shown


def test_a_script_keeps_its_lines() -> None:
    assert visible("if a:\n\tb\x1b\n", keep_newlines=True) == "if a:\n\tb\\x1b\n"


def test_what_is_hidden_in_a_text_is_named_once_and_visibly() -> None:
    assert hidden("a\x1b[2J \u202eb\x1b\n\tc") == ["\\x1b", "\\u202e"]
    assert hidden("naïve 名前 🙂\n") == []


def test_what_was_printed_in_colour_is_read_without_it() -> None:
    assert (
        printed("\x1b[1mInvalid\x1b[0m \x1b]0;title\x07shape [1m] \x1b[38;5;1mred")
        == "Invalid shape [1m] red"
    )


def test_an_address_is_shown_by_both_ends() -> None:
    assert short_address("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY") == "5Grw..utQY"
    assert short_address("short") == "short"
