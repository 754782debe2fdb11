"""A metric that is NaN while the weights are fine; an evaluate_model and a save_model that raise."""

import keras

from small import small_model


def nowhere(y, p):
    return keras.ops.mean(p) * float("nan")


def redefine_model():
    return small_model(metrics=[nowhere])


def train_model(model, x_train, y_train, epochs=2):
    model.fit(x_train, y_train, epochs=epochs)


def evaluate_model(model, x_test, y_test):
    raise RuntimeError("no figures today")


def save_model(model, output_path, model_name):
    raise RuntimeError("no disk today")
