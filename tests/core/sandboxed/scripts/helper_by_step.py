"""Trains by steps of optimizers: a scale that belongs to no model, a plain helper, then the model itself."""

import keras
import tensorflow as tf

from small import save_model, small_model


def redefine_model():
    return small_model()


def train_model(model, x_train, y_train, epochs=1):
    helper = small_model()
    scale = tf.Variable(1.0)
    loss_of = keras.losses.SparseCategoricalCrossentropy()

    def step(optimizer, variables):
        with tf.GradientTape() as tape:
            loss = loss_of(y_train, model(x_train) + helper(x_train)) * scale
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))

    for variables in ([scale], helper.trainable_variables, model.trainable_variables):
        optimizer = keras.optimizers.SGD(0.01)
        for _ in range(epochs):
            step(optimizer, variables)
    print("TRAINED BOTH")
    return model
