"""Models of strangers: inspected, evaluated, compared, federated."""
