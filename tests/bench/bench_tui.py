"""The terminal beside a bare Textual app: first paint, bytes at rest, a block and a minute, longest pause.

Run it on a quiet machine: `python tests/bench/bench_tui.py`. Every program runs on a pty of its own.
"""

import fcntl
import os
import pty
import re
import select
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tui"))

from crowd import fill

from decentralml.core.chain import genesis
from decentralml.core.chain.ledger import Ledger
from decentralml.core.paths import Home
from decentralml.core.wallet.accounts import Accounts

RUNS = 9
TASKS = 100_000
REST_SECONDS = 20.0
BLOCK_TIME = 6
_SEQUENCES = re.compile(rb"\x1b\[[0-9;?<>=]*[a-zA-Z$]|\x1b[()][A-Z0-9]")

BARE = """
from textual.app import App
from textual.widgets import Static, TabbedContent, TabPane
class Bare(App):
    def compose(self):
        with TabbedContent():
            for name in ("One", "Two", "Three", "Four"):
                with TabPane(name):
                    yield Static(f"This is {name}")
Bare().run()
"""
# Wakes every 5 ms; notes by how much it came late, and for how long the loop's thread computed meanwhile:
# the second figure leaves out what other programs on a busy machine took.
PAUSES = """
import asyncio, gc, sys, time
from pathlib import Path
from textual.app import App
late, busy = [], []
async def wake():
    while True:
        start, used = time.perf_counter(), time.thread_time()
        await asyncio.sleep(0.005)
        late.append(time.perf_counter() - start - 0.005)
        busy.append(time.thread_time() - used)
class Bare(App):
    async def on_mount(self):
        self.run_worker(wake())
if sys.argv[1] == "bare":
    app = Bare()
    async def play(pilot):
        await asyncio.sleep(6)
else:
    from decentralml.core.paths import Home
    from decentralml.tui.app import DecentralMLApp
    app = DecentralMLApp(Home(Path(sys.argv[1])))
    async def play(pilot):
        while app.pulse is None:
            await asyncio.sleep(0.01)
        while any(worker.group == "warm" and worker.is_running for worker in app.workers):
            await asyncio.sleep(0.01)
        gc.freeze()  # as the app does where it is not headless
        app.run_worker(wake())
        for _ in range(2):
            for keys in ("G", "g", "s", "S", "m", "m", "m", "ctrl+d", "ctrl+d", "ctrl+u"):
                await pilot.press(keys)
                await asyncio.sleep(0.1)
            await pilot.press("slash", *"77th set")
            await asyncio.sleep(0.3)
            await pilot.press("ctrl+u", "enter")
async def main():
    async with app.run_test(size=(120, 40)) as pilot:
        await play(pilot)
    print(f"{max(late) * 1000:.1f} {sorted(late)[int(len(late) * 0.99)] * 1000:.1f} {max(busy) * 1000:.1f}")
asyncio.run(main())
"""


def first_paint(arguments: list[str], text: bytes) -> float:
    """Milliseconds from the start of the process until ``text`` stands on the terminal."""
    start = time.perf_counter()
    process, terminal = _start(arguments)
    try:
        _read(terminal, text)
        return (time.perf_counter() - start) * 1000
    finally:
        _end(process, terminal)


def bytes_at_rest(home: Path, block_time: int) -> tuple[int, int]:
    """Bytes a second while nothing happens, in all, and blocks that passed, over `REST_SECONDS`."""
    process, terminal = _start([_program(), "--home", str(home)])
    try:
        _read(terminal, b"shown")
        _count(terminal, 3)
        return _count(terminal, REST_SECONDS), int(REST_SECONDS // block_time)
    finally:
        _end(process, terminal)


def bytes_a_minute(home: Path) -> int:
    """Bytes of the second of a minute in which the most is written: the time left is another in many rows."""
    process, terminal = _start([_program(), "--home", str(home)])
    try:
        _read(terminal, b"shown")
        _count(terminal, 3)
        return max(_count(terminal, 1) for _ in range(60))
    finally:
        _end(process, terminal)


def _start(arguments: list[str]) -> tuple[subprocess.Popen[bytes], int]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        arguments,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color"},
    )
    os.close(theirs)
    return process, ours


def _read(terminal: int, text: bytes) -> None:
    seen = b""
    while text not in _SEQUENCES.sub(b"", seen):
        if not select.select([terminal], [], [], 60)[0]:
            raise SystemExit(f"{text!r} never came: {seen[-500:]!r}")
        seen += os.read(terminal, 65536)


def _count(terminal: int, seconds: float) -> int:
    total, end = 0, time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            total += len(os.read(terminal, 65536))
    return total


def _end(process: subprocess.Popen[bytes], terminal: int) -> None:
    process.kill()
    process.wait()
    os.close(terminal)


def _program() -> str:
    return str(Path(sys.executable).with_name("decentralml"))


def _home(folder: Path, *, tasks: int, block_time: int) -> Path:
    home = Home(folder)
    genesis.create(home.ledger, block_time=block_time, seen=home.seen)
    account, _ = Accounts(home, scrypt_n=1 << 12).create("ada", "bench")
    ledger = Ledger(home.ledger, seen=home.seen)
    ledger.fund(account.address, 10**15)
    ledger.close()
    if tasks:
        fill(home.ledger, tasks)
    return folder


def _paints(home: Path) -> None:
    bare, ours = [], []
    for _ in range(RUNS):  # in turn, so that a busy moment hits both
        bare.append(first_paint([sys.executable, "-c", BARE], b"This is One"))
        ours.append(first_paint([_program(), "--home", str(home)], b"QUESTION"))
    control, found = statistics.median(bare), statistics.median(ours)
    print(f"  first paint, bare app with four tabs  {control:8.0f} ms")
    print(f"  first paint, decentralml              {found:8.0f} ms   {found / control:.2f}x (goal 1.5x)")


def _rest(folder: Path) -> None:
    slow, blocks = bytes_at_rest(_home(folder / "slow", tasks=30, block_time=3600), 3600)
    print(f"  bytes in {REST_SECONDS:.0f} s without a block         {slow:8,}   ({blocks} blocks; goal 0)")
    home = _home(folder / "fast", tasks=30, block_time=2)
    fast, blocks = bytes_at_rest(home, 2)
    print(f"  bytes a new block                     {fast / max(blocks, 1):8,.0f}   ({blocks} blocks)")
    print(f"  bytes when a minute passes            {bytes_a_minute(home):8,}")


def _pauses(home: Path) -> None:
    for name, argument in (("bare app", "bare"), (f"decentralml, {TASKS:,} tasks", str(home))):
        done = subprocess.run(
            [sys.executable, "-c", PAUSES, argument], capture_output=True, text=True, check=True
        )
        longest, most, busy = done.stdout.split()
        print(f"  longest pause, {name:27} {longest:>6} ms (99 %: {most}; computing: {busy}; goal 50)")


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="bench-tui-"))
    try:
        print("Terminal, beside a bare Textual app")
        home = _home(folder / "crowd", tasks=TASKS, block_time=BLOCK_TIME)
        _paints(home)
        _rest(folder)
        _pauses(home)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
