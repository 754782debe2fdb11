"""Names and paths; an environment variable of the same name wins."""

import os

DATA_PATH = os.environ.get("DATA_PATH", "../mnist5k.npz")
# What is built here goes to MODEL_PATH/<MODEL_NAME>_<10 random letters>.
MODEL_PATH = os.environ.get("MODEL_PATH", "engineers_models")
MODEL_NAME = os.environ.get("MODEL_NAME", "mnist")
EPOCHS = int(os.environ.get("EPOCHS", "5"))
