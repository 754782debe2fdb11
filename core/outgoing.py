"""Where what is delivered is laid out before it is sent: a folder a process, so that none sends another's."""

import fcntl
import functools
import os
import shutil
import tempfile
from pathlib import Path

from decentralml.core.paths import Home


def folder(home: Home) -> Path:
    """This process's own; those of processes that are gone are removed, with what they left there."""
    return _own(home.folder(home.cache_dir / "outgoing"))


@functools.cache
def _own(place: Path) -> Path:
    for left in place.iterdir():
        if (lock := _locked(left)) is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(lock)
    while True:
        made = Path(tempfile.mkdtemp(dir=place))
        # Locked for as long as this process lives. Another may have taken it for left before it was.
        if _locked(made) is not None and made.exists():
            return made


def _locked(path: Path) -> int | None:
    """The descriptor of a folder, locked until it is closed; None where another has it, or none is there."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
