"""A path as a person names it, which may be anything: what it means, what is there, and its bytes."""

import os
import stat
from pathlib import Path

from decentralml.core.errors import Failed, Misused

HINT = "Check the path; a relative one begins in the folder you are in."


def typed(text: str) -> Path:
    """The absolute path that ``text`` means; ``~`` is the home. Raises `Misused` ("NoSuchFile")."""
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:  # ~somebody who is nobody here
        raise Misused("NoSuchFile", f"{text[:200]!r} begins with the home of nobody here.", HINT) from error


def kind(path: Path) -> str | None:
    """ "file", "folder" or "special"; None where nothing is. Raises `Misused` ("NoSuchFile") where the
    system will not even look: a name too long, one it cannot write, a folder that may not be entered.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        shown = str(path) if len(str(path)) <= 200 else f"{str(path)[:200]}…"
        raise Misused("NoSuchFile", f"{shown!r} cannot be reached: {why}.", HINT) from error
    return "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "special"


def read(path: Path, most: int) -> bytes:
    """The bytes of a file of at most ``most`` bytes.

    Raises `Misused` ("NoSuchFile", "FileTooLarge"), `Failed` ("CannotRead").
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except FileNotFoundError as error:
        raise Misused("NoSuchFile", f"There is no file {str(path)!r}.", HINT) from error
    except OSError as error:
        raise Failed(
            "CannotRead", f"{path} cannot be read: {error.strerror}.", "See to its permissions."
        ) from error
    if len(data) > most:
        raise Misused("FileTooLarge", f"{path} holds more than {most:,} bytes.", "Is it the right file?")
    return data


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, 0600. Raises `Misused` ("FileExists"), `Failed` ("CannotWrite")."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
        except OSError:
            path.unlink(missing_ok=True)  # half of a key opens nothing, and would be in the way
            raise
    except FileExistsError:
        raise Misused("FileExists", f"{path} is there already.", "Choose another name.") from None
    except OSError as error:
        raise Failed(
            "CannotWrite", f"{path} cannot be written: {error.strerror}.", "Choose another place."
        ) from error
