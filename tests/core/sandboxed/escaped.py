"""The real zygote, whose children are what a model would be that had broken out of Keras.

Run as the zygote is. "break" leaves a file and a process that forges answers for ever, and looks into the
zygote; "look" tells what a later question's child finds of it.
"""

import ctypes
import json
import os
import sys
import types
from typing import BinaryIO

from decentralml.core.sandboxed import zygote

PTRACE_SEIZE = 0x4206


def answer(what: str, exchange: str, file: BinaryIO) -> int:
    found: dict[str, object] = {}
    if what == "break":
        zygote_folder = f"/proc/{os.getppid()}"
        found = {"memory": opens(f"{zygote_folder}/mem"), "questions": opens(f"{zygote_folder}/fd/0")}
        found["attached"] = ctypes.CDLL(None).ptrace(PTRACE_SEIZE, os.getppid(), 0, 0) == 0
        found["own"] = os.readlink("/proc/self/fd/0") if os.access("/proc/self/fd/0", os.F_OK) else ""
        open("/tmp/left", "w").close()
        leave_a_forger(os.path.dirname(file.name))
    else:
        found = {
            "left": os.listdir("/tmp"),
            "processes": sorted(int(p) for p in os.listdir("/proc") if p.isdigit()),
        }
        found["self"] = [1, os.getppid(), os.getpid()]
    file.write(json.dumps({"text": json.dumps(found)}).encode())
    return 0


def opens(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        return False
    return True


def leave_a_forger(folder: str) -> None:
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    while True:
        with open(f"{folder}/forged", "w") as file:
            file.write("forged")
        os.replace(f"{folder}/forged", f"{folder}/answer")


for name in ("keras", "tensorflow"):
    # Only the versions are asked of them here, and importing the real ones takes seconds.
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__version__ = "0"
zygote._answer = answer
zygote.main()
