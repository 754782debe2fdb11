"""Work on the loop whose errors become words on the screen."""

import inspect
import os
import weakref
from collections.abc import Coroutine, Generator
from typing import TYPE_CHECKING, Any

from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.widget import MountError
from textual.worker import active_worker

from decentralml.core.errors import DecentralMLError, Failed, refused_by_system
from decentralml.tui import keys

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp


class Guarded:
    """Awaits a coroutine; what it raises, `DecentralMLApp.show_error` says.

    One that is cancelled before it began is closed without a word, as screens cancel what is outdated; and
    what comes back to a screen that was left finds nothing to show itself on, which is no failure.
    """

    def __init__(self, app: "DecentralMLApp", coroutine: Coroutine[Any, Any, Any]) -> None:
        self._app = app
        self._coroutine = coroutine
        # Not by __del__: of a ring the collector might end the coroutine first, and not without a word.
        weakref.finalize(self, _end_unbegun, coroutine)

    def __await__(self) -> Generator[Any, None, None]:
        return self._run().__await__()

    async def _run(self) -> None:
        try:
            await self._coroutine
        except Exception as error:
            worker = active_worker.get(None)
            if worker is not None and found_nothing(error, worker.node):
                return
            if self._app.is_running:  # else what it would have shown is gone already
                self._app.show_error(ours(error), otherwise=self._doing)

    @property
    def _doing(self) -> str:
        """What was being done, by the name of the coroutine: ``refresh data``."""
        return getattr(self._coroutine, "__name__", "").strip("_").replace("_", " ")


def _end_unbegun(coroutine: Coroutine[Any, Any, Any]) -> None:
    if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
        coroutine.close()


def found_nothing(error: Exception, node: DOMNode) -> bool:
    """Whether ``error`` only says that ``node`` was left: its parts are gone, or go."""
    return isinstance(error, NoMatches | MountError) and not (node.is_attached and node.display)


def ours(error: Exception) -> DecentralMLError:
    """``error`` as words for people; where a bug was raised stands in Activity.

    With DECENTRALML_DEBUG in the environment a bug is raised and ends the app.
    """
    if isinstance(error, DecentralMLError):
        return error
    if isinstance(error, OSError):
        found = refused_by_system(error)
        found.__cause__ = error
        return found
    if os.environ.get("DECENTRALML_DEBUG"):
        raise error
    found = Failed(
        "Bug",
        f"This should not have happened: {type(error).__name__}: {error}",
        keys.said("{activity} shows where, for whoever mends it."),
    )
    found.__cause__ = error
    return found
