"""Real Keras models, built once a session, one evaluator that all tests ask, and a folder to write."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from decentralml.core.config import Settings
from decentralml.core.models.evaluate import Evaluator
from decentralml.core.policy import Policy

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "assets" / "mnist5k.npz"
SETTINGS = Settings(sandbox_memory=2048, threads=1)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what tests/core/models/build.py saves. Not to be changed: copy first."""
    folder = tmp_path_factory.mktemp("models")
    build = Path(__file__).parent / "models" / "build.py"
    subprocess.run([sys.executable, build, folder, DIGITS], check=True, capture_output=True)
    return folder


@pytest.fixture
def copy(models: Path, tmp_path: Path) -> Callable[[str], Path]:
    """A copy of one of the models, to be spoiled."""

    def take(name: str) -> Path:
        return Path(shutil.copytree(models / name, tmp_path / f"copy_{name}"))

    return take


@pytest.fixture(scope="session")
def evaluator() -> Iterator[Evaluator]:
    with Evaluator(SETTINGS, stall=60) as found:
        found.warm()
        yield found


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 digits held out, as a creator keeps them."""
    import numpy as np

    path = tmp_path_factory.mktemp("digits") / "held_out.npz"
    with np.load(DIGITS) as data:
        np.savez(path, x=data["x"][::2][:300], y=data["y"][::2][:300])
    return path


@pytest.fixture
def policy(tmp_path: Path) -> Callable[..., Policy]:
    """Writes a creator's validation.py: ``policy(source, timeout)``."""

    def write(source: str, timeout: float = 30) -> Policy:
        (tmp_path / "validation.py").write_text(source)
        return Policy(tmp_path / "validation.py", Settings(sandbox_memory=1024, threads=1), timeout=timeout)

    return write


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The one folder that a cell may write."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder
