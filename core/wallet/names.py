"""Names that people give to accounts and addresses."""

import unicodedata

from decentralml.core.errors import Misused
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
