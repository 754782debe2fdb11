"""The samples that a classifier takes for another class, drawn in half blocks: a column for each mistake."""

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from decentralml.core.models.mistakes import Mistake, Picture
from decentralml.tui.judging.canvas import Canvas
from decentralml.tui.widgets.columns import heading
from decentralml.tui.widgets.heatmap import DENSITY

_SMALL = 14  # pixels to a side where whole pictures have no room
_GAP = 2
_LEAST = 3  # whole pictures side by side, before they are drawn small
THREE = 3 * _SMALL + 2 * _GAP  # cells that three small ones take
_HEAD, _CAPTIONS = 1, 2  # lines above the pictures, and below each


def pictures(mistakes: Sequence[Mistake], canvas: Canvas, above: int) -> Text:
    """The surest sample of each kind of mistake, and under it the next ones, where there is room below
    ``above`` lines; where they are no pictures, their places in the data.
    """
    kinds: dict[tuple[int, int], list[Mistake]] = {}
    for mistake in mistakes:
        kinds.setdefault((mistake.true, mistake.taken_for), []).append(mistake)
    drawable = all(mistake.picture for mistake in mistakes)
    side = _side([m.picture for m in mistakes if m.picture], canvas, above) if drawable else 0
    width = max(side, len("5 as 8 0.99"))
    room = max(1, (canvas.width + _GAP) // (width + _GAP))
    columns = list(kinds.values())[:room]
    lines = max(1, (canvas.height - above - _HEAD) // (side // 2 + _CAPTIONS))
    text = Text(no_wrap=True)
    title = "SUREST MISTAKES  how sure it is of each, and where in x it stands"
    text.append_text(heading(title if len(title) <= canvas.width else "SUREST MISTAKES", canvas.tone))
    for row in range(min(lines, max(map(len, columns)))):
        samples = [column[row] if row < len(column) else None for column in columns]
        text.append_text(_row(samples, width, side, canvas))
    text.right_crop(1)  # the last line's end, which would be a line of its own
    return text


def _side(found: Sequence[Picture], canvas: Canvas, above: int) -> int:
    """Pixels to a side: all there are where `_LEAST` are seen side by side, else few."""
    whole = max(max(picture.width, picture.height) for picture in found)
    fits = _LEAST * (whole + _GAP) <= canvas.width and above + whole // 2 + _CAPTIONS + _HEAD <= canvas.height
    return whole if whole <= _SMALL or fits else _SMALL


def _row(samples: Sequence[Mistake | None], width: int, side: int, canvas: Canvas) -> Text:
    """One sample of each column: its picture, what it was taken for, and where it is."""
    text, last = Text(no_wrap=True), len(samples) - 1
    drawn = [_picture(m.picture, side, canvas) if m and m.picture and side else [] for m in samples]
    for line in range(max(map(len, drawn))):
        for column, cells in enumerate(drawn):
            shown = cells[line] if line < len(cells) else Text()
            text.append_text(shown)
            if column < last:
                text.append(" " * (width + _GAP - shown.cell_len))
        text.append("\n")
    for words, tone in ((_named, "strong"), (_placed, "dim")):
        said = [words(mistake) if mistake else "" for mistake in samples]
        text.append((" " * _GAP).join(word.ljust(width) for word in said).rstrip(), canvas.tone(tone))
        text.append("\n")
    return text


def _named(mistake: Mistake) -> str:
    return f"{mistake.true} as {mistake.taken_for} {mistake.sure:.2f}"


def _placed(mistake: Mistake) -> str:
    return f"x[{mistake.sample}]"


def _picture(picture: Picture, side: int, canvas: Canvas) -> list[Text]:
    """Two pixels a cell, one above the other; a character by their mean where there are no colours."""
    scale = side / max(picture.width, picture.height)
    width, height = (max(1, round(n * scale)) for n in (picture.width, picture.height))
    grey = _resized(picture, width, height)
    lines = []
    for top in range(0, height, 2):
        upper, lower = grey[top], grey[top + 1] if top + 1 < height else [0] * width
        line = Text()
        for above, below in zip(upper, lower, strict=True):
            if canvas.plain:
                line.append(DENSITY[(above + below) * (len(DENSITY) - 1) // 510])
            else:
                line.append("▀", Style(color=_colour(above), bgcolor=_colour(below)))
        lines.append(line)
    return lines


def _colour(level: int) -> str:
    return f"#{level:02x}{level:02x}{level:02x}"


def _resized(picture: Picture, width: int, height: int) -> list[list[int]]:
    """Grey levels at another size: of each new pixel the mean of those it covers."""

    def spans(many: int, few: int) -> list[range]:
        return [range(i * many // few, max(i * many // few + 1, (i + 1) * many // few)) for i in range(few)]

    rows = [picture.grey[i : i + picture.width] for i in range(0, len(picture.grey), picture.width)]
    across = spans(picture.width, width)
    return [
        [sum(rows[y][x] for y in down for x in over) // (len(down) * len(over)) for over in across]
        for down in spans(picture.height, height)
    ]
