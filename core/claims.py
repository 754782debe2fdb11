"""What a worker says of its own result, in result.json: shown beside what was measured, never trusted."""

import json
from pathlib import Path
from typing import Any

from msgspec import Struct

from decentralml.core.errors import Refused
from decentralml.core.models.formats import read_small
from decentralml.core.models.metrics import finite
from decentralml.core.text import short

RESULT = "result.json"
_BYTES = 64 * 1024
_FIELDS = 50


class Claims(Struct, frozen=True, kw_only=True):
    """The figures by name (None: not finite), seed, versions by package, digest of the data trained on.

    What is missing in the file, or not of its type, is left out; texts are cleaned and cut.
    """

    metrics: dict[str, float | None] = {}
    seed: int | None = None
    versions: dict[str, str] = {}
    dataset_digest: str | None = None


def read(folder: Path) -> Claims | None:
    """The claims in ``folder``'s result.json; None where there is no such file.

    Raises `Refused`: "LinkInOutput", "NotAFile", "TooLarge" as for any file of a stranger, "BadResult" where
    it holds no JSON object.
    """
    try:
        raw = read_small(folder, RESULT, _BYTES)
    except Refused as refused:
        if refused.code == "NoSuchFile":
            return None
        raise
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _bad(f"it is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise _bad("it holds no object")
    seed, digest = found.get("seed"), found.get("dataset_digest")
    versions = _texts(found.get("versions"))
    return Claims(
        metrics=_figures(found.get("metrics")),
        seed=seed if type(seed) is int and abs(seed) < 2**63 else None,
        versions={name: short(value, 60) for name, value in versions if isinstance(value, str)},
        dataset_digest=short(digest, 128) if isinstance(digest, str) else None,
    )


def _texts(inner: Any) -> list[tuple[str, Any]]:
    pairs = list(inner.items())[:_FIELDS] if isinstance(inner, dict) else []
    return [(short(name, 60), value) for name, value in pairs]


def _figures(inner: Any) -> dict[str, float | None]:
    found = {}
    for name, value in _texts(inner):
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            found[name] = None if value is None else finite(value)
    return found


def _bad(why: str) -> Refused:
    return Refused("BadResult", f"{RESULT} cannot be read: {why}.", "Send the result again.")
