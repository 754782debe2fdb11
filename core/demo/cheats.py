"""How a contributor may cheat. The creator's side never imports this."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

Array = Any


def flip_labels(y: Array, rng: random.Random) -> Array:
    """Every label moved on by the same number of classes: training works, and learns nonsense."""
    return ((y.astype("int64") + rng.randint(1, 9)) % 10).astype(y.dtype)


def noise(result: Path, task: Path, rng: random.Random) -> None:
    """Overwrite the trained weights by noise; the claims stay."""
    import h5py
    import numpy as np

    generator = np.random.default_rng(rng.randint(0, 2**31))

    def scramble(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and name.startswith("layers/") and item.dtype.kind == "f":
            item[...] = generator.normal(0, 0.3, item.shape)

    with h5py.File(result / "model.weights.h5", "r+") as weights:
        weights.visititems(scramble)


def lazy(result: Path, task: Path, rng: random.Random) -> None:
    """Send the creator's own model back, with the claims of a trained one."""
    shutil.copyfile(task / "base_model" / "model.weights.h5", result / "model.weights.h5")


AFTER_TRAINING: dict[str, Callable[[Path, Path, random.Random], None]] = {
    "sends noise": noise,
    "sends the base model back": lazy,
}
FLIPPED = "trains on wrong labels"
HOW = (FLIPPED, *AFTER_TRAINING)
