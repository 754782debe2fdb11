"""A config.json with anything anywhere is refused in words, or read: what raises else could not be judged."""

import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from decentralml.core.errors import Refused
from decentralml.core.models import structure
from decentralml.core.models.inspect import inspect

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
