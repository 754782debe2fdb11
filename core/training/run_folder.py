"""A run is a folder: what stands in it, who holds it, what it has been told.

run.json         the order (`RunSpec`), its bounds, and where it stood when the supervisor last wrote it
journal.jsonl    every event, written by the supervisor alone
output.log       what the worker prints (output.log.1: what came before)
supervisor.log   what the last supervisor itself printed: nothing, unless it broke
control/         control.json, which a person writes and the worker reads
job/             job.json, which the supervisor writes and the worker reads
out/             the one folder that the worker may write: checkpoint and result; hostile
lock             held by the supervisor for as long as it lives
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from decentralml.core.bounds import Bounds
from decentralml.core.domain import TaskType
from decentralml.core.environments import Interpreter
from decentralml.core.errors import Failed, Misused, Refused
from decentralml.core.paths import write_atomic
from decentralml.core.training import journal, queue
from decentralml.core.training.locks import held, hold
from decentralml.core.training.progress import Progress, fold

EPOCHS = range(1, 1_000_001)
BATCH_SIZES = range(1, 2**31)
SEEDS = range(2**32)  # what NumPy takes

Command = Literal["run", "pause", "stop"]


class RunSpec(Struct, frozen=True, kw_only=True):
    """What is to be trained, and how.

    ``assets``: the task's verified folder, in which ``script`` stands. ``data``: an .npz or a folder; None
    leaves it to the script. ``device``: "" (what there is), "cpu", "gpu" or "gpu:N". ``threads`` 0 and
    ``nice`` None mean the settings' own, ``interpreter`` None the program's own. ``trial``: a few batches.
    ``epochs``, ``batch_size`` and ``seed`` lie in `EPOCHS`, `BATCH_SIZES` and `SEEDS`.
    ``chain``: the genesis of the task's; task ids begin anew on each.
    """

    assets: Path
    script: str
    task_type: TaskType = TaskType.ModelContributor
    task_id: int | None = None
    submission_id: int | None = None
    chain: str = ""
    title: str = ""
    data: Path | None = None
    epochs: int = 1
    batch_size: int | None = None
    seed: int = 0
    holdout: float = 0.1
    model_name: str = "model"
    device: str = ""
    threads: int = 0
    nice: int | None = None
    unsandboxed: bool = False
    interpreter: Interpreter | None = None
    trial: bool = False

    def of_task(self, task_id: int, chain: str) -> bool:
        """Whether it trains task ``task_id`` of the chain whose genesis is ``chain``."""
        return self.task_id == task_id and self.on(chain)

    def on(self, chain: str) -> bool:
        """Whether its task is of the chain whose genesis is ``chain``. An order that names none fits any."""
        return self.chain in ("", chain)


class RunFile(Struct, kw_only=True):
    """run.json. ``progress`` is the fold of the journal up to byte ``offset``; readers fold the rest.

    ``queue``: the folder in which the run waits for its turn; None: it starts at once.
    """

    spec: RunSpec
    bounds: Bounds
    created: float
    queue: Path | None = None
    progress: Progress = field(default_factory=Progress)
    offset: int = 0


def _to_text(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(type(value))


def _from_text(kind: type[Any], value: object) -> Any:
    if issubclass(kind, Path):
        return Path(str(value))
    raise NotImplementedError(kind)


class RunFolder:
    """The folder of one run, whoever looks at it: the supervisor, the app, another terminal."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path / "run.json"
        self.journal = path / "journal.jsonl"
        self.log = path / "output.log"
        self.supervisor_log = path / "supervisor.log"
        self.control = path / "control"
        self.job = path / "job"
        self.out = path / "out"
        self.lock = path / "lock"

    def create(self, file: RunFile) -> None:
        """Fill the folder, which exists and is empty, with what a supervisor needs."""
        for folder in (self.control, self.job, self.out):
            folder.mkdir(mode=0o700)
        self.tell("run")
        self.store(file)

    def load(self) -> RunFile:
        """run.json. Raises `Refused` ("UnknownRun") where there is none, `Failed` ("BadRun") if broken."""
        try:
            return msgspec.json.decode(self.file.read_bytes(), type=RunFile, dec_hook=_from_text)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Refused(
                "UnknownRun",
                f"There is no run in {self.path}.",
                "`decentralml run list` shows those that exist.",
            ) from error
        except (OSError, msgspec.DecodeError) as error:
            raise Failed(
                "BadRun",
                f"Run {self.path.name} cannot be read: {self.file.name}: {error}.",
                f"`decentralml run remove {self.path.name}` takes it away.",
            ) from error

    def store(self, file: RunFile) -> None:
        write_atomic(self.file, msgspec.json.encode(file, enc_hook=_to_text))

    def current(self) -> RunFile:
        """run.json with what the journal says since it was written."""
        file = self.load()
        events, file.offset = journal.read(self.journal, file.offset)
        fold(file.progress, events)
        return file

    def tell(self, command: Command) -> None:
        """Leave ``command`` for the worker, in one step."""
        write_atomic(self.control / "control.json", msgspec.json.encode({"command": command}))

    def told(self) -> Command:
        """The command that stands. Without one that can be read: run."""
        try:
            value = msgspec.json.decode((self.control / "control.json").read_bytes(), type=dict[str, Command])
        except (OSError, msgspec.DecodeError):
            return "run"
        return value.get("command", "run")

    def alive(self) -> bool:
        """Whether a supervisor holds the run."""
        return held(self.lock)

    def result(self, name: str) -> Path:
        """The folder ``name`` below out/, as the worker calls its result; unchecked within.

        Raises `Refused` ("NoResult") where there is none, or the name is not one of a plain folder.
        """
        path = self.out / name
        if (
            not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name)
            or path.is_symlink()
            or not path.is_dir()
        ):
            raise Refused(
                "NoResult", "The run has left no result.", "`decentralml run show` says how far it came."
            )
        return path

    def launch(self) -> None:
        """Start a supervisor in a session of its own, that outlives this process and its terminal.

        Its lock and its place in the queue are taken here and handed over, so that it has both from the
        moment it is asked for. Raises `Misused` ("RunIsAlive") when another holds it.
        """
        waits = self.load().queue
        descriptor = hold(self.lock)
        if descriptor is None:
            raise Misused(
                "RunIsAlive",
                f"Run {self.path.name} is going on.",
                f"`decentralml run stop {self.path.name}` ends it.",
            )
        handed = [descriptor]
        try:
            arguments = [str(self.path), "--lock", str(descriptor)]
            if waits is not None:
                handed.append(queue.enter(waits, int(self.path.name)))
                arguments += ["--place", str(handed[1])]
            writer = journal.Writer(self.journal)
            writer.write(journal.Queued(t=time.time()))
            writer.close()
            with self.supervisor_log.open("wb") as log:
                subprocess.Popen(
                    [sys.executable, "-P", "-m", "decentralml.core.training.supervisor", *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=handed,
                    start_new_session=True,
                    cwd="/",
                )
        finally:
            for descriptor in handed:
                os.close(descriptor)
