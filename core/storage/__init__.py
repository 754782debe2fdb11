"""Storages: the interface, manifests, verified transfers, and the local folder store."""
