"""Two fits, the second long enough to be paused, stopped or killed in."""

import json

from small import save_model, small_model


def redefine_model():
    return small_model()


def train_model(model, x_train, y_train, epochs=2):
    first = model.fit(x_train, y_train, epochs=1)
    print("WEIGHTS", float(abs(model.get_weights()[0]).sum()))
    try:
        second = model.fit(x_train, y_train, epochs=epochs, batch_size=8)
    except Exception:
        print("caught what is not to be caught")
        raise
    print("HISTORIES", json.dumps([[h.history["loss"], h.epoch] for h in (first, second)]))
    return model
