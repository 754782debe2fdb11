"""What can go of a home's cache: downloads, prepared folders and environments that nothing here needs now.

All of it can be had again: from the storage, by running setup.sh once more, from the index of packages.
"""

import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from msgspec import Struct

from decentralml.core import environments, hostile, task_folder
from decentralml.core.chain.base import Chain, SubmissionQuery
from decentralml.core.domain import LIVE, MAX_U32, manifest_digest
from decentralml.core.errors import Failed, Refused
from decentralml.core.paths import Home, lock_folder
from decentralml.core.training.locks import held
from decentralml.core.training.runs import Run

YOUNG = 24 * 3600.0  # seconds in which what was used may still be in somebody's hands
_GONE = ".gone-"


class Unneeded(Struct, frozen=True, kw_only=True):
    """Paths below the cache that nothing needs, by kind, and how many bytes on disk they take in all.

    ``downloads``: of tasks and results, whole or broken off; ``prepared``: what setup.sh made of tasks.
    """

    downloads: tuple[Path, ...]
    prepared: tuple[Path, ...]
    environments: tuple[Path, ...]
    size: int

    @property
    def paths(self) -> tuple[Path, ...]:
        return self.downloads + self.prepared + self.environments


def find(
    home: Home, chain: Chain, addresses: Iterable[str], runs: Iterable[Run], *, young: float = YOUNG
) -> Unneeded:
    """What nothing needs: no slot that ``addresses`` hold on ``chain``, no result that waits for their word
    there (with a draft of it or without), none of ``runs``; and what was not used for ``young`` seconds.

    Raises as `Chain.submissions`, and `OSError`.
    """
    digests = _needed(chain, addresses)
    kept = {folder / digest for folder in (home.assets, home.prepared) for digest in digests}
    kept |= {place for folder in kept if (place := _environment(folder, home)) is not None}
    for run in runs:
        kept.add(run.spec.assets)
        if run.spec.interpreter is not None:
            kept.add(run.spec.interpreter.executable.parent.parent)
    before = time.time() - young
    found = [
        tuple(path for path in _entries(folder) if path not in kept and _left(path, digests, before))
        for folder in (home.assets, home.prepared, home.environments)
    ]
    downloads, prepared, made = found
    return Unneeded(
        downloads=downloads,
        prepared=prepared,
        environments=made,
        size=sum(_frees(path) for paths in found for path in paths),
    )


def remove(unneeded: Unneeded) -> None:
    """Delete it; what breaks off half way is taken up by the next `find`. Raises `OSError`."""
    for path in unneeded.paths:
        # By another name first: whoever looks for it finds all of it or nothing.
        aside = path.with_name(f"{_GONE}{token_hex(8)}")
        with suppress(FileNotFoundError):  # another process cleans as well
            path.rename(aside)
            if aside.is_dir():
                hostile.delete(aside)
            else:
                aside.unlink()


def _needed(chain: Chain, addresses: Iterable[str]) -> set[str]:
    """The digests of what the open work and the open decisions of ``addresses`` take."""
    digests = set()
    for address in addresses:
        for query in (
            SubmissionQuery(worker=address, statuses=LIVE, limit=MAX_U32),
            SubmissionQuery(creator=address, statuses=LIVE, limit=MAX_U32),
        ):
            for submission in map(chain.with_report, chain.submissions(query).items):
                assets = chain.task(submission.task_id).terms.assets
                for reference in (assets and assets[1], submission.result_path, submission.report_path):
                    with suppress(Refused):  # what is no reference keeps nothing
                        digests.add(manifest_digest(reference or ""))
    return digests


def _environment(folder: Path, home: Home) -> Path | None:
    """The environment that the task in ``folder`` asks for, where it asks for one."""
    requirements = folder / task_folder.REQUIREMENTS
    try:
        return environments.place(requirements, home) if requirements.exists() else None
    except (Refused, Failed):  # such a task has none
        return None


def _entries(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if path.suffix != ".lock")


def _left(path: Path, digests: set[str], before: float) -> bool:
    """Whether nobody has used ``path``, which no list names, since ``before``, or is at work in it."""
    if path.name.startswith(_GONE):
        return True
    # .DIGEST.part of a download, DIGEST.partial and .log of what setup.sh makes
    if path.name.strip(".").partition(".")[0] in digests or path.lstat().st_mtime > before:
        return False
    if path.name.startswith(".making-"):
        return path in environments.abandoned(path.parent)
    if path.name.startswith("."):
        lock = lock_folder(path)
        if lock is not None:
            os.close(lock)
        return lock is not None
    return not held(path.with_name(f"{path.name.partition('.')[0]}.lock"))


def _frees(path: Path) -> int:
    """Bytes on disk that are free once ``path`` is gone: a file that has another name besides frees none."""
    status = path.lstat()
    size = status.st_blocks * 512 if stat.S_ISDIR(status.st_mode) or status.st_nlink == 1 else 0
    if stat.S_ISDIR(status.st_mode):
        with suppress(OSError):  # what a sandbox has closed is opened when it is deleted
            size += sum(map(_frees, path.iterdir()))
    return size
