"""How long the command line takes to start, beside an interpreter that does nothing.

All take turns, and the control is measured twice (an A/A control): where the two differ, the machine is busy.
"""

import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 15


def milliseconds(words: list[str]) -> float:
    """The wall time of starting ``words`` and waiting for their end."""
    started = time.perf_counter()
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    return 1000 * (time.perf_counter() - started)


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "decentralml.tui.main", "--home", home]
        nothing = [sys.executable, "-c", "pass"]
        ways = (
            ("control: python -c pass", nothing, ""),
            ("control again", nothing, ""),
            ("decentralml --help", [*command, "--help"], "goal 150"),
            ("decentralml task list", [*command, "task", "list"], "goal 300"),
            ("decentralml inbox --help", [*command, "inbox", "--help"], ""),
        )
        rounds = [[milliseconds(words) for _, words, _ in ways] for _ in range(ROUNDS + 1)]
        # The first round fills the caches.
        for (name, _, goal), taken in zip(ways, zip(*rounds[1:], strict=True), strict=True):
            print(f"{name:<28} {statistics.median(taken):7.0f} ms  (best {min(taken):4.0f})  {goal}")


if __name__ == "__main__":
    main()
