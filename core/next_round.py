"""The next round of a task: its files, with a federated model in place of the base model."""

import shutil
from pathlib import Path

from decentralml.core import hostile, task_folder
from decentralml.core.models.formats import CONFIG, METADATA, WEIGHTS
from decentralml.core.paths import Home, writing


def prepare(home: Home, task_files: Path, model: Path) -> Path:
    """A new folder below the home, to be published as a task: ``task_files`` with ``model`` as base model.

    The provenance stays here: it names the contributors as this home calls them. Raises as
    `hostile.copy_tree`, and `Failed` ("CannotWrite").
    """
    rounds, number = home.folder(home.data_dir / "rounds"), 1
    with writing(rounds / model.name):
        while (folder := rounds / (model.name if number == 1 else f"{model.name}-{number}")).exists():
            number += 1
        hostile.copy_tree(task_files, folder)
        try:
            _put(model, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return folder


def _put(model: Path, folder: Path) -> None:
    """The model's three files where the task's script looks for a base model."""
    before = task_folder.base_model(folder)
    target = folder / task_folder.BASE_MODEL
    if before is not None and before.is_dir():
        target = before
        shutil.rmtree(before)
    elif before is not None:
        before.unlink()
    target.mkdir(mode=0o700, parents=True)
    for name in (CONFIG, METADATA, WEIGHTS):
        shutil.copyfile(model / name, target / name)
