"""The creator's side of a task: makes the first model, judges models, and federates what came back."""

import os

import keras
import numpy as np

from settings import CONTRIBUTORS_MODELS_PATH, DATA_PATH, EPOCHS, HELD_OUT, MODEL_NAME, MODEL_PATH, SEED


def create_model():
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def load_data():
    with np.load(DATA_PATH) as data:
        x, y = data["x"], data["y"]
    x = x.astype("float32") / 255
    return (x[HELD_OUT:], y[HELD_OUT:]), (x[:HELD_OUT], y[:HELD_OUT])


def train_model(model, x_train, y_train, epochs=1):
    model.fit(x_train, y_train, epochs=epochs, verbose=2)
    return model


def evaluate_model(model, x_test, y_test):
    return model.evaluate(x_test, y_test, verbose=0, return_dict=True)


def save_model(model, output_path, model_name):
    os.makedirs(output_path, exist_ok=True)
    path = os.path.abspath(f"{output_path}/{model_name}")
    model.save(path, zipped=False)
    return path


def load_model(model_path, model_name):
    return keras.models.load_model(f"{model_path}/{model_name}")


def federate_models(models):
    """A new model whose weights, all of them, are the means of the models' weights."""
    federated = keras.models.clone_model(models[0])
    federated.compile_from_config(models[0].get_compile_config())
    weights = zip(*(model.get_weights() for model in models), strict=True)
    federated.set_weights([np.mean(arrays, axis=0) for arrays in weights])
    return federated


def main():
    keras.utils.set_random_seed(SEED)
    (x_train, y_train), (x_test, y_test) = load_data()
    if os.path.exists(f"{MODEL_PATH}/{MODEL_NAME}"):
        model = load_model(MODEL_PATH, MODEL_NAME)
    else:
        model = train_model(create_model(), x_train, y_train, epochs=EPOCHS)
        print("saved:", save_model(model, MODEL_PATH, MODEL_NAME))
    print("model:", evaluate_model(model, x_test, y_test))

    names = sorted(os.listdir(CONTRIBUTORS_MODELS_PATH)) if os.path.isdir(CONTRIBUTORS_MODELS_PATH) else []
    models = [load_model(CONTRIBUTORS_MODELS_PATH, name) for name in names]
    for name, contributed in zip(names, models, strict=True):
        print(f"{name}:", evaluate_model(contributed, x_test, y_test))
    if models:
        federated = federate_models(models)
        print("federated:", evaluate_model(federated, x_test, y_test))
        print("saved:", save_model(federated, MODEL_PATH, f"{MODEL_NAME}_federated"))


if __name__ == "__main__":
    main()
