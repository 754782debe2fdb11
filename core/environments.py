"""Which Python runs a task: the program's own, or one made for the task's requirements."""

import functools
import importlib.metadata
import site
import sys
from dataclasses import dataclass
from pathlib import Path

# What the program's own part inside the sandbox imports.
NEEDED = ("h5py", "keras", "numpy", "tensorflow")


@dataclass(frozen=True)
class Interpreter:
    """A Python that a sandbox can run.

    ``binds`` are host folders and files that it needs, bound read-only at the same place; ``site`` are
    folders of packages that it does not find by itself.
    """

    executable: Path
    binds: tuple[Path, ...]
    site: tuple[Path, ...] = ()
    name: str = ""


@functools.cache
def own() -> Interpreter:
    """The interpreter that runs this program, with everything that is installed beside it."""
    packages = {Path(str(importlib.metadata.distribution(name).locate_file(""))) for name in NEEDED}
    return Interpreter(
        executable=Path(sys.executable),
        binds=tuple(dict.fromkeys((*binds_of(Path(sys.prefix)), *binds_of(Path(sys.base_prefix))))),
        site=tuple(sorted(packages - set(map(Path, site.getsitepackages())))),
        name=f"this program's own Python {sys.version.split()[0]}",
    )


def binds_of(prefix: Path) -> tuple[Path, ...]:
    """What of ``prefix`` an interpreter needs: only that, since a prefix may be somebody's project folder."""
    parts = ("pyvenv.cfg", "bin", "lib", "lib64")
    places = dict.fromkeys((prefix, prefix.resolve()))
    return tuple(place / part for place in places for part in parts if (place / part).exists())
