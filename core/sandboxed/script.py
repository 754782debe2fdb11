"""A task's script: imported as it is, its functions found, checked and called."""

import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from decentralml.core.errors import Failed
from decentralml.core.text import clean, printed

TRACEBACK_CHARS = 8_000

SIGNATURES = {
    "load_model": "load_model(model_path, model_name) -> model",
    "redefine_model": "redefine_model() -> model",
    "train_model": "train_model(model, x_train, y_train, epochs=...) -> model",
    "save_model": "save_model(model, output_path, model_name)",
}
NEEDED = {
    "ModelContributor": ("load_model", "train_model", "save_model"),
    "ModelEngineer": ("redefine_model", "train_model", "save_model"),
}
MORE_MEMORY = "Train in smaller batches, or let it have more: `decentralml config set sandbox-memory MIB`."
BASE_MODELS = ("base_model", "base_model.keras")


class ScriptError(Exception):
    """The script raised ``error``. ``text`` is its traceback, from the script's first line on, cleaned and
    bounded; ``code`` and ``hint`` as of a `DecentralMLError`.
    """

    def __init__(self, what: str, error: BaseException, code: str = "ScriptRaised", hint: str = "") -> None:
        super().__init__(printed(f"{what}: {type(error).__name__}: {error}")[:2_000])
        self.error = error
        self.text = script_traceback(error)
        self.code = code
        self.hint = hint or "Correct the script, or tell its creator."


def script_traceback(error: BaseException) -> str:
    """The traceback of ``error`` without the worker's own frames: the end of it, at most 8,000 characters."""
    own = str(Path(__file__).parent)
    frames = traceback.extract_tb(error.__traceback__)
    kept = [
        frame for frame in frames if not frame.filename.startswith(own) and "importlib" not in frame.filename
    ]
    lines = ["Traceback (most recent call last):\n", *traceback.format_list(kept)]
    lines += traceback.format_exception_only(error)
    text = clean(printed("".join(lines)), keep_newlines=True)
    return text if len(text) <= TRACEBACK_CHARS else "…" + text[-TRACEBACK_CHARS:]


class Script:
    """The functions of one script. Made by `Script.load`; every call runs in the script's folder."""

    def __init__(self, module: ModuleType, folder: Path, name: str) -> None:
        self._module = module
        self._folder = folder
        self.name = name

    @classmethod
    def load(cls, folder: Path, name: str) -> "Script":
        """Import ``folder/name`` with the folder as cwd and first on sys.path, not as ``__main__``.

        Raises `Failed` ("NoScript") where there is none, `ScriptError` where importing it raises.
        """
        path = folder / name
        if not path.is_file():
            raise Failed("NoScript", f"The task has no script {name}.", "Ask the creator which file trains.")
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        sys.argv = [str(path)]
        sys.dont_write_bytecode = True
        return cls(_import(path), folder, name)

    def require(self, task_type: str) -> None:
        """Raise `Failed` ("MissingFunction") naming every function a task of this type needs and lacks."""
        missing = [name for name in NEEDED[task_type] if self.find(name) is None]
        if missing:
            wanted = "; ".join(SIGNATURES[name] for name in missing)
            raise Failed(
                "MissingFunction",
                f"{self.name} has no function {', '.join(missing)}.",
                f"The script must define {wanted}.",
            )

    def find(self, name: str) -> Callable[..., Any] | None:
        """The script's function of this name; of a command made by a decorator, the function it wraps."""
        found = getattr(self._module, name, None)
        if inspect.isclass(found):
            return None
        wrapped = getattr(found, "callback", None)
        function = wrapped if callable(wrapped) and not inspect.isfunction(found) else found
        return function if callable(function) else None

    def setting(self, name: str) -> str | None:
        """A text constant that the script defines or imports from its settings."""
        value = getattr(self._module, name, None)
        return value if isinstance(value, str) else None

    def load_folder(self) -> Callable[[str], Any] | None:
        """``load`` of the task's data.py, guarded as `call` is; None where there is none."""
        path = self._folder / "data.py"
        if not path.is_file():
            return None
        load = getattr(_import(path), "load", None)
        if not callable(load):
            raise Failed(
                "MissingFunction", "data.py has no function load.", "It must define load(path) -> (x, y)."
            )
        return lambda folder: self._run("data.py: load", load, folder)

    def call(self, name: str, *args: Any, **offers: Any) -> Any:
        """Call function ``name``. ``offers`` are given where its signature takes them, else left out.

        Raises `ScriptError` where it raises or exits, `Failed` ("BadSignature") if it cannot take ``args``.
        """
        function = self.find(name)
        if function is None:
            raise Failed("MissingFunction", f"{self.name} has no function {name}.", SIGNATURES.get(name, ""))
        keywords = {key: value for key, value in offers.items() if accepts(function, key)}
        try:
            inspect.signature(function).bind(*args, **keywords)
        except TypeError as error:
            raise Failed(
                "BadSignature",
                f"{self.name}: {name}{inspect.signature(function)} cannot be called: {error}.",
                f"It must fit {SIGNATURES.get(name, name)}.",
            ) from None
        return self._run(name, function, *args, **keywords)

    def takes(self, name: str, *keywords: str) -> str | None:
        """The first of ``keywords`` that function ``name`` takes."""
        function = self.find(name)
        return next((key for key in keywords if function and accepts(function, key)), None)

    def _run(self, name: str, function: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
        try:
            return function(*args, **keywords)
        except Failed:
            raise
        except MemoryError as error:
            raise ScriptError(f"{self.name}: {name} raised", error, "OutOfMemory", MORE_MEMORY) from error
        except (Exception, SystemExit) as error:
            raise ScriptError(f"{self.name}: {name} raised", error) from error

    def base_model(self) -> tuple[str, str] | None:
        """Where the creator's model lies in the task, as ``load_model`` takes it: (path, name).

        The script's own MODEL_PATH and MODEL_NAME where a model is there, else base_model/.
        """
        path, name = self.setting("MODEL_PATH"), self.setting("MODEL_NAME")
        if path is not None and name is not None and (self._folder / path / name).exists():
            return path, name
        found = (base for base in BASE_MODELS if (self._folder / base).exists())
        return next(((str(self._folder), base) for base in found), None)


def accepts(function: Callable[..., Any], keyword: str) -> bool:
    """Whether ``function`` can be given ``keyword`` by name."""
    parameters = inspect.signature(function).parameters.values()
    return any(
        p.kind is p.VAR_KEYWORD or (p.name == keyword and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
        for p in parameters
    )


def _import(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise Failed("NoScript", f"{path.name} is no Python file.", "A task's script ends in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ScriptError(f"{path.name} cannot be imported", error) from error
    return module
