"""Trains the model that it was given inside a model of its own, as a distiller does, and returns that."""

import keras

from small import save_model, small_model


class Outer(keras.Model):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, x):
        return self.inner(x)


def redefine_model():
    return small_model()


def train_model(model, x_train, y_train, epochs=1):
    outer = Outer(model)
    outer.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    outer.fit(x_train, y_train, epochs=epochs)
    return outer
