"""One verb in copies of a market: in the copy 0 unharmed, or in one after the other, killed at each call.

argv: verb, folder of the copies, clock; then the system call, at which count strace kills, and whose
calls are meant: "main" or "threads".
"""

import json
import sys
from pathlib import Path

import kill_each
import small_market


def main() -> None:
    verb, copies, clock, *kill = sys.argv[1:]

    def work(at: Path) -> None:
        with small_market.opened(at, float(clock)) as people:
            small_market.do(people, at, verb)
            (at / small_market.REPORTED).symlink_to("person")

    if not kill:
        kill_each.unharmed(lambda: work(Path(copies) / "0"))
        return
    name, kills_at, whose = kill
    count = kill_each.until_one_lives(
        name, int(kills_at), lambda number: Path(copies) / str(number), work, threads=whose == "threads"
    )
    sys.stdout.write(json.dumps(count))


if __name__ == "__main__":
    main()
