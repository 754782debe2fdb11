"""Where the person was: tab, filters, order, drafts of the screen. Survives a restart; holds no secret."""

import json
from typing import Any

from decentralml.core.paths import Home, write_atomic
from decentralml.core.text import clean


class State:
    """A small dictionary on disk. Reading a broken file gives an empty one: nothing in it is precious."""

    def __init__(self, home: Home) -> None:
        self._path = home.ui_state
        self._values: dict[str, Any] = {}

    def load(self) -> None:
        """Read the file. Blocks."""
        try:
            values = json.loads(self._path.read_bytes())
        except (OSError, ValueError, RecursionError):
            values = {}
        self._values = _cleaned(values) if isinstance(values, dict) else {}

    def get(self, name: str, default: Any = None) -> Any:
        """The value of ``name``; ``default`` where there is none or it has another type."""
        value = self._values.get(name, default)
        return value if default is None or isinstance(value, type(default)) else default

    def set(self, name: str, value: Any) -> bool:
        """Set a JSON value; whether that changed anything."""
        if self._values.get(name) == value:
            return False
        self._values[name] = value
        return True

    def save(self) -> None:
        """Write the file. Blocks. A disk that is full costs the place one was in, not the app."""
        try:
            write_atomic(self._path, json.dumps(self._values).encode())
        except OSError:
            return


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
