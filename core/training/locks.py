"""Locks that die with the process that holds them: a free one means that nobody is there."""

import fcntl
import os
import time
from pathlib import Path


def hold(lock: Path, *, patience: float = 2.0) -> int | None:
    """The descriptor of ``lock``, held exclusively until it is closed; None when somebody else has it.

    ``patience``: seconds in which those who only look (`held`) are waited for.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                return None
            time.sleep(0.01)
        else:
            return descriptor


def held(lock: Path) -> bool:
    """Whether somebody holds ``lock``. A shared lock looks, so that those who look do not see each other."""
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
