"""Files and folders that a group shares and a crash does not tear."""

import os
from collections.abc import Collection
from pathlib import Path
from secrets import token_hex

from decentralml.core.storage.transfer import Sink

# Set outright, whatever the umask: the group of the folder shares it, nobody else reads it,
# and what is stored never changes.
FOLDER_MODE = 0o2770
FILE_MODE = 0o440


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


def place_file(path: Path, sink: Sink, place: Path) -> None:
    """Make a whole incoming file part of the store."""
    make_folder(place.parent.parent)
    make_folder(place.parent)
    os.fchmod(sink.descriptor, FILE_MODE)
    sink.sync()
    os.rename(path, place)


def sync_folders(places: Collection[Path]) -> None:
    """See that the names of ``places``, their folders and those above reach the disk."""
    for folder in {up for place in places for up in list(place.parents)[:3]}:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
