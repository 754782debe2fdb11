"""A whole market played on this machine, by processes that use nothing but the public commands."""
