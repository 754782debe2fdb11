"""The others of a living demo market, as one process: they work, then judge what the person delivers."""

import os
import sys
import time
from pathlib import Path

from decentralml.core.demo.play import Play
from decentralml.core.errors import Failed
from decentralml.core.paths import Home

_PAUSE = 3.0


def act(play: Play) -> None:
    """Work in the creator's tasks, then look every few seconds what the engineer has to judge."""
    play.work()
    while os.getppid() != 1:
        play.judge_offer()
        time.sleep(_PAUSE)


def main() -> int:
    """``python -m decentralml.core.demo.others ROOT CONTRIBUTORS SEED TASK ENGINEERS_TASK OFFER``."""
    root, *numbers = sys.argv[1:]
    contributors, seed, task, engineers_task, offer = map(int, numbers)
    play = Play(Home(Path(root)), contributors=contributors, seed=seed)
    play.task, play.engineers_task, play.offered_task = task, engineers_task, offer
    try:
        act(play)
    except Failed as error:
        (Path(root) / "others.log").write_text(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
