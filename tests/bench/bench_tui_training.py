"""Bytes to the terminal and processor time of the app while a training is shown live, on a pty.

Two charts, 100,000 points on record, ten more a second. Beside it the same app with nothing going on, as the
control. Goals: at most 15 KiB/s and 3 % of a core.
"""

import fcntl
import math
import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

import psutil

from decentralml.core import config
from decentralml.core.bounds import Bounds
from decentralml.core.chain.connect import connect
from decentralml.core.paths import Home
from decentralml.core.training import journal
from decentralml.core.training.locks import hold
from decentralml.core.training.run_folder import RunFile, RunFolder, RunSpec
from decentralml.core.wallet.accounts import Accounts

POINTS = 100_000
STEPS = 1_000
SECONDS = 20.0
SIZES = ((80, 24), (160, 48))


class Training:
    """A run folder as a supervisor leaves it: its lock held, its journal growing."""

    def __init__(self, home: Home) -> None:
        path = home.runs / "1"
        path.mkdir(mode=0o700)
        self._folder = RunFolder(path)
        spec = RunSpec(assets=path, script="train.py", title="Digits: train the model", epochs=10_000)
        self._folder.create(RunFile(spec=spec, bounds=Bounds(1 << 33, 1 << 33, 512), created=time.time()))
        self._lock = hold(self._folder.lock)
        self._writer = journal.Writer(self._folder.journal)
        self._count = 0
        started = journal.Started(t=time.time(), protection="bwrap", pid=os.getpid())
        hello = journal.Hello(python="3.11", keras="3", tensorflow="2", device="CPU")
        for event in (
            started,
            hello,
            journal.Fit(fit=1, epochs=10_000, steps=STEPS, metrics=["loss", "accuracy"]),
        ):
            self._writer.write(event)
        for _ in range(POINTS):
            self.step()
        self.store()

    def step(self) -> None:
        epoch, step = divmod(self._count, STEPS)
        self._count += 1
        loss = 2 * math.exp(-self._count / 30_000) + 0.1 * math.sin(self._count * 12.9898) ** 2
        metrics: dict[str, float | None] = {"loss": loss, "accuracy": 1 - loss / 3}
        at = {"t": time.time(), "fit": 1, "epoch": epoch + 1}
        self._writer.write(
            journal.Step(step=step + 1, steps=STEPS, metrics=metrics, rate=47 + loss, seconds=step / 47, **at)
        )
        if step + 1 == STEPS:
            held = {f"val_{name}": value for name, value in metrics.items()}
            self._writer.write(journal.Epoch(metrics={**metrics, **held}, lr=1e-3, seconds=21.0, **at))

    def load(self) -> None:
        self._writer.write(
            journal.Load(t=time.time(), cpu=180 + self._count % 9, rss=2_000_000_000, processes=9)
        )

    def store(self) -> None:
        self._folder.store(self._folder.current())


class App:
    """The app on a pty of its own; what it writes is counted."""

    def __init__(self, home: Home, size: tuple[int, int]) -> None:
        self._ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        command = [
            sys.executable,
            "-c",
            "from decentralml.tui.main import main; main()",
            "--home",
            str(home.root),
        ]
        self._process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env=os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "DECENTRALML_DEBUG": "1"},
        )
        os.close(theirs)
        self.bytes = 0
        self.seen = b""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                block = os.read(self._ours, 1 << 16)
            except OSError:
                return
            self.bytes += len(block)
            self.seen = (self.seen + block)[-1 << 16 :]

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def wait(self, text: str) -> None:
        deadline = time.monotonic() + 60
        while text.encode() not in self.seen:
            if time.monotonic() > deadline:
                raise SystemExit(f"the app never showed {text!r}")
            select.select([], [], [], 0.1)

    def measure(self, seconds: float) -> tuple[float, float]:
        """(bytes a second, percent of a core) over the next ``seconds``."""
        process = psutil.Process(self._process.pid)
        before, began = process.cpu_times(), time.monotonic()
        bytes_ = self.bytes
        select.select([], [], [], seconds)
        after, passed = process.cpu_times(), time.monotonic() - began
        used = after.user + after.system - before.user - before.system
        return (self.bytes - bytes_) / passed, 100 * used / passed

    def close(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(10)
        os.close(self._ours)


def prepared(root: Path) -> Home:
    """A home with an account and a ledger whose next block is a day away: the chain draws nothing."""
    home = Home(root)
    config.store(home, "chain", "local")
    from decentralml.core.chain import genesis

    genesis.create(home.ledger, block_time=86_400, seen=home.seen)
    connect("local", home).close()
    Accounts(home, scrypt_n=1 << 10).create("ada", "demo")
    return home


def measured(root: Path, size: tuple[int, int], *, live: bool) -> tuple[float, float]:
    home = prepared(root)
    training = Training(home) if live else None
    app = App(home, size)
    ended = threading.Event()

    def train() -> None:
        assert training is not None
        count = 0
        while not ended.wait(0.1):
            training.step()
            count += 1
            if count % 20 == 0:
                training.load()
            if count % 300 == 0:
                training.store()

    try:
        app.wait("block")
        app.press("2")
        app.wait("running" if live else "No run yet")
        if live:
            threading.Thread(target=train, daemon=True).start()
            app.wait("accuracy")
        select.select([], [], [], 5)
        return app.measure(SECONDS)
    finally:
        ended.set()
        app.close()


def main() -> None:
    print(f"{POINTS:,} points on record, 10 more a second, {SECONDS:.0f} s each")
    print(f"{'':>22}{'KiB/s':>8}{'% of a core':>13}")
    for size in SIZES:
        for live in (True, False):
            with tempfile.TemporaryDirectory() as folder:
                bytes_, core = measured(Path(folder) / "home", size, live=live)
            name = f"{size[0]}x{size[1]} {'live' if live else 'at rest'}"
            print(f"{name:>22}{bytes_ / 1024:>8.2f}{core:>13.1f}")


if __name__ == "__main__":
    main()
