"""The upkeep of a local store: remove what nothing refers to, find what is wrong."""

import fcntl
import os
import stat
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from decentralml.core import words
from decentralml.core.domain import manifest_digest
from decentralml.core.errors import Failed, Refused, Unavailable
from decentralml.core.storage.base import File
from decentralml.core.storage.store import BLOBS, INCOMING, MANIFESTS, READING, Store

_YOUNG = 24 * 3600.0  # seconds in which an upload may still be waiting for its task to be signed


class Finding(Struct, frozen=True):
    """One thing that `doctor` looked at; ``hint`` says what to do where it is not ``ok``."""

    ok: bool
    text: str
    hint: str = ""


class Garbage(Struct, frozen=True):
    """What nothing refers to: numbers of manifests, of files and of broken uploads; bytes in all."""

    manifests: int
    blobs: int
    incoming: int
    size: int


def gc(
    store: Store,
    keep: Callable[[], Collection[str]],
    *,
    older_than: float = _YOUNG,
    dry_run: bool = False,
) -> Garbage:
    """Remove what none of the references that ``keep`` gives needs and is older than ``older_than`` seconds.

    ``keep`` is asked while nobody else stores or renews anything: what is signed before counts, what is
    signed after is young. ``dry_run`` removes nothing and only counts. Raises `Unavailable` ("StorageBusy"
    while somebody uploads, "NoStorage", "StorageDenied"), and like `Store.manifest` where a list to be
    kept is broken.
    """
    with store.reported("removing"), store.locked(fcntl.LOCK_EX | fcntl.LOCK_NB):
        before = time.time() - older_than
        digests = set()
        for text in keep():
            with suppress(Refused):  # what is no reference keeps nothing
                digests.add(manifest_digest(text))
        needed: set[str] = set()
        lists: list[Path] = []
        for path, info in store.files(MANIFESTS):
            if path.name in digests or info.st_mtime > before:
                needed.update(file.sha256 for file in store.manifest(path.name).files)
            else:
                lists.append(path)
        blobs = [
            path for path, info in store.files(BLOBS) if path.name not in needed and info.st_mtime <= before
        ]
        # Uploads share the lock that is held here alone: whatever lies there was left behind.
        incoming = [path for path, _ in store.files(INCOMING)]
        garbage = [*lists, *blobs, *incoming]
        size = sum(path.lstat().st_size for path in garbage)
        if not dry_run:
            for path in garbage:
                path.unlink()
        return Garbage(len(lists), len(blobs), len(incoming), size)


def doctor(store: Store) -> list[Finding]:
    """What is right and wrong with the store, without reading contents (`verify` does)."""
    if not os.path.isdir(store.root):
        missing = store.missing()
        return [Finding(False, missing.message, missing.hint)]
    findings = [_access(store), _modes(store)]
    with store.reported(READING):
        disk = os.statvfs(store.root)
        free = disk.f_bavail * disk.f_frsize
        findings.append(
            Finding(
                free >= 2**30,
                f"{free / 2**30:.1f} GiB are free.",
                "`decentralml storage gc` frees what nobody needs.",
            )
        )
        count, size, broken = 0, 0, []
        for path, _ in store.files(MANIFESTS):
            count += 1
            try:
                manifest = store.manifest(path.name)
            except (Refused, Unavailable, Failed) as error:
                broken.append(Finding(False, f"{path.name[:16]}…: {error.message}", error.hint))
                continue
            size += manifest.size
            lost = [file.name for file in manifest.files if not _stored(store, file)]
            if lost:
                broken.append(
                    Finding(
                        False,
                        f"{path.name[:16]}…: lost {words.count(len(lost), 'file')}, {lost[0]!r} first.",
                        "Ask whoever uploaded it to upload it again.",
                    )
                )
        findings.append(
            Finding(
                True, f"Stored: {words.count(count, 'folder')}, {words.count(size, 'byte')} before sharing."
            )
        )
        left = sum(1 for _ in store.files(INCOMING))
        if left:
            findings.append(
                Finding(
                    True,
                    f"{words.count(left, 'file')} on the way in, or left by broken uploads.",
                    "`storage gc` removes them.",
                )
            )
        return findings + broken


def _stored(store: Store, file: File) -> bool:
    try:
        return store.blob(file.sha256).lstat().st_size == file.size
    except OSError:
        return False


def _access(store: Store) -> Finding:
    if os.access(store.root, os.W_OK | os.X_OK):
        return Finding(True, f"{store.root} can be written.")
    return Finding(False, f"{store.root} can only be read.", "Downloads work; uploads need its group.")


def _modes(store: Store) -> Finding:
    mode = stat.S_IMODE(store.root.stat().st_mode)
    if mode & 0o002:
        return Finding(False, f"Everybody may write {store.root} ({mode:o}).", f"chmod 2770 {store.root}")
    if mode & 0o020 and not mode & stat.S_ISGID:
        return Finding(
            False,
            f"What others of the group store in {store.root} is not the group's.",
            f"chmod 2770 {store.root}",
        )
    return Finding(True, f"{store.root} has mode {mode:o}.")
