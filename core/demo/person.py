"""One participant: a home of their own, and commands run as processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from decentralml.core.errors import Failed

PASSWORD = "demo"  # noqa: S105 - of a market that is play, and said on the screen
_SECONDS = 600


class Person:
    """Runs `decentralml --json --yes …` in ``home``; ``chain`` and ``storage`` are shared by all."""

    def __init__(self, name: str, home: Path, *, chain: str = "", storage: str = "") -> None:
        self.name = name
        self.home = home
        self.submission: int | None = None
        self.run: int | None = None
        self._shared = [*(["--chain", chain] if chain else []), *(["--storage", storage] if storage else [])]

    def do(self, *command: str) -> Any:
        """The data of one command. Raises `Failed` ("DemoFailed") with its words where it goes wrong."""
        reading, writing = os.pipe()
        try:
            os.write(writing, f"{PASSWORD}\n".encode())
            os.close(writing)
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "decentralml.core.cli.main", "--home", str(self.home)),
                    *(*self._shared, "--json", "--yes", "--password-fd", str(reading), *command),
                ],
                pass_fds=(reading,),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        finally:
            os.close(reading)
        return self._data(command, done)

    def _data(self, command: tuple[str, ...], done: "subprocess.CompletedProcess[bytes]") -> Any:
        try:
            # What streams prints an object a line: the last one is the outcome.
            answer = json.loads(done.stdout.splitlines()[-1])
        except (ValueError, IndexError):
            answer = {"ok": False, "error": {"message": done.stderr.decode(errors="replace")[-2000:]}}
        if not answer["ok"]:
            error = answer["error"]
            raise Failed(
                "DemoFailed",
                f"{self.name}: `decentralml {' '.join(command)}` failed: {error['message']}",
                error.get("hint", ""),
            )
        return answer["data"]
