"""A path as a person names it: typed or pasted, it may be anything."""

import stat
from pathlib import Path

from decentralml.core.errors import Misused

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
