"""Curves as cells: sampled to the columns there are, drawn in braille, or in ASCII. Knows no widget."""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# An axis ends here: the difference of two ends must be a number.
_WIDEST = 1e300

Scale = Callable[[float], float]


def same(x: float) -> float:
    """The scale of a line whose x is the axis's own."""
    return x


@dataclass(frozen=True)
class Line:
    """A curve: ``x`` grows, NaN in ``y`` breaks it. ``at``: from the axis's unit to that of ``x``; ``back``.

    ``ends``: the exact values at the ends of epochs, on the axis. ``tone`` names its colour, ``sign`` its
    character in ASCII ("": by height within the cell). A ``dotted`` one leaves every other dot out. ``short``
    is its name where there is little room.
    """

    name: str
    tone: str
    x: Sequence[float]
    y: Sequence[float]
    dotted: bool = False
    sign: str = ""
    short: str = ""
    at: Scale = same
    back: Scale = same
    ends: tuple[Sequence[float], Sequence[float]] = ((), ())

    @property
    def newest(self) -> float:
        """Where on the axis its last point is."""
        return self.back(self.x[-1]) if self.x else 0.0

    def value(self, where: float, *, over: bool = True) -> float | None:
        """The last value not after ``where`` on the axis; None before the first.

        Not ``over``: none either an epoch and more after the last, where the run had ended.
        """
        if not over and where >= self.newest + 1:
            return None
        x, y = self.ends
        if (index := bisect_right(x, where + 1e-9)) and x[index - 1] >= where - 1e-9:
            return y[index - 1]
        index = bisect_right(self.x, self.at(where) + 1e-9)
        return self.y[index - 1] if index else None


@dataclass(frozen=True)
class Bucket:
    """What of a line falls into one column of dots: its ends in time and in height."""

    first: float
    last: float
    low: float
    high: float


BREAK = Bucket(math.nan, math.nan, math.nan, math.nan)
Sampled = list[Bucket | None]


def sample(line: Line, start: float, end: float, width: int) -> Sampled:
    """``line`` between two places of the axis in ``width`` columns: lowest and highest stay.

    None: nothing falls there. `BREAK`: only values that are not finite do. What goes on beyond the two places
    is drawn up to them.
    """
    columns: Sampled = [None] * width
    # A sum says at the speed of C whether any is NaN: then each slice is looked at.
    broken = not math.isfinite(sum(line.y)) if line.y else False
    at, x, y = line.at, line.x, line.y
    i = first = bisect_right(x, at(start) - 1e-9)
    for column in range(width):
        j = bisect_right(x, at(start + (end - start) * (column + 1) / width) + 1e-9, i)
        if j > i:
            values = y[i:j]
            if broken:
                values = [value for value in values if math.isfinite(value)]
            columns[column] = (
                Bucket(values[0], values[-1], min(values), max(values)) if len(values) else BREAK
            )
        i = j
    if columns[0] is None:
        columns[0] = _crossing(line, first, at(start))
    if columns[-1] is None:
        columns[-1] = _crossing(line, i, at(end))
    return columns


def _crossing(line: Line, i: int, x: float) -> Bucket | None:
    """Where ``line`` goes through ``x``, between its points ``i - 1`` and ``i``."""
    if not 0 < i < len(line.x):
        return None
    x0, x1, y0, y1 = line.x[i - 1], line.x[i], line.y[i - 1], line.y[i]
    y = y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return Bucket(y, y, y, y) if math.isfinite(y) else None


def column(place: float, seen: tuple[float, float], columns: int) -> int:
    """The column in which a point at ``place`` is drawn, of those that show what is ``seen`` of the axis."""
    start, end = seen
    return min(max(math.ceil((place - start) / (end - start) * columns - 1e-6) - 1, 0), columns - 1)


def smoothed(columns: Sampled, weight: float) -> Sampled:
    """The exponential mean of what falls into each column; a break begins it anew."""
    out: Sampled = []
    mean = total = 0.0
    for bucket in columns:
        if bucket is None:
            out.append(None)
        elif bucket is BREAK:
            mean = total = 0.0
            out.append(BREAK)
        else:
            mean = weight * mean + (1 - weight) * (bucket.low / 2 + bucket.high / 2)
            total = weight * total + (1 - weight)
            value = mean / total
            out.append(Bucket(value, value, value, value))
    return out


def logarithms(columns: Sampled) -> Sampled:
    """Every value's log10; what is not above zero breaks the line."""
    out: Sampled = []
    for bucket in columns:
        if bucket is None or bucket is BREAK:
            out.append(bucket)
        elif bucket.high <= 0:
            out.append(BREAK)
        else:
            low = bucket.low if bucket.low > 0 else bucket.high
            ends = (value if value > 0 else low for value in (bucket.first, bucket.last, low, bucket.high))
            out.append(Bucket(*map(math.log10, ends)))
    return out


def span(sampled: Sequence[Sampled]) -> tuple[float, float] | None:
    """The lowest and the highest of all; None where nothing is finite."""
    buckets = [b for columns in sampled for b in columns if b is not None and b is not BREAK]
    if not buckets:
        return None
    return min(b.low for b in buckets), max(b.high for b in buckets)


# --- axes -------------------------------------------------------------------------------------------------


def nice_step(length: float, most: int) -> float:
    """A step of 1, 2 or 5 times a power of ten that divides ``length`` at most ``most`` times."""
    raw = max(length, 1e-300) / max(most, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    return next((power * factor for factor in (1, 2, 5) if power * factor >= raw * (1 - 1e-9)), power * 10)


def ticks(low: float, high: float, step: float) -> list[float]:
    """The multiples of ``step`` between two ends, both counted in."""
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def decades(low: float, high: float) -> list[float]:
    """Values for an axis of logarithms from ``low`` to ``high``: powers of ten, and between them 2 and 5."""
    powers = range(math.floor(low), min(math.ceil(high), 308) + 1)
    factors = (1, 2, 5) if high - low < 4 else (1,)
    # The powers come first: where there is no room for all, they stay.
    values = [factor * 10.0**power for factor in factors for power in powers if power > -308]
    return [value for value in values if 10.0**low * 0.999 <= value <= 10.0 ** min(high, 308) * 1.001]


def bounds(low: float, high: float, most: int) -> tuple[float, float, float]:
    """The range that an axis shows for these values, never empty, and the step of its ticks."""
    low, high = (min(max(value, -_WIDEST), _WIDEST) for value in (low, high))
    if not high - low > 1e-12 * max(abs(low), abs(high), 1e-300):
        by = abs(low) / 10 or 1.0
        low, high = low - by, high + by
    step = nice_step(high - low, most)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step


def log_bounds(low: float, high: float) -> tuple[float, float]:
    """The range that an axis of logarithms shows, never empty: from one of its `decades` to another."""
    around = [math.log10(value) for value in decades(math.floor(low), math.ceil(high))]
    bottom = max((value for value in around if value <= low + 1e-9), default=low)
    top = min((value for value in around if value >= high - 1e-9), default=high)
    return (bottom, top) if bottom < top else (bottom - 1, top + 1)


def number(value: float, step: float = 0.0, *, digits: int = 4) -> str:
    """A tick's label, with the decimals that ``step`` needs; without a step so many significant digits."""
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e6 or not step:
        return f"{value:.3g}" if step else f"{value:.{digits}g}"
    return f"{value:.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"


def stretch(end: float) -> float:
    """``end`` rounded up to where an axis may stay for a while, so that it is not redrawn at every point."""
    if end <= 1:
        return 1.0
    power = 10.0 ** math.floor(math.log10(end))
    ladder = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
    return next(math.ceil(power * k - 1e-9) for k in ladder if math.ceil(power * k - 1e-9) >= end - 1e-9)


# --- cells ------------------------------------------------------------------------------------------------

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_THIRDS = ("'", "-", ".")


class Grid:
    """Cells that lines are drawn into: ``columns`` by ``rows``; the line drawn last owns a cell's colour."""

    def __init__(self, columns: int, rows: int, *, ascii: bool = False) -> None:
        self.columns, self.rows, self.ascii = columns, rows, ascii
        self.across = 1 if ascii else 2
        self.down = 3 if ascii else 4
        self._bits = [[0] * columns for _ in range(rows)]
        self._signs = [[""] * columns for _ in range(rows)]
        self.tones: list[list[str]] = [[""] * columns for _ in range(rows)]

    def draw(self, columns: Sampled, low: float, high: float, line: Line, tone: str = "") -> None:
        """Draw what was sampled to ``columns * across``, between two heights."""
        tall = self.rows * self.down - 1
        scale = tall / (high - low)
        before: tuple[int, int] | None = None
        for x, bucket in enumerate(columns):
            if bucket is None:
                continue
            if bucket is BREAK:
                before = None
                continue
            first, last, lowest, highest = (
                tall - round((min(max(value, low), high) - low) * scale)
                for value in (bucket.first, bucket.last, bucket.low, bucket.high)
            )
            if before is not None:
                self._join(*before, x, first, line, tone)
            for y in range(highest, lowest + 1):
                self._dot(x, y, line, tone)
            before = x, last

    def _join(self, x0: int, y0: int, x1: int, y1: int, line: Line, tone: str) -> None:
        steps = max(abs(x1 - x0), abs(y1 - y0))
        for step in range(1, steps):
            self._dot(x0 + round((x1 - x0) * step / steps), y0 + round((y1 - y0) * step / steps), line, tone)

    def _dot(self, x: int, y: int, line: Line, tone: str) -> None:
        if line.dotted and (x + y) % 2:
            return
        row, column = y // self.down, x // self.across
        if self.ascii:
            sign = line.sign or _THIRDS[y % 3]
            self._signs[row][column] = sign
        else:
            self._bits[row][column] |= _DOTS[y % 4][x % 2]
        self.tones[row][column] = tone or line.tone

    def cell(self, column: int, row: int) -> str:
        """The character of a cell; "" where nothing was drawn."""
        if self.ascii:
            return self._signs[row][column]
        bits = self._bits[row][column]
        return chr(0x2800 + bits) if bits else ""
