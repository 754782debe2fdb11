"""Names and paths; an environment variable of the same name wins."""

import os

DATA_PATH = os.environ.get("DATA_PATH", "../mnist5k.npz")
# The creator's model, shipped with the task.
MODEL_PATH = os.environ.get("MODEL_PATH", ".")
MODEL_NAME = os.environ.get("MODEL_NAME", "base_model")
# What is trained here goes to CONTRIBUTORS_MODELS_PATH/<RESULT_NAME>_<10 random letters>.
CONTRIBUTORS_MODELS_PATH = os.environ.get("CONTRIBUTORS_MODELS_PATH", "contributors_models")
RESULT_NAME = os.environ.get("RESULT_NAME", "mnist")
EPOCHS = int(os.environ.get("EPOCHS", "5"))
