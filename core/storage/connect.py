"""From the text in the settings to the storage it names."""

from pathlib import Path

from decentralml.core.errors import Misused, Unavailable
from decentralml.core.paths import Home
from decentralml.core.storage import local
from decentralml.core.storage.base import Storage


def connect(spec: str, home: Home) -> Storage:
    """The storage of ``local`` (the home's own) or ``local:FOLDER``, made when its parent is there.

    Raises `Misused` ("BadStorage") for what is no such text, `Unavailable`: "UnknownStorage" for a kind
    that this version does not know, "NoStorage" and "StorageDenied" where the folder cannot be made.
    """
    kind, colon, place = spec.partition(":")
    if kind != "local":
        raise Unavailable(
            "UnknownStorage",
            f"This version knows no storage {kind[:60]!r}.",
            "Use --storage local or --storage local:FOLDER.",
        )
    if colon and not place:
        raise Misused("BadStorage", f"{spec!r} names no folder.", "Write --storage local:FOLDER.")
    if not colon:
        home.folder(home.storage.parent)
    root = Path(place).expanduser().absolute() if place else home.storage
    local.create(root)
    return local.LocalStorage(root)
