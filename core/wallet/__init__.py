"""Accounts: encrypted key files, remembered passwords, and the address book."""
