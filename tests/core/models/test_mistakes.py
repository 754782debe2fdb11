"""The samples that a model is surest of and wrong about, and what they look like."""

import numpy as np
import pytest

from decentralml.core.models import mistakes
from decentralml.core.models.mistakes import SIDE, find

X = np.zeros((6, 8, 8), np.uint8)
Y = np.array([0, 0, 0, 1, 1, 2])
P = np.array(
    [
        [0.30, 0.70, 0.00],  # 0 as 1
        [0.10, 0.90, 0.00],  # 0 as 1, surer
        [0.80, 0.20, 0.00],
        [0.60, 0.40, 0.00],  # 1 as 0
        [0.00, 1.00, 0.00],
        [0.00, 0.00, 1.00],
    ]
)


def told(y: np.ndarray, p: np.ndarray) -> list[tuple[int, int, int]]:
    return [(m.true, m.taken_for, m.sample) for m in find(X[: len(y)], y, p)]


def test_the_most_frequent_mistakes_come_first_and_of_each_the_surest() -> None:
    assert told(Y, P) == [(0, 1, 1), (0, 1, 0), (1, 0, 3)]
    assert [m.sure for m in find(X, Y, P)] == [0.9, 0.7, 0.6]


def test_labels_in_a_column_and_logits_give_the_same() -> None:
    with np.errstate(divide="ignore"):
        logits = np.log(np.maximum(P, 1e-9)) + 3
    assert told(Y[:, None], logits) == told(Y, P)
    assert [m.sure for m in find(X, Y, logits)] == pytest.approx([0.9, 0.7, 0.6], abs=1e-6)


def test_who_is_right_has_none_and_a_prediction_that_is_no_number_is_nobodys() -> None:
    right = np.eye(3)[Y]
    assert find(X, Y, right) == ()
    right[0] = [0.0, np.nan, 1.0]
    assert find(X, Y, right) == ()


def test_of_many_a_few_are_kept() -> None:
    y = np.repeat(np.arange(20), 10)
    found = find(np.zeros((200, 4, 4)), y, np.eye(20)[(y + 1) % 20])
    assert len(found) == mistakes.PAIRS * mistakes.SAMPLES


def picture(sample: np.ndarray) -> np.ndarray | None:
    found = find(sample[None], np.array([0]), np.array([[0.0, 1.0]]))[0].picture
    return None if found is None else np.frombuffer(found.grey, np.uint8).reshape(found.height, found.width)


def test_a_picture_is_brought_down_by_means_to_what_a_terminal_can_show() -> None:
    large = np.kron(np.arange(SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE), np.ones((3, 2)))
    shown = picture(large)
    assert shown is not None
    assert shown.shape == (SIDE, SIDE)
    assert (shown[0, 0], shown[-1, -1]) == (0, 255)
    assert (np.diff(shown.astype(int).ravel()) >= 0).all()


def test_a_small_or_uneven_picture_keeps_its_shape() -> None:
    shown = picture(np.tile(np.array([0, 9], np.uint8), (40, 5)))
    assert shown is not None
    assert shown.shape == (SIDE, 10)


def test_channels_are_one_grey_and_the_fourth_is_none() -> None:
    colours = np.zeros((8, 8, 4))
    colours[2:4, :, 0] = 1.0
    colours[..., 3] = np.arange(8)
    shown = picture(colours)
    assert shown is not None
    assert (shown[2:4] == 255).all()
    assert shown.sum() == 2 * 8 * 255
    assert picture(colours[..., :1]).tolist() == shown.tolist()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "sample",
    [np.zeros(784), np.zeros((8, 8, 2)), np.zeros((3, 64, 64)), np.full((8, 8), np.nan), np.zeros((2, 50))],
    ids=["flat", "two channels", "channels first", "no numbers", "a strip"],
)
def test_what_is_no_picture_has_none(sample: np.ndarray) -> None:
    assert picture(sample) is None


def test_a_blank_picture_is_dark() -> None:
    assert not picture(np.full((8, 8), 7.0)).any()  # type: ignore[union-attr]
