"""ASCII mode: whatever a screen draws, only ASCII reaches the terminal."""

from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

# A sign of one cell for a sign of one cell: what the frame and Textual's own widgets draw.
_SIGNS = str.maketrans(
    {
        **dict.fromkeys("─━═╌╍┄┅┈┉▔▁▂▃⎺⎽", "-"),
        **dict.fromkeys("│┃║▏▎▍▌▕▐", "|"),
        **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯╱╲┏┓┗┛", "+"),
        **dict.fromkeys("█▇▆▅▄▀■▊▋▉▓", "#"),
        **dict.fromkeys("░▒·•∙", "."),
        **dict.fromkeys("›▶▸→»❯", ">"),
        **dict.fromkeys("‹◀←«", "<"),
        **dict.fromkeys("▼▾↓", "v"),
        **dict.fromkeys("▲▴↑", "^"),
        **dict.fromkeys("●◆★✓✔", "*"),
        **dict.fromkeys("○◇✗✘×", "x"),
        **dict.fromkeys("–—−", "-"),
        **dict.fromkeys("‘’", "'"),
        **dict.fromkeys("“”", '"'),
        "…": "~",
        "±": "~",
        "≤": "<",
        "≥": ">",
        "🔎": "/ ",  # of two cells, before the palette's field
    }
)


@lru_cache(4096)
def to_ascii(text: str) -> str:
    """``text`` of as many cells in ASCII; a character without a likeness is as many ``?``."""
    if text.isascii():
        return text
    text = text.translate(_SIGNS)
    return "".join(char if char.isascii() else "?" * cell_len(char) for char in text)


class Ascii(LineFilter):
    """Applied to every line that is drawn, after all widgets."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(to_ascii(text), style, control) for text, style, control in segments]
