"""What the scripts here share: a small model, and a plain save."""

import keras


def layers():
    return [
        keras.layers.Flatten(),
        keras.layers.Dense(8, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]


def small_model(**compile_arguments):
    model = keras.Sequential([keras.Input((28, 28)), *layers()])
    arguments = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
    model.compile(**(arguments | compile_arguments))
    return model


def save_model(model, output_path, model_name):
    model.save(f"{output_path}/{model_name}")
