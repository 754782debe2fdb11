"""Draw every screen of the app into docs/screens, in a market that the demo has played up to its decisions.

Run by `make screens`: some minutes, most of them the demo's. With `--home DIR` the prepared market is kept
there, or taken from there where it was kept before; what is then done in it is done in a copy.
"""

import argparse
import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from decentralml.core.config import Settings
from decentralml.core.demo import props
from decentralml.core.demo.person import PASSWORD, Person
from decentralml.core.demo.play import CREATOR, Play
from decentralml.core.paths import Home
from decentralml.core.training.runs import Runs
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.dialog import Dialog

OUT = Path(__file__).with_name("screens")
SIZE = (120, 36)
MOST_BYTES = 200_000
EPOCHS, DRAWN_AT = 2000, 60
_PATIENCE = 300.0
# What others want besides, and what they pay for it.
MORE = (
    ("engineer", "Defects on castings, 224x224: a better head for this model", "80", 3),
    ("annotator", "Letters to the editor: praise, blame or neither?", "0.05", 120),
    ("contributor", "Heartbeats, round 7: train on a day of your ward's", "9.5", 12),
    ("contributor", "Digits of the land register, 1890 to 1910", "6", 8),
    ("engineer", "Fewer parameters at the same accuracy", "45", 1),
    ("contributor", "Bird calls by night: your microphones, our model", "3.2", 20),
)


class Painter:
    """Presses keys, waits for what they bring, and draws the screen."""

    def __init__(self, app: DecentralMLApp, pilot: Pilot[None]) -> None:
        self._app = app
        self._pilot = pilot

    @property
    def screen(self) -> str:
        strips = self._app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)

    async def sees(self, *texts: str) -> None:
        await self.until(lambda: all(text in self.screen for text in texts), " and ".join(texts))

    async def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                sys.exit(f"waited for {what}; on the screen:\n{self.screen}")
            await self._pilot.pause(0.05)

    async def press(self, *keys: str) -> None:
        await self._pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self._pilot.press(*text)

    async def draws(self, name: str) -> None:
        """Once nothing is being read any more. (What has opened a dialog waits for its answer.)"""
        await self.until(lambda: isinstance(self._app.screen, Dialog) or not self._reading(), name)
        await self._pilot.pause(0.5)
        drawn = self._app.export_screenshot(title="decentralml")
        assert len(drawn.encode()) < MOST_BYTES, f"{name} takes {len(drawn.encode()):,} bytes"
        (OUT / f"{name}.svg").write_text(drawn)
        sys.stdout.write(f"{name}.svg  {len(drawn) // 1000} kB\n")
        sys.stdout.flush()

    def _reading(self) -> bool:
        return any(w.is_running for w in self._app.workers if w.group != "default")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _play(root: Path) -> Play:
    return Play(Home(root), contributors=3, seed=0, say=_say, strategy="manual")


def prepare(play: Play) -> None:
    """A market in which everything was delivered and nothing is decided; left as it is where there is one."""
    if play.home.ledger.exists():
        return
    play.open()
    for number, (kind, question, pays, wanted) in enumerate(MORE):
        _publish(play, play.workers[number % len(play.workers)], kind, question, pays, wanted)
    play.offer()
    play.work()
    for worker in play.workers:
        play.creator.do("account", "book", "add", worker.name, worker.do("account", "show")["address"])


def _publish(play: Play, creator: Person, kind: str, question: str, pays: str, wanted: int) -> None:
    """A task of somebody else's, so that there is a market to look at."""
    folder = props.assets() / "data_annotator" / "files"
    more = ["--annotation-type", "text", "--labels", "praise,blame,neither"]
    if kind != "annotator":
        folder, more = play.folders / f"model_{kind}", []
    creator.do("account", "fund", "500")
    creator.do(
        *("task", "create", kind, "--question", question, "--assets", str(folder), *more),
        *("--pays-amount", pays, "--max-assignments", str(wanted), "--expires-in", f"{3 + wanted % 11}d"),
    )


async def paint(play: Play) -> None:
    app = DecentralMLApp(play.home, {"account": CREATOR})
    try:
        async with app.run_test(size=SIZE) as pilot:
            painter = Painter(app, pilot)
            await painter.until(lambda: app.pulse is not None, "the session")
            await _label(painter)
            await _work(painter)
            await _train(painter, Runs(play.home, Settings()))
            await _judge(painter)
            await _look(painter)
    finally:
        app.finish()


async def begin(root: Path) -> None:
    """The first start, and how an account is made there."""
    app = DecentralMLApp(Home(root))
    try:
        async with app.run_test(size=SIZE) as pilot:
            painter = Painter(app, pilot)
            await painter.sees("demo market")
            await painter.draws("first-start")
            await painter.press("n")
            await painter.sees("New account", "Name")
            await painter.type("ada")
            await painter.draws("new-account")
    finally:
        app.finish()


async def _label(painter: Painter) -> None:
    """An annotator's task is taken, and its first files get their labels."""
    await painter.press("1", "slash")
    await painter.type("letters")
    await painter.sees("1 shown")
    await painter.press("enter", "enter")
    await painter.sees("t take")
    await painter.press("t")
    await painter.sees("Take a slot of task")
    await painter.press("y")
    await painter.type(PASSWORD)
    await painter.press("enter")
    await painter.sees("d deliver")
    await painter.press("d")
    await painter.sees("0 of 6 labelled")
    await painter.press("1", "2")
    await painter.sees("2 of 6 labelled")
    await painter.draws("label")
    await painter.press("escape", "escape", "slash", *["backspace"] * 7, "enter")


async def _work(painter: Painter) -> None:
    """Tasks, one task, a form, and the card before a signature."""
    await painter.press("1")
    await painter.sees("lend me your training time", "take it", "Bird calls")
    await painter.draws("tasks")
    await painter.press("question_mark")
    await painter.sees("Keys of Tasks")
    await painter.draws("help")
    await painter.press("escape", "m")
    await painter.sees("my tasks", "judge 3")
    await painter.press("G", "enter")
    await painter.sees("escrow", "SUBMISSIONS  3")
    await painter.draws("task")
    await painter.press("right_square_bracket", "j", "enter")
    await painter.sees("import keras")
    await painter.draws("viewer")
    await painter.press("escape", "right_square_bracket", "enter")
    await painter.sees("Submission 1 of task 1")
    await painter.draws("submission")
    await painter.press("escape", "e")
    await painter.sees("setup.sh of a stranger")
    await painter.draws("set-up")
    await painter.press("escape", "escape", "n")
    await painter.sees("CHECKS")
    await painter.press("tab")
    await painter.type("Digits, round 2: train this model on your scans")
    await painter.press("tab")
    await painter.type("../tasks/model_contributor")
    await painter.press("tab", "tab")
    await painter.type("12.5")
    await painter.press("tab", "backspace")
    await painter.type("4")
    await painter.sees("12.5 x 4 = 50.00", "base_model")
    await painter.draws("create")
    await painter.press("escape", "m", "m")
    await painter.sees("open tasks", "take it")
    await painter.press("slash")
    await painter.type("lend")
    await painter.sees("1 shown")
    await painter.press("enter", "enter")
    await painter.sees("t take", "lend me your training time")
    await painter.press("T")
    await painter.sees("Try task", "writes")
    await painter.type("spare.npz")
    await painter.press("enter")
    await painter.sees("an hour")
    await painter.draws("try")
    await painter.press("escape", "t")
    await painter.sees("Take a slot of task", "effect")
    await painter.draws("sign")
    await painter.press("y")
    await painter.sees("d deliver", "1 at work")


async def _train(painter: Painter, runs: Runs) -> None:
    """A run, live; then it is stopped."""
    await painter.press("r")
    await painter.sees("WHAT IT MAY TOUCH", "network")
    await painter.type("spare.npz")
    await painter.press("tab", "tab")
    await painter.type(str(EPOCHS))
    await painter.sees("x 400x28x28")
    await painter.draws("train")
    await painter.press("enter")
    await painter.until(lambda: any(run.last.epoch >= DRAWN_AT for run in runs.list()), "the run")
    await painter.draws("runs")
    for run in runs.list():
        if not run.ended:
            runs.stop(run.id)
    await painter.sees("stopped")
    await painter.press("r")
    await painter.sees("WHAT IT MAY TOUCH", "x 400x28x28")
    await painter.press("tab", "tab")
    await painter.type("3")
    await painter.press("enter")
    await painter.sees("run 2  finished")
    await painter.press("d")
    await painter.sees("Deliver submission", "GOES OUT")
    await painter.draws("send")
    await painter.press("escape")


async def _judge(painter: Painter) -> None:
    """Figures and confusion of what was delivered; two are accepted and federated."""
    await painter.press("3")
    await painter.sees("4 to judge")
    await painter.press("V")
    await painter.sees("Held-out data")
    await painter.type("held-out.npz")
    await painter.press("enter")
    await painter.sees("evaluating #")
    await painter.until(lambda: "evaluating #" not in painter.screen, "every figure")
    await painter.draws("validate")
    await painter.press("right_square_bracket")
    await painter.sees("predicted")
    await painter.draws("validate-confusion")
    for panel, word in (("layers", "DISTANCE BY LAYER"), ("model", "SUMMARY"), ("ranking", "ranked by")):
        await painter.press("right_square_bracket")
        await painter.sees(word)
        await painter.draws(f"validate-{panel}")
    await painter.press(*["left_square_bracket"] * 4)
    for waiting in (3, 2):
        await _accept(painter, waiting)


async def _accept(painter: Painter, waiting: int) -> None:
    """Accept the first result that is better than the baseline; ``waiting`` are left."""
    await painter.press("g")
    await painter.until(lambda: "better than" in painter.screen, "a look at the result")
    if "no better than" in painter.screen:
        await painter.press("j")
        await painter.until(lambda: "no better than" not in painter.screen, "the next result")
    await painter.press("a")
    await painter.sees("Accept submission", "effect")
    await painter.press("y")
    await painter.sees("is accepted", "Close")
    await painter.press("enter")
    await painter.sees(f"{waiting} to judge")


async def _look(painter: Painter) -> None:
    """What was accepted becomes a model; then accounts and activity."""
    await painter.press("4")
    await painter.sees("2 accepted", "GOES IN  2")
    await painter.press("X")
    await painter.sees("measured here, and published", "BASELINE")
    await painter.draws("report")
    await painter.press("escape", "w")
    await painter.sees("Federate 2 results", "held-out.npz")
    await painter.press("enter")
    await painter.sees("federated", "baseline", "made with")
    await painter.draws("federate")
    await painter.press("5")
    await painter.sees("ADDRESS", "in use")
    await painter.draws("accounts")
    await painter.press("H")
    await painter.sees("Statement of", "into escrow")
    await painter.draws("statement")
    await painter.press("escape", "A")
    await painter.sees("bo", "chi")
    await painter.draws("address-book")
    await painter.press("escape", "6")
    await painter.sees("WAITS FOR YOU")
    await painter.draws("activity")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="keep the market here, or take it from here")
    kept = parser.parse_args().home
    OUT.mkdir(exist_ok=True)
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}  # whatever this terminal has
    with tempfile.TemporaryDirectory(prefix="decentralml-") as scratch:
        prepared = (kept or Path(scratch) / "prepared").absolute()
        prepare(_play(prepared))
        asyncio.run(begin(Path(scratch) / "new"))
        market = shutil.copytree(prepared, Path(scratch) / "market")
        with contextlib.chdir(market / "data"):
            asyncio.run(paint(_play(market)))


if __name__ == "__main__":
    main()
