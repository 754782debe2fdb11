"""The others of a living demo market, as one process: they work, then judge what the person delivers."""

import os
import sys
import time
from pathlib import Path

from decentralml.core.demo.play import Play
from decentralml.core.errors import Failed
from decentralml.core.paths import Home

_PAUSE = 3.0


def act(play: Play, parent: int) -> None:
    """Work in the creator's tasks, then look every few seconds what the engineer has to judge, until the
    process ``parent``, which started this one, is gone.
    """
    play.work()
    while os.getppid() == parent:
        play.judge_offer()
        time.sleep(_PAUSE)


def main() -> int:
    """``python -m decentralml.core.demo.others ROOT CONTRIBUTORS SEED TASK ENGINEERS_TASK OFFER PARENT``."""
    root, *numbers = sys.argv[1:]
    contributors, seed, task, engineers_task, offer, parent = map(int, numbers)
    play = Play(Home(Path(root)), contributors=contributors, seed=seed)
    play.task, play.engineers_task, play.offered_task = task, engineers_task, offer
    try:
        act(play, parent)
    except Failed as error:
        (Path(root) / "others.log").write_text(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
