"""Chains: the interface, the pure rules, and the embedded ledger."""
