"""What a command prints: one JSON object for programs, or tables for people. Strange text is cleaned here."""

import dataclasses
import json
import math
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TextIO

from msgspec import Struct

from decentralml.core.errors import DecentralMLError, Failed
from decentralml.core.text import clean, fit

if TYPE_CHECKING:
    from decentralml.core.chain.base import Receipt

_LOST = "AnswerLost"

# An error that quotes what was typed or what a script said still fits a few screens.
_ERROR_BYTES = 4000

# Fields that hold planck: a JSON number would lose digits in most readers, so they go out as strings.
PLANCK = frozenset(
    (
        "amount",
        "balance",
        "creator_after",
        "creator_before",
        "deposit",
        "earned",
        "existential_deposit",
        "fee",
        "free",
        "funds_after",
        "funds_before",
        "held",
        "paid",
        "pays_amount",
        "refunded",
        "total_issuance",
    )
)


def plain(value: Any, name: str = "") -> Any:
    """``value`` as JSON knows it: Structs become objects, planck decimal strings, NaN and infinity null.

    An object with such a null says so in its list ``nonfinite``. All text is cleaned.
    """
    if isinstance(value, Struct):
        return plain({field: getattr(value, field) for field in value.__struct_fields__}, name)
    if dataclasses.is_dataclass(value):
        return plain({field.name: getattr(value, field.name) for field in dataclasses.fields(value)}, name)
    if isinstance(value, Mapping):
        made = {clean(str(key)): plain(item, str(key)) for key, item in value.items()}
        lost = [clean(str(key)) for key, item in value.items() if _nonfinite(item)]
        return {**made, "nonfinite": lost} if lost else made
    if isinstance(value, str | PurePath):
        return clean(str(value), keep_newlines=True)
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
    # How Python shows a value to Python is of no use to a program.
    raise TypeError(f"{name or 'the answer'}: a {type(value).__name__} has no form in JSON")


def error_data(error: DecentralMLError) -> dict[str, str]:
    """An error for programs; its texts are cleaned, and end where a person has read enough."""
    message, hint = (
        fit(clean(text, keep_newlines=True), _ERROR_BYTES) for text in (error.message, error.hint)
    )
    return {"code": error.code, "message": message, "hint": hint}


def _nonfinite(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    return isinstance(value, (list, tuple)) and any(_nonfinite(item) for item in value)


class Output:
    """Where a command's answer goes. ``done`` is called once by commands that answer, ``line`` by streams."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.json = as_json
        self._landed: list[Receipt] = []

    def done(self, data: Any, show: Callable[[], None]) -> None:
        """The command's answer: ``data`` for programs, or what ``show`` prints for people.

        Raises `Failed` ("AnswerLost") where it cannot be written, and `BrokenPipeError`.
        """
        with _answering():
            if self.json:
                _write_json({"ok": True, "data": plain(data)})
            else:
                show()

    def line(self, data: Any, text: str) -> None:
        """One item of a stream. Raises as `done`."""
        with _answering():
            if self.json:
                _write_json({"ok": True, "data": plain(data)})
            else:
                print(clean(text))

    def landed(self, receipt: "Receipt") -> None:
        """Keep what is on the chain, to be said where the answer cannot."""
        self._landed.append(receipt)

    def failed(self, error: DecentralMLError) -> None:
        """The error, as the JSON object of the command or as words on stderr."""
        data = error_data(error)
        with suppress(Failed):
            if self.json and error.code != _LOST:
                with _answering():
                    _write_json({"ok": False, "error": data})
                return
            flush()
        self.note(f"{error.code}: {data['message']}")
        if data["hint"]:
            self.note(data["hint"])
        if error.code == _LOST:
            self.unheard()

    def unheard(self) -> None:
        """Say what landed on the chain, of which the answer was to tell."""
        for receipt in self._landed:
            self.note(
                f"{receipt.call} is done all the same: {receipt.stage} in block {receipt.block:,}, "
                f"extrinsic {receipt.extrinsic_hash}."
            )

    def say(self, text: str) -> None:
        """A sentence of the answer, for people."""
        print(clean(text, keep_newlines=True))

    def note(self, text: str) -> None:
        """A word beside the answer, for people; where it cannot be written, the work goes on."""
        with suppress(OSError):
            print(clean(text, keep_newlines=True), file=sys.stderr)

    def fields(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Name and value, a line each."""
        rows((name, clean(value)) for name, value in pairs)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: str = "") -> None:
        """Rows under headings; columns whose headings are named in ``right`` (words) stand right-aligned.

        On a terminal the widest columns are cut until a row fits; elsewhere nothing is.
        """
        from rich.cells import cell_len, set_cell_size

        cells = [list(columns), *([clean(cell) for cell in row] for row in rows)]
        widths = [max(cell_len(row[column]) for row in cells) for column in range(len(columns))]
        terminal = sys.stdout.isatty()
        if terminal:
            _fit(widths, shutil.get_terminal_size().columns)
        for number, row in enumerate(cells):
            parts = []
            for heading, cell, width in zip(columns, row, widths, strict=True):
                length = cell_len(cell)
                if length > width:
                    cell, length = set_cell_size(cell, width - 1) + "…", width
                blank = " " * (width - length)
                parts.append(blank + cell if heading in right.split() else cell + blank)
            line = _GAP.join(parts).rstrip()
            dim = number == 0 and terminal and "NO_COLOR" not in os.environ
            print(f"\x1b[2m{line}\x1b[0m" if dim else line)


_GAP = "  "
_NARROWEST = 6


def rows(pairs: Iterable[tuple[str, str]], indent: str = "", to: TextIO | None = None) -> None:
    """Print name and value, a line each, to stdout or ``to``.

    On a terminal a long value goes on below where it began: at the edge of the screen its next words would
    stand where names do, and be read as a row. One ASCII word, a path or a digest, can be copied whole.
    """
    to, listed = to or sys.stdout, list(pairs)
    width = max((len(name) for name, _ in listed), default=0)
    below = " " * (len(indent) + width + len(_GAP))
    room = max(shutil.get_terminal_size().columns - len(below), _NARROWEST)
    for name, value in listed:
        lines = [value]
        if to.isatty() and not (value.isascii() and (len(value) <= room or value.split() == lines)):
            from rich.console import Console
            from rich.text import Text

            lines = [line.plain.rstrip() for line in Text(value).wrap(Console(), room, overflow="fold")]
        print(f"{indent}{name:<{width}}{_GAP}" + f"\n{below}".join(lines), file=to)


def _fit(widths: list[int], room: int) -> None:
    """Narrow the widest of ``widths`` (cells) until all fit in ``room`` or none can give more."""
    while sum(widths) + len(_GAP) * (len(widths) - 1) > room:
        widest = widths.index(max(widths))
        if widths[widest] <= _NARROWEST:
            return
        widths[widest] -= 1


def _write_json(value: Any) -> None:
    # ASCII only: a terminal's or pipe's encoding cannot break it.
    print(json.dumps(value, allow_nan=False))


@contextmanager
def _answering() -> Iterator[None]:
    """What is printed within has been written when it is left.

    Raises `Failed` ("AnswerLost") where stdout takes no more; and `BrokenPipeError`.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        drop_stdout()
        raise Failed(
            _LOST,
            f"The answer cannot be written to the standard output: {error.strerror}.",
            "The command itself was not undone: look at what it did before it is given again.",
        ) from error


def flush() -> None:
    """Write what stdout still holds. Raises as `Output.done`."""
    with _answering():
        pass


def drop_stdout() -> None:
    """Let what stdout still holds, and what follows, go nowhere: the interpreter flushes it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
    """Let text that the terminal's encoding lacks come out as escapes; see to streams that are closed.

    A closed stdin is empty, a closed stderr takes all in silence. A closed stdout takes nothing: an answer
    must not get lost without a word.
    """
    ways = (("stdin", "r", os.O_RDONLY), ("stdout", "w", os.O_RDONLY), ("stderr", "w", os.O_WRONLY))
    for name, mode, way in ways:
        stream = getattr(sys, name)
        if stream is None:
            # In this order the three take descriptors 0 to 2, where they are free, before a file does.
            setattr(sys, name, open(os.open(os.devnull, way), mode))  # noqa: SIM115
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
