"""What goes up and comes down, and went: written by the threads that move it, read by Activity."""

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal

from decentralml.core.errors import DecentralMLError, Interrupted
from decentralml.tui.signing.proposal import Transfer

if TYPE_CHECKING:
    from decentralml.core.storage.base import Progress

State = Literal["running", "done", "failed", "stopped"]

_KEPT = 100


class Handle:
    """One upload, download or federation. ``again`` starts it anew, where that is known.

    ``said``: how far it is, where bytes do not say so. Times in Unix seconds.
    """

    def __init__(
        self,
        name: str,
        transfer: Transfer,
        again: Callable[[], None] | None,
        settled: Callable[[], None],
    ) -> None:
        self.name = name
        self.again = again
        self.started = time.time()
        self.ended: float | None = None
        self.state: State = "running"
        self.error: DecentralMLError | None = None
        self.said = ""
        self._transfer = transfer
        self._settled = settled

    @property
    def began(self) -> float:
        """When the first of it moved."""
        return self._transfer.began or self.started

    @property
    def progress(self) -> "Progress | None":
        """The newest word of it; None before the first."""
        return self._transfer.progress

    def on_progress(self, progress: "Progress") -> None:
        """An `OnProgress` for the storage; may be called from any thread."""
        self._transfer.moved(progress)

    def end(self, error: DecentralMLError | None = None) -> None:
        """It is over: all has arrived, or why not."""
        self.ended, self.error, self.said = time.time(), error, ""
        if error is None:
            self.state = "done"
            self._settled()
        else:
            self.state = "stopped" if isinstance(error, Interrupted) else "failed"

    def cancel(self) -> None:
        """Let it end at its next word."""
        self._transfer.cancel()


class Transfers:
    """The transfers of this session of the app, of which the newest are kept."""

    def __init__(self) -> None:
        self._handles: list[Handle] = []

    def start(
        self, name: str, transfer: Transfer | None = None, *, again: Callable[[], None] | None = None
    ) -> Handle:
        """Note that something is on its way. The caller says when it is done, or failed."""
        handle = Handle(name, transfer or Transfer(), again, partial(self.settled, name))
        # What is here already is looked at again, whoever asks for it: that is no row more.
        self._handles = [one for one in self._handles if (one.name, one.state) != (name, "done")]
        self._handles.append(handle)
        ended = [one for one in self._handles if one.state != "running"]
        for old in ended[: max(len(self._handles) - _KEPT, 0)]:
            self._handles.remove(old)
        return handle

    def settled(self, name: str) -> None:
        """What is called so has arrived: nobody needs to begin it again."""
        for one in self._handles:
            if one.name == name:
                one.again = None

    def newest(self) -> list[Handle]:
        """Newest first."""
        return self._handles[::-1]
