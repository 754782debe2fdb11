"""One command and all that it may touch, and the command lines that enforce it."""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from decentralml.core import bounds, environments
from decentralml.core.bounds import Bounds
from decentralml.core.environments import Interpreter

PACKAGE = Path("/opt/decentralml")
CORE = Path(__file__).parent
MiB = 1 << 20
# Without the user namespace and the dropped capabilities root inside could remount /usr writable.
_FLAGS = (
    *("--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL"),
    *("--die-with-parent", "--new-session", "--hostname", "sandbox"),
)
_DEVICES = ("null", "zero", "full", "random", "urandom")
_GPU = ("nvidia*", "nvidia-caps/*", "kfd", "dri/renderD*")
_NETWORK_FILES = ("resolv.conf", "hosts", "nsswitch.conf", "ssl", "pki", "ca-certificates")
# Read by name inside; a loader without its cache is slow, and Debian's BLAS is found by way of alternatives.
_ETC = ("ld.so.cache", "alternatives")


@dataclass(frozen=True)
class Cell:
    """One command and all that it may touch. Paths of the command, ``cwd`` and ``env`` are inside paths.

    ``reads`` and ``writes`` are (host path, inside path); ``memory`` and ``disk`` are bytes; ``processes``
    counts threads too; ``threads`` 0 leaves their number to the libraries. "python" as the first word of the
    command is the interpreter.
    """

    command: tuple[str, ...]
    reads: tuple[tuple[Path, Path], ...] = ()
    writes: tuple[Path, Path] | None = None
    cwd: Path = Path("/tmp")  # noqa: S108 - the sandbox's own
    env: Mapping[str, str] = field(default_factory=dict)
    network: bool = False
    memory: int = 8192 * MiB
    disk: int = 10240 * MiB
    processes: int = 512
    python: Interpreter = field(default_factory=environments.own)
    threads: int = 0
    gpu: bool = False
    nice: int = 0

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.memory, self.disk, self.processes)

    def path(self, inside: Path | str, *, unsandboxed: bool = False) -> str:
        """``inside`` as the command has to name it: the same, or the host's path when it runs unsandboxed."""
        if unsandboxed:
            mounts = (*self.reads, *([self.writes] if self.writes else []))
            for host, mount in sorted(mounts, key=lambda pair: len(str(pair[1])), reverse=True):
                if Path(inside).is_relative_to(mount):
                    return str(host.absolute() / Path(inside).relative_to(mount))
        return str(inside)


def bwrap() -> str:
    """Where bubblewrap is; its bare name when it is not installed."""
    return shutil.which("bwrap") or "bwrap"


def sandboxed(
    cell: Cell, groups: bounds.Groups, fds: Mapping[int, int], alive: int | None = None
) -> list[str]:
    """The whole command line: into the control groups, into bubblewrap, under the limits, the command.

    ``alive``: see `decentralml.core.launch`.
    """
    inner = {
        "limits": bounds.rlimits(cell.bounds, gpu=cell.gpu),
        "fds": fds,
        "nice": cell.nice,
        "keyring": True,
    } | ({} if alive is None else {"alive": alive})
    launch = str(PACKAGE / "decentralml" / "core" / "launch.py")
    python = str(cell.python.executable)
    argv = [bwrap(), *_FLAGS, *_mounts(cell), "--chdir", str(cell.cwd)]
    for name, value in sorted(_environment(cell).items()):
        argv += ["--setenv", name, value]
    argv += ["--", python, "-I", "-S", launch, json.dumps(inner), *_command(cell)]
    if not groups.folders:
        return argv
    orders = {"groups": [str(folder) for folder in groups.folders], "env": {}}
    return [sys.executable, "-I", "-S", str(bounds.LAUNCH), json.dumps(orders), *argv]


def _command(cell: Cell) -> list[str]:
    first, *rest = cell.command
    return [str(cell.python.executable) if first == "python" else first, *rest]


def _mounts(cell: Cell) -> Iterator[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for name in ("bin", "sbin", "lib", "lib64", "lib32"):
        place = Path("/", name)
        if place.is_symlink():
            yield from ("--symlink", os.readlink(place), str(place))
        elif place.is_dir():
            yield from ("--ro-bind", str(place), str(place))
    for name in (*_ETC, *(_NETWORK_FILES if cell.network else ())):
        place = Path("/etc", name)
        if place.exists():
            yield from ("--ro-bind", str(place.resolve()), str(place))
    yield from ("--proc", "/proc")
    yield from _devices(cell)
    scratch = str(min(cell.memory // 4, 1024 * MiB))
    yield from ("--perms", "1777", "--size", scratch, "--tmpfs", "/tmp")  # noqa: S108
    for bind in (*cell.python.binds, *cell.python.site):
        if not bind.is_relative_to("/usr"):
            yield from ("--ro-bind", str(bind), str(bind))
    yield from ("--ro-bind", str(CORE), str(PACKAGE / "decentralml" / "core"))
    for host, inside in cell.reads:
        yield from ("--ro-bind", str(host.absolute()), str(inside))
    if cell.writes:
        yield from ("--bind", str(cell.writes[0].absolute()), str(cell.writes[1]))
    if cell.network:
        yield "--share-net"
    # To /proc/sys root inside is root outside, capabilities or not; /dev and / are memory without a bound.
    for closed in ("/proc", "/dev", "/"):
        yield from ("--remount-ro", closed)


def _devices(cell: Cell) -> Iterator[str]:
    yield from ("--tmpfs", "/dev", "--size", str(min(cell.memory // 4, 1024 * MiB)), "--tmpfs", "/dev/shm")  # noqa: S108
    nodes = [Path("/dev", name) for name in _DEVICES]
    if cell.gpu:
        nodes += [
            node for pattern in _GPU for node in sorted(Path("/dev").glob(pattern)) if not node.is_dir()
        ]
        yield from ("--ro-bind", "/sys", "/sys")
    for node in nodes:
        yield from ("--dev-bind", str(node), str(node))
    yield from ("--symlink", "/proc/self/fd", "/dev/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        yield from ("--symlink", f"/proc/self/fd/{number}", f"/dev/{name}")


def _environment(cell: Cell) -> dict[str, str]:
    """All that stands in the command's environment."""
    packages = ":".join(map(str, (PACKAGE, *cell.python.site)))
    return base(cell, home="/tmp", packages=packages) | dict(cell.env)  # noqa: S108


def base(cell: Cell, *, home: str, packages: str) -> dict[str, str]:
    """The environment of every command, whether within or without, before its own."""
    env = {
        "HOME": home,
        "TMPDIR": home,
        "USER": "worker",
        "LANG": "C.UTF-8",
        "PATH": f"{cell.python.executable.parent}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": packages,
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
    }
    if cell.threads:
        names = (
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "TF_NUM_INTRAOP_THREADS",
            "TF_NUM_INTEROP_THREADS",
        )
        env |= dict.fromkeys(names, str(cell.threads))
    if not cell.gpu:
        env["CUDA_VISIBLE_DEVICES"] = "-1"
    return env


def unsandboxed(
    cell: Cell, groups: bounds.Groups, fds: Mapping[int, int], scratch: Path, alive: int
) -> list[str]:
    """The command line on the host: same limits, environment, folders, and nothing that keeps it in them."""
    package = scratch / "package"
    (package / "decentralml").mkdir(parents=True)
    (package / "decentralml" / "core").symlink_to(CORE)
    python = cell.python
    # The interpreter may itself live below /tmp, which is another folder inside.
    own = ((path, path) for path in (python.executable, *python.binds, *python.site))
    there = replace(
        cell,
        reads=(*cell.reads, *own, (package, PACKAGE), (scratch, Path("/tmp"))),  # noqa: S108
    )

    def translated(text: str) -> str:
        return there.path(text, unsandboxed=True)

    packages = ":".join(map(str, (package, *cell.python.site)))
    env = base(cell, home=str(scratch), packages=packages) | {k: translated(v) for k, v in cell.env.items()}
    # RLIMIT_NPROC would count everything else of this user here.
    rlimits = {k: v for k, v in bounds.rlimits(cell.bounds, gpu=cell.gpu).items() if k != "RLIMIT_NPROC"}
    orders = {
        "groups": [str(folder) for folder in groups.folders],
        "limits": rlimits,
        "fds": fds,
        "nice": cell.nice,
        "orphan": True,
        "alive": alive,
        "env": env,
        "cwd": translated(str(cell.cwd)),
    }
    command = [translated(word) for word in _command(cell)]
    return [sys.executable, "-I", "-S", str(bounds.LAUNCH), json.dumps(orders), *command]
