"""Files and folders that a group shares and a crash does not tear."""

import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from secrets import token_hex
from typing import TypeVar

from decentralml.core.paths import sync
from decentralml.core.storage.transfer import Sink

# Set outright, whatever the umask: the group of the folder shares it, nobody else reads it,
# and what is stored never changes.
FOLDER_MODE = 0o2770
FILE_MODE = 0o440

T = TypeVar("T")


def make_folder(path: Path) -> None:
    """One folder with its mode from the first moment on, so that no other user meets a narrower one."""
    if path.is_dir():
        return
    staged = path.with_name(f".{path.name}.{token_hex(8)}")
    os.mkdir(staged)
    try:
        os.chmod(staged, FOLDER_MODE)
        os.rename(staged, path)
    except OSError:
        os.rmdir(staged)
        if not path.is_dir():  # else another process was faster
            raise


def reach(folders: Sequence[Path], act: Callable[[], T], tries: int = 10) -> T:
    """What ``act`` returns that needs ``folders``, made where they are missing, the outermost first.

    rename(2) takes the place of an empty folder: one that another thread or process has just made may be
    replaced in the moment in which it is reached into. It is there at once again, so it is tried again.
    """
    try:
        for folder in folders:
            make_folder(folder)
        return act()
    except FileNotFoundError:
        if tries == 1:
            raise
        return reach(folders, act, tries - 1)


def place_file(path: Path, sink: Sink, place: Path) -> None:
    """Make a whole incoming file part of the store."""
    os.fchmod(sink.descriptor, FILE_MODE)
    sink.sync()
    reach((place.parent.parent, place.parent), lambda: os.rename(path, place))


def sync_folders(places: Collection[Path]) -> None:
    """See that the names of ``places``, their folders and those above reach the disk."""
    for folder in {up for place in places for up in list(place.parents)[:3]}:
        sync(folder)
