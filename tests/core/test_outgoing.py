"""Each process lays out what it sends in a folder of its own."""

import subprocess
import sys
from pathlib import Path

from decentralml.core import outgoing
from decentralml.core.paths import Home

PREPARES = """
import sys
from pathlib import Path
from decentralml.core import outgoing
from decentralml.core.paths import Home
folder = outgoing.folder(Home(Path(sys.argv[1])))
(folder / "result").write_text("mine")
print(folder, flush=True)
sys.stdin.read()
"""


def test_two_that_send_at_once_share_no_folder_and_what_the_dead_left_is_removed(home: Home) -> None:
    def other() -> tuple[subprocess.Popen[str], Path]:
        process = subprocess.Popen(
            [sys.executable, "-c", PREPARES, str(home.root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        return process, Path(process.stdout.readline().strip())

    dead, left = other()
    dead.kill()
    dead.communicate()
    assert (left / "result").exists()
    living, theirs = other()
    mine = outgoing.folder(home)
    assert mine == outgoing.folder(home) != theirs
    assert set(mine.parent.iterdir()) == {mine, theirs}
    assert (theirs / "result").read_text() == "mine"
    living.communicate()
    assert living.returncode == 0
