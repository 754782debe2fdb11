"""The contributor's side of a task: trains the creator's model on data that stay here."""

import os
import random
import string

import keras
import numpy as np

from settings import CONTRIBUTORS_MODELS_PATH, DATA_PATH, EPOCHS, MODEL_NAME, MODEL_PATH, RESULT_NAME


def load_model(model_path, model_name):
    model = keras.models.load_model(f"{model_path}/{model_name}")
    model.summary()
    return model


def load_data():
    with np.load(DATA_PATH) as data:
        x, y = data["x"], data["y"]
    if x.dtype == np.uint8:
        x = x.astype("float32") / 255
    held_out = max(1, len(x) // 10)
    return (x[held_out:], y[held_out:]), (x[:held_out], y[:held_out])


def train_model(model, x_train, y_train, epochs=5, batch_size=32):
    model.fit(x_train, y_train, epochs=epochs, batch_size=batch_size, verbose=2)
    return model


def evaluate_model(model, x_test, y_test):
    return model.evaluate(x_test, y_test, verbose=0, return_dict=True)


def save_model(model, output_path, model_name):
    os.makedirs(output_path, exist_ok=True)
    letters = "".join(random.choices(string.ascii_lowercase, k=10))
    path = os.path.abspath(f"{output_path}/{model_name}_{letters}")
    model.save(path, zipped=False)
    return path


def main():
    model = load_model(MODEL_PATH, MODEL_NAME)
    (x_train, y_train), (x_test, y_test) = load_data()
    print("before:", evaluate_model(model, x_test, y_test))
    model = train_model(model, x_train, y_train, epochs=EPOCHS)
    print("after:", evaluate_model(model, x_test, y_test))
    print("saved:", save_model(model, CONTRIBUTORS_MODELS_PATH, RESULT_NAME))


if __name__ == "__main__":
    main()
