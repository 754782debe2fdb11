"""Accounts: encrypted key files, remembered passphrases, and the address book."""
