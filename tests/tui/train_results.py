"""Trains the few models that tests of judging are about: `train_results.py OUT DIGITS`."""

import json
import os
import sys
from pathlib import Path

os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}

import keras
import numpy as np


def network(units: int) -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main(out: Path, digits: Path) -> None:
    """base_model, and results: honest, second, boasts (untrained), wide (another structure), broken."""
    keras.utils.set_random_seed(0)
    with np.load(digits) as data:
        x, y = data["x"], data["y"]
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order], y[order]
    np.savez(out / "held-out.npz", x=x[:400], y=y[:400])
    x = x.astype("float32") / 255

    def keep(name: str, model: keras.Model, claimed: float | None = None) -> None:
        model.save(out / name, zipped=False)
        if claimed is not None:
            said = {"metrics": {"accuracy": claimed}, "seed": 7, "versions": {"keras": keras.__version__}}
            (out / name / "result.json").write_text(json.dumps(said))

    def train(model: keras.Model, part: slice, epochs: int) -> keras.Model:
        model.fit(x[part], y[part], epochs=epochs, verbose=0)
        return model

    base = train(network(16), slice(400, 700), 3)
    keep("base_model", base)
    for number, name in enumerate(("honest", "second")):
        model = network(16)
        model.set_weights(base.get_weights())
        keep(name, train(model, slice(700 + 1500 * number, 2200 + 1500 * number), 4), 0.8)
    keep("boasts", base, 0.99)
    keep("wide", train(network(24), slice(700, 2200), 3), 0.8)
    keep("broken", base, 0.99)
    config = json.loads((out / "broken" / "config.json").read_text())
    config["config"]["layers"][1]["class_name"] = "Lambda"
    (out / "broken" / "config.json").write_text(json.dumps(config))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
