"""A manifest as the rows of a tree: folders that open and close, files with their sizes."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from decentralml.core.storage.base import Manifest
from decentralml.core.text import clean
from decentralml.core.words import count, size
from decentralml.tui.widgets.paged_table import Cell, Row

_MODEL = {"config.json", "model.weights.h5"}
_MANY = 40


@dataclass(frozen=True)
class Node:
    """A file or folder of the tree: its whole name, ``""`` for no parent; bytes in all, files in it."""

    name: str
    folder: bool
    size: int
    files: int
    model: bool = False

    @property
    def depth(self) -> int:
        return self.name.count("/")


def nodes(manifest: Manifest) -> list[Node]:
    """Every folder and file, each folder before what it holds, folders first."""
    sizes: dict[str, int] = {}
    counts: dict[str, int] = {}
    inside: dict[str, set[str]] = {}
    for file in manifest.files:
        for parent in PurePosixPath(file.name).parents:
            name = "" if str(parent) == "." else str(parent)
            sizes[name] = sizes.get(name, 0) + file.size
            counts[name] = counts.get(name, 0) + 1
        path = PurePosixPath(file.name)
        inside.setdefault("" if str(path.parent) == "." else str(path.parent), set()).add(path.name)
    found = [
        Node(name, True, sizes[name], counts[name], inside.get(name, set()) >= _MODEL)
        for name in sizes
        if name
    ]
    found += [Node(f.name, False, f.size, 1, f.name.endswith(".keras")) for f in manifest.files]
    return sorted(found, key=_order)


def _order(node: Node) -> tuple[tuple[int, str], ...]:
    parts = node.name.split("/")
    last = 0 if node.folder else 1
    return (*((0, part) for part in parts[:-1]), (last, parts[-1]))


def closed_at_first(found: list[Node]) -> set[str]:
    """Folders with so many files that they would hide the rest, and models, which open as one thing."""
    return {node.name for node in found if node.folder and (node.model or node.files > _MANY)}


def rows(found: list[Node], closed: set[str]) -> list[Row]:
    """The rows that are to be seen while the folders ``closed`` are closed."""
    shown: list[Row] = []
    for node in found:
        parents = [str(parent) for parent in PurePosixPath(node.name).parents]
        if any(parent in closed for parent in parents):
            continue
        indent = "  " * node.depth
        name = clean(node.name.rsplit("/", 1)[-1])
        if node.folder:
            sign = "▸" if node.name in closed else "▾"
            about = f"model, {count(node.files, 'file')}" if node.model else count(node.files, "file")
            cells: dict[str, Cell] = {
                "name": f"{indent}{sign} {name}/",
                "about": (about, "dim"),
                "size": (size(node.size), "dim"),
            }
        else:
            about = "model" if node.model else ""
            cells = {"name": f"{indent}  {name}", "about": (about, "dim"), "size": size(node.size)}
        shown.append(Row(node.name, cells))
    return shown
