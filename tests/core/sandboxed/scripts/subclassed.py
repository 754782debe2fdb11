"""A model that only this script can load."""

import keras

from small import layers, save_model


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.parts = layers()

    def call(self, x):
        for part in self.parts:
            x = part(x)
        return x


def redefine_model():
    model = Own()
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    return model


def train_model(model, x_train, y_train, epochs=2):
    raise AssertionError("refused before it trains")
