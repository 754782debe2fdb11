"""From ``--chain`` to a chain."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from decentralml.core.chain.base import Chain
from decentralml.core.chain.database import exists, gone
from decentralml.core.chain.ledger import Ledger, create
from decentralml.core.chain.seen import remembers
from decentralml.core.errors import Misused, Unavailable
from decentralml.core.paths import Home


def connect(spec: str, home: Home, *, now: Callable[[], float] = time.time) -> Chain:
    """The chain that ``spec`` names: "local" (the home's own ledger, made where missing) or "local:FILE".

    Raises as `ledger_file`, and what opening a `Ledger` raises.
    """
    return Ledger(ledger_file(spec, home, now=now), seen=home.seen, now=now)


def ledger_file(spec: str, home: Home, *, now: Callable[[], float] = time.time) -> Path:
    """The file of the chain that ``spec`` names, as `connect` takes it.

    Raises `Unavailable` ("UnknownChain"), `Refused` ("LedgerGone"), `Misused` ("BadChain"), and what
    making a ledger raises.
    """
    scheme, colon, rest = spec.partition(":")
    if spec == "local":
        if remembers(home.seen, home.ledger) and not exists(home.ledger):
            raise gone(home.ledger)
        create(home.ledger, now=now, exist_ok=True)
        return home.ledger
    if scheme == "local" and colon:
        if not rest:
            raise Misused("BadChain", "local: needs a file.", "Write local:FILE, or only local.")
        path = Path(rest).expanduser()
        if os.path.isdir(path):  # Path's own raises where the folder above may not be read
            raise Misused(
                "BadChain", f"{path} is a folder, not a ledger.", "Name the file in it, as local:FILE."
            )
        return path
    raise Unavailable(
        "UnknownChain",
        f"This version cannot reach the chain {spec[:80]!r}.",
        "It knows local (a ledger in the home) and local:FILE (one that is shared).",
    )
