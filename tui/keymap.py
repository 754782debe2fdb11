"""A person's own keys, from a file of their home."""

import tomllib
from pathlib import Path

from textual.keys import KEY_NAME_REPLACEMENTS, Keys, _character_to_key, key_to_character

from decentralml.core.errors import Misused
from decentralml.core.text import short
from decentralml.tui.keys import TABLE, Key, use

_MODIFIERS = {"ctrl", "shift", "alt", "super", "hyper", "meta"}
_SENT_AS_OTHERS = {"ctrl+i", "ctrl+m"}  # tab and enter
# Textual names these otherwise than Unicode does.
_NAMED = {key.value for key in Keys} | set(KEY_NAME_REPLACEMENTS.values())


def read(path: Path) -> dict[str, str]:
    """A person's own keys by name of the row, from a TOML file such as ``take = "ctrl+t"``; or empty.

    Raises `Misused` ("BadKeymap") for an unknown row or key, or a key that would mean two things on a screen.
    """
    try:
        given = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Misused("BadKeymap", f"{path}: {error}.", "Mend the file or move it aside.") from error
    rows = {key.name: key for key in TABLE}
    for name, keys in given.items():
        if name not in rows or not isinstance(keys, str) or not keys.strip(", "):
            raise Misused(
                "BadKeymap",
                f"{path}: {name!r} is no action, or its key no text.",
                f"Actions are {', '.join(rows)}.",
            )
    keymap = {name: _normal(keys) for name, keys in given.items()}
    for name, keys in keymap.items():
        if (unknown := next((part for part in keys.split(",") if not _is_key(part)), None)) is not None:
            raise Misused(
                "BadKeymap",
                f"{path}: {short(unknown, 40)!r}, given to {name}, is no key that every terminal sends.",
                "Keys are written as x, X, ?, f5, space, ctrl+x, alt+x: ctrl and alt take letters.",
            )
    taken: dict[str, Key] = {}
    for key in TABLE:
        for name in keymap.get(key.name, _normal(key.keys)).split(","):
            other = taken.setdefault(name, key)
            if other.name != key.name:
                raise Misused(
                    "BadKeymap",
                    f"{path}: {name} would be both {other.name} and {key.name}.",
                    f"Give {other.name} or {key.name} another key.",
                )
    return keymap


def begin(path: Path) -> None:
    """Have a person's own keys from the first paint on; none where `read` finds something wrong. Blocks."""
    try:
        use(read(path))
    except Misused:
        use({})


def _normal(keys: str) -> str:
    """Keys as Textual names them: ``?`` is ``question_mark``."""
    parts = [part.strip() or part for part in keys.split(",")]
    return ",".join(_character_to_key(part) if len(part) == 1 else part for part in parts if part)


def _is_key(name: str) -> bool:
    """Whether any terminal sends ``name``: a character, by itself or by name, or a key without one."""
    *modifiers, base = name.split("+")
    if not _MODIFIERS.issuperset(modifiers) or name in _SENT_AS_OTHERS:
        return False
    character = key_to_character(base)
    if modifiers and character is not None and character.isprintable():
        return character.islower() and character.isascii()
    return base in _NAMED or character is not None
