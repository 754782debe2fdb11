"""As another.py, batch by batch."""

import keras

from another import Own
from small import save_model, small_model


def redefine_model():
    return small_model()


def train_model(model, x_train, y_train, epochs=1):
    model = Own()
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    for _ in range(epochs):
        model.train_on_batch(x_train, y_train)
    print("TRAINED ON")
    return model
