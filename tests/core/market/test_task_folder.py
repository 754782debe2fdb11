"""Folders that no worker could use are refused before they are published."""

import shutil
from pathlib import Path

import pytest
from unprivileged import unprivileged

from decentralml.core import task_folder
from decentralml.core.domain import TaskType
from decentralml.core.errors import Refused

ASSETS = Path(__file__).parents[3] / "assets"
GOOD = "def train_model(): ...\ndef save_model(): ...\nfrom other import load_model\n"


@pytest.mark.parametrize(
    ("role", "task_type"),
    [
        ("model_contributor", TaskType.ModelContributor),
        ("model_engineer", TaskType.ModelEngineer),
        ("data_annotator", TaskType.DataAnnotators),
    ],
)
def test_the_shipped_folders_pass(role: str, task_type: TaskType, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ASSETS / role, tmp_path / role))
    (folder / "base_model").mkdir(exist_ok=True)
    task_folder.check(folder, task_type)
    assert (folder / "settings.py").exists()


def test_the_contributors_folder_as_it_is_shipped_lacks_the_model_that_its_creator_makes(
    tmp_path: Path,
) -> None:
    leave = shutil.ignore_patterns("base_model")
    folder = Path(shutil.copytree(ASSETS / "model_contributor", tmp_path / "task", ignore=leave))
    with pytest.raises(Refused) as refused:
        task_folder.check(folder, TaskType.ModelContributor)
    assert refused.value.code == "NoBaseModel"
    assert "there is no base_model/ in it." in refused.value.message
    task_folder.check_script(folder, TaskType.ModelContributor)


@pytest.mark.parametrize(
    ("script", "settings", "at", "ships"),
    [
        ("", "", "base_model", True),
        ("", "", "base_model.keras", True),
        ("", "", "models/first", False),
        ("MODEL_PATH = 'models'\nMODEL_NAME = 'first'\n", "", "models/first", True),
        ("MODEL_PATH = 'models'\nMODEL_NAME = 'first'\n", "", "models/second", False),
        ("MODEL_PATH = '..'\nMODEL_NAME = 'outside'\n", "", "../outside", False),
        ("MODEL_PATH = 'models'\nMODEL_NAME = 'first'\n", "", "base_model", True),
        (
            "from settings import MODEL_NAME, MODEL_PATH\n",
            "MODEL_PATH: str = 'models'\nMODEL_NAME = os.environ.get('MODEL_NAME', 'first')\n",
            "models/first",
            True,
        ),
        ("from settings import *\n", "MODEL_PATH = 'models'\nMODEL_NAME = 'first'\n", "models/first", True),
        ("from settings import *\n", "MODEL_PATH = (\n", "models/first", False),
        # Only the running script knows the name: any model will do.
        ("MODEL_PATH = 'models'\nMODEL_NAME = pick()\n", "", "models/first/model.weights.h5", True),
        ("MODEL_PATH = 'models'\nMODEL_NAME = pick()\n", "", "models/first/notes.txt", False),
    ],
)
def test_the_base_model_is_looked_for_where_the_script_does(
    tmp_path: Path, script: str, settings: str, at: str, ships: bool
) -> None:
    folder = tmp_path / "task"
    model = folder / at
    folder.mkdir()
    model.parent.mkdir(parents=True, exist_ok=True)
    model.write_text("a model")
    (folder / "model_contributor.py").write_text(GOOD + script)
    (folder / "settings.py").write_text(settings)
    if ships:
        task_folder.check(folder, TaskType.ModelContributor)
        assert task_folder.base_model(folder) in (folder / at, None)
        return
    with pytest.raises(Refused) as refused:
        task_folder.check(folder, TaskType.ModelContributor)
    assert refused.value.code == "NoBaseModel"
    assert task_folder.base_model(folder) is None


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (None, "MissingScript"),
        ("", "MissingFunction"),
        (GOOD.replace("train_model", "train"), "MissingFunction"),
        ("def broken(:\n", "BadScript"),
        ("x = 1\0", "BadScript"),
        ("x = " + "-" * 10_000 + "1", "BadScript"),
        ("#" * 1_000_001, "TooLarge"),
    ],
)
def test_a_contributors_folder_is_refused(tmp_path: Path, script: str | None, code: str) -> None:
    (tmp_path / "readme.txt").write_text("hello")
    if script is not None:
        (tmp_path / "model_contributor.py").write_text(script)
    with pytest.raises(Refused) as refused:
        task_folder.check(tmp_path, TaskType.ModelContributor)
    assert refused.value.code == code


def test_a_name_without_an_end_is_no_place_of_a_model(tmp_path: Path) -> None:
    (tmp_path / "model_contributor.py").write_text(GOOD + f"MODEL_PATH = os{'.a' * 2000}.get('X', 'y')\n")
    assert task_folder.base_model(tmp_path) is None


def test_functions_may_be_imported_or_assigned(tmp_path: Path) -> None:
    (tmp_path / "model_contributor.py").write_text(GOOD)
    task_folder.check_script(tmp_path, TaskType.ModelContributor)
    assert task_folder.base_model(tmp_path) is None


def test_missing_and_empty_folders_are_told_apart(tmp_path: Path) -> None:
    codes = []
    for folder in (tmp_path / "none", tmp_path):
        with pytest.raises(Refused) as refused:
            task_folder.check(folder, TaskType.DataAnnotators)
        codes.append(refused.value.code)
    assert codes == ["NoSuchFolder", "EmptyFolder"]


def test_a_folder_that_may_not_be_read_is_not_called_empty(tmp_path: Path) -> None:
    (tmp_path / "1.txt").write_text("label me")
    tmp_path.chmod(0)
    with unprivileged(), pytest.raises(Refused, match="cannot be read: Permission denied"):
        task_folder.check(tmp_path, TaskType.DataAnnotators)
    tmp_path.chmod(0o700)


def test_what_is_no_python_is_said_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "model_contributor.py").write_text("x = 1\ndef (\n")
    with pytest.raises(Refused) as refused:
        task_folder.check(tmp_path, TaskType.ModelContributor)
    assert refused.value.message == "model_contributor.py is not Python: invalid syntax, line 2."


def test_a_script_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "model_contributor.py").symlink_to("/etc/hostname")
    with pytest.raises(Refused) as refused:
        task_folder.check(tmp_path, TaskType.ModelContributor)
    assert refused.value.code == "LinkInOutput"
