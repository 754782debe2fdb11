"""What is pasted is text, whatever stands in it, and however it comes."""

import pytest
from textual.events import Key, Paste

from decentralml.tui import pastes
from decentralml.tui.pastes import Parser

PASTED = "one\x1b[0m\x1b]0;x\x07\rq\x1b"
PACKET = f"a\x1b[200~{PASTED}\x1b[201~b"
SEEN = ["a", ("one\rq",), "b"]


class Clock:
    time = 0.0

    def __call__(self) -> float:
        return self.time


def read(parser: Parser, *reads: str) -> list[object]:
    """What comes of ``reads``: a key by its name, a paste as its text in a tuple."""
    found: list[object] = []
    for data in reads:
        for event in (*parser.feed(data), *parser.tick()):
            if isinstance(event, Key):
                found.append(event.key)
            elif isinstance(event, Paste):
                found.append((event.text,))
    return found


@pytest.mark.parametrize("cut", range(1, len(PACKET)))
def test_a_paste_is_one_event_without_sequences_wherever_reads_cut_it(cut: int) -> None:
    assert read(Parser(), PACKET[:cut], PACKET[cut:]) == SEEN


def test_a_paste_is_one_event_when_it_comes_a_character_at_a_time() -> None:
    assert read(Parser(), *PACKET, *PACKET) == [*SEEN, *SEEN]


def test_keys_are_read_as_ever() -> None:
    assert read(Parser(), "\x1b[A\x1b[20~q", "\x1b", "[B", "\x1b[200") == ["up", "f9", "q", "down"]


def test_a_paste_that_never_ends_is_over_once_nothing_comes() -> None:
    clock = Clock()
    parser = Parser(now=clock)
    assert read(parser, "\x1b[200~wo", "rds") == []
    clock.time += 60
    assert read(parser, " more") == []
    clock.time += 60
    assert [event.text for event in parser.tick() if isinstance(event, Paste)] == ["words more"]
    assert read(parser, "q") == ["q"]


def test_of_a_paste_without_bounds_the_beginning_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pastes, "_MOST", 100)
    parser = Parser()
    assert read(parser, "\x1b[200~", *["q" * 70] * 50, "q\x1b[20") == []
    assert len(parser._pasted or "") < 200
    assert read(parser, "1~q") == [("q" * 100,), "q"]
