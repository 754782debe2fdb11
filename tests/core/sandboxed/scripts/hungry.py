"""Wants more memory than any machine has."""

from small import save_model, small_model


def redefine_model():
    return small_model()


def train_model(model, x_train, y_train, epochs=1):
    return bytearray(1 << 60)
