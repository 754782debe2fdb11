"""What a command prints: one JSON object for programs, or tables for people. Strange text is cleaned here."""

import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, structs

from decentralml.core.errors import DecentralMLError
from decentralml.core.text import clean

# Fields that hold planck: a JSON number would lose digits in most readers, so they go out as strings.
PLANCK = frozenset(
    (
        "amount",
        "balance",
        "deposit",
        "earned",
        "existential_deposit",
        "fee",
        "free",
        "held",
        "paid",
        "pays_amount",
        "total_issuance",
    )
)


def plain(value: Any, name: str = "") -> Any:
    """``value`` as JSON knows it: Structs become objects, planck decimal strings, NaN and infinity null.

    An object with such a null says so in its list ``nonfinite``. All text is cleaned.
    """
    if isinstance(value, Struct):
        return plain({field.name: getattr(value, field.name) for field in structs.fields(value)}, name)
    if isinstance(value, Mapping):
        made = {clean(str(key)): plain(item, str(key)) for key, item in value.items()}
        lost = [clean(str(key)) for key, item in value.items() if _nonfinite(item)]
        return {**made, "nonfinite": lost} if lost else made
    if isinstance(value, str):
        return clean(value, keep_newlines=True)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return str(value) if name in PLANCK else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Iterable):
        return [plain(item, name) for item in value]
    return clean(str(value))


def _nonfinite(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    return isinstance(value, (list, tuple)) and any(_nonfinite(item) for item in value)


class Output:
    """Where a command's answer goes. ``done`` is called once by commands that answer, ``line`` by streams."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.json = as_json

    def done(self, data: Any, show: Callable[[], None]) -> None:
        """The command's answer: ``data`` for programs, or what ``show`` prints for people."""
        if self.json:
            _write_json({"ok": True, "data": plain(data)})
        else:
            show()

    def line(self, data: Any, text: str) -> None:
        """One item of a stream."""
        if self.json:
            _write_json({"ok": True, "data": plain(data)})
        else:
            print(clean(text), flush=True)

    def failed(self, error: DecentralMLError) -> None:
        """The error, as the JSON object of the command or as words on stderr."""
        message, hint = clean(error.message, keep_newlines=True), clean(error.hint, keep_newlines=True)
        if self.json:
            _write_json({"ok": False, "error": {"code": error.code, "message": message, "hint": hint}})
        else:
            print(f"{error.code}: {message}", file=sys.stderr)
            if hint:
                print(hint, file=sys.stderr)

    def say(self, text: str) -> None:
        """A sentence of the answer, for people."""
        print(clean(text, keep_newlines=True))

    def note(self, text: str) -> None:
        """A word beside the answer, for people."""
        print(clean(text, keep_newlines=True), file=sys.stderr)

    def fields(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Name and value, a line each."""
        rows = list(pairs)
        width = max((len(name) for name, _ in rows), default=0)
        for name, value in rows:
            print(f"{name:<{width}}  {clean(value)}")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: str = "") -> None:
        """Rows under headings; headings named in ``right`` (words) stand right-aligned.

        As wide as the terminal; uncut where stdout is none.
        """
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        terminal = sys.stdout.isatty()
        shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for column in columns:
            shown.add_column(
                Text(column),
                justify="right" if column in right.split() else "left",
                no_wrap=True,
                overflow="ellipsis" if terminal else "ignore",
            )
        for row in rows:
            shown.add_row(*(Text(clean(cell)) for cell in row))
        width = None if terminal else 10_000
        console = Console(width=width, highlight=False, markup=False, soft_wrap=False, emoji=False)
        with console.capture() as captured:
            console.print(shown)
        # Rich fills up to the width; people who cut and paste, and diffs, want no trailing blanks.
        for line in captured.get().splitlines():
            print(line.rstrip())


def _write_json(value: Any) -> None:
    # ASCII only: a terminal's or pipe's encoding cannot break it.
    print(json.dumps(value, allow_nan=False), flush=True)


def size(count: float) -> str:
    """Bytes for people: ``3.1 kB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def duration(seconds: float) -> str:
    """Seconds for people, two parts at most: ``2 d 3 h``."""
    left = max(round(seconds), 0)
    parts = []
    for length, unit in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def make_tolerant() -> None:
    """Let text that the terminal's encoding lacks come out as escapes, and a missing stdout swallow."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
