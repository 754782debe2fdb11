"""No bomb of a stranger's passes its bounds: processes, memory, disk."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cells import MiB, python
from unprivileged import unprivileged

from decentralml.core import bounds, environments, sandbox
from decentralml.core import cell as cells

ROOT = os.geteuid() == 0
NO_GROUPS = bounds.Groups((), False)


FORKS = """
import os, signal
made = 0
try:
    for made in range(2000):
        if os.fork() == 0:
            signal.pause()
except OSError:
    print(made, flush=True)
else:
    signal.pause()
"""


def test_a_fork_bomb_is_stopped() -> None:
    done = sandbox.run(python(FORKS, processes=60), timeout=60)
    assert done.stopped or 0 < int(done.stdout) < 60


def test_a_fork_bomb_is_stopped_where_no_control_group_can_be_made() -> None:
    """Root is exempt from RLIMIT_NPROC: there the guard counts. A user has the rlimit."""
    program = f"""
from decentralml.core import bounds, sandbox
cell = sandbox.Cell(("python", "-I", "-S", "-c", {FORKS!r}), processes=60)
assert not bounds.groups(cell.bounds).folders
done = sandbox.run(cell, timeout=30)
print(done)
assert "more than 60 processes" in done.stopped or 0 < int(done.stdout) < 60, done
"""
    unshare = ["unshare", "-m" if ROOT else "-rm"]
    hide = [*unshare, "sh", "-c", 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"', "sh"]
    done = subprocess.run([*hide, sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def nobodys_core() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="core-", dir="/tmp"))
    folder.chmod(0o755)
    shutil.copy(bounds.LAUNCH, folder)
    yield folder
    shutil.rmtree(folder)


def test_a_fork_bomb_of_a_user_is_stopped_by_the_kernel(nobodys_core: Path) -> None:
    system = environments.Interpreter(Path("/usr/bin/python3"), ())
    argv = cells.sandboxed(python(FORKS, processes=60, python=system), NO_GROUPS, {})
    argv = [str(nobodys_core) if word == str(cells.CORE) else word for word in argv]
    runuser = [shutil.which("runuser") or "runuser", "-u", "nobody", "--", "env", "-i"] if ROOT else []
    done = subprocess.run([*runuser, *argv], env={}, cwd="/", capture_output=True, text=True, check=False)
    assert 0 < int(done.stdout) < 60


def test_a_memory_bomb_gets_a_memory_error() -> None:
    script = "kept = []\nwhile True: kept.append(b'x' * 2**24)"
    done = sandbox.run(python(script, memory=256 * MiB), timeout=60)
    assert b"MemoryError" in done.stderr or "memory" in done.stopped


def test_a_memory_bomb_of_many_processes_is_ended() -> None:
    script = """
import mmap, os, signal
for _ in range(8):
    if os.fork() == 0:
        kept = mmap.mmap(-1, 2**26)
        for page in range(0, 2**26, 4096):
            kept[page] = 1
        signal.pause()
signal.pause()
"""
    done = sandbox.run(python(script, memory=256 * MiB), timeout=60)
    assert done.stopped == "It used more than 256 MiB of memory."


def test_a_file_cannot_grow_past_the_bound(out: Path) -> None:
    script = "file = open('/out/big', 'wb')\nwhile True: file.write(b'x' * 2**20); file.flush()"
    done = sandbox.run(python(script, disk=4 * MiB, writes=(out, Path("/out"))), timeout=60)
    assert b"File too large" in done.stderr
    assert (out / "big").stat().st_size <= 4 * MiB


DISK_BOMBS = {
    "many files": "for n in range(12): open(f'/out/{n}', 'wb').write(b'x' * 2**20)",
    "many names": "for n in range(3000): open(f'/out/{n}', 'wb')",
    "deleted files": """
kept = []
for n in range(12):
    kept.append(open(f'/out/{n}', 'wb', 0)); kept[-1].write(b'x' * 2**20); os.unlink(f'/out/{n}')""",
    "files in a folder that was closed": """
os.mkdir('/out/closed')
kept = [open(f'/out/closed/{n}', 'wb', 0) for n in range(12)]
os.chmod('/out/closed', 0)
for file in kept: file.write(b'x' * 2**20)""",
    "files too deep for a path": """
os.chdir('/out')
for n in range(20): os.mkdir('d' * 250); os.chdir('d' * 250)
for n in range(12): open(str(n), 'wb').write(b'x' * 2**20)""",
}


@pytest.mark.parametrize("bomb", DISK_BOMBS.values(), ids=DISK_BOMBS)
def test_a_disk_bomb_is_ended(out: Path, bomb: str) -> None:
    cell = python(f"import os, signal\n{bomb}\nsignal.pause()", disk=8 * MiB, writes=(out, Path("/out")))
    with unprivileged():
        done = sandbox.run(cell, timeout=60)
    assert done.stopped == "It wrote more than 8 MiB, or where nobody can look."


def test_the_scratch_is_bounded() -> None:
    script = "open('/tmp/big', 'wb').write(b'x' * 2**26)"
    assert b"No space left" in sandbox.run(python(script, memory=128 * MiB, disk=256 * MiB)).stderr


def test_nothing_of_a_finished_cell_stays_behind() -> None:
    process = sandbox.popen(python("pass"))
    folders = process.groups.folders
    process.wait()
    assert not [folder for folder in folders if folder.exists()]


def test_groups_of_a_process_that_is_gone_are_swept() -> None:
    program = (
        "from decentralml.core import bounds; print(*bounds.groups(bounds.Bounds(1 << 30, 1, 9)).folders)"
    )
    left = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    bounds.groups(bounds.Bounds(1 << 30, 1, 9)).remove()
    assert not [folder for folder in left.split() if Path(folder).exists()]
