"""A config.json with anything anywhere is refused in words, or read: what raises else could not be judged."""

import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from decentralml.core.errors import Refused
from decentralml.core.models import structure
from decentralml.core.models.inspect import inspect
from decentralml.core.models.layers import describe
from decentralml.core.models.limits import Limits

ODD = (
    *(None, True, -1, 10**400, 2**63, 1.5, float("nan"), "", "\ud800", "x" * 5000),
    *([], {}, [[]], [None], {"class_name": []}, {"class_name": "__tensor__"}),
    {"class_name": "function", "module": "builtins", "config": {}},
)
EACH = 300


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything below ``value``."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*above, key)
        yield from places(value[key], (*above, key))


@pytest.mark.parametrize("name", ["a", "branched"])
def test_no_config_breaks_the_inspection(name: str, copy: Callable[[str], Path]) -> None:
    folder = copy(name)
    sound = inspect(folder)
    text = (folder / "config.json").read_text()
    chance, refused = random.Random(1), 0
    ways = list(places(json.loads(text)))
    for _ in range(EACH):
        *way, last = chance.choice(ways)
        config = at = json.loads(text)
        for key in way:
            at = at[key]
        at[last] = chance.choice(ODD)
        (folder / "config.json").write_text(json.dumps(config))
        refused += 1
        with suppress(Refused):
            structure.diff(sound, inspect(folder))
            refused -= 1
    assert 0 < refused < EACH


def test_a_size_without_an_end_is_refused(copy: Callable[[str], Path]) -> None:
    folder = copy("a")
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(re.sub(r'"units": \d+', '"units": 1e999', text))
    with pytest.raises(Refused) as refused:
        inspect(folder)
    assert refused.value.code == "BadConfig"


def test_what_a_model_was_compiled_with_may_be_nested_as_deep_as_its_json_can_be_read(
    copy: Callable[[str], Path],
) -> None:
    folder = copy("a")
    structure_of = inspect(folder).structure
    config = json.loads((folder / "config.json").read_text())
    for depth in (500, 5000):
        text = json.dumps(config | {"compile_config": "HERE"})
        (folder / "config.json").write_text(text.replace('"HERE"', "[" * depth + "]" * depth))
        with suppress(Refused):
            assert inspect(folder).structure == structure_of


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "odd",
    [
        *({"kernel_size": kernel} for kernel in ([int("9" * 4300)] * 2000, [2] * 1_000_000, [3, 3, 3])),
        {"groups": 0.5},
    ],
)
def test_a_size_that_no_layer_has_is_refused_and_not_reckoned_with(odd: dict[str, Any]) -> None:
    settings = {"filters": 1, "kernel_size": [3, 3], "data_format": "channels_last", **odd}
    layer = {
        "class_name": "Conv2D",
        "config": settings,
        "build_config": {"input_shape": [None, 4, 4, 3]},
    }
    with pytest.raises(Refused) as refused:
        describe({"class_name": "Sequential", "config": {"layers": [layer]}}, {}, Limits())
    assert refused.value.code == "BadConfig"


@pytest.mark.timeout(20)
def test_models_of_many_layers_are_soon_compared(copy: Callable[[str], Path]) -> None:
    sound = inspect(copy("a"))
    dense, other = (msgspec.structs.replace(sound.layers[-1], class_name=kind) for kind in ("Dense", "ReLU"))
    deep = msgspec.structs.replace(sound, layers=(dense,) * 1000)
    deeper = msgspec.structs.replace(sound, layers=(dense, dense, other) * 3333)
    assert len(structure.diff(deep, deeper).changes) == 1000 - 2 + 9999 - 2


def test_of_layers_put_between_the_others_correspond(copy: Callable[[str], Path]) -> None:
    sound = inspect(copy("a"))
    first, *rest = sound.layers
    added = msgspec.structs.replace(first, class_name="Dropout", path="layers/dropout")
    after = msgspec.structs.replace(sound, layers=(first, added, *rest))
    (change,) = structure.diff(sound, after).changes
    assert (change.what, change.path) == ("added", "layers/dropout")
    (change,) = structure.diff(after, sound).changes
    assert (change.what, change.path) == ("removed", "layers/dropout")
