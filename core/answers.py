"""An annotator's answers, checked against the task's labels and files."""

import json
from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from decentralml.core.errors import Refused
from decentralml.core.text import short
from decentralml.core.words import count

ANSWERS = "answers.json"
FILES = "files/"
MAX_BYTES = 16 * 2**20
_SHOWN = 20


class AnswerCheck(Struct, frozen=True, kw_only=True):
    """What the answers hold. The three lists name the first 20; the counts beside them are whole.

    ``missing``: files without a label; ``unknown_files``: labels for files that the task does not have
    (both empty where the files are not known); ``unknown_labels``: "file: label" outside the list.
    """

    answers: int
    files: int | None
    per_label: dict[str, int]
    missing: tuple[str, ...] = ()
    unknown_files: tuple[str, ...] = ()
    unknown_labels: tuple[str, ...] = ()
    missing_count: int = 0
    unknown_files_count: int = 0
    unknown_labels_count: int = 0

    @property
    def complete(self) -> bool:
        """Whether every file has a label of the list, and nothing else is there."""
        return not (self.missing_count or self.unknown_files_count or self.unknown_labels_count)

    @property
    def given(self) -> str:
        """``3 of 5 answers``; ``3 answers`` where the files are not known."""
        if self.files is None:
            return count(self.answers, "answer")
        return f"{self.answers:,} of {count(self.files, 'answer')}"

    @property
    def faults(self) -> str:
        """What keeps them from being complete: ``1 file without an answer, 2 answers to no file``."""
        found = (
            (self.missing_count, "file", "without an answer"),
            (self.unknown_files_count, "answer", "to no file"),
            (self.unknown_labels_count, "label", "not in the list"),
        )
        return ", ".join(f"{count(number, noun)} {what}" for number, noun, what in found if number)


def files_to_label(names: Sequence[str]) -> dict[str, str]:
    """Where each file to label stands in a task's folder, by the name that answers give it.

    What is in ``files/`` where there is such a folder (the rest are scripts); else everything.
    """
    inside = {name.removeprefix(FILES): name for name in names if name.startswith(FILES)}
    return inside or {name: name for name in names}


def labels_of(text: str | None) -> tuple[str, ...]:
    """The class labels of a task: separated by commas, blanks around them dropped."""
    return tuple(label for part in (text or "").split(",") if (label := part.strip()))


def check(raw: bytes, labels: Sequence[str], shipped: Sequence[str] | None = None) -> AnswerCheck:
    """Check answers: a JSON object of a label by file name. ``shipped``: all that the task's folder holds.

    Raises `Refused` ("BadAnswers") where ``raw`` is anything else, or empty, or larger than 16 MiB.
    """
    answers = _parse(raw)
    known = set(labels)
    off = [f"{short(name, 80)}: {short(label, 80)}" for name, label in answers.items() if label not in known]
    expected = None if shipped is None else set(files_to_label(shipped))
    missing = [] if expected is None else sorted(expected - answers.keys())
    extra = [] if expected is None else sorted(answers.keys() - expected)
    counts = Counter(label for label in answers.values() if label in known)
    return AnswerCheck(
        answers=len(answers),
        files=None if expected is None else len(expected),
        per_label={label: counts[label] for label in labels},
        missing=tuple(short(name, 80) for name in missing[:_SHOWN]),
        unknown_files=tuple(short(name, 80) for name in extra[:_SHOWN]),
        unknown_labels=tuple(off[:_SHOWN]),
        missing_count=len(missing),
        unknown_files_count=len(extra),
        unknown_labels_count=len(off),
    )


def _parse(raw: bytes) -> dict[str, str]:
    if len(raw) > MAX_BYTES:
        raise _bad(f"they have {len(raw):,} bytes, the cap is {MAX_BYTES:,}")
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _bad(f"they are no JSON: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(label, str) for label in found.values()):
        raise _bad("they are not an object of one label by file name")
    if not found:
        raise _bad("they are empty")
    return found


def _bad(why: str) -> Refused:
    return Refused("BadAnswers", f"The answers are refused: {why}.", 'Send {"file": "label", …} as JSON.')
