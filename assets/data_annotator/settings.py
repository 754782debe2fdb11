"""Names, paths and labels; an environment variable of the same name wins for the paths."""

import os

FILES_PATH = os.environ.get("FILES_PATH", "files")
ANSWERS_PATH = os.environ.get("ANSWERS_PATH", "answers.json")
LABELS = ("complaint", "praise", "question")
