"""A stranger's model asked for predictions: in the sandbox, a fresh process for each question."""

import json
import math
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from decentralml.core import sandbox
from decentralml.core.bounds import in_words
from decentralml.core.config import Settings
from decentralml.core.errors import Failed, Interrupted, Refused
from decentralml.core.models.limits import Limits
from decentralml.core.models.session import GIVE_UP, Session, died, killed
from decentralml.core.sandboxed.zygote import HEAD, batch_rows
from decentralml.core.text import clean, printed, short

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

_TEXT = 1 << 20
# Where Keras, after what went wrong, begins to list the arguments of its call.
_CALL = "Arguments received by"
# The most bytes of outputs: for one sample, and in all.
_ROW_CAP = 64 << 20
_CAP = 2 << 30

OnRows = Callable[[int, int], None]


class Evaluator:
    """Asks models for predictions and summaries. A context manager; usable from several threads.

    TensorFlow is imported once, in a sandboxed process that stays; every question is answered by a child of
    its own, which sees the files of that question and inputs, never labels. What comes back is checked here.

    ``stall``: seconds without a new batch (or a loaded model) after which a question is given up.
    ``versions``: of what runs in there, once it has answered; ``starts``: how often TensorFlow was imported.
    """

    def __init__(
        self,
        settings: Settings = Settings(),  # noqa: B008 - frozen
        *,
        unsandboxed: bool = False,
        stall: float = 120.0,
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        self.unsandboxed = unsandboxed
        self.limits = limits
        self.settings = settings
        self.versions: dict[str, str] = {}
        self.starts = 0
        self._stall = stall
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._asked = 0

    @property
    def protection(self) -> str:
        """Such as "bwrap 0.8.0", or "none". Raises `Unavailable` ("NoSandbox")."""
        return sandbox.protection(self.unsandboxed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process; a later question starts another."""
        with self._lock:
            self._end()

    def warm(self) -> None:
        """Start the process without waiting for it, so that the first question finds it ready."""
        with self._lock:
            self._begin()

    def predict(
        self,
        model: Path,
        x: "Array",
        *,
        cancelled: Callable[[], bool] = lambda: False,
        on_progress: OnRows | None = None,
    ) -> "Array":
        """What ``model`` (a Keras 3 folder or .keras file) gives for inputs ``x``, fed as they are.

        Samples first; float32, finite, a row a sample. ``on_progress(rows, of)``. Raises `Refused`
        ("BadPredictions", or as `inspect` for files and config), `Failed` ("EvaluationFailed",
        "EvaluationKilled", "EvaluationStalled", "EvaluatorDied"), `Interrupted`, `Unavailable` ("NoSandbox").
        """
        import numpy as np

        if not len(x):
            raise _bad("there are no inputs")
        cap = HEAD + min(_CAP, max(_ROW_CAP, _ROW_CAP // 64 * len(x)))
        with self._lock:
            data = _twice(lambda: self._ask("predict", model, x, cap, cancelled, on_progress))
        shape, rest = _shape(data[:HEAD]), data[HEAD:]
        if shape is None or shape[0] != len(x) or math.prod(shape) * 4 != len(rest):
            raise _bad("their number or shape is not that of the inputs")
        found = np.frombuffer(rest, "<f4").reshape(shape)
        if not np.isfinite(found).all():
            raise _bad("they hold NaN or infinity")
        return found

    def summary(self, model: Path, *, cancelled: Callable[[], bool] = lambda: False) -> str:
        """Keras's own table of the model, as plain text. Raises as `predict`."""
        with self._lock:
            data = _twice(lambda: self._ask("summary", model, None, _TEXT, cancelled, None))
        text = _object(data).get("text")
        if not isinstance(text, str):
            raise _bad("the summary is no text")
        return clean(text, keep_newlines=True)

    def _ask(
        self,
        what: str,
        model: Path,
        x: "Array | None",
        cap: int,
        cancelled: Callable[[], bool],
        on_progress: OnRows | None,
    ) -> bytes:
        """One question, under the lock. The process ends with whatever went wrong inside it."""
        if cancelled():
            raise Interrupted("Cancelled", "The evaluation was cancelled.")
        session = self._begin()
        samples = 0 if x is None else len(x)
        steps = 2 if x is None else 2 + math.ceil(samples / batch_rows(x[:1].nbytes))

        def on_bytes(count: int) -> None:
            shape = _shape(session.head())
            if on_progress and shape and shape[0] == samples:
                on_progress(min(samples, (count - HEAD) // max(1, math.prod(shape[1:]) * 4)), samples)

        self._asked += 1
        try:
            session.put(model, x, self.limits)
        except BaseException:
            # Nothing of it has been opened inside: the process may stay.
            session.clear()
            raise
        try:
            status = session.ask(
                {"id": self._asked, "what": what},
                stall=self._stall,
                steps=steps,
                cap=cap,
                cancelled=cancelled,
                on_bytes=on_bytes,
            )
            self.versions = session.versions
            if os.WIFSIGNALED(status):
                raise self._ended(session, signal.Signals(os.WTERMSIG(status)))
            data = session.take(cap)
            session.clear()
        except BaseException:
            self._end()
            raise
        if status:
            found = _object(data)
            how = "loaded" if found.get("where") == "load" else "run"
            said = printed(str(found.get("error", "it ended without a word")))
            why = short(said.partition(_CALL)[0].strip(), 600)
            raise Failed("EvaluationFailed", f"The model could not be {how}: {why}", GIVE_UP)
        return data

    def _begin(self) -> Session:
        if self._session is None:
            self._session = Session(self.settings, unsandboxed=self.unsandboxed)
            self.starts += 1
        return self._session

    def _end(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.end()

    def _ended(self, session: Session, by: signal.Signals) -> Failed:
        if passed := session.exceeded():
            return killed(passed)
        if by is signal.SIGKILL:  # nothing in there sends it
            return died(f"was killed ({by.name}).")
        memory = in_words(self.settings.sandbox_memory << 20)
        return killed(f"It got {by.name}; it may use {memory} of memory.")


def _twice(ask: Callable[[], bytes]) -> bytes:
    """What ``ask`` answers; asked once more where the process died of something else than the question."""
    try:
        return ask()
    except Failed as error:
        if error.code != "EvaluatorDied":
            raise
    return ask()


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _shape(head: bytes) -> tuple[int, ...] | None:
    """The shape in an answer's head: 1 to 8 axes, none negative or absurd; None for anything else."""
    shape = _object(head).get("shape")
    if not isinstance(shape, list) or not 1 <= len(shape) <= 8:
        return None
    return tuple(shape) if all(type(axis) is int and 0 <= axis < 2**40 for axis in shape) else None


def _bad(why: str) -> Refused:
    return Refused("BadPredictions", f"The predictions are refused: {why}.", GIVE_UP)
