"""What the screens show of tasks, and do with them."""
