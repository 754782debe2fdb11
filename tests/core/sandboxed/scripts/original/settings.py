MODEL_PATH = "models"
MODEL_NAME = "first_model"
CONTRIBUTORS_MODELS_PATH = "models/contributors"
