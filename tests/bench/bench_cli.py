"""How long the command line takes to start, beside an interpreter that does nothing."""

import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 15


def milliseconds(words: list[str]) -> float:
    """The median wall time of starting ``words`` and waiting for their end."""
    taken = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
        taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken[1:])  # the first fills the caches


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "decentralml.tui.main", "--home", home]
        rows = (
            ("control: python -c pass", [sys.executable, "-c", "pass"], ""),
            ("decentralml --help", [*command, "--help"], "goal 150"),
            ("decentralml task list", [*command, "task", "list"], "goal 300"),
            ("decentralml inbox --help", [*command, "inbox", "--help"], ""),
        )
        for name, words, goal in rows:
            print(f"{name:<28} {milliseconds(words):7.0f} ms  {goal}")


if __name__ == "__main__":
    main()
