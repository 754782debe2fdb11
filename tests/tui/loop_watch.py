"""What the event loop's thread does that could hold up the screen, and from where."""

import functools
import os
import sqlite3
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

# What Python tells an audit hook of: files, folders, sockets, processes, databases.
_SLOW = ("open", "os.", "shutil.", "glob.", "socket.", "sqlite3.", "subprocess.", "ctypes.dlopen")
# Code is read where a screen is first shown.
_IMPORTING = "<frozen importlib"
# An app is made before its loop begins, and finished after it has ended.
_BESIDE_THE_LOOP = ("DecentralMLApp.__init__", "DecentralMLApp.finish")

_current: "Watch | None" = None
_hooked = False


class Watch:
    """Collects what one thread does."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self.offences: list[str] = []

    def saw(self, what: str) -> None:
        """Note ``what`` where it happens on the watched thread, outside an import."""
        if threading.get_ident() != self._thread:
            return
        ours = None
        for frame, line in traceback.walk_stack(None):
            name = frame.f_code.co_filename
            if name.startswith(_IMPORTING) or frame.f_code.co_qualname in _BESIDE_THE_LOOP:
                return
            if ours is None and ("/tui/" in name or "/core/" in name) and "/tests/" not in name:
                ours = f"{what} at {name}:{line} in {frame.f_code.co_name}"
        if ours is not None:
            self.offences.append(ours)


class _Connection(sqlite3.Connection):
    """A connection that tells of each statement."""

    def execute(self, *args: Any, **kwargs: Any) -> sqlite3.Cursor:
        _tell(f"sqlite3 execute {args[0]!r}")
        return super().execute(*args, **kwargs)

    def executemany(self, *args: Any, **kwargs: Any) -> sqlite3.Cursor:
        _tell(f"sqlite3 executemany {args[0]!r}")
        return super().executemany(*args, **kwargs)


@contextmanager
def watching(patch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Watch this thread: files, sockets, SQLite statements, and what reads or runs models."""
    global _current, _hooked
    if not _hooked:
        sys.addaudithook(_audit)
        _hooked = True
    patch.setattr(sqlite3, "connect", functools.partial(sqlite3.connect, factory=_Connection))
    for owner, name in _untold():
        patch.setattr(owner, name, _telling(getattr(owner, name), f"{owner.__name__}.{name}"))
    _current = Watch()
    try:
        yield _current
    finally:
        _current = None


def _untold() -> list[tuple[Any, str]]:
    import h5py

    from decentralml.core.models import aggregate, evaluate, inspect
    from decentralml.core.training.runs import Runs

    return [
        (h5py.File, "__init__"),
        (inspect, "inspect"),
        (aggregate, "aggregate"),
        (evaluate.Evaluator, "predict"),
        (evaluate.Evaluator, "summary"),
        (Runs, "list"),
        (Runs, "start"),
        # No audit hook is told of these.
        (os, "stat"),
        (os, "lstat"),
    ]


def _telling(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def told(*args: Any, **kwargs: Any) -> Any:
        _tell(name)
        return function(*args, **kwargs)

    return told


def _audit(event: str, args: tuple[object, ...]) -> None:
    if _current is not None and event.startswith(_SLOW):
        _tell(f"{event} {args[:1]}")


def _tell(what: str) -> None:
    if _current is not None:
        _current.saw(what)
