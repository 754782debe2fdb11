"""What went wrong: what was being done, why, and how it is done again. The newest survive a restart."""

import json
import os
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from decentralml.core.errors import DecentralMLError, Failed, Misused, Refused
from decentralml.core.paths import write_atomic, writing
from decentralml.core.text import clean, printed, short
from decentralml.tui.hints import hint

Again = Callable[[], None]

_DURING = "decentralml during"  # the attribute of an exception that says so
_KEPT = 200
_STORY = 12_000  # characters; of a longer one the middle goes
_FILE = 4 * 2**20  # bytes; whoever else wrote into the file, no more is read


@dataclass
class Failure:
    """``when``: Unix seconds. ``doing``: what was being done. ``story``: causes and traceback, cleaned.

    ``again`` starts it anew, never past a question or a signature's card; None where nothing does, as after
    a restart.
    """

    when: float
    doing: str
    code: str
    message: str
    hint: str = ""
    story: str = ""
    again: Again | None = field(default=None, compare=False, repr=False)

    @property
    def key(self) -> tuple[float, str, str]:
        """By what a list of them knows it again."""
        return self.when, self.doing, self.code

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class Failures:
    """The newest failures, oldest first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loaded = False
        self._kept: list[Failure] = []
        self._unsaved: list[tuple[Failure, BaseException]] = []

    @contextmanager
    def during(self, doing: str, again: Again | None = None) -> Iterator[None]:
        """What is raised within was raised while ``doing``; of several, the innermost says it best.

        Where nothing is, it has gone well: see `settled`.
        """
        try:
            yield
        except Exception as error:
            vars(error).setdefault(_DURING, (doing, again))
            raise
        self.settled(doing)

    def settled(self, doing: str) -> None:
        """What went wrong while ``doing`` this has gone well since: nobody needs to do it again."""
        for failure in self._kept:
            if failure.doing == doing:
                failure.again = None

    def about(
        self, error: BaseException, doing: str = "", again: Again | None = None
    ) -> tuple[str, Again | None]:
        """What was being done and how to do it again, as `during` was told; else what is given."""
        for one in _chain(error):
            doing, again = vars(one).get(_DURING, (doing, again))
        return doing, again

    def append(self, error: DecentralMLError, doing: str = "", again: Again | None = None) -> Failure:
        """Keep ``error``, as of now; ``doing`` and ``again`` as `about` knows them."""
        doing, again = self.about(error, doing, again)
        failure = Failure(time.time(), doing, error.code, error.message, hint(error), again=again)
        self._kept.append(failure)
        self._unsaved.append((failure, error))
        del self._kept[:-_KEPT]
        return failure

    def newest(self) -> list[Failure]:
        """Newest first."""
        return self._kept[::-1]

    def __iter__(self) -> Iterator[Failure]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, index: int) -> Failure:
        return self._kept[index]

    # Blocking: for background threads

    def load(self) -> None:
        """Read, once, what earlier starts have kept; a line that cannot be read is passed over."""
        if self._loaded:
            return
        self._loaded = True
        try:
            with self._path.open("rb") as file:
                file.seek(max(os.fstat(file.fileno()).st_size - _FILE, 0))
                lines = file.read(_FILE).splitlines()
        except OSError:
            return
        found = [failure for line in lines if (failure := _read(line)) is not None]
        self._kept[:0] = found[-_KEPT:]
        if len(lines) > 2 * _KEPT:
            with suppress(OSError, Failed), writing(self._path):
                write_atomic(self._path, b"".join(_line(failure) for failure in found[-_KEPT:]))

    def save(self) -> None:
        """Tell the story of what is new, and write it down. A full disk costs the file, not the app."""
        unsaved, self._unsaved = self._unsaved, []
        for failure, error in unsaved:
            failure.story = story(error)
        if unsaved:
            with suppress(OSError, Failed), writing(self._path):
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
                descriptor = os.open(self._path, flags, 0o600)
                with os.fdopen(descriptor, "ab") as file:
                    file.writelines(_line(failure) for failure, _ in unsaved)


def story(error: BaseException) -> str:
    """The causes of ``error`` in a line each, and where it was raised. No value of a variable is in it.

    A refusal that nothing caused has none: its words say it all.
    """
    causes = _chain(error)[1:]
    if not causes and (error.__traceback__ is None or isinstance(error, Misused | Refused)):
        return ""
    told = [f"because {type(cause).__name__}: {short(printed(str(cause)), 500)}" for cause in causes]
    trace = clean(printed("".join(traceback.format_exception(error))), keep_newlines=True).rstrip()
    if len(trace) > _STORY:
        trace = f"{trace[: _STORY // 3]}\n  …\n{trace[-2 * _STORY // 3 :]}"
    return "\n".join([*told, trace])


def _chain(error: BaseException) -> list[BaseException]:
    """``error`` and what caused it, as tracebacks show it."""
    chain = [error]
    while True:
        last = chain[-1]
        cause = last.__cause__ or (None if last.__suppress_context__ else last.__context__)
        if cause is None or cause in chain:
            return chain
        chain.append(cause)


_TEXTS = ("doing", "code", "message", "hint", "story")


def _line(failure: Failure) -> bytes:
    values = {"when": failure.when} | {name: getattr(failure, name) for name in _TEXTS}
    return json.dumps(values).encode() + b"\n"


def _read(line: bytes) -> Failure | None:
    try:
        values = json.loads(line)
        doing, code, message, hint, story = (clean(str(values[name]), keep_newlines=True) for name in _TEXTS)
        return Failure(float(values["when"]), doing, code, message, hint, story)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
