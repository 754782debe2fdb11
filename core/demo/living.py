"""A demo market to be in: one is its creator, and the others act while one looks around."""

import collections
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from decentralml.core.config import Settings
from decentralml.core.demo.person import PASSWORD
from decentralml.core.demo.play import CREATOR, Play, Say
from decentralml.core.paths import Home
from decentralml.core.training.follow import follow
from decentralml.core.training.runs import Runs

_END_SECONDS = 5


class Living:
    """A context: entering opens the market, then the others work in a process of their own until it ends.

    Besides the creator's two tasks there is one of the engineer's, which the person may take.
    """

    def __init__(self, home: Home, *, contributors: int, seed: int, say: Say) -> None:
        self._home = home
        self._arguments = (contributors, seed)
        self._play = Play(home, contributors=contributors, seed=seed, say=say, strategy="manual")
        self._others: subprocess.Popen[bytes] | None = None
        self._offer = 0

    @property
    def data(self) -> Path:
        """The folder of the data files that the welcome names."""
        return self._play.data

    @property
    def welcome(self) -> str:
        """Who one is here, and what waits to be done; ``{take}`` stands for that key or page of the app."""
        play = self._play
        return (
            f"You are {CREATOR}, the creator of tasks {play.task} and {play.engineers_task}. "
            f"Your password is {PASSWORD}.\n\n"
            f"{len(play.workers)} people are taking your tasks right now. One of them cheats. "
            "Their results come in within a minute: {validate} shows them, {evaluate} evaluates one "
            f"(held-out data: {play.held_out.name}), then accept or reject.\n\n"
            f"Meanwhile, sell your own training time: task {self._offer} is free. "
            "{take} takes it, {train} trains (your data: spare.npz), {deliver} delivers, and its creator "
            "judges you.\n\n"
            "Browse, {browse} in a form, shows both files: the app was started in their folder. There is "
            "own.npz too, on which your base model was trained. {help} says what every key does."
        )

    def __enter__(self) -> Self:
        self._play.open()
        self._offer = self._play.offer()
        self._others = subprocess.Popen(
            [
                *(sys.executable, "-m", "decentralml.core.demo.others", str(self._play.root)),
                *(str(argument) for argument in self._arguments),
                *(str(self._play.task), str(self._play.engineers_task), str(self._offer), str(os.getpid())),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._others is None:
            return
        os.killpg(self._others.pid, signal.SIGTERM)
        try:
            self._others.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._others.pid, signal.SIGKILL)
        for worker in self._play.workers:
            end_runs(Home(worker.home))


def end_runs(home: Home) -> None:
    """Stop what still trains there, and wait for it: a training outlives whoever ordered it."""
    runs = Runs(home, Settings())
    going = [run for run in runs.list() if not run.ended]
    for run in going:
        runs.stop(run.id)
    for run in going:
        collections.deque(follow(run.folder), maxlen=0)
