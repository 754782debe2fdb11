"""What went wrong since the app was started, kept for the Activity screen."""

import time
from collections.abc import Iterator

from decentralml.core.errors import DecentralMLError

_KEPT = 500


class Failures:
    """The newest failures, oldest first, each with the Unix time at which it was shown."""

    def __init__(self) -> None:
        self._kept: list[tuple[float, DecentralMLError]] = []

    def append(self, error: DecentralMLError) -> None:
        """Keep ``error``, as of now; the oldest gives way."""
        self._kept.append((time.time(), error))
        del self._kept[:-_KEPT]

    def newest(self) -> list[tuple[float, DecentralMLError]]:
        """When and what, newest first."""
        return self._kept[::-1]

    def __iter__(self) -> Iterator[DecentralMLError]:
        return (error for _, error in self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, index: int) -> DecentralMLError:
        return self._kept[index][1]
