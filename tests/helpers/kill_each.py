"""Kill a piece of work at each of its system calls: under strace, a fresh child for each of them.

strace counts a system call for every thread by itself, from the first. So each child makes some
harmless ones before its work: one fewer than the child before, so that the kill falls one call later
in the work each time, until a child gets through. They are made by the main thread, or by every
thread that the work starts.
"""

import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

# What changes a disk. strace does without those that this machine lacks.
CALLS = (
    *("write", "pwrite64", "writev", "pwritev", "pwritev2", "fsync", "fdatasync", "sync_file_range"),
    *("copy_file_range", "sendfile", "truncate", "ftruncate", "rename", "renameat", "renameat2"),
    *("link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "chmod", "fchmod", "fchmodat"),
)
_BEGIN = "the-work-begins"


# In the test


def calls_of(driver: Path, log: Path, *arguments: str) -> dict[str, Counter[str]]:
    """The `CALLS` of the work that ``driver`` does unharmed, of "main" and of all other "threads"."""
    traced = ",".join(f"?{name}" for name in CALLS)
    _strace(["-o", str(log), "-e", f"trace={traced}"], driver, *arguments)
    found: dict[str, Counter[str]] = {"main": Counter(), "threads": Counter()}
    main = None
    for line in log.read_text(errors="replace").splitlines():
        call = re.match(r"(\d+) +(\w+)\(", line)
        if call is None:
            continue
        if main is None:
            main = call[1] if _BEGIN in line else None
        else:
            found["main" if call[1] == main else "threads"][call[2]] += 1
    assert main is not None, "the driver never said that its work begins"
    return found


def killed(driver: Path, name: str, kills_at: int, *arguments: str) -> Any:
    """What ``driver`` says of its children, each of which is killed at its ``kills_at``-th call ``name``."""
    inject = ["-o", "/dev/null", "-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={kills_at}"]
    return json.loads(_strace(inject, driver, *arguments))


def _strace(options: list[str], driver: Path, *arguments: str) -> str:
    command = ["strace", "-f", "-qq", *options, sys.executable, str(driver), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


# In the driver


def unharmed(work: Callable[[], None]) -> None:
    """Do ``work`` for `calls_of`."""
    try:
        os.mkdir(f"/nonexistent/{_BEGIN}")
    except FileNotFoundError:
        work()


def until_one_lives(
    name: str,
    kills_at: int,
    place: Callable[[int], Path],
    work: Callable[[Path], None],
    *,
    threads: bool = False,
) -> int:
    """How many children were killed before one got through.

    ``place`` is the n-th child's folder (n from 1), ``work`` is what it does there.
    """
    for number in range(1, kills_at + 1):
        folder = place(number)
        child = os.fork()
        if child == 0:
            try:
                if threads:
                    _in_every_thread(lambda: _harmless(name, kills_at - number, folder))  # noqa: B023
                else:
                    _harmless(name, kills_at - number, folder)
                work(folder)
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            return number - 1
    raise AssertionError("a child was killed at every count: strace must kill later")


def _in_every_thread(first: Callable[[], None]) -> None:
    run = threading.Thread.run

    def later(self: threading.Thread) -> None:
        first()
        run(self)

    threading.Thread.run = later  # type: ignore[method-assign]


def _harmless(name: str, count: int, folder: Path) -> None:
    """Make the system call ``name`` ``count`` times on a file that nobody looks at."""
    own = folder / f"scratch-{threading.get_native_id()}"
    descriptor = os.open(own, os.O_RDWR | os.O_CREAT)
    calls: dict[str, Callable[[], object]] = {
        "write": lambda: os.write(descriptor, b"x"),
        "pwrite64": lambda: os.pwrite(descriptor, b"x", 0),
        "fsync": lambda: os.fsync(descriptor),
        "fdatasync": lambda: os.fdatasync(descriptor),
        "ftruncate": lambda: os.ftruncate(descriptor, 0),
        "fchmod": lambda: os.fchmod(descriptor, 0o600),
        "chmod": lambda: os.chmod(own, 0o600),
        "rename": lambda: os.rename(own, own),
        "unlink": lambda: _in_vain(os.unlink, own / "none"),
        "mkdir": lambda: _in_vain(os.mkdir, own),
    }
    for _ in range(count):
        calls[name]()
    os.close(descriptor)


def _in_vain(call: Callable[[Path], None], path: Path) -> None:
    try:
        call(path)
    except OSError:
        return
    raise AssertionError(f"{call} was to do nothing")
