"""Files and folders that a person names on the command line.

They are looked at before the command begins: a wrong path is a wrong use of it, and is refused in one form
whatever takes it, `Misused` ("NoSuchFile", "FileExists").
"""

from pathlib import Path
from typing import Any

import click

from decentralml.core import named_path
from decentralml.core.errors import Misused
from decentralml.core.named_path import HINT


class Source(click.ParamType[Path]):
    """Something that is there and is of one of ``kinds``, "file" and "folder"."""

    def __init__(self, *kinds: str) -> None:
        self.kinds = kinds
        self.name = " or ".join(kinds)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(value)
        found = named_path.kind(path) if value else None
        if found is None:
            raise Misused("NoSuchFile", f"There is no {self.name} {str(value)!r}.", HINT)
        _require(path, found, self.kinds)
        return path


class Target(click.ParamType[Path]):
    """The place of a ``kind`` ("file" or "folder") that a command writes.

    ``new``: nothing may be there yet. ``folders``: those above it are made where missing.
    """

    def __init__(self, kind: str, *, new: bool = False, folders: bool = False) -> None:
        self.kind = self.name = kind
        self.new = new
        self.folders = folders

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(value)
        found = named_path.kind(path)
        if self.new and (found or path.is_symlink()):
            raise Misused("FileExists", f"{str(path)!r} is there already.", "Choose another name.")
        if found:
            _require(path, found, (self.kind,))
            return path
        above = path.absolute().parent
        while self.folders and named_path.kind(above) is None:
            above = above.parent
        found = named_path.kind(above)
        if found is None:
            raise Misused("NoSuchFile", f"There is no folder {str(above)!r} to put {path.name!r} in.", HINT)
        _require(above, found, ("folder",))
        return path


FILE = Source("file")
FOLDER = Source("folder")
FILE_OR_FOLDER = Source("file", "folder")
NEW_FILE = Target("file", new=True)
NEW_FOLDER = Target("folder", new=True, folders=True)
FOLDER_TO_FILL = Target("folder", folders=True)


def _require(path: Path, found: str, kinds: tuple[str, ...]) -> None:
    if found not in kinds:
        is_ = "neither a file nor a folder" if found == "special" else f"a {found}, not a {kinds[0]}"
        raise Misused("NoSuchFile", f"{str(path)!r} is {is_}.", HINT)
