"""A confusion matrix as coloured cells: true classes down, predicted ones across."""

from collections.abc import Callable, Sequence

from rich.style import Style
from rich.text import Text

from decentralml.tui.widgets.columns import Tone, columns, heading

Shade = Callable[[float, bool], Style | None]
"""(0..1, whether it is the diagonal) -> the style of a cell; None: this terminal has no such colours."""

DENSITY = " .:-=+*#%@"
"""From light to dark, where there are no colours."""

_PAIRS = 8


def heatmap(matrix: Sequence[Sequence[int]], title: str, width: int, tone: Tone, shade: Shade) -> Text:
    """``matrix`` in at most ``width`` cells a line: counts where they fit, else shades, else classes binned.

    A cell's shade is its share of its row, the root of it, so that few mistakes still show.
    """
    count = len(matrix)
    label, digits = _sizes(matrix)
    if label + count * (digits + 1) <= width:
        return heading(title, tone).append_text(_numbers(matrix, label, digits + 1, tone, shade))
    size = 2 if label + 1 + 2 * count <= width else 1
    step = -(-count // max(1, (width - label - 1) // size))
    every = f", {step} classes a cell" if step > 1 else ""
    drawn = _shades(_binned(matrix, step), step, label, size, tone, shade)
    return heading(f"{title}{every}", tone).append_text(drawn)


def needed(matrix: Sequence[Sequence[int]], title: str) -> int:
    """Cells a line takes where every count is told."""
    label, digits = _sizes(matrix)
    return max(label + len(matrix) * (digits + 1), len(title))


def _sizes(matrix: Sequence[Sequence[int]]) -> tuple[int, int]:
    """Cells of the labels, and of the longest count or class."""
    last = len(str(len(matrix) - 1))
    return max(last, 4), max(max(len(str(cell)) for row in matrix for cell in row), last)


def confusions(matrix: Sequence[Sequence[int]], baseline: Sequence[Sequence[int]] | None, tone: Tone) -> Text:
    """The most frequent mistakes, and how often the baseline makes them."""
    pairs = [
        (cell, true, guess)
        for true, row in enumerate(matrix)
        for guess, cell in enumerate(row)
        if true != guess and cell
    ]
    pairs.sort(key=lambda pair: (-pair[0], pair[1:]))
    if not pairs:
        return Text("no class is taken for another\n", tone("dim"))
    rows: list[list[str]] = [["MISTAKEN", "TIMES", "BASELINE"]]
    for cell, true, guess in pairs[:_PAIRS]:
        before = "" if baseline is None else str(baseline[true][guess])
        rows.append([f"{true} as {guess}", str(cell), before])
    return columns(rows, tone, right=(1, 2))


def _numbers(matrix: Sequence[Sequence[int]], label: int, size: int, tone: Tone, shade: Shade) -> Text:
    text = Text(" " * label, no_wrap=True)
    text.append("".join(str(i).rjust(size) for i in range(len(matrix))) + "\n", tone("head"))
    for true, row in enumerate(matrix):
        text.append(str(true).rjust(label), tone("head"))
        total = sum(row) or 1
        for guess, cell in enumerate(row):
            words = str(cell).rjust(size) if cell else "·".rjust(size)
            plain = tone("strong" if true == guess else ("" if cell else "dim"))
            coloured = shade((cell / total) ** 0.5, true == guess) if cell else None
            text.append(words, coloured + Style(bold=true == guess) if coloured else plain)
        text.append("\n")
    return text


def _shades(
    matrix: Sequence[Sequence[int]], step: int, label: int, size: int, tone: Tone, shade: Shade
) -> Text:
    text = Text(no_wrap=True)
    for true, row in enumerate(matrix):
        text.append(str(true * step).rjust(label) + " ", tone("head"))
        total = sum(row) or 1
        for guess, cell in enumerate(row):
            share = (cell / total) ** 0.5
            coloured = shade(share, true == guess) if cell else None
            mark = " " if coloured else DENSITY[round(share * (len(DENSITY) - 1))]
            text.append(mark * size, coloured or Style())
        text.append("\n")
    return text


def _binned(matrix: Sequence[Sequence[int]], step: int) -> list[list[int]]:
    """Rows and columns summed, ``step`` of them into one."""
    if step == 1:
        return [list(row) for row in matrix]
    starts = range(0, len(matrix), step)
    narrow = [[sum(row[start : start + step]) for start in starts] for row in matrix]
    return [[sum(column) for column in zip(*narrow[start : start + step], strict=True)] for start in starts]
