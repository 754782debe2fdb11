"""The others of a living market end with the process that started them, whoever inherits them."""

import subprocess
import sys

# Starts the others as the app does, and is gone before they have looked around.
STARTER = """
import os, subprocess, sys
subprocess.Popen([sys.executable, "-c", sys.argv[1], str(os.getpid())])
"""

# Of a market in which nobody has anything to do.
OTHERS = """
import sys
from decentralml.core.demo import others
class Idle:
    def work(self): pass
    def judge_offer(self): pass
others._PAUSE = 0.01
others.act(Idle(), int(sys.argv[1]))
"""

# What is left behind comes to this process, as in a container or under a session's manager.
REAPER = """
import ctypes, os, subprocess, sys
PR_SET_CHILD_SUBREAPER = 36
assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
subprocess.run([sys.executable, "-c", *sys.argv[1:]], check=True)
assert os.wait()[1] == 0
"""


def test_they_end_with_whoever_started_them_though_another_inherits_them() -> None:
    ended = subprocess.run([sys.executable, "-c", REAPER, STARTER, OTHERS], check=False, timeout=60)
    assert ended.returncode == 0
