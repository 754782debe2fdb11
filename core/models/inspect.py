"""Static inspection of a stranger's model: json and h5py only, no TensorFlow, nothing of it runs."""

import hashlib
import json
from pathlib import Path
from typing import Any

from msgspec import Struct

from decentralml.core.errors import Refused
from decentralml.core.models.classes import FUNCTIONS, VALUES, allowed
from decentralml.core.models.formats import CONFIG, METADATA, WEIGHTS, as_folder, read_small, recognise
from decentralml.core.models.layers import Layer, above, describe
from decentralml.core.models.limits import Limits
from decentralml.core.models.weights import Tensor, Weights
from decentralml.core.text import short
from decentralml.core.words import count

_HOW = "Build the model from Keras's own parts, as Sequential or Functional, and save it again."


class ModelInfo(Struct, frozen=True, kw_only=True):
    """What a model is, by its files alone.

    ``tensors``: shape and dtype by path, without the optimizer's. ``structure``: SHA-256 (hex) over layers
    and tensors without the names that people gave. Shapes have None for an axis of any length (the batch
    first); a shape itself is None where the files do not say. ``warnings``: what is odd but harmless.
    """

    format: str
    name: str
    class_name: str
    layers: tuple[Layer, ...]
    tensors: dict[str, Tensor]
    parameters: int
    input_shape: tuple[int | None, ...] | None
    output_shape: tuple[int | None, ...] | None
    structure: str
    keras_version: str
    size: int
    warnings: tuple[str, ...] = ()


def inspect(path: Path, limits: Limits = Limits(), *, values: bool = True) -> ModelInfo:  # noqa: B008
    """Inspect a Keras 3 folder or .keras file. ``values`` False leaves unread whether all are finite.

    Raises `Refused`: "UnknownFormat", "LinkInOutput", "NoSuchFile", "NotAFile", "BadArchive", "BadConfig",
    "ForeignCode", "BadWeights", "LinkInWeights", "NonFinite", "TooLarge", "ShapesDiffer".
    """
    found = recognise(path, limits)
    with as_folder(path, limits) as folder:
        raw = read_small(folder, CONFIG, limits.config)
        config = _config(raw, limits)
        with Weights(folder / WEIGHTS, limits) as weights:
            if weights.parameters > limits.parameters:
                raise Refused(
                    "TooLarge",
                    f"The model has {weights.parameters:,} parameters, the cap is {limits.parameters:,}.",
                    "Send a smaller model.",
                )
            layers, input_shape, output_shape = describe(config, weights.tensors, limits)
            bad = weights.nonfinite() if values else None
            if bad is not None:
                raise Refused(
                    "NonFinite",
                    f"The weights hold NaN or infinity, first in {short(bad, 80)}.",
                    "Train again with a smaller learning rate; such a model predicts nothing.",
                )
            places = {layer.path for layer in layers}
            stray = [name for name in weights.tensors if places.isdisjoint(above(name))]
            warnings = [f"{count(len(stray), 'tensor')} of no layer, such as {stray[0]}."] if stray else []
            if not builtin_compile(config):
                warnings.append("It is compiled with parts that are not Keras's own; they are set aside.")
            return ModelInfo(
                format=found.name,
                name=short(str(config["config"].get("name", "")), 80),
                class_name=str(config["class_name"]),
                layers=layers,
                tensors=dict(weights.tensors),
                parameters=weights.parameters,
                input_shape=input_shape,
                output_shape=output_shape,
                structure=_structure(config, weights.tensors),
                keras_version=_version(folder),
                size=len(raw) + (folder / WEIGHTS).stat().st_size,
                warnings=tuple(warnings),
            )


def read_config(folder: Path, limits: Limits = Limits()) -> dict[str, Any]:  # noqa: B008
    """The checked config.json of a Keras 3 folder. Raises `Refused` as `inspect` does."""
    return _config(read_small(folder, CONFIG, limits.config), limits)


def _config(raw: bytes, limits: Limits) -> dict[str, Any]:
    try:
        config = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refused("BadConfig", f"config.json is no JSON that can be read: {error}.", _HOW) from error
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
        raise Refused("BadConfig", "config.json describes no model.", _HOW)
    if config.get("class_name") not in ("Sequential", "Functional"):
        raise Refused(
            "ForeignCode",
            f"The model is of class {short(str(config.get('class_name')), 60)!r}; "
            "only Sequential and Functional models can be rebuilt without their author's code.",
            _HOW,
        )
    # How the outermost model was compiled is never built here, so that a loss of the author's own is no
    # reason to refuse; a nested model's is, by Keras, whatever one asks for.
    _check({key: value for key, value in config.items() if key != "compile_config"}, 0, limits.depth * 4)
    return config


def builtin_compile(config: dict[str, Any]) -> bool:
    """Whether a checked config's own compile settings name nothing but Keras's own parts."""
    try:
        _check(config.get("compile_config"), 0, 64)
    except Refused:
        return False
    return True


def _check(value: Any, depth: int, limit: int) -> None:
    """Refuse every object below ``value`` that the allow-list lacks, wherever it stands."""
    if depth > limit:
        raise Refused("BadConfig", f"config.json is nested deeper than {limit}.", _HOW)
    if isinstance(value, list):
        for item in value:
            _check(item, depth + 1, limit)
    elif isinstance(value, dict):
        if "class_name" in value:
            _check_object(value)
        for item in value.values():
            _check(item, depth + 1, limit)


def _check_object(value: dict[str, Any]) -> None:
    name, module, registered = value["class_name"], value.get("module"), value.get("registered_name")
    if isinstance(name, str) and name in VALUES:
        return
    if name == "function":
        named = value.get("config")
        by_name = isinstance(named, str) and named in FUNCTIONS
        fine = by_name and module == "builtins" and registered in (None, "function", named)
        shown = f"the function {named!r}" if isinstance(named, str) else "a function given by its source"
    else:
        fine = allowed(module, name, registered)
        shown = f"{module}.{name}" if module else str(name)
    if not fine:
        raise Refused(
            "ForeignCode",
            f"config.json names {short(shown, 100)}, which is not among Keras's own parts that are allowed.",
            _HOW,
        )


# What differs between two saves of one structure, or does nothing when predicting.
_IGNORED = ("_initializer", "_regularizer", "_constraint")
_IGNORED_KEYS = {"name", "shared_object_id", "compile_config", "trainable", "seed", "registered_name"}


def _structure(config: dict[str, Any], tensors: dict[str, Tensor]) -> str:
    names: dict[str, str] = {}

    def collect(value: Any) -> None:
        if isinstance(value, list):
            for item in value:
                collect(item)
        elif isinstance(value, dict):
            name = value.get("name")
            if isinstance(name, str):
                names.setdefault(name, f"#{len(names)}")
            for item in value.values():
                collect(item)

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(item) for item in value]
        if isinstance(value, dict):
            return {
                key: plain(item)
                for key, item in value.items()
                if key not in _IGNORED_KEYS and not key.endswith(_IGNORED)
            }
        return names.get(value, value) if isinstance(value, str) else value

    # How it is compiled is no part of it, and may be nested deeper than can be walked.
    collect({key: value for key, value in config.items() if key != "compile_config"})
    shapes = [[name, list(tensor.shape), tensor.dtype] for name, tensor in sorted(tensors.items())]
    text = json.dumps([plain(config), shapes], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _version(folder: Path) -> str:
    try:
        found = json.loads(read_small(folder, METADATA, 64 * 1024))
        return short(str(found["keras_version"]), 40)
    except (ValueError, KeyError, TypeError, RecursionError, Refused):
        return "unknown"
