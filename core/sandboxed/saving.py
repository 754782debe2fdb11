"""Models as result folders: what a creator can load at all, and `Model.save` to a path without extension."""

import gc
import importlib
import os
import shutil
from pathlib import Path
from typing import Any

from decentralml.core.errors import Failed

# What Model.save still writes by itself; every other path becomes an unzipped Keras 3 folder.
FILES = (".keras", ".h5", ".hdf5")


def check(model: Any) -> None:
    """Raise `Failed` ("NotSaveable") for what nobody without the script could load: models that are neither
    Sequential nor Functional, own layer classes, Lambda.
    """
    foreign = _foreign(model)
    if foreign:
        raise Failed(
            "NotSaveable",
            f"The model cannot be loaded without the script: it is made of {', '.join(sorted(foreign)[:5])}.",
            "Build it of keras.layers as keras.Sequential or keras.Model(inputs, outputs), without Lambda.",
        )


def loadable(model: Any) -> bool:
    """Whether `check` has nothing against ``model``."""
    return not _foreign(model)


def plain(model: Any) -> Any:
    """``model`` as a plain Sequential or Functional over its layers, compiled alike. Raises as `check`."""
    import keras

    check(model)
    if type(model).__module__.split(".")[0] == "keras":
        return model
    copy = keras.Model(model.inputs, model.outputs, name=model.name)
    if model.compiled and _own(model.optimizer):
        try:
            copy.compile_from_config(model.get_compile_config())
        except (TypeError, ValueError):
            # A loss or metric of the script's own: the layers and weights are what is delivered.
            copy.compiled = False
    return copy


def holds(model: Any, part: Any) -> bool:
    """Whether training ``model`` trains ``part``: it is that, has it as a layer, or has all its weights."""
    if model is part or any(layer is part for layer in model._flatten_layers()):
        return True
    weights = {id(variable) for variable in part.variables}
    return bool(weights) and weights <= {id(variable) for variable in model.variables}


def models_of(weights: set[int]) -> list[Any]:
    """Every model of this process that has all the variables whose ``id`` is in ``weights``."""
    import keras

    # By type: isinstance would ask each object for its __class__, which some compute.
    models = [found for found in gc.get_objects() if issubclass(type(found), keras.Model)]
    return [model for model in models if weights <= {id(variable) for variable in model.variables}]


def _own(thing: Any) -> bool:
    return type(thing).__module__.split(".")[0] == "keras"


def _foreign(model: Any) -> set[str]:
    """Class names in ``model`` that Keras itself does not bring, or that carry code."""
    from keras.src.models.functional import Functional

    found: set[str] = set()
    if not isinstance(model, Functional | _sequential()):
        return {type(model).__name__}
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, Functional | _sequential()):
            # A nested model is written by its class name: only a plain one is known elsewhere.
            if not _own(layer):
                found.add(type(layer).__name__)
        elif not _own(layer) or type(layer).__name__ in ("Lambda", "TorchModuleWrapper", "TFSMLayer"):
            found.add(type(layer).__name__)
    return found


def _sequential() -> Any:
    import keras

    return keras.Sequential


def write_folder(model: Any, folder: Path) -> None:
    """Write ``model`` as config.json, metadata.json and model.weights.h5 into ``folder``, whole or not.

    An earlier folder of that name is replaced. The path must be absolute.
    """
    from keras.src.saving import saving_lib

    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.parent.mkdir(parents=True, exist_ok=True)
    saving_lib.save_model(model, str(aside), zipped=False)
    assets = aside / "assets"
    if assets.is_dir() and not any(assets.iterdir()):
        assets.rmdir()
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)
    aside.replace(folder)


class Saves:
    """`Model.save` and `save_model` as the older API had them; remembers where models went.

    ``folders``: the folders written, in order, with the model that each holds.
    """

    def __init__(self) -> None:
        self.folders: list[tuple[Path, Any]] = []

    def install(self) -> None:
        import keras

        original = keras.Model.save

        def save(
            model: Any, filepath: Any, overwrite: bool = True, zipped: Any = None, **kwargs: Any
        ) -> None:
            if str(filepath).endswith(FILES):
                original(model, filepath, overwrite=overwrite, zipped=zipped, **kwargs)
                return
            folder = Path(os.path.abspath(filepath))
            if folder.exists() and not overwrite:
                raise FileExistsError(f"{filepath} is there already")
            write_folder(plain(model), folder)
            self.folders.append((folder, model))

        keras.Model.save = save
        for module in _saving_modules():
            module.save_model = save


def _saving_modules() -> list[Any]:
    """Every module under whose name a script may have found `save_model`; tf.keras has its own."""
    names = [
        f"{root}.{module}" for root in ("keras", "keras._tf_keras.keras") for module in ("saving", "models")
    ]
    return [importlib.import_module(name) for name in names]
