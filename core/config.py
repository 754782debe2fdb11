"""Settings: flags beat environment beat file beat defaults. The file is TOML, for people."""

import json
import os
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from decentralml.core.errors import Misused
from decentralml.core.paths import Home, write_atomic, writing

ENVIRONMENT_PREFIX = "DECENTRALML_"

Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Nice = Annotated[int, Meta(ge=0, le=19)]


class Settings(Struct, frozen=True, forbid_unknown_fields=True, rename=lambda n: n.replace("_", "-")):
    """Everything that can be set. Sizes in MiB, periods in seconds.

    ``chain`` is ``local`` or ``local:FILE``; ``storage`` is ``local`` or ``local:FOLDER``;
    ``notify`` is a command that is run, with the text appended, when something waits; ``result_size`` the
    most that one result may have: a larger one is neither sent nor fetched, and can be rejected for it.
    """

    chain: str = "local"
    storage: str = "local"
    account: str = ""
    theme: str = "dark"
    ascii: bool = False
    notify: list[str] = field(default_factory=list)
    idle_lock: Count = 900
    max_runs: Positive = 1
    threads: Count = 0
    nice: Nice = 5
    sandbox_memory: Positive = 8192
    sandbox_disk: Positive = 10240
    sandbox_processes: Positive = 512
    result_size: Positive = 4096
    filters: dict[str, str] = field(default_factory=dict)


THEMES = "decentralml.themes"
FIELDS = {f.encode_name: f for f in msgspec.structs.fields(Settings)}


def load(home: Home, overrides: Mapping[str, str] | None = None) -> Settings:
    """The settings in force. ``overrides`` (flags) are texts by name; None and "" count as not given.

    Raises `Misused` ("BadConfig") naming the file and the key.
    """
    values = read_file(home)
    for name in FIELDS:
        given = os.environ.get(ENVIRONMENT_PREFIX + name.replace("-", "_").upper())
        if given:
            values[name] = from_text(name, given)
    for name, given in (overrides or {}).items():
        if given:
            values[name] = from_text(name, given)
    try:
        return msgspec.convert(values, Settings)
    except msgspec.ValidationError as error:
        raise Misused(
            "BadConfig", f"{home.config}: {error}.", "Mend that key in the file, or take it out."
        ) from error


def themes(home: Home) -> list[str]:
    """The names of the themes there are: those that come with the program and the person's own."""
    shipped = [file.name for file in resources.files(THEMES).iterdir()]
    own = [path.name for path in (home.config_dir / "themes").glob("*.toml")]
    return sorted({name.removesuffix(".toml") for name in shipped + own if name.endswith(".toml")})


def check_theme(home: Home, name: str) -> None:
    """Raises `Misused` ("BadConfig") where there is no such theme."""
    known = themes(home)
    if name not in known:
        raise Misused(
            "BadConfig",
            f"theme: there is no {name[:60]!r}.",
            f"Known: {', '.join(known)}. Your own: a file NAME.toml in {home.config_dir / 'themes'}.",
        )


def read_file(home: Home) -> dict[str, Any]:
    """The file's own values, unchecked; empty where there is no file."""
    try:
        return tomllib.loads(home.config.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise Misused(
            "BadConfig", f"{home.config} cannot be read: {error}.", "Mend the file or move it aside."
        ) from error


def from_text(name: str, text: str) -> Any:
    """``text`` as the type of the setting ``name``. Raises `Misused` ("UnknownSetting", "BadConfig")."""
    known = FIELDS.get(name)
    if known is None:
        raise Misused(
            "UnknownSetting", f"There is no setting {name[:60]!r}.", f"Known: {', '.join(sorted(FIELDS))}."
        )
    if known.type is str:
        return text
    try:
        values = tomllib.loads(f"v = {text}")
        if len(values) > 1:
            raise ValueError("it is more than one value")
        return msgspec.convert(values["v"], known.type)
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise Misused(
            "BadConfig",
            f"{name}: {text[:60]!r} does not fit: {str(error).partition(' (at')[0]}.",
            f"Write it like the default, {json.dumps(getattr(Settings(), known.name))}.",
        ) from error


def store(home: Home, name: str, text: str) -> Settings:
    """Write one setting to the file, keeping its comments, and return the settings in force.

    Raises as `from_text` and `load`, and `Failed` ("CannotWrite").
    """
    import tomlkit

    value = from_text(name, text)
    if name == "theme":
        check_theme(home, value)
    home.folder(home.config.parent)
    # Where the file is a link into somebody's dotfiles, what it points to is written.
    path = home.config.resolve()
    with writing(path):
        read_file(home)
        document = tomlkit.parse(path.read_text()) if path.exists() else tomlkit.document()
        document[name] = value
        write_atomic(path, tomlkit.dumps(document).encode())
    return load(home)
