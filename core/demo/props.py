"""What the play needs beforehand: everybody's data, and the creator's base model and task folders."""

import random
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

from decentralml.core.errors import Failed

HELD_OUT = 1000
OWN = 400


def assets() -> Path:
    """The folder of `decentralml.assets`."""
    return Path(str(resources.files("decentralml.assets")))


def deal(seed: int, shares: int) -> tuple[Any, Any, list[tuple[Any, Any]]]:
    """The shipped digits, dealt out by ``seed`` without overlap.

    Returns (x, y) of the creator (the first `HELD_OUT` are never trained on) and ``shares`` equal shards:
    x uint8 (n, 28, 28), y uint8 (n,).
    """
    import numpy as np

    with np.load(assets() / "mnist5k.npz") as digits:
        x, y = digits["x"], digits["y"]
    order = list(range(len(x)))
    random.Random(seed).shuffle(order)
    x, y = x[order], y[order]
    first = HELD_OUT + OWN
    size = (len(x) - first) // shares
    cuts = [slice(first + i * size, first + (i + 1) * size) for i in range(shares)]
    return x[:first], y[:first], [(x[cut], y[cut]) for cut in cuts]


def save(path: Path, x: Any, y: Any) -> Path:
    """Write an .npz with x and y."""
    import numpy as np

    np.savez_compressed(path, x=x, y=y)
    return path


def task_folder(role: str, into: Path) -> Path:
    """A copy of a role's assets, as a creator makes one before publishing it."""
    leave = shutil.ignore_patterns("__pycache__", "__init__.py", ".venv", "contributors_models", "base_model")
    return Path(shutil.copytree(assets() / role, into / role, ignore=leave))


def train_base(data: Path, into: Path, seed: int) -> None:
    """Run the creator's own script by hand: it writes ``into``/base_model. Raises `Failed` ("DemoFailed")."""
    done = subprocess.run(
        [sys.executable, "model_creator.py"],
        cwd=assets() / "model_creator",
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(into.parent),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "DATA_PATH": str(data),
            "MODEL_PATH": str(into),
            "MODEL_NAME": "base_model",
            "CONTRIBUTORS_MODELS_PATH": str(into / "none"),
            "EPOCHS": "3",
            "SEED": str(seed),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        words = done.stderr.decode(errors="replace")[-1000:]
        raise Failed("DemoFailed", f"model_creator.py failed: {words}", "`decentralml doctor` looks closer.")


def share_base(contributors: Path, engineers: Path) -> None:
    """Ship the same base model with the engineers' task, to compare theirs with."""
    shutil.copytree(contributors / "base_model", engineers / "base_model")
