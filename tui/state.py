"""Where the person was: tab, filters, order, drafts of the screen. Survives a restart; holds no secret."""

import json
from collections.abc import Mapping
from typing import Any, TypeGuard

from decentralml.core.errors import Failed
from decentralml.core.paths import Home, write_atomic, writing
from decentralml.core.text import clean


class State:
    """A small dictionary on disk. Reading a broken file gives an empty one: nothing in it is precious.

    Of two apps on one home each writes only what it changed itself.
    """

    def __init__(self, home: Home) -> None:
        self._path = home.ui_state
        self._values: dict[str, Any] = {}
        self._kept: dict[str, Any] = {}  # the values as they were last read or written here

    def load(self) -> None:
        """Read the file. Blocks."""
        self._values = _cleaned(self._read())
        self._kept = dict(self._values)

    def get(self, name: str, default: Any = None) -> Any:
        """The value of ``name``; ``default`` where there is none or it has another type."""
        value = self._values.get(name, default)
        return value if default is None or isinstance(value, type(default)) else default

    def set(self, name: str, value: Any) -> bool:
        """Set a JSON value, which stays as it is from then on; whether that changed anything."""
        if self._values.get(name) == value:
            return False
        self._values[name] = value
        return True

    def save(self) -> None:
        """Write what was changed here. Blocks. A full disk costs the place one was in, not the app."""
        try:
            with writing(self._path):
                values, written = dict(self._values), self._read()
                merged = _merged(written, self._kept, values)
                if merged != written:
                    write_atomic(self._path, json.dumps(merged).encode())
                self._kept = values
        except Failed:
            return

    def _read(self) -> dict[str, Any]:
        try:
            values = json.loads(self._path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return values if isinstance(values, dict) else {}


def _merged(theirs: Mapping[str, Any], before: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """``theirs`` with what became of ``before`` in ``ours``.

    A dictionary of dictionaries is merged by its entries; a draft is one thing, of one app. What others
    changed as well is not emptied.
    """
    merged = dict(theirs)
    for name in [*before, *(name for name in ours if name not in before)]:
        was, now, there = before.get(name), ours.get(name), theirs.get(name)
        if now == was:
            continue
        if _has_entries(now) and _has_entries(there):
            merged[name] = _merged(there, was if _has_entries(was) else {}, now)
        elif name in ours and (now or there == was):
            merged[name] = now
        elif there == was:
            merged.pop(name, None)
    return merged


def _has_entries(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict) and bool(value) and all(isinstance(one, dict) for one in value.values())


def _cleaned(value: Any) -> Any:
    """A JSON value with nothing in its texts that a terminal would obey: they stand in fields again."""
    match value:
        case str():
            return clean(value, keep_newlines=True)
        case list():
            return [_cleaned(one) for one in value]
        case dict():
            return {name: _cleaned(one) for name, one in value.items()}
        case _:
            return value
