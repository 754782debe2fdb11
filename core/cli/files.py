"""Files that a person names on the command line."""

import os
from pathlib import Path

from decentralml.core.errors import Failed, Misused


def read_small(path: Path, most: int) -> bytes:
    """The bytes of a regular file of at most ``most`` bytes.

    Raises `Misused` ("NoSuchFile", "FileTooLarge"), `Failed` ("CannotRead").
    """
    if not path.exists():
        raise Misused("NoSuchFile", f"There is no file {path}.", "Check the name.")
    if not path.is_file():
        raise Misused("NoSuchFile", f"{path} is no regular file.", "Name a file.")
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise Failed(
            "CannotRead", f"{path} cannot be read: {error.strerror}.", "See to its permissions."
        ) from error
    if len(data) > most:
        raise Misused("FileTooLarge", f"{path} holds more than {most:,} bytes.", "Is it the right file?")
    return data


def require_data(path: Path | None) -> None:
    """Raises `Misused` ("NoData") where ``path`` is given and nothing is there."""
    if path is not None and not path.exists():
        raise Misused("NoData", f"There is nothing at {path}.", "--data takes an .npz with x and y.")


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, 0600. Raises `Misused` ("FileExists"), `Failed` ("CannotWrite")."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
    except FileExistsError:
        raise Misused("FileExists", f"{path} is there already.", "Choose another name.") from None
    except OSError as error:
        raise Failed(
            "CannotWrite", f"{path} cannot be written: {error.strerror}.", "Choose another place."
        ) from error
