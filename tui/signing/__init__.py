"""What is signed: a call, what it does to whom, and its receipt."""
