"""What is about to be signed, in values that the signing dialog shows."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from decentralml.core.errors import Interrupted

if TYPE_CHECKING:
    from decentralml.core.chain.base import Receipt
    from decentralml.core.storage.base import Progress


class Transfer:
    """Where the upload or download behind a call stands; written by its thread, read by the screen."""

    def __init__(self) -> None:
        self.progress: Progress | None = None
        self.began: float | None = None
        self.cancelled = False

    @property
    def moving(self) -> bool:
        """Whether bytes are on their way: what comes after them cannot be stopped any more."""
        return self.progress is not None and self.progress.done < self.progress.total

    def begin(self) -> None:
        """Forget that an earlier try was cancelled."""
        self.cancelled = False

    def cancel(self) -> None:
        """Let it end at its next word; nothing is signed after it. What has arrived is not moved again."""
        self.cancelled = True

    def moved(self, progress: "Progress") -> None:
        """An `OnProgress` that keeps the newest word, and the Unix time of the first.

        Raises `Interrupted` ("Cancelled") once it was cancelled, which ends the transfer.
        """
        if self.cancelled:
            raise Interrupted("Cancelled", "The transfer was cancelled.", "What has arrived stays.")
        self.began = self.began or time.time()
        self.progress = progress


@dataclass(frozen=True)
class Proposal:
    """``title`` says in plain words what is done; ``send`` blocks, signs and submits; amounts are planck.

    ``free`` and ``held`` are what the call changes of the signer's balance, ``escrow`` and ``deposit`` what
    it changes of the task's and the submission's, whoever's they are; ``effect`` says it in words.
    ``again`` is a second question before it is sent. ``signed`` False: no key of this person is needed.
    ``rebuild`` blocks, and asks the rules for the same call anew.
    """

    call: str
    title: str
    arguments: list[tuple[str, str]]
    effect: str
    send: "Callable[[], Receipt]"
    free: int = 0
    held: int = 0
    escrow: int = 0
    deposit: int = 0
    fee: int = 0
    warnings: list[str] = field(default_factory=list)
    again: str = ""
    signed: bool = True
    transfer: Transfer = field(default_factory=Transfer)
    rebuild: "Callable[[], Proposal] | None" = None

    @property
    def doing(self) -> str:
        """The title within a sentence."""
        return self.title[0].lower() + self.title[1:]


def rebuildable(build: Callable[..., Proposal], *args: Any, **kwargs: Any) -> Proposal:
    """``build(*args, **kwargs)``, which can be built anew after it failed. Blocks; raises as ``build``."""
    return replace(build(*args, **kwargs), rebuild=partial(rebuildable, build, *args, **kwargs))
