"""What a sandbox takes of the machine while it runs."""

import os
import time
from pathlib import Path

from decentralml.core import bounds
from decentralml.core.bounds import Bounds
from decentralml.core.training.journal import Load

_TICKS = os.sysconf("SC_CLK_TCK")


class Watch:
    """Samples a process, all that descend from it, and the one folder that they may write."""

    def __init__(self, pid: int, out: Path, most: Bounds) -> None:
        self._pid = pid
        self._out = out
        self._most = most
        self._cpu: dict[int, float] = {}
        self._at = time.monotonic()

    def sample(self) -> Load:
        """What is taken now; ``cpu`` since the last sample, in percent of one core."""
        pids = list(bounds.descendants(self._pid, 2 * self._most.processes))
        seconds = {pid: _cpu_seconds(pid) for pid in pids}
        now = time.monotonic()
        used = sum(max(total - self._cpu.get(pid, 0.0), 0.0) for pid, total in seconds.items())
        cpu = round(100 * used / max(now - self._at, 0.001), 1)
        self._cpu, self._at = seconds, now
        return Load(
            cpu=cpu,
            rss=sum(map(bounds.memory_used, pids)),
            disk=bounds.disk_used(self._out, self._most.disk),
            processes=len(pids),
        )


def _cpu_seconds(pid: int) -> float:
    """User and system time of one process; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
    except (OSError, IndexError):
        return 0.0


def out_of_memory_kills() -> int:
    """How often the kernel of this machine has ended a process for want of memory, since it booted."""
    try:
        for line in Path("/proc/vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    except (OSError, ValueError):
        return 0
    return 0
