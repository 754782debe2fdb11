"""As another.py, by steps of an optimizer, compiled to a graph."""

import keras
import tensorflow as tf

from another import Own
from small import save_model, small_model


def redefine_model():
    return small_model()


def train_model(model, x_train, y_train, epochs=1):
    model = Own()
    optimizer = keras.optimizers.Adam()
    loss_of = keras.losses.SparseCategoricalCrossentropy()

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    for _ in range(epochs):
        step(x_train, y_train)
    print("TRAINED ON")
    return model
