"""What of this program runs inside a sandbox, beside strangers' files, and what both sides agree on."""
