"""Runs workers that are forked after TensorFlow was imported once: a test's worker is up in 0.4 s.

Reads lines from stdin, answers each with one: ``{"start": {job, events, log}}`` with a process id,
``{"wait": pid}`` with its exit code.
"""

import json
import os
import sys

import keras
import tensorflow as tf

from decentralml.core.sandboxed import worker


def start(order: dict[str, str]) -> int:
    pid = os.fork()
    if pid:
        return pid
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    events = os.open(order["events"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2), (events, 3)):
        os.dup2(source, target)
    sys.argv = ["worker", order["job"]]
    worker.main()
    raise AssertionError("a worker ends its own process")


if __name__ == "__main__":
    # fd 3 belongs to the workers.
    assert keras.__version__
    assert tf.__version__
    for line in sys.stdin:
        order = json.loads(line)
        if "start" in order:
            print(start(order["start"]), flush=True)
        else:
            print(os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1]), flush=True)
