"""Decisions on results that are not signed yet: kept on disk, taken back at will, signed together later."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

import msgspec
from msgspec import Struct

from decentralml.core.domain import REASON_BYTES
from decentralml.core.errors import Misused, Unavailable
from decentralml.core.paths import Home, write_atomic, writing


class Word(StrEnum):
    """What a creator says of a result."""

    accept = "accept"
    reject = "reject"
    changes = "changes"


class Draft(Struct, frozen=True, kw_only=True):
    """A decision on the result with this ``digest``. ``made``: Unix seconds.

    ``reason`` is empty for an accept, 1 to 1024 bytes for the others.
    """

    submission_id: int
    digest: str
    word: Word
    reason: str = ""
    made: float = 0.0


def check_reason(word: Word, reason: str) -> None:
    """Raise `Misused` ("BadReason") where the chain would not take ``reason`` with ``word``."""
    size = len(reason.encode())
    if word is not Word.accept and not (reason.strip() and size <= REASON_BYTES):
        raise Misused(
            "BadReason",
            f"The reason has {size:,} bytes; 1 to {REASON_BYTES:,} fit, and not all of them blank.",
            "The worker reads it: say what was wrong.",
        )


class Drafts:
    """The drafts of one home, a chain each for itself (``genesis``). One draft a submission.

    Safe for several terminals on one home. Every method raises `Unavailable` ("DraftsUnreadable"), those
    that change something also `Failed` ("CannotWrite").
    """

    def __init__(self, home: Home, genesis: str, now: Callable[[], float] = time.time) -> None:
        home.folder(home.data_dir)
        self._path = home.drafts
        self._genesis = genesis
        self._now = now

    def all(self) -> dict[int, Draft]:
        """Every draft by submission."""
        return {draft.submission_id: draft for draft in (self._read() or {}).get(self._genesis, [])}

    def put(self, submission_id: int, digest: str, word: Word, reason: str = "") -> Draft:
        """Keep a decision, in place of an earlier one. Raises `Misused` ("BadReason")."""
        check_reason(word, reason)
        draft = Draft(submission_id=submission_id, digest=digest, word=word, reason=reason, made=self._now())
        with self._changing() as drafts:
            drafts[submission_id] = draft
        return draft

    def take_back(self, submission_id: int) -> Draft | None:
        """Forget a draft; the one that was there."""
        with self._changing() as drafts:
            return drafts.pop(submission_id, None)

    @contextmanager
    def _changing(self) -> Iterator[dict[int, Draft]]:
        with writing(self._path):
            drafts = self.all()
            yield drafts
            kept = self._read()
            if kept is None:
                # Set aside and not thrown away: a person wrote those reasons.
                self._path.replace(self._path.with_suffix(".broken"))
            kept = {**(kept or {}), self._genesis: list(drafts.values())}
            write_atomic(self._path, msgspec.json.encode(kept))

    def _read(self) -> dict[str, list[Draft]] | None:
        """What stands in the file; None where that is broken, which only who holds the lock may change."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, list[Draft]])
        except FileNotFoundError:
            return {}
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None
        except OSError as error:
            raise Unavailable(
                "DraftsUnreadable",
                f"The drafts in {self._path} cannot be read: {error.strerror}.",
                "Check that the home's folder is yours.",
            ) from error
