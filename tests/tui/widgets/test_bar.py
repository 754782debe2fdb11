"""A bar in parts, such as the escrow's."""

import pytest

from decentralml.tui.widgets.bar import shares


@pytest.mark.parametrize(
    ("amounts", "width", "cells"),
    [
        ((1, 1), 10, [5, 5]),
        ((1, 999), 10, [1, 9]),
        ((0, 5), 10, [0, 10]),
        ((0, 0), 10, [0, 0]),
        ((1, 1, 1, 1), 2, [1, 1, 0, 0]),
        ((5,), 0, [0]),
    ],
)
def test_a_bar_gives_every_part_its_share(amounts: tuple[int, ...], width: int, cells: list[int]) -> None:
    assert shares(amounts, width) == cells
