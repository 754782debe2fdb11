"""What the screens show of training runs."""
