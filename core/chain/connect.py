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

    Raises `Unavailable` ("NoLedger", "UnknownChain"), `Refused` ("LedgerGone"), `Misused`
    ("BadChain"), and what opening a `Ledger` raises.
    """
    scheme, colon, rest = spec.partition(":")
    if spec == "local":
        if remembers(home.seen, home.ledger) and not exists(home.ledger):
            raise gone(home.ledger)
        create(home.ledger, now=now, exist_ok=True)
        return Ledger(home.ledger, seen=home.seen, now=now)
    if scheme == "local" and colon:
        if not rest:
            raise Misused("BadChain", "local: needs a file.", "Write local:FILE, or only local.")
        path = Path(rest).expanduser()
        if os.path.isdir(path):  # Path's own raises where the folder above may not be read
            raise Misused(
                "BadChain", f"{path} is a folder, not a ledger.", "Name the file in it, as local:FILE."
            )
        return Ledger(path, seen=home.seen, now=now)
    raise Unavailable(
        "UnknownChain",
        f"This version cannot reach the chain {spec[:80]!r}.",
        "It knows local (a ledger in the home) and local:FILE (one that is shared).",
    )
