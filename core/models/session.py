"""One sandboxed zygote and the two folders through which it is asked: files in, one answer out."""

import contextlib
import json
import os
import select
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from decentralml.core import hostile, sandbox
from decentralml.core.bounds import in_words
from decentralml.core.config import Settings
from decentralml.core.errors import Failed, Interrupted, Refused
from decentralml.core.models.formats import CONFIG, WEIGHTS, as_folder
from decentralml.core.models.inspect import read_config
from decentralml.core.models.limits import Limits
from decentralml.core.sandboxed.zygote import HEAD
from decentralml.core.text import clean, printed

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

_PREFIX = "decentralml-evaluate-"
_ANSWER = "answer"
_LOG_BYTES = 16 << 20
_LINE_BYTES = 1 << 16
_POLL = 0.25
_LAST_WORDS = 1.0
GIVE_UP = "Look at the model; the other results can be evaluated as before."


class Session:
    """A running zygote. Not safe for threads; `end` ends it and removes its folders.

    Raises `Unavailable` ("NoSandbox") when made.
    """

    def __init__(self, settings: Settings, *, unsandboxed: bool) -> None:
        self.versions: dict[str, str] = {}
        self.memory = settings.sandbox_memory << 20
        _sweep(Path(tempfile.gettempdir()))
        self._root = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        self._exchange, self._answers = self._root / "exchange", self._root / "answers"
        self._received = b""
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by end()
        try:
            self._exchange.mkdir(mode=0o755)
            self._answers.mkdir(mode=0o700)
            exchange, answers = Path("/exchange"), Path("/answers")
            self._process = sandbox.popen(
                sandbox.Cell(
                    command=(
                        *("python", "-m", "decentralml.core.sandboxed.zygote", str(exchange), str(answers)),
                        *(() if unsandboxed else ("alone",)),
                    ),
                    reads=((self._exchange, exchange),),
                    writes=(self._answers, answers),
                    memory=self.memory,
                    disk=settings.sandbox_disk << 20,
                    processes=settings.sandbox_processes,
                    threads=settings.threads,
                ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                unsandboxed=unsandboxed,
            )
        except BaseException:
            self._log.close()
            _remove(self._root)
            raise

    def end(self) -> None:
        """Kill everything in the sandbox, and remove what was exchanged."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(OSError):  # a question that nobody reads any more
                    pipe.close()
        self._log.close()
        _remove(self._root)

    def put(self, model: Path, x: "Array | None", limits: Limits) -> None:
        """Lay out the files of one question: config without compile settings, weights, inputs.

        Raises `Refused` as `inspect` does for the config.
        """
        import numpy as np

        target = self._exchange / "model"
        target.mkdir(mode=0o755)
        with as_folder(model, limits) as folder:
            # How a candidate was compiled is none of the evaluation's business.
            config = read_config(folder, limits) | {"compile_config": None}
            (target / CONFIG).write_text(json.dumps(config))
            with (
                hostile.open_file(folder.resolve(), WEIGHTS, limits.weights) as source,
                (target / WEIGHTS).open("xb") as sink,
            ):
                shutil.copyfileobj(source, sink, hostile.BLOCK)
        if x is not None:
            np.save(self._exchange / "x.npy", np.ascontiguousarray(x), allow_pickle=False)

    def clear(self) -> None:
        """Remove the files of the question and of its answer.

        Raises `Failed` ("EvaluationFailed") where the model's process has left what cannot be removed.
        """
        try:
            for folder in (self._exchange, self._answers):
                for path in folder.iterdir():
                    if path.is_dir() and not path.is_symlink():
                        shutil.rmtree(path)
                    else:
                        path.unlink()
        except OSError as error:
            why = f"The model's process left what cannot be removed: {error.strerror}."
            raise Failed("EvaluationFailed", why, GIVE_UP) from error

    def ask(
        self,
        question: dict[str, Any],
        *,
        stall: float,
        steps: int,
        cap: int,
        cancelled: Callable[[], bool],
        on_bytes: Callable[[int], None],
    ) -> int:
        """Ask, and wait for the child's end; its wait status.

        Given up when nothing is added to the answer for ``stall`` seconds; additions renew the period at
        most ``steps`` times. ``cap``: the most bytes an answer may have.
        """
        if not self.versions:
            try:
                self.versions = self._message(stall, 0, -1, cancelled, on_bytes)["ready"]
            except Failed as error:  # nothing of a model has been opened yet
                raise Failed(
                    "NoEvaluator", f"TensorFlow does not start: {error.message}", error.hint
                ) from error
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise self._dead() from error
        return int(self._message(stall, steps, cap, cancelled, on_bytes)["status"])

    def take(self, cap: int) -> bytes:
        """The answer, of at most ``cap`` bytes; empty where there is none."""
        try:
            return hostile.read_bytes(self._answers, _ANSWER, cap)
        except Refused as refused:
            if refused.code == "NoSuchFile":
                return b""
            raise

    def head(self) -> bytes:
        """The first bytes of an answer that is being written."""
        try:
            with hostile.open_file(self._answers, _ANSWER, 1 << 62) as file:
                return file.read(HEAD)
        except (Refused, Failed):
            return b""

    def log(self) -> str:
        """The last lines of what was printed inside, for an error message."""
        self._log.seek(max(0, os.fstat(self._log.fileno()).st_size - 2000))
        return clean(printed(self._log.read(2000).decode(errors="replace")), keep_newlines=True).strip()

    def _message(
        self,
        stall: float,
        steps: int,
        cap: int,
        cancelled: Callable[[], bool],
        on_bytes: Callable[[int], None],
    ) -> dict[str, Any]:
        """The next message of the zygote, while the sandbox, its log and the answer keep within bounds."""
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        until, looked, known = time.monotonic() + stall, 0.0, 0
        while b"\n" not in self._received:
            if select.select([pipe], [], [], _POLL)[0]:
                data = os.read(pipe, _LINE_BYTES)
                self._received += data
                if not data or len(self._received) > _LINE_BYTES:
                    raise self._dead()
                continue
            now = time.monotonic()
            if cancelled():
                raise Interrupted("Cancelled", "The evaluation was cancelled.")
            grown = self._answer_size()
            if grown > known:
                known, steps = grown, steps - 1
                on_bytes(known)
                if steps >= 0:
                    until = now + stall
            if cap >= 0 and known > cap:
                raise killed(f"It gave more than {in_words(cap)}.")
            if now > until:
                raise Failed(
                    "EvaluationStalled", f"The model gave nothing new for {stall:g} seconds.", GIVE_UP
                )
            if now - looked > 1:
                looked = now
                if passed := self.exceeded():
                    raise killed(passed)
        line, _, self._received = self._received.partition(b"\n")
        return dict(json.loads(line))

    def exceeded(self) -> str:
        """The bound that was passed, as a sentence; "" when none."""
        if os.fstat(self._log.fileno()).st_size > _LOG_BYTES:
            return f"It printed more than {in_words(_LOG_BYTES)}."
        return self._process.exceeded()

    def _answer_size(self) -> int:
        try:
            return (self._answers / _ANSWER).lstat().st_size
        except OSError:
            return 0

    def _dead(self) -> Failed:
        passed = self._process.exceeded()
        with contextlib.suppress(subprocess.TimeoutExpired):  # what ends by itself says how
            self._process.wait(_LAST_WORDS)
        self._process.kill()
        code = self._process.wait()
        if passed:
            return killed(passed)
        if code in (-signal.SIGKILL, 128 + signal.SIGKILL):  # the sandbox says so of what ran in it
            return died("was killed (SIGKILL).")
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        why = self.log().rpartition("\n")[2] or "it said nothing"
        return died(f"ended ({how}): {why.rstrip('.')}.")


def _remove(root: Path) -> None:
    with contextlib.suppress(OSError):  # what stays is swept by a later session
        hostile.delete(root)


def _sweep(folder: Path) -> None:
    """Remove what sessions of processes that are gone have left: models, and held-out inputs."""
    for left in folder.glob(f"{_PREFIX}*"):
        owner = left.name.removeprefix(_PREFIX).split("-")[0]
        with contextlib.suppress(OSError):
            # Others may put anything there under such a name, links too; of one's own only folders are.
            status = left.lstat()
            own = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
            if own and not Path("/proc", owner).exists():
                hostile.delete(left)


def killed(why: str) -> Failed:
    """The model passed a bound, or broke its process: its own fault."""
    return Failed("EvaluationKilled", f"The model was ended: {why}", GIVE_UP)


def died(why: str) -> Failed:
    """No bound ended the process: the machine did, short of memory, or the model by a trick."""
    return Failed(
        "EvaluatorDied",
        f"The evaluating process {why}",
        "Free some memory and try again.",
    )
