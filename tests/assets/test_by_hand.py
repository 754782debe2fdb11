"""The assets as a person runs them: copied out of the project, by the shell, without this program."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ASSETS = Path(__file__).parents[2] / "assets"
LEFT = ("base_model", "models", "contributors_models", "engineers_models")
RESULT = {"config.json", "metadata.json", "model.weights.h5"}


def shell(
    command: str, folder: Path, *, text: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        input=text,
        capture_output=True,
        text=True,
        env={"PATH": path, "HOME": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
    )


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of assets/ as it is shipped, without what runs by hand have left in it."""
    left = (".gitignore", ".venv", "__pycache__", "answers.json", *LEFT)
    return shutil.copytree(
        ASSETS, tmp_path_factory.mktemp("by hand") / "assets", ignore=shutil.ignore_patterns(*left)
    )


@pytest.fixture(scope="module", autouse=True)
def shipped(tree: Path) -> set[str]:
    """Names of all files, before anything has run."""
    return {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def contributed(tree: Path) -> subprocess.CompletedProcess[str]:
    """In an environment that setup.sh made earlier, which the creator's folder has not."""
    environment = tree / "model_contributor" / ".venv"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(sys.executable)
    (environment / "pyvenv.cfg").write_text((Path(sys.prefix) / "pyvenv.cfg").read_text())
    (environment / "lib").symlink_to(Path(sys.prefix) / "lib")
    (environment / "ready").touch()
    return shell("./setup.sh && ./start_task.sh", tree / "model_contributor", EPOCHS="1")


def test_a_contributor_trains_the_creators_model(tree: Path, contributed: Any) -> None:
    assert contributed.returncode == 0, contributed.stderr
    (model,) = (tree / "model_contributor" / "contributors_models").iterdir()
    assert files(model) == files(tree / "model_contributor" / "base_model") == RESULT
    assert model.name.startswith("mnist_")
    assert len(model.name) == len("mnist_") + 10


def test_a_creator_federates_what_contributors_left(tree: Path, contributed: Any) -> None:
    environment = {"MODEL_PATH": "../model_contributor", "MODEL_NAME": "base_model"}
    done = shell("./setup.sh && python model_creator.py", tree / "model_creator", **environment)
    assert done.returncode == 0, done.stderr
    assert "federated: {'accuracy': 0." in done.stdout
    assert files(tree / "model_contributor" / "base_model_federated") == RESULT


def test_an_engineer_builds_another_model_on_data_of_ones_own(tree: Path) -> None:
    command = "./setup.sh && ./start_task.sh ../mnist5k.npz"
    done = shell(command, tree / "model_engineer", EPOCHS="1")
    assert done.returncode == 0, done.stderr
    (model,) = (tree / "model_engineer" / "engineers_models").iterdir()
    assert files(model) == RESULT


def test_an_annotator_labels_what_is_open_and_is_told_what_is_wrong(tree: Path) -> None:
    folder = tree / "data_annotator"
    first = shell("./setup.sh && ./start_task.sh", folder, text="complaint\nnonsense\nquestion\n\n")
    assert first.returncode == 1
    assert "nonsense is none of the labels." in first.stdout
    assert "03.txt has no label." in first.stdout
    assert json.loads((folder / "answers.json").read_text()) == {"01.txt": "complaint", "02.txt": "question"}

    second = shell("./start_task.sh", folder, text="praise\nquestion\ncomplaint\npraise\n")
    assert second.returncode == 0, second.stdout
    assert "01.txt" not in second.stdout
    assert len(json.loads((folder / "answers.json").read_text())) == 6


def test_what_a_task_ships_holds_no_data_and_no_model(shipped: set[str]) -> None:
    assert {name for name in shipped if name.endswith((".npz", ".h5", ".keras"))} == {"mnist5k.npz"}


@pytest.mark.parametrize(
    "script", sorted(ASSETS.glob("*/*.sh")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_shell_scripts_can_be_executed(script: Path) -> None:
    assert os.access(script, os.X_OK)


@pytest.mark.parametrize("path", sorted(ASSETS.glob("*/requirements.txt")), ids=lambda path: path.parent.name)
def test_requirements_are_bare_lines_that_this_environment_satisfies(path: Path) -> None:
    from importlib.metadata import version

    from packaging.requirements import Requirement

    for line in path.read_text().splitlines():
        requirement = Requirement(line)
        assert not requirement.url
        assert requirement.specifier.contains(version(requirement.name))
