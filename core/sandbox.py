"""What a stranger's file may touch, and how that is enforced: bubblewrap around every command.

A `Cell` says it all: the command, what it reads, the one folder that it writes, the bounds. `popen` and `run`
start it; `describe` tells a person before; `protection` tells a report after.
"""

import contextlib
import functools
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from decentralml.core import bounds
from decentralml.core import cell as cells
from decentralml.core.cell import Cell
from decentralml.core.errors import Failed, Unavailable

OUTPUT_LIMIT = 16 << 20

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

__all__ = [
    "Cell",
    "Completed",
    "Probe",
    "Process",
    "describe",
    "popen",
    "probe",
    "protection",
    "require",
    "run",
    "watch",
]

File = int | IO[bytes] | None


class Process(subprocess.Popen[bytes]):
    """A started cell. `kill` ends everything that it has started; `wait` and `poll` tidy up after it."""

    cell: Cell
    groups: bounds.Groups
    scratch: Path | None = None
    passed: str = ""
    # The end of a pipe that only this program holds: see "alive" in `launch`.
    lifeline: int | None = None

    def exceeded(self) -> str:
        """Which bound was passed, as a sentence; "" when none. To be asked every second, and at the end."""
        if not self.passed:
            folder = self.cell.writes[0] if self.cell.writes else None
            if self.groups.out_of_memory():
                self.passed = f"It used more than {bounds.in_words(self.cell.memory)} of memory."
            else:
                pid = self.pid if self.returncode is None else None  # else the number may be another's
                self.passed = bounds.exceeded(pid, self.cell.bounds, folder)
        return self.passed

    def kill(self) -> None:
        """End it and all that it has started: bubblewrap takes its own along, on the host the group goes."""
        if self.scratch is None:
            super().kill()
        elif self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        code = super().wait(timeout)
        self._tidy()
        return code

    def poll(self) -> int | None:
        code = super().poll()
        if code is not None:
            self._tidy()
        return code

    def _tidy(self) -> None:
        # Read before its group goes: what the kernel has ended for want of memory.
        if self.groups.out_of_memory():
            self.exceeded()
        self.groups.remove()
        if self.scratch:
            shutil.rmtree(self.scratch, ignore_errors=True)
        if self.lifeline is not None:
            os.close(self.lifeline)
            self.lifeline = None

    def guard(self) -> None:
        """End it as soon as it has too many processes. For where the kernel does not count them."""
        while self.returncode is None:
            below = bounds.descendants(self.pid, self.cell.processes + 8)
            if sum(map(bounds.tasks, below)) > self.cell.processes:
                self.passed = bounds.too_many(self.cell.bounds)
                self.kill()
                return
            time.sleep(0.02)


@dataclass(frozen=True)
class Completed:
    """How a cell ended. ``stopped``: "", or the bound or period that it passed. Output is cut at 16 MiB."""

    returncode: int
    stdout: bytes
    stderr: bytes
    stopped: str = ""


@dataclass(frozen=True)
class Probe:
    """Whether the sandbox holds here: the version, or why not."""

    ok: bool
    detail: str


# --- starting -------------------------------------------------------------------------------------


def popen(
    cell: Cell,
    *,
    stdin: File = subprocess.DEVNULL,
    stdout: File = None,
    stderr: File = None,
    pass_fds: tuple[int, ...] = (),
    fds: Mapping[int, int] | None = None,
    unsandboxed: bool = False,
) -> Process:
    """Start ``cell``. It ends when this process ends.

    ``pass_fds`` keep their numbers inside; ``fds`` are {number inside: descriptor here}. ``unsandboxed`` runs
    the command on the host, with the paths translated, and is for an explicit ``--unsandboxed`` only.
    Raises `Unavailable` ("NoSandbox") and `Failed` ("MissingInput").
    """
    for host in (*(read[0] for read in cell.reads), *([cell.writes[0]] if cell.writes else [])):
        if not host.exists():
            raise Failed("MissingInput", f"{host} is not there.", "It was there when the run was prepared.")
    renumbered = dict(fds or {})
    groups = bounds.groups(cell.bounds)
    alive, lifeline = os.pipe()
    kept = (*pass_fds, *renumbered.values(), alive)
    scratch = None
    try:
        if unsandboxed:
            scratch = Path(tempfile.mkdtemp(prefix="decentralml-"))
            argv = cells.unsandboxed(cell, groups, renumbered, scratch, alive)
        else:
            require()
            argv = cells.sandboxed(cell, groups, renumbered, alive)
        process = (
            _spawner(os.getpid())
            .submit(
                Process,
                argv,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                pass_fds=kept,
                env={},
                cwd="/",
                start_new_session=True,
            )
            .result()
        )
    except BaseException:
        os.close(lifeline)
        groups.remove()
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)
        raise
    finally:
        os.close(alive)
    process.cell, process.groups, process.scratch, process.lifeline = cell, groups, scratch, lifeline
    # RLIMIT_NPROC does not count root's, and on the host it is not set.
    if not groups.holds_processes and (unsandboxed or os.geteuid() == 0):
        threading.Thread(target=process.guard, daemon=True, name="sandbox-guard").start()
    return process


@functools.cache
def _spawner(_pid: int) -> "ThreadPoolExecutor":
    """The thread that starts everything: die-with-parent means the thread that forked, so it has to stay."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(1, "sandbox-spawner")


def run(
    cell: Cell, *, timeout: float | None = None, input: bytes = b"", unsandboxed: bool = False
) -> Completed:
    """Run ``cell`` to its end, or to the end of ``timeout`` seconds, or to a bound. Raises `Unavailable`."""
    deadline = time.monotonic() + timeout if timeout is not None else float("inf")
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(input)
        given.seek(0)

        def flood() -> str:
            long = max(_length(out), _length(err)) > OUTPUT_LIMIT
            return f"It printed more than {bounds.in_words(OUTPUT_LIMIT)}." if long else ""

        def over() -> str:
            late = time.monotonic() >= deadline
            return flood() or (f"It did not end within {timeout:g} seconds." if late else "")

        process = popen(cell, stdin=given, stdout=out, stderr=err, unsandboxed=unsandboxed)
        stopped = watch(process, over, period=1.0 if timeout is None else min(timeout, 1.0))
        return Completed(process.returncode, _read(out), _read(err), stopped or flood())


def watch(process: Process, over: Callable[[], str], *, period: float = 1.0) -> str:
    """Wait for the end of ``process``; end it when it passes a bound or ``over`` says a sentence.

    ``over`` is asked every ``period`` seconds. Returns that sentence; "" when it ended by itself.
    """
    handle = os.pidfd_open(process.pid)
    try:
        while True:
            ended = bool(select.select([handle], [], [], period)[0])
            if stopped := process.exceeded() or ("" if ended else over()):
                return stopped
            if ended:
                return ""
    finally:
        os.close(handle)
        process.kill()
        process.wait()


def _length(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size


def _read(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(OUTPUT_LIMIT)


# --- the probe ------------------------------------------------------------------------------------

_TRIAL = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
found = []
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
if any(int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")):
    found.append("it keeps capabilities")
if not libc.mount(b"none", b"/usr", None, 32 | 4096, None):
    found.append("it can remount /usr")
if not libc.unshare(0x10000000):
    found.append("it can make a user namespace")
if open("/proc/1/environ", "rb").read():
    found.append("the environment of the program shows")
if os.access("/proc/sys/kernel/core_pattern", os.W_OK):
    found.append("it can write settings of the kernel")
print("; ".join(found) or "held")
"""


def probe() -> Probe:
    """Whether bubblewrap holds here, tried by running it; once a process and version of bwrap."""
    found = shutil.which("bwrap")
    if not found:
        return Probe(False, "bubblewrap (bwrap) is not installed.")
    status = os.stat(found)
    return _probe(found, status.st_mtime_ns, status.st_size)


@functools.cache
def _probe(bwrap: str, _modified: int, _size: int) -> Probe:
    cell = Cell(command=("python", "-I", "-S", "-c", _TRIAL), memory=256 << 20, disk=1 << 20)
    nothing = bounds.Groups((), False)
    try:
        told = subprocess.run([bwrap, "--version"], capture_output=True, text=True, check=False, timeout=60)
        trial = subprocess.run(
            cells.sandboxed(cell, nothing, {}),
            capture_output=True,
            text=True,
            check=False,
            env={},
            cwd="/",
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Probe(False, f"bubblewrap does not run: {error}.")
    version = "bwrap " + (re.findall(r"\d+(?:\.\d+)+", told.stdout) or ["of an unknown version"])[0]
    if trial.stdout.strip() == "held":
        return Probe(True, version)
    why = trial.stdout.strip() or (trial.stderr.strip().splitlines() or ["it said nothing"])[-1]
    return Probe(False, f"{version} does not hold here: {why}.")


def require() -> str:
    """The version of the sandbox. Raises `Unavailable` ("NoSandbox") where it does not hold."""
    answer = probe()
    if not answer.ok:
        raise Unavailable(
            "NoSandbox",
            f"{answer.detail} A stranger's file runs in it or not at all.",
            "Install bubblewrap 0.8 or newer (`apt-get install bubblewrap`) and let it make user namespaces; "
            "or allow a single task everything: `decentralml task train ID --unsandboxed`.",
        )
    return answer.detail


# --- words ----------------------------------------------------------------------------------------


def protection(unsandboxed: bool) -> str:
    """What stood between a stranger's file and this machine, for a report: "bwrap 0.8.0" or "none".

    Raises `Unavailable` ("NoSandbox").
    """
    return "none" if unsandboxed else require()


def describe(cell: Cell, *, unsandboxed: bool = False) -> list[str]:
    """What the command may touch, a line each, for a person to read before it starts."""
    lines = [f"runs       {' '.join(cell.command)}"]
    if unsandboxed:
        lines += [
            "protection NONE: it may read, change and send all that you may, keys and passwords included"
        ]
    else:
        reads = [str(host) for host, _ in cell.reads]
        lines += [
            f"protection {protection(False)}",
            f"reads      {', '.join(reads) or 'nothing of yours'}; the system's programs",
            f"writes     {cell.writes[0] if cell.writes else 'nothing'}",
            "network    "
            + ("YES: the internet, and every service of this machine (loopback)" if cell.network else "none"),
        ]
    lines += [
        f"memory     at most {bounds.in_words(cell.memory)}",
        f"disk       at most {bounds.in_words(cell.disk)}",
        f"processes  at most {cell.processes}, threads counted",
        f"device     {'CPU and GPU' if cell.gpu else 'CPU'}",
        f"python     {cell.python.name or cell.python.executable}",
    ]
    return lines
