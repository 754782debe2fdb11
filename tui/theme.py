"""Themes: TOML files of colours, the shipped ones and a person's own, which reload when they change."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

from decentralml.core.errors import Misused

_COLOURS = (
    "primary",
    "secondary",
    "accent",
    "success",
    "warning",
    "error",
    "foreground",
    "background",
    "surface",
    "panel",
)
_KEYS = (*_COLOURS, "dark", "ansi", "variables")

_TEXT_STYLES = {"none", "bold", "dim", "italic", "reverse", "strike", "underline"}

# What a theme adds to Textual's own variables; a theme that leaves one out gets these.
VARIABLES = {"text-dim": "#9098aa", "border-soft": "#2b3040", "row-cursor": "#232d45"}


def shipped() -> list[Theme]:
    """The themes of `decentralml.themes`."""
    folder = resources.files("decentralml.themes")
    return [
        parse(Path(file.name).stem, file.read_text())
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    ]


def parse(name: str, text: str) -> Theme:
    """A theme of TOML text. Raises `Misused` ("BadTheme") naming the key."""
    try:
        values: dict[str, Any] = tomllib.loads(text)
        _check(values)
        if values.get("ansi"):
            like = BUILTIN_THEMES["ansi-dark" if values.get("dark", True) else "ansi-light"]
            values["variables"] = {**like.variables, **values.get("variables", {})}
        theme = Theme(name=name, **values)
        if not theme.ansi:
            theme.to_color_system().generate()
    except (ValueError, ColorParseError) as error:
        raise Misused("BadTheme", f"Theme {name}: {error}.", f"Known keys: {', '.join(_KEYS)}.") from error
    return theme


def _check(values: dict[str, Any]) -> None:
    """Raises `ValueError` and `ColorParseError`: a value that is wrong would break the style sheets later."""
    unknown = set(values) - set(_KEYS)
    if unknown:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    if "primary" not in values:
        raise ValueError("primary is missing")
    for switch in ("dark", "ansi"):
        if not isinstance(values.get(switch, True), bool):
            raise ValueError(f"{switch} must be true or false")
    variables = values.get("variables", {})
    if not isinstance(variables, dict):
        raise ValueError("variables must be a table")
    for key, value in [*((key, values[key]) for key in _COLOURS if key in values), *variables.items()]:
        if not isinstance(value, str):
            raise ValueError(f"{key} must be text")
        if key.endswith("text-style"):
            if not set(value.split()) <= _TEXT_STYLES:
                raise ValueError(f"{key}: {value!r} is none of {', '.join(sorted(_TEXT_STYLES))}")
        else:
            Color.parse(value)


class UserThemes:
    """The themes in a person's folder, read again when a file changes. Blocks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[Path, int] = {}

    def changed(self) -> tuple[list[Theme], list[Misused]]:
        """Themes whose files are new or changed since the last call, and what is wrong with others."""
        themes, problems = [], []
        for path in sorted(self._folder.glob("*.toml")):
            try:
                changed = path.stat().st_mtime_ns
                if self._seen.get(path) == changed:
                    continue
                self._seen[path] = changed
                themes.append(parse(path.stem, path.read_text(errors="replace")))
            except Misused as problem:
                problems.append(problem)
            except OSError as error:
                problems.append(Misused("BadTheme", f"Theme {path}: {error.strerror}."))
        return themes, problems
