"""The runs of a home: start, list, stop, pause, resume, read, remove."""

import contextlib
import os
import re
import time
from pathlib import Path
from typing import Literal

from msgspec import Struct

from decentralml.core import hostile, sandbox
from decentralml.core.bounds import Bounds
from decentralml.core.config import Settings
from decentralml.core.errors import DecentralMLError, Failed, Misused, Refused, Unavailable
from decentralml.core.paths import Home, write_atomic, writing
from decentralml.core.sandboxed import npz
from decentralml.core.text import clean, printed
from decentralml.core.training import job, queue
from decentralml.core.training.progress import Progress
from decentralml.core.training.run_folder import (
    BATCH_SIZES,
    EPOCHS,
    SEEDS,
    RunFile,
    RunFolder,
    RunSpec,
)

__all__ = ["Progress", "Run", "RunSpec", "Runs", "State"]

State = Literal[
    "queued", "starting", "running", "paused", "stopping", "stopped", "finished", "failed", "crashed"
]
ENDED: tuple[State, ...] = ("stopped", "finished", "failed", "crashed")

Lines = list[str]

_MIB = 1024 * 1024
_TAIL = 256 * 1024


class Run(Struct, frozen=True, kw_only=True):
    """A run as it stands. Times in unix seconds. ``last``: the fold of all its events.

    ``result_folder``: where the worker says that the result stands, unchecked; None before.
    """

    id: int
    spec: RunSpec
    state: State
    created: float
    last: Progress
    folder: Path
    result_folder: Path | None

    @property
    def ended(self) -> bool:
        """Whether nothing of it runs or waits any more."""
        return self.state in ENDED


class Runs:
    """The runs of one home. Any number of processes may look at them and command them at once."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self._home = home
        self._settings = settings
        self._over: dict[int, tuple[int, Run]] = {}

    def start(self, spec: RunSpec) -> Run:
        """Queue a run; its supervisor begins as soon as its turn comes, and outlives this process.

        Raises `Misused` for an order that cannot be carried out, `Unavailable` without a sandbox, `OSError`.
        """
        check(spec)
        sandbox.protection(spec.unsandboxed)
        settings = self._settings
        self.wake()
        id, folder = self._allocate()
        try:
            folder.create(
                RunFile(
                    spec=complete(spec, settings),
                    bounds=bounds(settings),
                    created=time.time(),
                    queue=self._queue,
                )
            )
            with contextlib.suppress(Misused):  # somebody else's `wake` was quicker
                folder.launch()
        except OSError:
            hostile.delete(folder.path)
            raise
        return self.get(id)

    def wake(self) -> None:
        """Give those that wait in the queue a supervisor again, where theirs went with the machine.

        What was waiting then goes on waiting; what was running has crashed, and is resumed by a person.
        """
        queue.set_limit(self._queue, self._settings.max_runs)
        for run in reversed(self.list()):
            folder = RunFolder(run.folder)
            if run.state == "queued" and not folder.alive():
                # Another process may have been quicker; and what cannot be started now goes on waiting.
                with contextlib.suppress(DecentralMLError, OSError):
                    folder.launch()

    def card(self, spec: RunSpec) -> Lines:
        """What a run of ``spec`` may touch, a line each, for a person to read before it starts."""
        spec = complete(spec, self._settings)
        folder = RunFolder(self._home.runs / "N")
        cell = job.cell(spec, bounds(self._settings), folder)
        return sandbox.describe(cell, unsandboxed=spec.unsandboxed)

    def look(self) -> tuple[list[Run], dict[int, Failed]]:
        """Every run, newest first; and of each that cannot be read, why. Raises `Unavailable` ("NoRuns").

        One that has ended is read again only when its journal has grown: this may be asked every second.
        """
        runs, unread, root = [], {}, self._home.runs
        for id in sorted(self._ids(), reverse=True):
            try:
                runs.append(self._known(id, root / str(id)))
            except Refused:
                continue  # it is being made, or was removed meanwhile
            except Failed as error:
                unread[id] = error
            except OSError as error:
                unread[id] = _unreadable(id, error)
        return runs, unread

    def list(self) -> list[Run]:
        """Every run that can be read, newest first. Raises `Unavailable` ("NoRuns")."""
        return self.look()[0]

    def _known(self, id: int, folder: Path) -> Run:
        length = _length(RunFolder(folder).journal)
        kept = self._over.get(id)
        if kept is not None and kept[0] == length:
            return kept[1]
        run = self.get(id)
        if run.ended:
            self._over[id] = length, run
        return run

    def get(self, id: int) -> Run:
        """The run ``id``. Raises `Refused` ("UnknownRun"), `Failed` ("BadRun")."""
        try:
            return self._read(id)
        except OSError as error:
            raise _unreadable(id, error) from error

    def _read(self, id: int) -> Run:
        folder = self._at(id)
        state, file = _look(folder)
        if state == "crashed":
            # Unless it was just being resumed, between the look at its lock and that at its journal.
            state, file = _look(folder)
        return Run(
            id=id,
            spec=file.spec,
            state=state,
            created=file.created,
            last=file.progress,
            folder=folder.path,
            result_folder=_result(folder, file.progress),
        )

    def folder(self, id: int) -> Path:
        """The folder of run ``id``. Raises `Refused` ("UnknownRun")."""
        return self._at(id).path

    def stop(self, id: int) -> None:
        """Ask the run to end; its supervisor ends it when it does not. Raises `Misused` ("RunHasEnded")."""
        self._living(id).tell("stop")

    def pause(self, id: int) -> None:
        """Ask the run to wait at the next batch end; it keeps its slot. Raises `Misused` ("RunHasEnded")."""
        self._living(id).tell("pause")

    def resume(self, id: int) -> Run:
        """Let a paused run go on, or start one that did not finish again from its last checkpoint.

        Raises `Misused` ("RunHasEnded") for a finished one, ("RunIsStopping") for one that is about to end.
        """
        run = self.get(id)
        folder = self._at(id)
        if run.state == "finished":
            raise Misused("RunHasEnded", f"Run {id} is finished.", "Start a new run to train again.")
        if not run.ended and folder.told() == "stop":
            raise Misused("RunIsStopping", f"Run {id} is stopping.", "Resume it when it has stopped.")
        folder.tell("run")
        self.wake()
        if run.ended:
            folder.launch()
        self._over.pop(id, None)  # it goes on before its journal grows
        return self.get(id)

    def remove(self, id: int) -> None:
        """Delete a run that has ended, with checkpoint and result. Raises `Misused` ("RunIsAlive")."""
        folder = self._at(id)
        if folder.alive():
            raise Misused("RunIsAlive", f"Run {id} has not ended.", f"`decentralml run stop {id}` ends it.")
        with writing(self._removed):
            write_atomic(self._removed, str(max(id, self._last_removed())).encode())
        hostile.delete(folder.path)

    def tail(self, id: int, lines: int = 200) -> Lines:
        """The last lines of what the worker printed, without control characters; at most 256 KiB are read."""
        return tail(self._at(id).log, lines)

    def result_folder(self, id: int) -> Path:
        """Where the run's result stands: a folder below its out/, unchecked within.

        Raises `Refused` ("NoResult") when the worker left none.
        """
        folder = self._at(id)
        return folder.result(folder.current().progress.folder)

    @property
    def _queue(self) -> Path:
        return self._home.folder(self._home.runs / ".queue")

    def _at(self, id: int) -> RunFolder:
        folder = RunFolder(self._home.runs / str(id))
        if not folder.file.exists():
            raise Refused(
                "UnknownRun", f"There is no run {id}.", "`decentralml run list` shows those that exist."
            )
        return folder

    def _living(self, id: int) -> RunFolder:
        run = self.get(id)
        if run.ended:
            raise Misused(
                "RunHasEnded", f"Run {id} has ended: {run.state}.", "There is nothing left to stop or pause."
            )
        return self._at(id)

    def _ids(self) -> set[int]:
        try:
            names = os.listdir(self._home.runs)
        except OSError as error:
            raise Unavailable(
                "NoRuns",
                f"The runs in {self._home.runs} cannot be listed: {error.strerror}.",
                "See to the folder's owner and permissions.",
            ) from error
        return {int(name) for name in names if name.isascii() and name.isdigit()}

    @property
    def _removed(self) -> Path:
        """The highest number of a run that was removed: whoever noted it must not find another run by it."""
        return self._home.runs / ".removed"

    def _last_removed(self) -> int:
        try:
            return int(self._removed.read_text())
        except (OSError, ValueError):
            return 0

    def _allocate(self) -> tuple[int, RunFolder]:
        # In this order: a run that is not among them any more has been noted.
        id = max(self._ids(), default=0)
        id = max(id, self._last_removed())
        while True:
            id += 1
            path = self._home.runs / str(id)
            try:
                path.mkdir(mode=0o700)
            except FileExistsError:
                continue
            return id, RunFolder(path)


def check(spec: RunSpec) -> None:
    """Raises `Misused` where ``spec`` names what is not there or makes no sense, and as `npz.look` for data
    that say already that nothing can be trained on them.
    """
    if not (spec.assets / spec.script).is_file():
        raise Misused(
            "NoScript",
            f"There is no {spec.script} in {spec.assets}.",
            "The task names another script, or its assets are not whole.",
        )
    if spec.data is not None and not spec.data.exists():
        raise Misused("NoData", f"There is nothing at {spec.data}.", "--data takes an .npz file or a folder.")
    npz.look(spec.data, spec.assets)
    _check_number("BadEpochs", "number of epochs", spec.epochs, EPOCHS)
    if spec.batch_size is not None:
        _check_number("BadBatchSize", "size of a batch", spec.batch_size, BATCH_SIZES)
    _check_number("BadSeed", "seed", spec.seed, SEEDS)
    if not re.fullmatch(r"(cpu|gpu(:\d+)?)?", spec.device):
        raise Misused("BadDevice", f"{spec.device[:40]!r} is no device.", "Known: cpu, gpu, gpu:N.")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", spec.model_name):
        raise Misused(
            "BadModelName",
            f"{spec.model_name[:60]!r} cannot name a folder.",
            "Use letters, digits, dots, dashes and underscores, at most 64.",
        )


def _check_number(code: str, what: str, value: int, allowed: range) -> None:
    if value not in allowed:
        raise Misused(code, f"{value} is no {what}.", f"Give one of {allowed[0]} to {allowed[-1]:,}.")


def bounds(settings: Settings) -> Bounds:
    return Bounds(
        memory=settings.sandbox_memory * _MIB,
        disk=settings.sandbox_disk * _MIB,
        processes=settings.sandbox_processes,
    )


def tail(log: Path, lines: int = 200, most: int = _TAIL) -> list[str]:
    """The last lines of a log, of its last ``most`` bytes; of one that a progress bar wrote over, the end."""
    text = b""
    for path in (log.with_name(log.name + ".1"), log):
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(size - most, 0))
            text = (text + file.read(most))[-most:]
    shown = [
        clean(printed(line.rstrip("\r").rpartition("\r")[2]))
        for line in text.decode("utf-8", "replace").split("\n")
    ]
    if shown and not shown[-1]:
        shown.pop()
    return shown[-lines:]


def complete(spec: RunSpec, settings: Settings) -> RunSpec:
    """``spec`` with the settings' own where it leaves something open, and absolute paths."""
    import msgspec

    return msgspec.structs.replace(
        spec,
        assets=spec.assets.absolute(),
        data=spec.data.absolute() if spec.data else None,
        threads=spec.threads or settings.threads,
        nice=settings.nice if spec.nice is None else spec.nice,
    )


def _look(folder: RunFolder) -> tuple[State, RunFile]:
    # The lock first: a run that ends in between is then not taken for crashed.
    alive = folder.alive()
    file = folder.current()
    phase = file.progress.phase
    if phase in ("stopped", "finished", "failed"):
        return phase, file
    if not alive:
        said = tail(folder.supervisor_log, 1)
        if phase == "queued" and file.queue is not None and not said:
            # Its supervisor went with the machine while it waited: `Runs.wake` gives it another one.
            return ("stopped" if folder.told() == "stop" else "queued"), file
        why = f"broke: {said[0]}" if said else "was ended from outside."
        file.progress.code = "Crashed"
        file.progress.error = f"Its supervisor {why}"
        return "crashed", file
    return "stopping" if folder.told() == "stop" else phase, file


def _unreadable(id: int, error: OSError) -> Failed:
    return Failed(
        "BadRun",
        f"Run {id} cannot be read: {error.strerror}: {error.filename}.",
        "See to its owner and permissions.",
    )


def _length(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _result(folder: RunFolder, progress: Progress) -> Path | None:
    try:
        return folder.result(progress.folder)
    except Refused:
        return None
