"""Strings of strangers, made safe for a terminal."""

import re
import unicodedata

# Cc control, Cf format (bidi, zero-width, tags), Cs surrogates, Co private use, Zl/Zp separators.
_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_SEQUENCES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)")


def _unsafe(char: str) -> bool:
    return unicodedata.category(char) in _UNSAFE


def clean(text: str, *, keep_newlines: bool = False) -> str:
    """``text`` without control, bidi and zero-width characters; a tab or newline becomes a space.

    With ``keep_newlines`` line feeds and tabs stay (logs, tracebacks, summaries).
    """
    if text.isascii() and text.isprintable():
        return text
    out = []
    for char in text:
        if char in "\n\t":
            out.append(char if keep_newlines else " ")
        elif not _unsafe(char):
            out.append(char)
    return "".join(out)


def printed(text: str) -> str:
    """``text`` that a program wrote to a terminal, without the terminal's sequences: colours, titles, moves.

    Not safe yet: `clean` it as well. `clean` alone leaves what follows the escape, ``[1m``.
    """
    return _SEQUENCES.sub("", text)


def visible(text: str, *, keep_newlines: bool = False) -> str:
    """``text`` with every control and bidi character as a visible escape.

    For what is about to be run or signed: hiding a character there would hide its effect, and a line feed in
    a value of a card would begin a row of it. With ``keep_newlines`` line feeds and tabs stay (scripts).
    """
    kept = "\n\t" if keep_newlines else ""
    return "".join(
        char.encode("unicode_escape").decode() if _unsafe(char) and char not in kept else char
        for char in text
    )


def hidden(text: str) -> list[str]:
    """The characters that `clean` takes out of ``text``, each once, as `visible` shows them."""
    return [visible(char) for char in dict.fromkeys(text) if _unsafe(char) and char not in "\n\t"]


def short(text: str, width: int) -> str:
    """``text`` cleaned and cut to ``width`` characters, the cut marked by an ellipsis."""
    text = clean(text)
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def fit(text: str, size: int) -> str:
    """``text`` cut to ``size`` bytes of UTF-8, never in the middle of a character."""
    return text.encode()[:size].decode(errors="ignore")


def short_address(address: str) -> str:
    """An SS58 address as ``5Grw..utQY``."""
    return address if len(address) <= 10 else f"{address[:4]}..{address[-4:]}"
