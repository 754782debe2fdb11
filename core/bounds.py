"""Bounds on memory, processes and disk: control groups where they can be made, and counting where not.

Root is exempt from RLIMIT_NPROC, and no rlimit bounds the memory or the disk of several processes together.
So: control groups (version 2 or 1) below this process's own, when this user may make them; rlimits in any
case; and `exceeded`, which a caller asks every second, for what neither holds.
"""

import functools
import itertools
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LAUNCH = Path(__file__).with_name("launch.py")
ROOT = Path("/sys/fs/cgroup")
PREFIX = "decentralml-"
# Every file, however empty, costs this much of the disk bound: a flood of names is a flood too.
ENTRY = 4096
# What a path raises that has meanwhile become another, or nothing.
_GONE = (FileNotFoundError, NotADirectoryError)
_serial = itertools.count()


@dataclass(frozen=True)
class Bounds:
    """What one sandbox may use: bytes of memory, bytes in its writable folder, processes and threads."""

    memory: int
    disk: int
    processes: int


def rlimits(bounds: Bounds, *, gpu: bool) -> dict[str, int]:
    """The rlimits of each process, by name. With a GPU none on memory: CUDA maps address space at will."""
    limits = {
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": bounds.disk,
        "RLIMIT_NPROC": bounds.processes,
        "RLIMIT_NOFILE": 4096,
    }
    if not gpu:
        limits["RLIMIT_DATA"] = bounds.memory
        # Address space is not memory: TensorFlow maps gigabytes that it never touches.
        limits["RLIMIT_AS"] = bounds.memory + (8 << 30)
    return limits


# --- control groups -------------------------------------------------------------------------------


def _parents(controller: str) -> Iterator[Path]:
    """Folders in which a group with ``controller`` could be made, nearest first."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, names, path = line.split(":", 2)
        if controller in names.split(","):
            yield ROOT / controller / path.lstrip("/")
            yield ROOT / controller
        elif not names:
            own = ROOT / path.lstrip("/")
            for folder in (own, *own.parents):
                if not folder.is_relative_to(ROOT):
                    return
                if controller in _words(folder / "cgroup.subtree_control"):
                    yield folder


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


@functools.cache
def _parent(controller: str, pid: int) -> Path | None:
    """Where groups with ``controller`` can be made and joined, tried once a ``pid``; None: nowhere."""
    for folder in _parents(controller):
        trial = folder / f"{PREFIX}{pid}-{next(_serial)}"
        try:
            trial.mkdir()
        except OSError:
            continue
        joined = subprocess.run(
            [sys.executable, "-I", "-S", str(LAUNCH), f'{{"groups": ["{trial}"]}}', sys.executable, "-V"],
            capture_output=True,
            check=False,
        )
        _remove(trial)
        if joined.returncode == 0:
            return folder
    return None


def _remove(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False  # somebody is in it still
    return True


def _sweep(parent: Path) -> None:
    """Remove the empty groups that processes which are gone have left in ``parent``."""
    for folder in parent.glob(f"{PREFIX}*"):
        maker = folder.name.removeprefix(PREFIX).split("-")[0]
        if not Path("/proc", maker).exists():
            _remove(folder)


@dataclass(frozen=True)
class Groups:
    """The control groups of one sandbox. Empty where none can be made."""

    folders: tuple[Path, ...]
    holds_processes: bool

    def out_of_memory(self) -> bool:
        """Whether the kernel has ended something in here for want of memory."""
        for folder in self.folders:
            for name in ("memory.events", "memory.oom_control"):
                words = _words(folder / name)
                if "oom_kill" in words and words[words.index("oom_kill") + 1] != "0":
                    return True
        return False

    def remove(self) -> None:
        """Remove them. What has just been killed may need a moment to be gone; what stays is swept later."""
        for folder in self.folders:
            for _ in range(50):
                if _remove(folder):
                    break
                time.sleep(0.002)


def groups(bounds: Bounds) -> Groups:
    """New control groups that hold ``bounds``, as far as this user may make them."""
    wanted = {
        "pids": {"pids.max": bounds.processes},
        "memory": {
            "memory.max": bounds.memory,
            "memory.swap.max": 0,
            "memory.limit_in_bytes": bounds.memory,
            "memory.memsw.limit_in_bytes": bounds.memory,
        },
    }
    made: dict[str, Path] = {}
    for controller, limits in wanted.items():
        parent = _parent(controller, os.getpid())
        if parent is None:
            continue
        _sweep(parent)
        folder = made.get("pids", Path())
        if folder.parent != parent:
            folder = parent / f"{PREFIX}{os.getpid()}-{next(_serial)}"
        try:
            folder.mkdir(exist_ok=True)
            # A kernel has some of these files and not others (no swap, version 1 or 2): what is there is set.
            for name, value in limits.items():
                if (folder / name).exists():
                    (folder / name).write_text(str(value))
        except OSError:
            _remove(folder)
            continue
        made[controller] = folder
    return Groups(tuple(dict.fromkeys(made.values())), "pids" in made)


# --- counting -------------------------------------------------------------------------------------


def exceeded(pid: int | None, bounds: Bounds, folder: Path | None) -> str:
    """Which bound the processes from ``pid`` down (None: all gone) have passed, as a sentence; "" when none.

    ``folder`` is the writable one. Costs milliseconds: for a poll every second.
    """
    below = [] if pid is None else list(descendants(pid, bounds.processes * 2 + 64))
    if sum(map(tasks, below)) > bounds.processes:
        return too_many(bounds)
    if sum(memory_used(process) for process in below) > bounds.memory:
        return f"It used more than {in_words(bounds.memory)} of memory."
    if folder is not None:
        used = disk_used(folder, bounds.disk)
        if used <= bounds.disk:
            used += sum(_deleted(process, folder) for process in below)
        if used > bounds.disk:
            return f"It wrote more than {in_words(bounds.disk)}, or where nobody can look."
    return ""


def descendants(pid: int, most: int) -> Iterator[int]:
    """``pid`` and every process below it, at most ``most``."""
    waiting, found = [pid], 0
    while waiting and found < most:
        process = waiting.pop()
        found += 1
        yield process
        try:
            for thread in os.listdir(f"/proc/{process}/task"):
                with open(f"/proc/{process}/task/{thread}/children") as file:
                    waiting.extend(map(int, file.read().split()))
        except OSError:
            continue  # it ended meanwhile


def too_many(bounds: Bounds) -> str:
    return f"It ran more than {bounds.processes} processes and threads."


def tasks(pid: int) -> int:
    """How many threads the process ``pid`` has; 0 when it is gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


def memory_used(pid: int) -> int:
    """Bytes of memory of one process, pages shared with others by their share; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            fields = dict(line.split(":", 1) for line in file if ":" in line)
        return sum(int(fields[name].split()[0]) for name in ("Pss", "SwapPss") if name in fields) << 10
    except OSError:
        pass  # no right to look closer: a process may hide this, never the coarse figure below
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def disk_used(folder: Path, enough: int | None = None) -> int:
    """Bytes on disk below ``folder``, links not followed, each entry at least 4096.

    Past ``enough`` it stops counting. A folder in which it cannot look, closed or too deep for a path, is
    past it: whoever was in there before goes on writing.
    """
    used, waiting = 0, [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except _GONE:
                        continue
                    used += max(status.st_blocks * 512, ENTRY)
                    if stat.S_ISDIR(status.st_mode):
                        waiting.append(entry.path)
                    if enough is not None and used > enough:
                        return used
        except _GONE:
            continue
        except OSError:
            if enough is not None:
                return enough + 1
    return used


def _deleted(pid: int, folder: Path) -> int:
    """Bytes of deleted files that ``pid`` holds open on the file system of ``folder``: no name shows them."""
    used = 0
    try:
        device, names = folder.stat().st_dev, os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return 0
    for name in names:
        try:
            status = os.stat(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue  # closed meanwhile
        if status.st_nlink == 0 and status.st_dev == device and stat.S_ISREG(status.st_mode):
            used += status.st_blocks * 512
    return used


def in_words(bound: int) -> str:
    """A bound in bytes for people, by the units in which bounds are set: ``512 MiB``."""
    value, units = float(bound), iter(("bytes", "KiB", "MiB", "GiB", "TiB"))
    unit = next(units)
    while value >= 1024 and unit != "TiB":
        value, unit = value / 1024, next(units)
    return f"{value:.0f} {unit}" if value == int(value) else f"{value:.1f} {unit}"
