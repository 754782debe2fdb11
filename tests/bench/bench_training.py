"""What being watched costs a training: events, control and checkpoints against a plain fit with verbose=0.

The plain fit is timed twice in every round (an A/A control), and each is held against the first of its own
round; what is printed is the median. Where the control is far from 1, the machine is too busy to tell;
processor time then tells more than wall time.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

DIGITS = Path(__file__).parents[2] / "assets" / "mnist5k.npz"
EPOCHS = 10
ROUNDS = 9


def prepared() -> tuple[Any, Any, Any]:
    """A compiled MLP (784-128-10), images as floats, labels."""
    import keras
    import numpy as np

    from decentralml.core.sandboxed.data import as_input

    keras.utils.set_random_seed(0)
    layers = [keras.layers.Flatten(), keras.layers.Dense(128, activation="relu"), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input((28, 28)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    with np.load(DIGITS) as data:
        return model, as_input(data["x"]), data["y"]


def watched(folder: Path, fd: int) -> Callable[..., Any]:
    """`Model.fit` as the worker replaces it; its events go to ``fd``."""
    import keras

    from decentralml.core.sandboxed.callback import Fits
    from decentralml.core.sandboxed.channel import Channel, Control
    from decentralml.core.sandboxed.checkpoint import Checkpoints

    channel = Channel(fd)
    control = Control(folder / "control.json", channel)
    Fits(channel, control, Checkpoints(folder / "checkpoint", resume=False), epochs=EPOCHS).install()
    fit: Callable[..., Any] = keras.Model.fit
    return fit


def main() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    plain = keras.Model.fit
    model, x, y = prepared()
    with tempfile.TemporaryDirectory() as folder:
        reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert reader.stdin
        fits = {
            "plain": plain,
            "control": plain,
            "watched": watched(Path(folder), os.dup(reader.stdin.fileno())),
        }
        plain(model, x, y, epochs=1, verbose=0)
        walls: dict[str, list[float]] = {name: [] for name in fits}
        cpus: dict[str, list[float]] = {name: [] for name in fits}
        for turn in range(ROUNDS):
            # Another one goes first each time, so that none always follows the same.
            names = list(fits)[turn % 3 :] + list(fits)[: turn % 3]
            for name in names:
                wall, cpu = time.perf_counter(), time.process_time()
                fits[name](model, x, y, epochs=EPOCHS, verbose=0)
                walls[name].append(time.perf_counter() - wall)
                cpus[name].append(time.process_time() - cpu)
        reader.stdin.close()

    def ratio(times: dict[str, list[float]], name: str) -> float:
        pairs = zip(times[name], times["plain"], strict=True)
        return statistics.median(one / plain for one, plain in pairs)

    title = f"training, {EPOCHS} epochs of {len(x)} digits, median of {ROUNDS} rounds"
    plain_times = f"{statistics.median(walls['plain']):7.2f} s {statistics.median(cpus['plain']):7.2f} s"
    sys.stdout.write(f"{title:56} wall       cpu\n  {'plain fit, verbose=0':50} {plain_times}\n")
    for name, words in (("control", "the same again (control)"), ("watched", "watched (goal 1.01)")):
        sys.stdout.write(f"  {words:50} {ratio(walls, name):7.3f} x {ratio(cpus, name):7.3f} x\n")


if __name__ == "__main__":
    main()
