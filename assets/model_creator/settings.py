"""Names and paths; an environment variable of the same name wins."""

import os

DATA_PATH = os.environ.get("DATA_PATH", "../mnist5k.npz")
MODEL_PATH = os.environ.get("MODEL_PATH", "models")
MODEL_NAME = os.environ.get("MODEL_NAME", "mnist")
CONTRIBUTORS_MODELS_PATH = os.environ.get(
    "CONTRIBUTORS_MODELS_PATH", "../model_contributor/contributors_models"
)
EPOCHS = int(os.environ.get("EPOCHS", "2"))
# The same seed makes the same model, on the same machine.
SEED = int(os.environ.get("SEED", "0"))
# The part of the data that is never trained on: results are judged with it.
HELD_OUT = 1000
