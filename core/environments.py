"""Which Python runs a task: the program's own, or one made for the task's requirements."""

import functools
import hashlib
import os
import platform
import re
import shutil
import site
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from decentralml.core import hostile
from decentralml.core.errors import Failed, Refused, Unavailable
from decentralml.core.paths import Home, used
from decentralml.core.text import clean, short
from decentralml.core.words import size

if TYPE_CHECKING:
    from packaging.requirements import Requirement

# What the program's own part inside the sandbox imports.
NEEDED = ("h5py", "keras", "numpy", "packaging", "tensorflow")


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
    import importlib.metadata

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


# --- requirements -----------------------------------------------------------------------------------------

REQUIREMENTS_LIMIT = 64 << 10
LINES_LIMIT = 500
# Such a "name" is a file to an installer.
ARCHIVE = re.compile(r"\.(whl|zip|tar|gz|tgz|bz2|xz)$", re.IGNORECASE)


def parse(text: str) -> list["Requirement"]:
    """The requirements of a requirements.txt: bare PEP 508 lines and comments.

    Raises `Refused` ("BadRequirement") for options, addresses, paths: all that could run, or fetch from
    somewhere else than the index.
    """
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
    from packaging.requirements import InvalidRequirement, Requirement

    found = []
    for number, line in enumerate(text.splitlines()[: LINES_LIMIT + 1], start=1):
        bare = re.sub(r"(^|\s)#.*", "", line).strip()
        if not bare:
            continue
        if number > LINES_LIMIT:
            raise _bad(number, line, f"there are more than {LINES_LIMIT} lines")
        if bare.startswith("-"):
            raise _bad(number, line, "options are not taken")
        try:
            requirement = Requirement(bare)
            if requirement.marker:
                requirement.marker.evaluate()
        except InvalidRequirement as error:
            raise _bad(number, line, "it is not a name with versions") from error
        except (UndefinedComparison, UndefinedEnvironmentName) as error:
            raise _bad(number, line, "its condition means nothing") from error
        if requirement.url or ARCHIVE.search(requirement.name):
            raise _bad(number, line, "addresses and paths are not taken")
        found.append(requirement)
    return found


def _bad(number: int, line: str, why: str) -> Refused:
    return Refused(
        "BadRequirement",
        f"Line {number} of requirements.txt, {short(line, 80)!r}: {why}.",
        'Only lines such as "numpy>=2" are taken: wheels from the index, so that nothing runs at install.',
    )


def satisfied(requirement: "Requirement") -> bool:
    """Whether what is installed beside this program fits ``requirement``, its extras included."""
    import importlib.metadata

    from packaging.requirements import Requirement

    if requirement.marker and not requirement.marker.evaluate():
        return True
    try:
        there = importlib.metadata.distribution(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return False
    if not requirement.specifier.contains(there.version, prereleases=True):
        return False
    extras = [{"extra": extra} for extra in requirement.extras]
    for line in there.requires or ():
        need = Requirement(line)
        if need.marker and any(need.marker.evaluate(extra) for extra in extras):
            need.marker = None
            if not satisfied(need):
                return False
    return True


def interpreter_for(
    requirements: Path | None, home: Home, *, consent: Callable[[int, list[str]], bool]
) -> Interpreter:
    """The Python that has what ``requirements`` (a requirements.txt, or None) asks for.

    The program's own where everything fits; else an environment of these lines, made once after ``consent``
    said yes to (bytes to fetch, 0 when the index does not say; a line a package). Raises `Refused`
    ("BadRequirement", "Declined" and those of `hostile.read_bytes`), `Unavailable` ("NoNetwork",
    "InstallFailed") and `Failed` ("Unwritable").
    """
    lines = _lines(requirements) if requirements else []
    if not lines:
        return own()
    folder = home.environments / _digest(lines)
    if not folder.exists():
        make(folder, lines, consent)
    used(folder)
    return Interpreter(
        executable=folder / "bin" / "python",
        binds=(folder, *binds_of(Path(sys.base_prefix))),
        name=f"the task's own environment {folder.name[:12]}, Python {platform.python_version()}",
    )


def place(requirements: Path, home: Home) -> Path | None:
    """Where the environment of a requirements.txt is, made or not; None where the program's own Python does.

    Raises as `parse` and `hostile.read_bytes`.
    """
    lines = _lines(requirements)
    return home.environments / _digest(lines) if lines else None


def _lines(requirements: Path) -> list[str]:
    """The lines of the environment that a requirements.txt asks for; none where everything is here."""
    data = hostile.read_bytes(requirements.parent, requirements.name, REQUIREMENTS_LIMIT)
    wanted = parse(data.decode("utf-8", "replace"))
    return [] if all(map(satisfied, wanted)) else _with_needed(wanted)


def _with_needed(wanted: list["Requirement"]) -> list[str]:
    """The lines of an environment: the task's, and what runs the task where it does not name it itself."""
    import importlib.metadata

    from packaging.utils import canonicalize_name

    named = {canonicalize_name(requirement.name) for requirement in wanted}
    pins = [f"{name}=={importlib.metadata.version(name)}" for name in NEEDED if name not in named]
    return sorted({*map(str, wanted), *pins})


def _digest(lines: list[str]) -> str:
    import importlib.metadata

    versions = (platform.python_version(), importlib.metadata.version("decentralml"), platform.machine())
    return hashlib.sha256("\n".join((*versions, *lines)).encode()).hexdigest()


def abandoned(folder: Path) -> list[Path]:
    """What processes that are gone left half made in ``folder``."""
    return [left for left in folder.glob(".making-*") if not Path("/proc", left.name.split("-")[1]).exists()]


def make(folder: Path, lines: list[str], consent: Callable[[int, list[str]], bool]) -> None:
    """Make the environment ``folder`` whole, in one step."""
    for left in abandoned(folder.parent):
        shutil.rmtree(left, ignore_errors=True)
    try:
        with tempfile.TemporaryDirectory(prefix=f".making-{os.getpid()}-", dir=folder.parent) as making:
            _make_in(Path(making), folder, lines, consent)
    except OSError as error:
        raise Failed(
            "Unwritable",
            f"{folder.parent} cannot be written: {error.strerror}.",
            "Make room, or see to the permissions.",
        ) from error


def _make_in(making: Path, folder: Path, lines: list[str], consent: Callable[[int, list[str]], bool]) -> None:
    """Make the environment in ``making`` and move it to ``folder``."""
    lock = making / "pylock.toml"
    (making / "requirements.in").write_text("\n".join(lines))
    wheels = ("--only-binary", ":all:", "--python", sys.executable)
    resolve = ("pip", "compile", "requirements.in", *wheels, "--format", "pylock.toml", "--no-header")
    _uv(making, *resolve, "--quiet", "--output-file", str(lock))
    if not consent(*_cost(lock.read_text())):
        raise Refused(
            "Declined",
            "The task's packages were not installed: that was answered with no.",
            "Say yes to it, or look for another task.",
        )
    # Relocatable, since it is moved into place when it is whole.
    _uv(making, "venv", "--relocatable", "--python", sys.executable, "--no-python-downloads", "made")
    into = ("--python", str(making / "made" / "bin" / "python"), "--only-binary", ":all:")
    _uv(making, "pip", "sync", *into, str(lock))
    try:
        (making / "made").rename(folder)
    except OSError:
        if not folder.exists():  # else another process was faster, with the same
            raise


def _cost(lock: str) -> tuple[int, list[str]]:
    """(bytes, a line a package) of a pylock.toml; 0 bytes when the index does not give every size."""
    import tomllib

    from packaging.tags import sys_tags
    from packaging.utils import parse_wheel_filename

    ranks = {tag: rank for rank, tag in enumerate(sys_tags())}

    def rank(wheel: dict[str, Any]) -> int:
        tags = parse_wheel_filename(wheel.get("name") or wheel["url"].rsplit("/", 1)[-1])[3]
        return min((ranks.get(tag, len(ranks)) for tag in tags), default=len(ranks))

    total, known, lines = 0, True, []
    for package in tomllib.loads(lock).get("packages", ()):
        best: dict[str, Any] = min(package.get("wheels", ()), key=rank, default={})
        bytes_of = int(best.get("size", 0))
        known &= bytes_of > 0
        total += bytes_of
        lines.append(
            f"{package['name']} {package['version']} ({size(bytes_of) if bytes_of else 'size unknown'})"
        )
    return (total if known else 0), [clean(line) for line in lines]


def _uv(folder: Path, *arguments: str) -> None:
    """Run uv in ``folder``, where no project's configuration lies. Raises `Unavailable`."""
    import uv

    done = subprocess.run(
        [uv.find_uv_bin(), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return
    lines = [clean(line).strip() for line in done.stderr.splitlines() if line.strip()]
    last = " ".join(lines[-4:])[-600:] or "uv said nothing."
    if re.search(
        r"error sending request|dns error|failed to fetch|connect|timed out", done.stderr, re.IGNORECASE
    ):
        raise Unavailable(
            "NoNetwork", f"The package index was not reached: {last}", "Try again with a network."
        )
    raise Unavailable(
        "InstallFailed",
        f"The task's packages cannot be installed: {last}",
        "The task asks for something that does not exist, or has no wheel for this Python.",
    )
