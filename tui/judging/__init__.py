"""What the screens show of results and of what was made of them."""
