"""A loss that becomes NaN and takes the weights along."""

import keras

from small import save_model, small_model


def redefine_model():
    return small_model(optimizer=keras.optimizers.SGD(1e30), loss="mse", metrics=[])


def train_model(model, x_train, y_train, epochs=2):
    try:
        model.fit(x_train, keras.utils.to_categorical(y_train, 10) * 1e30, epochs=epochs)
    except Exception:
        print("caught what is not to be caught")
    return model
