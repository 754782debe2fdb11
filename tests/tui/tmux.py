"""A real tmux for the app to run in: keys are sent, what stands on the screen is captured."""

import os
import pty
import select
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

APP = str(Path(sys.executable).with_name("decentralml"))
_PATIENCE = 60.0
# Textual's names of keys, where tmux has others.
_KEYS = {
    "enter": "Enter",
    "escape": "Escape",
    "tab": "Tab",
    "backspace": "BSpace",
    "slash": "/",
    "ctrl+g": "C-g",
}


class Tmux:
    """A pane of some size: the only one of a session of a tmux server."""

    def __init__(self, server: str, folder: Path, *, session: str = "main", size: tuple[int, int] = (80, 24)):
        self.server = server
        self.session = session
        self._folder = folder
        self._size = size

    def __call__(self, command: str, *arguments: str) -> str:
        """What a tmux command about this session prints."""
        return self._run(command, "-t", self.session, *arguments)

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self.server, "-f", "/dev/null", *arguments],
            env={**os.environ},  # readline, where it is imported, leaves a size in the C environment
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def start(self, *command: str) -> None:
        columns, rows = map(str, self._size)
        place = ("-s", self.session, "-c", str(self._folder))
        self._run("new-session", "-d", *place, "-x", columns, "-y", rows, *command)
        self._run("set-option", "-g", "remain-on-exit", "on")
        self._run("set-option", "-g", "status", "off")

    def again(self, *command: str) -> None:
        """Run ``command`` where the one before has ended."""
        self.until(lambda: self.ended, "the pane's program to end")
        self("respawn-pane", "-k", *command)

    @property
    def screen(self) -> str:
        return self("capture-pane", "-p")

    @property
    def ended(self) -> bool:
        return self._is("pane_dead") == "1"

    @property
    def pid(self) -> int:
        return int(self._is("pane_pid"))

    @property
    def rows(self) -> int:
        return int(self._is("window_height"))

    @property
    def clients(self) -> int:
        return len(self("list-clients").splitlines())

    def _is(self, variable: str) -> str:
        return self("display-message", "-p", f"#{{{variable}}}").strip()

    def press(self, *keys: str) -> None:
        """Press keys by Textual's names."""
        self("send-keys", *(_KEYS.get(key, key) for key in keys))

    def type(self, text: str) -> None:
        self("send-keys", "-l", "--", text)

    def sees(self, *texts: str) -> None:
        """Wait until every one of ``texts`` stands on the screen."""
        self.until(lambda: all(text in self.screen for text in texts), " and ".join(texts))

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"waited for {what}; on the screen:\n{self.screen}")
            self.wait()

    def wait(self) -> None:
        """Until it is worth looking again."""
        threading.Event().wait(0.05)


@contextmanager
def attached(tmux: Tmux, columns: int, rows: int) -> Iterator[None]:
    """A terminal of some size with somebody at it, as over ssh. At the end it goes away under the client."""
    near, far = pty.openpty()
    termios.tcsetwinsize(far, (rows, columns))
    client = subprocess.Popen(
        ["tmux", "-L", tmux.server, "attach", "-t", tmux.session],
        stdin=far,
        stdout=far,
        stderr=far,
        env={**os.environ, "TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(far)
    gone = threading.Event()

    def read() -> None:
        while not gone.is_set():
            if select.select([near], [], [], 0.05)[0]:
                with suppress(OSError):  # the client has ended before
                    os.read(near, 65536)
        os.close(near)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        tmux.until(lambda: tmux.clients == 1, "the client")
        yield
    finally:
        gone.set()
        reader.join()
        client.wait(_PATIENCE)
    tmux.until(lambda: tmux.clients == 0, "the link to drop")


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """The name of a tmux server of one's own; what still runs in it ends with it."""
    name = f"decentralml-{folder.name}-{os.getpid()}"
    try:
        yield name
    finally:
        subprocess.run(["tmux", "-L", name, "kill-server"], capture_output=True, check=False)
