"""The next round's folder: the task's files, the federated model where the script looks for a base model."""

from pathlib import Path

import pytest

from decentralml.core import next_round, task_folder
from decentralml.core.errors import Failed
from decentralml.core.paths import Home

MODEL = ("config.json", "metadata.json", "model.weights.h5")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A federated model, with the provenance that names who contributed."""
    folder = tmp_path / "1_2"
    folder.mkdir()
    for name in (*MODEL, "provenance.json"):
        (folder / name).write_text(f"federated {name}")
    return folder


@pytest.mark.parametrize("before", ["base_model/config.json", "base_model.keras", "nothing"])
def test_the_model_stands_where_the_base_model_is_looked_for(
    tmp_path: Path, model: Path, before: str
) -> None:
    task = tmp_path / "task"
    (task / before).parent.mkdir(parents=True)
    (task / before).write_text("the round before")
    (task / "model_contributor.py").write_text("def main(): ...")
    home = Home(tmp_path / "home")
    folder = next_round.prepare(home, task, model)
    base = task_folder.base_model(folder)
    assert base is not None
    assert {path.name: path.read_text() for path in base.iterdir()} == {
        name: f"federated {name}" for name in MODEL
    }
    assert (folder / "model_contributor.py").read_text() == "def main(): ..."
    assert (task / before).read_text() == "the round before", "the task's own files are left alone"
    assert next_round.prepare(home, task, model) != folder


def test_a_model_that_is_not_whole_leaves_nothing(tmp_path: Path, model: Path) -> None:
    task, home = tmp_path / "task", Home(tmp_path / "home")
    task.mkdir()
    (task / "model_contributor.py").write_text("")
    (model / "model.weights.h5").unlink()
    with pytest.raises(Failed) as raised:
        next_round.prepare(home, task, model)
    assert raised.value.code == "CannotWrite"
    assert [path for path in (home.data_dir / "rounds").iterdir() if path.is_dir()] == []
