"""The log of what a worker prints: bounded, the newest kept."""

from pathlib import Path

HALF = 25 * 1024 * 1024


class Output:
    """Appends blocks to ``path``; when it reaches 25 MB it becomes ``path``.1, in place of the one before."""

    def __init__(self, path: Path, *, half: int = HALF) -> None:
        self._path = path
        self._half = half
        self._file = path.open("ab", buffering=0)

    def write(self, block: bytes) -> None:
        if self._file.tell() + len(block) > self._half:
            self._file.close()
            self._path.replace(self._path.with_name(self._path.name + ".1"))
            self._file = self._path.open("ab", buffering=0)
        self._file.write(block)
