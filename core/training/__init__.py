"""Training, outside the sandbox: runs, their supervisor, their journal, and what they leave behind."""
