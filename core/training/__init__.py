"""Training: the supervisor outside the sandbox, the worker inside, and what they leave behind."""
