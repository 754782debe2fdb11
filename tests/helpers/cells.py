"""A cell for tests: a line of Python, tightly bounded."""

from decentralml.core.sandbox import Cell

MiB = 1 << 20


def python(script: str, **what: object) -> Cell:
    """The cell that runs ``script``; ``what`` as `Cell` has it."""
    return Cell(("python", "-I", "-S", "-c", script), **{"memory": 512 * MiB, "disk": 16 * MiB, **what})  # type: ignore[arg-type]
