"""What this machine has and how busy it is: whether another training has room here."""

import os
import shutil
import subprocess
import time

from msgspec import Struct

from decentralml.core.text import short

_GPU_SECONDS = 5.0  # between two questions about GPUs, each of which starts a program
_GPU_PATIENCE = 3.0
_QUERY = ("--query-gpu=name,utilization.gpu,memory.used,memory.total", "--format=csv,noheader,nounits")
_MIB = 2**20
_LEAST = 0.1  # seconds of a core; over less, the share of work is chance


class Gpu(Struct, frozen=True):
    """One GPU. ``use`` 0..1, None where it does not tell; memory in bytes."""

    name: str
    use: float | None
    memory_used: int
    memory: int


class Machine(Struct, frozen=True, kw_only=True):
    """``busy``: how many of the ``cores`` were at work since the last look; None where there was none yet,
    or just now.

    Memory in bytes: what a program can still have, and all. ``load``: processes that ran or waited to,
    averaged over a minute.
    """

    cores: int
    busy: float | None
    memory_free: int
    memory: int
    load: float
    gpus: tuple[Gpu, ...] = ()


class Meter:
    """Looks at this machine. Every look blocks, and may take as long as the GPUs' driver needs."""

    def __init__(self) -> None:
        self._at: tuple[float, float] | None = None
        self._gpus: tuple[Gpu, ...] = ()
        self._asked: float | None = None

    def look(self) -> Machine:
        """The machine now; ``busy`` over the time since the last look."""
        import psutil

        now = _cores_seconds()
        before, self._at = self._at or now, now
        worked, passed = now[0] - before[0], now[1] - before[1]
        cores = psutil.cpu_count() or 1
        memory = psutil.virtual_memory()
        if self._asked is None or time.monotonic() - self._asked >= _GPU_SECONDS:
            self._gpus = _gpus()
            self._asked = time.monotonic()
        return Machine(
            cores=cores,
            busy=cores * min(max(worked / passed, 0.0), 1.0) if passed >= _LEAST else None,
            memory_free=memory.available,
            memory=memory.total,
            load=os.getloadavg()[0],
            gpus=self._gpus,
        )


def _cores_seconds() -> tuple[float, float]:
    """Seconds of all cores together since the machine began: those of work, and all."""
    import psutil

    times = psutil.cpu_times()
    # What guests take is in user and nice already.
    every = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return every - times.idle - getattr(times, "iowait", 0.0), every


def _gpus() -> tuple[Gpu, ...]:
    """What the driver says of its GPUs; nothing where there is none, or what it says cannot be read."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    try:
        done = subprocess.run(
            [program, *_QUERY],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_GPU_PATIENCE,
            check=True,
            text=True,
            errors="replace",
        )
        return tuple(_gpu(line) for line in done.stdout.splitlines() if line.strip())
    except (OSError, subprocess.SubprocessError, ValueError):
        return ()


def _gpu(line: str) -> Gpu:
    """One line of its answer. Raises `ValueError` where that is no answer."""
    name, use, used, total = (part.strip() for part in line.rsplit(",", 3))
    share = int(use) / 100 if use.isdecimal() else None
    return Gpu(short(name, 40), share, int(used) * _MIB, int(total) * _MIB)
