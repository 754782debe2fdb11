"""The last step before a stranger's command: join control groups, lower the limits, place descriptors, exec.

Run as ``python -I -S launch.py ORDERS COMMAND …`` with nothing but the standard library, outside the sandbox
(control groups) and once more inside it (limits, descriptors). It stands between so that no Python code runs
between fork and exec of a threaded program. ORDERS is one JSON object, every key optional:

    groups  folders of control groups to join
    limits  {"RLIMIT_…": value}; each is set hard, never above what is in force
    fds     {"3": 7}: the inherited descriptor 7 becomes 3; the old number is closed
    cwd     the folder to stand in
    nice    added to the niceness
    orphan  true: die when the parent dies (bubblewrap sees to that by itself)
    alive   an inherited descriptor, the end to read of a pipe: give up where nobody holds the other end any
            more. A parent that died before its child asked to die with it would leave it behind
    keyring true: leave the inherited session keyring
    env     the whole environment of the command; without it, the one of this process
"""

import ctypes
import errno
import fcntl
import json
import os
import resource
import select
import sys
from typing import Any

FAILED = 125
ABOVE = 100
PR_SET_PDEATHSIG = 1
SIGKILL = 9
KEYCTL_JOIN_SESSION_KEYRING = 1
KEYCTL = {"x86_64": 250, "aarch64": 219, "riscv64": 219, "loongarch64": 219, "ppc64le": 271, "s390x": 280}


def obey(orders: dict[str, Any]) -> None:
    """Carry the orders out on this process. Raises `OSError`."""
    for folder in orders.get("groups", ()):
        with open(os.path.join(folder, "cgroup.procs"), "w") as file:
            file.write(str(os.getpid()))
    if orders.get("orphan"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL)
    if "alive" in orders:
        begin_only_while_held(orders["alive"])
    if orders.get("keyring"):
        leave_keyring()
    if orders.get("nice"):
        os.nice(orders["nice"])
    if "cwd" in orders:
        os.chdir(orders["cwd"])
    place(orders.get("fds", {}))
    for name, value in orders.get("limits", {}).items():
        which = getattr(resource, name)
        hard = resource.getrlimit(which)[1]
        lowered = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (lowered, lowered))


def begin_only_while_held(pipe: int) -> None:
    """Close ``pipe``, the end to read. Raises `OSError` where the other one is closed already."""
    poll = select.poll()
    poll.register(pipe, 0)
    hung_up = poll.poll(0)
    os.close(pipe)
    if hung_up:
        raise OSError(errno.EOWNERDEAD, "what started it has ended")


def leave_keyring() -> None:
    """Join a new session keyring of the kernel: the inherited one may hold keys; no namespace hides it."""
    libc = ctypes.CDLL(None, use_errno=True)
    number = KEYCTL[os.uname().machine]
    if libc.syscall(number, KEYCTL_JOIN_SESSION_KEYRING, None) < 0 and ctypes.get_errno() != errno.ENOSYS:
        raise OSError(ctypes.get_errno(), "the kernel's keyring cannot be left")


def place(fds: dict[str, int]) -> None:
    """Give each descriptor its number; by way of high ones, since old and new numbers may overlap."""
    aside = {int(target): fcntl.fcntl(source, fcntl.F_DUPFD, ABOVE) for target, source in fds.items()}
    for source in fds.values():
        os.close(source)
    for target, kept in aside.items():
        os.dup2(kept, target)
        os.close(kept)


def main() -> None:
    orders, command = json.loads(sys.argv[1]), sys.argv[2:]
    try:
        obey(orders)
        os.execvpe(command[0], command, orders.get("env", dict(os.environ)))  # noqa: S606
    except (OSError, KeyError) as error:
        sys.stderr.write(f"launch: {command[0]}: {error}\n")
        os._exit(FAILED)


if __name__ == "__main__":
    main()
