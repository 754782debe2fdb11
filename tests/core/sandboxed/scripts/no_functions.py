"""A script that nobody can train with."""

load_model = "a string is no function"
