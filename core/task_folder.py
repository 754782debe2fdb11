"""What a task ships: which files and functions the folder of each task type must hold."""

import ast
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from decentralml.core import hostile
from decentralml.core.domain import TaskType
from decentralml.core.errors import Failed, Refused

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

    Raises `Refused` as `check_script`, and "NoBaseModel" for a contributors' task that ships no model.
    """
    check_script(folder, task_type)
    if task_type is TaskType.ModelContributor and not _ships_a_model(folder):
        raise Refused(
            "NoBaseModel",
            f"The task's folder ships no model for contributors to train: there is no {BASE_MODEL}/ in it"
            f"{_elsewhere(folder)}.",
            f"Save yours there, as model_creator.py does: model.save('{BASE_MODEL}', zipped=False).",
        )


def check_script(folder: Path, task_type: TaskType) -> None:
    """Raises `Refused`: "NoSuchFolder", "CannotRead", "EmptyFolder", "MissingScript", "BadScript",
    "MissingFunction"."""
    if not folder.is_dir():
        raise Refused("NoSuchFolder", f"{folder} is not a folder.", "Name the folder that the task ships.")
    try:
        os.scandir(folder).close()
    except OSError as error:  # of which what follows would say that it is empty
        why = f"{folder} cannot be read: {error.strerror}."
        raise Refused("CannotRead", why, "See to its permissions.") from error
    if not any(path.is_file() for path in folder.rglob("*")):
        raise Refused("EmptyFolder", "The task's folder holds no file.", "Put the task's files in it first.")
    if task_type is TaskType.DataAnnotators:
        return
    name = SCRIPTS[task_type]
    script = folder / name
    if not script.is_file():
        raise Refused(
            "MissingScript", f"The task's folder has no {name}.", "assets/ holds one to start from."
        )
    defined = {name for name, _ in _named(_parsed(script))}
    missing = [f for f in FUNCTIONS[task_type] if f not in defined]
    if missing:
        raise Refused(
            "MissingFunction",
            f"{name} does not define {', '.join(missing)}.",
            f"It needs {', '.join(FUNCTIONS[task_type])}; assets/ shows each.",
        )


def base_model(folder: Path) -> Path | None:
    """The base model that a task folder ships: where the contributors' script looks for it (MODEL_PATH and
    MODEL_NAME), else ``base_model/`` or ``base_model.keras``.
    """
    named = _by_the_script(folder)
    own = folder / named if named else folder / BASE_MODEL
    for path in (own, folder / BASE_MODEL, folder / f"{BASE_MODEL}.keras"):
        inside = path.resolve().is_relative_to(folder.resolve())
        if inside and path.exists() and not path.is_symlink():
            return path
    return None


def _ships_a_model(folder: Path) -> bool:
    """Whether there is a base model, or, where only the running script knows its name, any model at all."""
    if base_model(folder) is not None:
        return True
    unknown = _by_the_script(folder) is None and {"MODEL_PATH", "MODEL_NAME"} <= _settings(folder).keys()
    return unknown and any(path.suffix in (".keras", ".h5") for path in folder.rglob("*"))


def _elsewhere(folder: Path) -> str:
    named = _by_the_script(folder)
    return "" if named is None or named == Path(BASE_MODEL) else f", nor {named}, which its script names"


def _by_the_script(folder: Path) -> Path | None:
    """MODEL_PATH/MODEL_NAME, relative to the folder, where the contributors' script has them as texts."""
    found = _settings(folder)
    path, name = found.get("MODEL_PATH"), found.get("MODEL_NAME")
    return Path(path, name) if path and name else None


def _settings(folder: Path) -> dict[str, str | None]:
    """What the contributors' script sets, or imports from a file beside it; None: only running it tells."""
    found: dict[str, str | None] = {}
    for name, node in _named_in(folder / SCRIPTS[TaskType.ModelContributor]):
        if isinstance(node, ast.ImportFrom):
            beside = {inner: _text(value) for inner, value in _named_in(folder / f"{node.module}.py")}
            found |= beside if name == "*" else {name: beside.get(name)}
        else:
            found[name] = _text(node)
    return found


def _text(node: ast.AST) -> str | None:
    """``"x"``, or the ``"x"`` of ``os.environ.get("X", "x")``: in the sandbox nothing of the kind is set."""
    if isinstance(node, ast.Call) and len(node.args) == 2:
        node = node.args[1] if _asks_environment(node.func) else node
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _asks_environment(function: ast.AST) -> bool:
    """Whether it is ``os.environ.get`` or ``os.getenv``, under whatever name ``os`` has."""
    if isinstance(function, ast.Name):
        return function.id == "getenv"
    if not isinstance(function, ast.Attribute):
        return False
    of = function.value
    environ = getattr(of, "attr", None) == "environ" or getattr(of, "id", None) == "environ"
    return function.attr == "getenv" or (function.attr == "get" and environ)


def _named_in(script: Path) -> list[tuple[str, ast.AST]]:
    """As `_named`; nothing of a file that is not there or no Python."""
    try:
        return list(_named(_parsed(script)))
    except (Refused, Failed):
        return []


def _parsed(script: Path) -> ast.Module:
    try:
        return hostile.parsed(hostile.read_bytes(script.parent, script.name, MAX_SCRIPT_BYTES))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        # The last is how the parser says that something is nested too deep for it.
        why = f"{error.msg}, line {error.lineno}" if isinstance(error, SyntaxError) else str(error)
        raise Refused(
            "BadScript",
            f"{script.name} is not Python: {why or 'it is nested too deep'}.",
            "Mend it, then try again.",
        ) from error


def _named(module: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Names at the top level: of functions, of what is imported (with its import), of what is assigned."""
    for node in module.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ImportFrom):
            yield from ((alias.asname or alias.name, node) for alias in node.names)
        elif isinstance(node, ast.Assign):
            yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            yield node.target.id, node.value
