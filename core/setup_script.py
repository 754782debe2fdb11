"""A task's setup.sh: shown first, then run in the sandbox on a copy of the task's folder."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from decentralml.core import bounds, hostile, sandbox
from decentralml.core.environments import Interpreter
from decentralml.core.errors import Failed
from decentralml.core.sandbox import Cell

NAME = "setup.sh"
SCRIPT_LIMIT = 256 << 10
LOG_LIMIT = 16 << 20
INSIDE = Path("/task")


@dataclass(frozen=True)
class Result:
    """How setup.sh ended. ``stopped``: "", or why it was ended. ``folder``: the copy, prepared when `ok`."""

    returncode: int
    stopped: str
    folder: Path
    log: Path

    @property
    def ok(self) -> bool:
        return self.returncode == 0 and not self.stopped


def read_script(task: Path) -> str | None:
    """The text of the task's setup.sh; None where it has none. To be shown through `text.visible`.

    Raises `Refused` as `hostile.read_bytes` does.
    """
    if not os.path.lexists(task / NAME):
        return None
    return hostile.read_bytes(task, NAME, SCRIPT_LIMIT).decode("utf-8", "replace")


def cell(
    folder: Path, python: Interpreter, *, network: bool = False, memory: int, disk: int, processes: int
) -> Cell:
    """What setup.sh may touch when it runs in ``folder``: to be described to the person before `prepare`."""
    return Cell(
        command=("/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh", f"./{NAME}"),
        writes=(folder, INSIDE),
        cwd=INSIDE,
        network=network,
        python=python,
        memory=memory,
        disk=disk,
        processes=processes,
    )


def prepare(
    task: Path,
    what: Cell,
    *,
    log: Path,
    caps: hostile.Caps,
    silence: float = 600,
    unsandboxed: bool = False,
) -> Result:
    """Copy ``task`` to the folder that ``what`` (see `cell`) writes, which must be new; run setup.sh there.

    Only after a person's yes. Its output goes to ``log``. It is ended at a bound, at 16 MiB of output, and
    when it neither prints nor writes for ``silence`` seconds. Raises as `hostile.copy_tree`; `Unavailable`
    ("NoSandbox"); `Failed` ("Unwritable").
    """
    if what.writes is None:
        raise ValueError("setup.sh needs a folder to write")
    folder = what.writes[0]
    hostile.copy_tree(task, folder, caps)
    try:
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Failed(
            "Unwritable",
            f"The log {log} cannot be written: {error.strerror}.",
            "Make room, or see to the permissions.",
        ) from error
    with os.fdopen(handle, "wb") as output:
        seen, since = (0, 0), time.monotonic()

        def over() -> str:
            nonlocal seen, since
            logged = os.fstat(output.fileno()).st_size
            if logged > LOG_LIMIT:
                return f"It printed more than {bounds.in_words(LOG_LIMIT)}."
            now = (logged, bounds.disk_used(folder, what.disk))
            if now != seen:
                seen, since = now, time.monotonic()
            quiet = time.monotonic() - since >= silence
            return f"It neither printed nor wrote anything for {silence:g} seconds." if quiet else ""

        process = sandbox.popen(what, stdout=output, stderr=output, unsandboxed=unsandboxed)
        stopped = sandbox.watch(process, over, period=min(silence, 1.0))
    return Result(process.returncode, stopped, folder, log)
