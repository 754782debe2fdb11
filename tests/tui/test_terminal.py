"""A terminal that goes away takes the app with it, with or without a word, and nothing is lost."""

import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from decentralml.core.paths import Home
from decentralml.core.wallet.accounts import Accounts
from decentralml.tui.state import State

from .conftest import PASSWORD, SCRYPT_N, SEEDS
from .tmux import APP


@pytest.fixture
def ada_alone(tmp_path: Path) -> Home:
    """A home with an account and no task."""
    home = Home(tmp_path / "home")
    Accounts(home, scrypt_n=SCRYPT_N).import_seed("ada", PASSWORD, SEEDS["ada"])
    return home


@pytest.mark.parametrize(
    ("hint", "times"), [(None, 0), (signal.SIGWINCH, 40), (signal.SIGCONT, 40), (signal.SIGTERM, 1)]
)
def test_an_app_whose_terminal_has_gone_keeps_the_place_and_ends(
    ada_alone: Home, hint: signal.Signals, times: int
) -> None:
    # Not its controlling terminal: no SIGHUP tells the app that it goes.
    app, near = _on_a_terminal(ada_alone)
    try:
        _reads(near, b"QUESTION")
        os.write(near, b"5")
        _reads(near, b"ada")
        os.close(near)
        for _ in range(times):
            app.send_signal(hint)
        app.wait(30)
    finally:
        app.kill()
        app.wait()
    assert _kept(ada_alone, "mode") == "accounts"


# Hung up once more while it writes down the place.
_HANGS_UP_TWICE = """
import os, signal, sys
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.main import main
finish = DecentralMLApp.finish
def hung_up_again(app):
    os.kill(os.getpid(), signal.SIGHUP)
    finish(app)
DecentralMLApp.finish = hung_up_again
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("program", "ending"),
    [
        ((APP,), signal.SIGHUP),
        ((sys.executable, "-c", _HANGS_UP_TWICE), signal.SIGHUP),
        ((APP,), signal.SIGTERM),
        ((APP,), None),
    ],
    ids=["hangup", "hangup twice", "terminated", "link lost"],
)
def test_a_lost_link_ends_the_app_cleanly_and_its_state_is_kept(
    ada_alone: Home, program: Sequence[str | Path], ending: signal.Signals | None
) -> None:
    app, near = _on_a_terminal(ada_alone, program, preexec_fn=_take_terminal)
    try:
        _reads(near, b"shown")
        os.write(near, b"m")
        _reads(near, b"my tasks")
        if ending is None:
            os.close(near)
        else:
            app.send_signal(ending)
            _drain(near, app)
        assert app.wait(30) == 0
    finally:
        app.kill()
        app.wait()
    assert _kept(ada_alone, "tasks.view") == "mine"


_NOTES_THE_COLLECTOR = """
import gc, sys
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.main import main
noted = []
def noting(does):
    def note_and_do(app):
        noted.append(gc.isenabled())
        does(app)
    return note_and_do
DecentralMLApp.on_mount = noting(DecentralMLApp.on_mount)
DecentralMLApp.finish = noting(DecentralMLApp.finish)
sys.exit(main() or noted != [False, True])
"""


def test_garbage_is_collected_from_the_first_paint_on(ada_alone: Home) -> None:
    app, near = _on_a_terminal(ada_alone, (sys.executable, "-c", _NOTES_THE_COLLECTOR))
    try:
        _reads(near, b"shown")
        os.write(near, b"q")
        _drain(near, app)
        assert app.wait(30) == 0
    finally:
        app.kill()
        app.wait()


def test_a_paste_with_sequences_in_it_is_text_and_no_key(ada_alone: Home) -> None:
    app, near = _on_a_terminal(ada_alone)
    try:
        _reads(near, b"QUESTION")
        os.write(near, b"5")
        _reads(near, b"ada")
        os.write(near, b"\x1b[200~line one\033[0m\033]0;x\007\nq\x1b[201~/")
        os.write(near, b"\x1b[200~z\033[0mo\033]0;x\007e q\x1b[201~")
        _reads(near, b"zoe q")
        assert app.poll() is None
    finally:
        os.close(near)
        app.kill()
        app.wait()


def _on_a_terminal(
    home: Home, program: Sequence[str | Path] = (APP,), **options: Any
) -> tuple[subprocess.Popen[bytes], int]:
    """The app, and the near side of its terminal."""
    near, far = pty.openpty()
    termios.tcsetwinsize(far, (24, 80))
    app = subprocess.Popen(
        [*program, "--home", str(home.root)],
        stdin=far,
        stdout=far,
        stderr=far,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color"},
        **options,
    )
    os.close(far)
    return app, near


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _reads(near: int, text: bytes) -> None:
    """Wait until ``text`` was written to the terminal."""
    shown, deadline = b"", time.monotonic() + 30
    while text not in re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", shown):
        assert select.select([near], [], [], deadline - time.monotonic())[0], f"waited for {text!r}"
        shown += os.read(near, 65536)


def _drain(near: int, app: subprocess.Popen[bytes]) -> None:
    """Read until the app has ended: nobody who writes waits for a reader."""
    while app.poll() is None:
        if select.select([near], [], [], 0.1)[0]:
            try:
                os.read(near, 65536)
            except OSError:
                return


def _kept(home: Home, name: str) -> str:
    state = State(home)
    state.load()
    return state.get(name, "")
