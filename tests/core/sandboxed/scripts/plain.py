"""A script with which nothing is wrong."""

from small import save_model, small_model


def redefine_model():
    return small_model()


def train_model(model, x_train, y_train, epochs=1):
    model.fit(x_train, y_train, epochs=epochs)
    return model
