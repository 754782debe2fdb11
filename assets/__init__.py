"""What a task ships: a folder for each role, runnable by hand."""
