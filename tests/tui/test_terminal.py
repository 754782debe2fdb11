"""A terminal that goes away without a word takes the app with it, and nothing is lost."""

import os
import pty
import select
import signal
import subprocess
import termios
import time
from pathlib import Path

import pytest

from decentralml.core.paths import Home
from decentralml.core.wallet.accounts import Accounts
from decentralml.tui.state import State

from .conftest import PASSWORD, SCRYPT_N, SEEDS
from .tmux import APP

pytestmark = pytest.mark.usefixtures("own_folders")


@pytest.mark.parametrize(
    ("hint", "times"), [(None, 0), (signal.SIGWINCH, 40), (signal.SIGCONT, 40), (signal.SIGTERM, 1)]
)
def test_an_app_whose_terminal_has_gone_keeps_the_place_and_ends(
    tmp_path: Path, hint: signal.Signals, times: int
) -> None:
    home = Home(tmp_path / "home")
    Accounts(home, scrypt_n=SCRYPT_N).import_seed("ada", PASSWORD, SEEDS["ada"])
    near, far = pty.openpty()
    termios.tcsetwinsize(far, (24, 80))
    # Not its controlling terminal: no SIGHUP tells the app that it goes.
    app = subprocess.Popen(
        [APP, "--home", str(home.root)],
        stdin=far,
        stdout=far,
        stderr=far,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color"},
    )
    os.close(far)
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
    kept = State(home)
    kept.load()
    assert kept.get("mode", "") == "accounts"


def _reads(near: int, text: bytes) -> None:
    """Wait until ``text`` was written to the terminal."""
    shown, deadline = b"", time.monotonic() + 30
    while text not in shown:
        assert select.select([near], [], [], deadline - time.monotonic())[0], f"waited for {text!r}"
        shown += os.read(near, 65536)
