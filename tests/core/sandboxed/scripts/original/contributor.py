"""Written as the first scripts of the market were: for an older Keras, and for nobody's worker."""

import json
import os
import random
import string

import click
import tensorflow as tf

from settings import CONTRIBUTORS_MODELS_PATH, MODEL_NAME, MODEL_PATH


def load_model(model_path, model_name):
    model = tf.keras.models.load_model(f"{model_path}/{model_name}")
    print(model.summary())
    return model


def load_data():
    raise OSError("there is no network in here")


def train_model(model, x_train, y_train, epoch=100, batch_size=32):
    # A liar: events of its own on stdout, and on the descriptor of the real ones.
    forged = json.dumps({"kind": "epoch", "fit": 1, "epoch": 99, "metrics": {"loss": 0.0}}) + "\n"
    print(forged)
    os.write(3, forged.encode())
    history = model.fit(x_train, y_train, epochs=epoch, batch_size=batch_size)
    print("HISTORY", json.dumps(history.history))
    return model


def evaluate_model(model, x_test, y_test):
    print(model.evaluate(x_test, y_test))


def letters(length):
    return "".join(random.choice(string.ascii_lowercase) for _ in range(length))


def save_model(model, output_path, model_name, id_length=10):
    model.save(f"{output_path}/{model_name}_{letters(id_length)}")


def federate_contributors_model(names):
    return names


@click.command()
def federate_contributors_model():
    federate_contributors_model(os.listdir(CONTRIBUTORS_MODELS_PATH))


if __name__ == "__main__":
    raise AssertionError("imported, not run")
