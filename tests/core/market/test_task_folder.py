"""Folders that no worker could use are refused before they are published."""

from pathlib import Path

import pytest

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
def test_the_shipped_folders_pass(role: str, task_type: TaskType) -> None:
    task_folder.check(ASSETS / role, task_type)
    assert (ASSETS / role / "settings.py").exists()


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (None, "MissingScript"),
        ("", "MissingFunction"),
        (GOOD.replace("train_model", "train"), "MissingFunction"),
        ("def broken(:\n", "BadScript"),
        ("x = 1\0", "BadScript"),
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


def test_functions_may_be_imported_or_assigned(tmp_path: Path) -> None:
    (tmp_path / "model_contributor.py").write_text(GOOD)
    task_folder.check(tmp_path, TaskType.ModelContributor)
    assert task_folder.base_model(tmp_path) is None


def test_missing_and_empty_folders_are_told_apart(tmp_path: Path) -> None:
    codes = []
    for folder in (tmp_path / "none", tmp_path):
        with pytest.raises(Refused) as refused:
            task_folder.check(folder, TaskType.DataAnnotators)
        codes.append(refused.value.code)
    assert codes == ["NoSuchFolder", "EmptyFolder"]


def test_a_script_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "model_contributor.py").symlink_to("/etc/hostname")
    with pytest.raises(Refused) as refused:
        task_folder.check(tmp_path, TaskType.ModelContributor)
    assert refused.value.code == "LinkInOutput"
