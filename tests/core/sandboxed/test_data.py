"""The data of a training: read, held out by the seed, and refused in words where they do not do."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from decentralml.core.errors import Failed
from decentralml.core.sandboxed.data import as_input, check_fit, digest, load, measure

X = np.arange(20 * 4, dtype=np.uint8).reshape(20, 2, 2)
Y = np.arange(20) % 3


def save(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "data.npz", **arrays)
    return folder / "data.npz"


def test_pixels_become_fractions_and_all_else_goes_in_as_it_is() -> None:
    pixels = as_input(np.uint8([0, 255]))
    assert pixels.dtype == np.float32
    assert pixels.tolist() == [0, 1]
    for stored in (np.float64([0.5]), np.int32([255])):
        assert as_input(stored) is stored


def test_the_same_seed_holds_out_the_same_samples_and_none_twice(tmp_path: Path) -> None:
    path = save(tmp_path, x=X, y=Y)
    one, same, other = (load(path, holdout=0.25, seed=seed) for seed in (1, 1, 2))
    assert (len(one.x_train), len(one.x_test)) == (15, 5)
    assert np.array_equal(one.x_test, same.x_test)
    assert not np.array_equal(one.x_test, other.x_test)
    samples = {sample.tobytes() for sample in np.concatenate([one.x_train, one.x_test])}
    assert len(samples) == 20
    assert one.digest == other.digest
    assert one.classes == 3


def test_data_with_a_test_part_of_their_own_keep_it(tmp_path: Path) -> None:
    data = load(save(tmp_path, x_train=X, y_train=Y, x_test=X[:2], y_test=Y[:2]), holdout=0.5, seed=0)
    assert (len(data.x_train), len(data.x_test)) == (20, 2)


def test_a_folder_is_read_by_the_tasks_data_py(tmp_path: Path) -> None:
    data = load(tmp_path, holdout=0, seed=0, load_folder=lambda path: (X, Y))
    assert (len(data.x_train), len(data.x_test)) == (20, 0)
    with pytest.raises(Failed, match=r"no data\.py"):
        load(tmp_path, holdout=0, seed=0)


def test_without_data_the_scripts_own_are_taken_and_with_them_never() -> None:
    data = load(None, holdout=0.1, seed=0, load_data=lambda: ((X, Y), (X[:3], Y[:3])))
    assert (len(data.x_train), len(data.x_test)) == (20, 3)
    with pytest.raises(Failed, match="no load_data"):
        load(None, holdout=0.1, seed=0)


def test_a_digest_tells_values_types_and_shapes_apart() -> None:
    digests = {digest(x, Y) for x in (X, X[::-1], X.reshape(20, 4), X.astype(np.int8))}
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"a": X, "b": Y}, "no arrays x and y; it holds a, b"),
        ({"x": X, "y": Y[:-1]}, "x and y differ in length: 20 and 19"),
        ({"x": X[:0], "y": Y[:0]}, "x is empty"),
        ({"x": X, "y": Y.astype(str)}, "y is of type <U"),
        ({"x": X, "y": np.where(Y == 1, np.nan, 1.0)}, "y holds NaN"),
        ({"x": X[:1], "y": Y[:1]}, "nothing to train on"),
        ({"x": X, "y": np.array([{}] * 20)}, r"y is of type \|O"),
        (
            {"x_train": X, "y_train": Y, "x_test": np.full((20, 2), np.inf), "y_test": Y},
            "^The data cannot .*: x_test holds",
        ),
    ],
)
def test_data_that_cannot_be_trained_on_are_refused_in_words(
    arrays: dict[str, Any], says: str, tmp_path: Path
) -> None:
    with pytest.raises(Failed, match=says):
        load(save(tmp_path, **arrays), holdout=0.1, seed=0)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04broken"])
def test_a_file_that_is_no_npz_is_refused_in_words(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "data.npz").write_bytes(content)
    with pytest.raises(Failed, match=r"data\.npz"):
        load(tmp_path / "data.npz", holdout=0.1, seed=0)


@pytest.mark.parametrize(
    ("x", "y", "inputs", "outputs", "says"),
    [
        (X, Y, (None, 4), (None, 3), r"takes samples of shape \(4\), the data have \(2, 2\)"),
        (X, Y, (None, 2, 2), (None, 2), "labels run from 0 to 2, the model knows classes 0 to 1"),
        (X, Y - 1, (None, 2, 2), (None, 3), "run from -1"),
        (X, Y / 2, (None, 2, 2), (None, 3), "labels are fractions"),
        (X, np.zeros((20, 5)), (None, 2, 2), (None, 3), r"gives \(3\) a sample, the labels have shape \(5\)"),
    ],
)
def test_data_that_do_not_fit_the_model_are_refused(
    x: Any, y: Any, inputs: Any, outputs: Any, says: str
) -> None:
    with pytest.raises(Failed, match=says):
        check_fit(x, y, inputs, outputs)


@pytest.mark.parametrize(
    ("y", "inputs", "outputs"),
    [
        (Y, (None, 2, 2), (None, 3)),
        (Y[:, None], (None, None, 2), (None, 3)),
        (np.eye(3)[Y], (None, 2, 2), (None, 3)),
        (Y / 3, (None, 2, 2), (None, 1)),
        (Y, None, None),
        (Y, [(None, 1), (None, 2)], [(None, 1), (None, 2)]),
    ],
)
def test_data_that_fit_the_model_pass(y: Any, inputs: Any, outputs: Any) -> None:
    assert check_fit(X, y, inputs, outputs) is None


def test_classifiers_are_measured_alike_by_probabilities_and_by_logits() -> None:
    y = np.array([0, 1])
    p = np.array([[0.75, 0.25], [0.5, 0.5]])
    expected = {"loss": -(np.log(0.75) + np.log(0.5)) / 2, "accuracy": 0.5}
    assert measure(y, p) == pytest.approx(expected)
    assert measure(y, np.log(p) + 3) == pytest.approx(expected)


def test_regressions_are_measured_by_squares_and_distances() -> None:
    assert measure(np.array([1.0, 2.0]), np.array([[1.0], [4.0]])) == {"loss": 2.0, "mae": 1.0}
