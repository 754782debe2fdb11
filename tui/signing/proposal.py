"""What is about to be signed, in values that the signing dialog shows."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decentralml.core.chain.base import Receipt
    from decentralml.core.storage.base import Progress


class Transfer:
    """Where the upload or download behind a call stands; written by its thread, read by the screen."""

    def __init__(self) -> None:
        self.progress: Progress | None = None
        self.began: float | None = None

    def moved(self, progress: "Progress") -> None:
        """An `OnProgress` that keeps the newest word, and the Unix time of the first."""
        self.began = self.began or time.time()
        self.progress = progress


@dataclass(frozen=True)
class Proposal:
    """``send`` blocks, and signs and submits; amounts are planck.

    ``free`` and ``held`` are what the call changes of the signer's balance, ``escrow`` and ``deposit`` what
    it changes of the task's and the submission's, whoever's they are; ``effect`` says it in words.
    ``again`` is a second question before it is sent. ``signed`` False: no key of this person is needed.
    """

    call: str
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
