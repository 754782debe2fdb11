"""A training in words."""

import pytest

from decentralml.core.cli.run_words import line_of
from decentralml.core.training import journal


@pytest.mark.parametrize(
    ("running", "said"),
    [
        (0, "starts"),
        (1, "waits for its turn, 1 run before it"),
        (3, "waits for its turn, 3 runs before it"),
    ],
)
def test_a_run_says_how_many_are_before_it(running: int, said: str) -> None:
    assert line_of(journal.Queued(running=running)) == said
