"""Folders to store, a store, and children that run as somebody else or under a limit."""

import os
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from decentralml.core.storage import local
from decentralml.core.storage.local import LocalStorage


@pytest.fixture
def store(tmp_path: Path) -> LocalStorage:
    local.create(tmp_path / "store")
    return LocalStorage(tmp_path / "store")


@pytest.fixture
def shared() -> Iterator[LocalStorage]:
    """A store that every user can reach the folder of, as on a server."""
    root = Path(tempfile.mkdtemp())
    root.chmod(0o755)
    yield LocalStorage(root / "store")
    shutil.rmtree(root)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files, one executable, one in a folder of its own."""
    root = tmp_path / "folder"
    (root / "data" / "deep").mkdir(parents=True)
    (root / "data" / "deep" / "weights.bin").write_bytes(bytes(range(256)) * 20_000)
    (root / "settings.py").write_text("epochs = 3\n")
    (root / "start.sh").write_text("#!/bin/sh\n")
    (root / "start.sh").chmod(0o755)
    return root


def in_child(function: Callable[[], object], *, user: int | None = None, group: int | None = None) -> None:
    """Run ``function`` in a forked child, as another user when given; its failure is the test's."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.umask(0o077)
            if user is not None and group is not None:
                os.setgroups([group])
                os.setgid(user)
                os.setuid(user)
            function()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.fixture(name="in_child")
def in_child_fixture() -> Callable[..., None]:
    return in_child
