"""Trains without fit, on data of its own, and says nothing on the way."""

import numpy as np

from small import save_model, small_model


def load_data():
    rng = np.random.default_rng(0)
    x, y = rng.random((64, 28, 28), dtype=np.float32), rng.integers(0, 10, 64)
    return (x[:48], y[:48]), (x[48:], y[48:])


def redefine_model():
    return small_model()


def train_model(model, x_train, y_train):
    model.train_on_batch(x_train, y_train)
