"""What the screens show of accounts."""
