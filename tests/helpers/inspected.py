"""How inspection refuses a model."""

from pathlib import Path

import pytest

from decentralml.core.errors import Refused
from decentralml.core.models.inspect import inspect
from decentralml.core.models.limits import Limits


def code(path: Path, limits: Limits = Limits()) -> str:  # noqa: B008
    """The code by which the model at ``path`` is refused; the test fails where it is not."""
    with pytest.raises(Refused) as refused:
        inspect(path, limits)
    assert refused.value.message
    return refused.value.code
