"""Figures from predictions and labels: one definition for all, which no prediction breaks."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decentralml.core.errors import Misused, Refused
from decentralml.core.models import metrics
from decentralml.core.sandboxed import data

ANY = st.floats(allow_nan=True, allow_infinity=True, width=32)


def one_hot(labels: list[int], count: int) -> np.ndarray:
    return np.eye(count, dtype=np.float32)[labels]


def test_perfect_probabilities_give_accuracy_one_and_no_loss() -> None:
    found = metrics.compute(np.array([0, 1, 2]), one_hot([0, 1, 2], 3))
    assert (found.kind, found.main, found.accuracy, found.values["loss"]) == (
        "classification",
        "accuracy",
        1.0,
        0.0,
    )
    assert found.per_class == (1.0, 1.0, 1.0)
    assert found.confusion == ((1, 0, 0), (0, 1, 0), (0, 0, 1))


def test_rows_of_the_confusion_are_the_truth_and_a_class_without_samples_has_no_accuracy() -> None:
    found = metrics.compute(np.array([0, 0, 1]), one_hot([0, 1, 1], 3))
    assert found.confusion == ((1, 1, 0), (0, 1, 0), (0, 0, 0))
    assert found.per_class == (0.5, 1.0, None)


def test_logits_give_the_loss_of_their_softmax() -> None:
    logits = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]], np.float32)
    soft = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y = np.array([2, 1])
    ours, theirs = (metrics.compute(y, p).values["loss"] for p in (logits, soft))
    assert ours == pytest.approx(theirs, rel=1e-5)


def test_floats_give_mse_and_mae() -> None:
    found = metrics.compute(np.array([1.0, 2.0]), np.array([[2.0], [4.0]]))
    assert (found.kind, found.main, found.values) == ("regression", "loss", {"loss": 2.5, "mae": 1.5})


@given(
    y=arrays(np.int64, 12, elements=st.integers(0, 3)),
    p=arrays(np.float32, (12, 4), elements=st.floats(-50, 50, width=32)),
)
def test_worker_and_creator_measure_by_one_definition(y: np.ndarray, p: np.ndarray) -> None:
    ours, theirs = metrics.compute(y, p).values, data.measure(y, p)
    assert ours.keys() == theirs.keys()
    assert all(ours[name] == pytest.approx(theirs[name], rel=1e-9, abs=1e-12) for name in theirs)


@given(y=arrays(np.int64, 8, elements=st.integers(0, 2)), p=arrays(np.float32, (8, 3), elements=ANY))
def test_nothing_in_a_prediction_breaks_a_metric(y: np.ndarray, p: np.ndarray) -> None:
    found = metrics.compute(y, p)
    assert all(value is None or math.isfinite(value) for value in found.values.values())
    assert found.nonfinite == tuple(name for name, value in found.values.items() if value is None)
    assert sum(map(sum, found.confusion)) == int(np.isfinite(p).all(axis=1).sum())
    assert 0 <= (found.accuracy or 0) <= 1


@given(y=arrays(np.float32, 5, elements=ANY), p=arrays(np.float32, (5, 1), elements=ANY))
def test_nothing_breaks_a_regression(y: np.ndarray, p: np.ndarray) -> None:
    found = metrics.compute(y, p)
    assert all(value is None or math.isfinite(value) for value in found.values.values())


def test_a_sample_that_is_not_finite_counts_as_wrong() -> None:
    p = one_hot([0, 1], 2)
    p[0, 0] = np.nan
    found = metrics.compute(np.array([0, 1]), p)
    assert (found.accuracy, found.values["loss"], found.nonfinite) == (0.5, None, ("loss",))


@pytest.mark.parametrize(
    ("y", "p"),
    [
        (np.array([0, 5]), np.zeros((2, 3))),
        (np.array([0, -1]), np.zeros((2, 3))),
        (np.array([0, 1, 1]), np.zeros((2, 3))),
        (np.zeros((2, 2)), np.zeros((2, 3))),
        (np.array(["a", "b"]), np.zeros((2, 3))),
        (np.zeros(0), np.zeros((0, 3))),
        (np.float64(1), np.zeros((1, 3))),
    ],
)
def test_labels_that_do_not_belong_are_said(y: np.ndarray, p: np.ndarray) -> None:
    with pytest.raises(Misused, match="do not belong together"):
        metrics.compute(y, p)


def test_a_candidate_cannot_change_the_kind_of_its_figures() -> None:
    with pytest.raises(Misused):
        metrics.compute(np.array([0, 1]), np.zeros((2, 1)), "classification")


@pytest.mark.parametrize(
    "values",
    [{}, {"f1": "good"}, {"f1": True}, {"a\x1b[2J": 1.0}, {str(n): 1 for n in range(51)}, {"f1": [1]}],
)
def test_figures_of_a_policy_are_numbers_by_name(values: dict[str, object]) -> None:
    with pytest.raises(Refused, match="metrics"):
        metrics.custom(values, 3)


def test_figures_of_a_policy_are_ranked_by_the_first_and_may_be_nan() -> None:
    found = metrics.custom({"f1": 0.5, "other": math.nan, "count": 10**400}, 3)
    assert (found.main, found.values, found.nonfinite) == (
        "f1",
        {"f1": 0.5, "other": None, "count": None},
        ("other", "count"),
    )
