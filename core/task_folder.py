"""What a task ships: which files and functions the folder of each task type must hold."""

import ast
from collections.abc import Mapping
from pathlib import Path

from decentralml.core import hostile
from decentralml.core.domain import TaskType
from decentralml.core.errors import Refused

BASE_MODEL = "base_model"
REQUIREMENTS = "requirements.txt"
MAX_SCRIPT_BYTES = 1_000_000

SCRIPTS: Mapping[TaskType, str] = {
    TaskType.ModelContributor: "model_contributor.py",
    TaskType.ModelEngineer: "model_engineer.py",
}
FUNCTIONS: Mapping[TaskType, tuple[str, ...]] = {
    TaskType.ModelContributor: ("train_model", "save_model", "load_model"),
    TaskType.ModelEngineer: ("redefine_model", "train_model", "save_model"),
}


def check(folder: Path, task_type: TaskType) -> None:
    """Refuse a folder that no worker could use, by reading its script's syntax tree; nothing of it runs.

    Raises `Refused`: "NoSuchFolder", "EmptyFolder", "MissingScript", "BadScript", "MissingFunction".
    """
    if not folder.is_dir():
        raise Refused("NoSuchFolder", f"{folder} is not a folder.", "Name the folder that the task ships.")
    if not any(path.is_file() for path in folder.rglob("*")):
        raise Refused("EmptyFolder", f"{folder} holds no file.", "Put the task's files in it first.")
    if task_type is TaskType.DataAnnotators:
        return
    name = SCRIPTS[task_type]
    script = folder / name
    if not script.is_file():
        raise Refused("MissingScript", f"{folder} has no {name}.", "assets/ holds one to start from.")
    missing = [f for f in FUNCTIONS[task_type] if f not in _defined(script)]
    if missing:
        raise Refused(
            "MissingFunction",
            f"{name} does not define {', '.join(missing)}.",
            f"A {task_type} script needs {', '.join(FUNCTIONS[task_type])}; assets/ shows each.",
        )


def base_model(folder: Path) -> Path | None:
    """The base model that a task folder ships: ``base_model/`` or ``base_model.keras``."""
    for path in (folder / BASE_MODEL, folder / f"{BASE_MODEL}.keras"):
        if path.exists() and not path.is_symlink():
            return path
    return None


def _defined(script: Path) -> set[str]:
    """Names of the functions that ``script`` defines or imports at its top level."""
    try:
        tree = ast.parse(hostile.read_bytes(script.parent, script.name, MAX_SCRIPT_BYTES))
    except (SyntaxError, ValueError, RecursionError) as error:
        raise Refused(
            "BadScript", f"{script.name} is not Python: {error}.", "Mend it and try again."
        ) from error
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            names.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
    return names
