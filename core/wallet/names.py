"""Names that people give to accounts and addresses, and the lock under which they stay unique."""

import contextlib
import fcntl
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from decentralml.core.errors import DecentralMLError, Failed, Misused
from decentralml.core.signing import decode_address
from decentralml.core.text import short

MAX_LENGTH = 64
MAX_BYTES = 180


def checked(name: str) -> str:
    """``name`` in its normal form. Raises `Misused` ("BadName") saying which rule it breaks."""
    name = unicodedata.normalize("NFC", name)
    if not name or name != name.strip():
        reason = "is empty, or begins or ends with a space"
    elif len(name) > MAX_LENGTH or len(name.encode(errors="replace")) > MAX_BYTES:
        reason = f"is longer than {MAX_LENGTH} characters or {MAX_BYTES} bytes"
    elif not name.isprintable():
        reason = "has characters that cannot be printed"
    elif "/" in name or "\\" in name or name[0] in ".-":
        reason = "has a slash in it, or begins with a dot or a dash"
    elif is_address(name):
        reason = "is an address"
    else:
        return name
    raise Misused(
        "BadName",
        f"The name {short(name, 40)!r} {reason}.",
        f"Use up to {MAX_LENGTH} letters, digits and spaces.",
    )


def key(name: str) -> str:
    """What two names must differ in: they are compared without case and compatibility forms."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def is_address(text: str) -> bool:
    """Whether ``text`` is an address of any network."""
    try:
        decode_address(text, None)
    except Misused:
        return False
    return True


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """One writer of ``path`` at a time, over processes and threads; OSErrors come out in words.

    The lock is a file beside it, as ``path`` itself is replaced.

    Raises `Failed` ("CannotWrite").
    """
    try:
        descriptor = os.open(
            path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
    except DecentralMLError:
        raise
    except OSError as error:
        raise Failed(
            "CannotWrite",
            f"{path} cannot be written: {error.strerror}.",
            "Nothing was changed. Make room, or see to the permissions, and try again.",
        ) from error
