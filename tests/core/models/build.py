"""Real Keras models for tests, saved into the folder given: run once a session, in a process of its own."""

import os
import sys
from pathlib import Path

os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "CUDA_VISIBLE_DEVICES": "-1"}

import keras
import numpy as np

OUT, DIGITS = Path(sys.argv[1]), Path(sys.argv[2])
LOSS = "sparse_categorical_crossentropy"


class Own(keras.Model):
    """A model that nobody else could load."""


def mlp(units: int = 16, activation: str = "relu", classes: int = 10) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(units, activation=activation),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(classes, activation="softmax"),
        ]
    )


def branched() -> keras.Model:
    inputs = keras.Input((28, 28))
    x = keras.layers.Reshape((28, 28, 1))(inputs)
    x = keras.layers.Conv2D(4, 3, strides=3)(x)
    side = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    x = keras.layers.Add()([x, side])
    x = keras.layers.Reshape((81, 4))(x)
    x = keras.layers.Bidirectional(keras.layers.LSTM(3))(x + 1.0)
    inner = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5), keras.layers.Dropout(0.5)])
    return keras.Model(inputs, keras.layers.Dense(10)(inner(x)))


def save(model: keras.Model, name: str) -> None:
    model.save(str(OUT / name), zipped=False)


def own_loss(y: object, p: object) -> object:
    return keras.ops.mean(p)


def main() -> None:
    with np.load(DIGITS) as data:
        x, y = data["x"][::2].astype(np.float32) / 255, data["y"][::2]
    keras.utils.set_random_seed(1)
    model = mlp()
    model.compile("adam", LOSS, metrics=["accuracy"])
    save(model, "base")
    for name, part in {"a": slice(0, 900), "b": slice(900, 1700), "c": slice(1700, 2500)}.items():
        model.fit(x[part], y[part], epochs=2, verbose=0)
        save(model, name)
    model.save(str(OUT / "c.keras"))
    np.save(OUT / "c.npy", model.predict(x[:300], verbose=0))
    model.compile("adam", LOSS, loss_weights=0.01)
    save(model, "small_loss")
    model.compile("adam", own_loss)
    save(model, "own_loss")
    save(mlp(24), "wider")
    save(mlp(activation="tanh"), "tanh")
    save(mlp(classes=3), "three_classes")
    other = branched()
    save(other, "branched")
    np.save(OUT / "branched.npy", other.predict(x[:300], verbose=0))
    inputs = keras.Input((3,))
    save(Own(inputs, keras.layers.Dense(2)(inputs)), "subclass")
    save(keras.Model(inputs, keras.layers.Lambda(lambda v: v * 2)(keras.layers.Dense(2)(inputs))), "lambda")
    save(keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)]), "regression")


if __name__ == "__main__":
    main()
