"""The layers of a checked config.json: order, class, settings, shapes, and how many weights each has."""

import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any

from msgspec import Meta, Struct

from decentralml.core.errors import Refused
from decentralml.core.models.limits import Limits
from decentralml.core.models.weights import Tensor
from decentralml.core.text import short
from decentralml.core.words import count

Shape = tuple[int | None, ...]

_TEXT = 120
_NO_SIZE = 2**40
_DEPTH = 256
_HIDDEN = {
    "name",
    "dtype",
    "shared_object_id",
    "layers",
    "input_layers",
    "output_layers",
    "build_input_shape",
}
_KEEPS_SHAPE = {
    "Activation", "ActivityRegularization", "AlphaDropout", "BatchNormalization", "Dropout", "ELU",
    "GaussianDropout", "GaussianNoise", "GroupNormalization", "Identity", "LayerNormalization", "LeakyReLU",
    "Masking", "Normalization", "PReLU", "RMSNormalization", "ReLU", "Rescaling", "Softmax",
    "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "UnitNormalization",
}  # fmt: skip
_GATES = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}


class Layer(Struct, frozen=True):
    """One layer. ``path``: its place in the weights file; ``depth``: models it is nested in.

    ``settings``: what its config sets, as short texts; ``parameters``: elements of its tensors (a nested
    model counts its layers').
    """

    name: str
    class_name: str
    path: str
    depth: Annotated[int, Meta(ge=0, le=_DEPTH)]
    parameters: int
    output_shape: Shape | None = None
    settings: dict[str, str] = {}


def above(name: str) -> Iterator[str]:
    """The groups that a tensor lies in: of ``layers/dense/vars/0`` first ``layers``."""
    return itertools.accumulate(name.split("/")[:-1], lambda group, part: f"{group}/{part}")


def describe(
    config: dict[str, Any], tensors: dict[str, Tensor], limits: Limits
) -> tuple[tuple[Layer, ...], Shape | None, Shape | None]:
    """All layers in order (nested ones after their model), input and output shape of the whole.

    Raises `Refused`: "BadConfig", "TooLarge" (by declared sizes too), "ShapesDiffer" where a layer's
    config needs another number of weights than the file holds.
    """
    counts: Counter[str] = Counter()
    for name, tensor in tensors.items():
        for group in above(name):
            counts[group] += tensor.size
    layers: list[Layer] = []
    try:
        _collect(config, "", 0, counts, layers, limits)
        shapes = _shapes(config)
        first = next((shape for shape in shapes if shape is not None), None)
        inputs = config["config"].get("input_layers")
        return tuple(layers), None if _several(inputs) else first, _output(config, shapes)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise Refused(
            "BadConfig",
            f"config.json does not describe its layers as Keras does ({type(error).__name__}: {error}).",
            "Save the model again with Keras 3.",
        ) from error


def _collect(
    model: dict[str, Any], prefix: str, depth: int, counts: Counter[str], out: list[Layer], limits: Limits
) -> None:
    used: Counter[str] = Counter()
    shapes = _shapes(model)
    for item, shape in zip(model["config"]["layers"], shapes, strict=True):
        if len(out) >= limits.layers:
            raise Refused(
                "TooLarge", f"The model has more than {limits.layers:,} layers.", "Send a smaller model."
            )
        kind, settings = item["class_name"], item["config"]
        snake = _snake(kind)
        path = f"{prefix}layers/{snake}" + (f"_{used[snake]}" if used[snake] else "")
        used[snake] += 1
        stored = counts[path]
        _check_size(item, stored, limits)
        out.append(
            Layer(
                name=short(str(settings.get("name", "")), _TEXT),
                class_name=kind,
                path=path,
                depth=depth,
                parameters=stored,
                output_shape=shape,
                settings={
                    short(key, 40): _text(value)
                    for key, value in sorted(settings.items())
                    if key not in _HIDDEN and value is not None
                },
            )
        )
        if kind in ("Sequential", "Functional"):
            _collect(item, f"{path}/", depth + 1, counts, out, limits)


def _check_size(item: dict[str, Any], stored: int, limits: Limits) -> None:
    """Compare what a layer would allocate with what the file holds for it."""
    declared = _declared(item["class_name"], item["config"], item.get("build_config") or {})
    if declared is None:
        return
    name = short(str(item["config"].get("name", "")), 60)
    if declared > limits.parameters:
        raise Refused(
            "TooLarge",
            f"Layer {name} declares {declared:,} parameters, the cap is {limits.parameters:,}.",
            "Send a smaller model.",
        )
    if declared != stored:
        raise Refused(
            "ShapesDiffer",
            f"Layer {name} needs {count(declared, 'parameter')}, the weights file holds {stored:,} for it.",
            "Save model and weights together with Keras 3.",
        )


def _declared(kind: str, settings: dict[str, Any], build: dict[str, Any]) -> int | None:
    """Parameters a layer allocates, for the classes that can be large; None where this is not known."""
    if settings.get("lora_rank") or settings.get("quantization_config"):
        return None
    if kind == "Embedding":
        return _whole(settings["input_dim"]) * _whole(settings["output_dim"])
    shape = build.get("input_shape")
    if not isinstance(shape, list) or not shape or not isinstance(shape[-1], int):
        return None
    width, bias = _whole(shape[-1]), 1 if settings.get("use_bias", True) else 0
    if kind == "Dense":
        return _whole(settings["units"]) * (width + bias)
    if kind in _GATES:
        units, gates = _whole(settings["units"]), _GATES[kind]
        biases = bias * (2 if kind == "GRU" and settings.get("reset_after", True) else 1)
        return gates * units * (width + units + biases)
    if kind in ("Conv1D", "Conv2D", "Conv3D") and settings.get("data_format") == "channels_last":
        kernel = settings["kernel_size"]
        sides = kernel if isinstance(kernel, list) else [kernel] * int(kind[4])
        if len(sides) != int(kind[4]):
            raise ValueError(f"a {kind} with a kernel of {len(sides)} sides")
        groups = _whole(settings.get("groups") or 1)
        return _whole(settings["filters"]) * (math.prod(map(_whole, sides)) * (width // groups) + bias)
    return None


def _whole(size: Any) -> int:
    """A size in a config. Raises `ValueError` for one that no layer has: a product of such takes hours."""
    if not 0 <= size < _NO_SIZE:
        raise ValueError("a size that no layer has")
    return int(size)


def _shapes(model: dict[str, Any]) -> list[Shape | None]:
    """The output shape of each layer, where the config says or implies it."""
    items = model["config"]["layers"]
    known: dict[str, Shape] = {}
    for item in items:
        _tensors(item.get("inbound_nodes"), known)
    shapes: list[Shape | None] = []
    functional = model["class_name"] == "Functional"
    for index, item in enumerate(items):
        settings = item["config"]
        shape = known.get(str(item.get("name", settings.get("name"))))
        if shape is None and item["class_name"] == "InputLayer":
            shape = _shape(settings.get("batch_shape"))
        if shape is None and not functional and index + 1 < len(items):
            shape = _input_of(items[index + 1])
        if shape is None and not functional and item["class_name"] in _KEEPS_SHAPE:
            shape = shapes[-1] if shapes else None
        if shape is None:
            shape = _computed(item)
        shapes.append(shape)
    return shapes


def _tensors(value: Any, known: dict[str, Shape]) -> None:
    if isinstance(value, list):
        for item in value:
            _tensors(item, known)
    elif isinstance(value, dict):
        inner = value.get("config")
        if value.get("class_name") == "__keras_tensor__" and isinstance(inner, dict):
            shape = _shape(inner.get("shape"))
            history = inner.get("keras_history")
            if shape is not None and isinstance(history, list) and history and history[2:] == [0]:
                known[str(history[0])] = shape
            return
        for item in value.values():
            _tensors(item, known)


def _input_of(item: dict[str, Any]) -> Shape | None:
    return _shape((item.get("build_config") or {}).get("input_shape"))


def _computed(item: dict[str, Any]) -> Shape | None:
    came = _input_of(item)
    if came is None:
        return None
    kind, settings = item["class_name"], item["config"]
    if kind in _KEEPS_SHAPE:
        return came
    if kind == "Dense":
        return (*came[:-1], int(settings["units"]))
    if kind in _GATES:
        units = int(settings["units"])
        return (*came[:2], units) if settings.get("return_sequences") else (came[0], units)
    return None


def _output(model: dict[str, Any], shapes: list[Shape | None]) -> Shape | None:
    outputs = model["config"].get("output_layers")
    if model["class_name"] == "Sequential" or not outputs:
        return shapes[-1] if shapes else None
    if _several(outputs):
        return None
    name = outputs[0][0] if isinstance(outputs[0], list) else outputs[0]
    names = [item.get("name") for item in model["config"]["layers"]]
    return shapes[names.index(name)] if name in names else None


def _several(ends: Any) -> bool:
    """Whether ``input_layers`` or ``output_layers`` name more than one (dicts count as several)."""
    if isinstance(ends, list):
        return len(ends) > 1 and isinstance(ends[0], list)
    return isinstance(ends, dict)


def _shape(value: Any) -> Shape | None:
    if isinstance(value, list) and all(axis is None or type(axis) is int for axis in value):
        return tuple(value)
    return None


def _text(value: Any) -> str:
    if isinstance(value, dict) and isinstance(value.get("class_name"), str):
        return short(value["class_name"], _TEXT)
    return short(value if isinstance(value, str) else json.dumps(value), _TEXT)


def _snake(name: str) -> str:
    """A class name as Keras spells it in the paths of a weights file."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
