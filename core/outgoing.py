"""Where what is delivered is laid out before it is sent: a folder a process, so that none sends another's."""

import functools
import os
import shutil
import tempfile
from pathlib import Path

from decentralml.core.paths import Home, lock_folder


def folder(home: Home) -> Path:
    """This process's own; those of processes that are gone are removed, with what they left there."""
    return _own(home.folder(home.cache_dir / "outgoing"))


@functools.cache
def _own(place: Path) -> Path:
    for left in place.iterdir():
        if (lock := lock_folder(left)) is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(lock)
    while True:
        made = Path(tempfile.mkdtemp(dir=place))
        # Locked for as long as this process lives. Another may have taken it for left before it was.
        if lock_folder(made) is not None and made.exists():
            return made
