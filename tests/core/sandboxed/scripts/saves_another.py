"""Trains what it should, and saves what nobody can load."""

from another import Own
from small import small_model


def redefine_model():
    return small_model()


def train_model(model, x_train, y_train, epochs=1):
    model.fit(x_train, y_train, epochs=epochs)
    return model


def save_model(model, output_path, model_name):
    own = Own()
    own(model.inputs[0])
    own.save(f"{output_path}/{model_name}")
