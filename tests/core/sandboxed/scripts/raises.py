"""A script that breaks while it trains, in words that try to draw on the screen."""

from small import save_model, small_model


def redefine_model():
    return small_model()


def train_model(model, x_train, y_train, epochs=2):
    return helper(epochs)


def helper(epochs):
    raise ValueError("\x1b[2J\u202ebroken" + "x" * 20_000)
