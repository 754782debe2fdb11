"""Predicts with models: imports TensorFlow once, then forks a child for every question.

Run as ``python -m decentralml.core.sandboxed.zygote EXCHANGE ANSWERS [alone]``. Questions come as JSON lines
on descriptor 0: ``{"id": 1, "what": "predict" | "summary"}``; the model (and ``x.npy``) of a question lie
in EXCHANGE, its child writes ANSWERS/answer. Descriptor 1 carries ``{"ready": versions}`` once, then
``{"id", "status"}`` after each child. The process that takes questions never opens a model.

``alone``: this is a sandbox of its own, so that whatever a child leaves behind can be ended and removed.

An answer is one JSON object, ``{"shape": […]}``, ``{"text": …}`` or ``{"error": …, "where": …}``; the first
is padded to `HEAD` bytes, and the rows of a prediction follow as little-endian float32.
"""

import contextlib
import ctypes
import json
import os
import resource
import shutil
import signal
import sys
from typing import Any, BinaryIO

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
HEAD = 256
ROWS = 256
BATCH_BYTES = 64 * 2**20
ERROR_CHARACTERS = 2000
# Cells: as much as the pane beside a list has.
_SUMMARY = 72
SUMMARY_CHARACTERS = 100_000


def main() -> None:
    exchange, answers, alone = sys.argv[1], sys.argv[2], "alone" in sys.argv[3:]
    # No child may look into, or attach to, the process that takes the questions.
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    # What a child leaves behind becomes this process's child, so that its end can be waited for.
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    out = os.dup(1)
    os.dup2(2, 1)
    if alone and os.getppid() != 1:
        raise SystemExit("zygote: not in a process namespace of its own")

    import keras
    import numpy
    import tensorflow

    versions = {
        "python": sys.version.split()[0],
        "keras": keras.__version__,
        "tensorflow": tensorflow.__version__,
        "numpy": numpy.__version__,
    }
    _say(out, {"ready": versions})
    with os.fdopen(0, "rb", buffering=0, closefd=False) as questions:
        while line := questions.readline():
            question = json.loads(line)
            child = os.fork()
            if child == 0:
                _child(libc, question["what"], exchange, answers, out)
            _, status = os.waitpid(child, 0)
            _sweep(child, alone)
            _say(out, {"id": question["id"], "status": status})


def _say(out: int, message: dict[str, Any]) -> None:
    os.write(out, json.dumps(message).encode() + b"\n")


def _sweep(child: int, alone: bool) -> None:
    """End what the child left running, remove what it left lying: the next answer is another's."""
    with contextlib.suppress(ProcessLookupError):
        # In a namespace of its own -1 is everything but init and this process.
        os.kill(-1, signal.SIGKILL) if alone else os.killpg(child, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        # Killed is not gone: a write that had begun may still end.
        while os.waitpid(-1, 0 if alone else os.WNOHANG)[0]:
            pass
    if alone:
        for folder in ("/tmp", "/dev/shm"):  # noqa: S108 - the sandbox's own
            for name in os.listdir(folder):
                path = f"{folder}/{name}"
                if os.path.isdir(path) and not os.path.islink(path):
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    os.unlink(path)


def _child(libc: Any, what: str, exchange: str, answers: str, out: int) -> None:
    code = 1
    try:
        os.setpgid(0, 0)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.close(out)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with open(f"{answers}/answer", "xb", buffering=0) as answer:
            code = _answer(what, exchange, answer)
    finally:
        # Never back into the loop of questions, whatever happened.
        os._exit(code)


def _answer(what: str, exchange: str, answer: BinaryIO) -> int:
    where = "load"
    try:
        import keras

        model = keras.saving.load_model(f"{exchange}/model", compile=False, safe_mode=True)
        where = what
        if what == "summary":
            lines: list[str] = []
            model.summary(
                line_length=_SUMMARY, print_fn=lambda text, line_break=False: lines.append(str(text))
            )
            answer.write(json.dumps({"text": "\n".join(lines)[:SUMMARY_CHARACTERS]}).encode())
        else:
            _predict(model, exchange, answer)
    except BaseException as error:
        text = f"{type(error).__name__}: {error}"[:ERROR_CHARACTERS]
        answer.seek(0)
        answer.truncate()
        answer.write(json.dumps({"error": text, "where": where}).encode())
        return 1
    return 0


def _predict(model: Any, exchange: str, answer: BinaryIO) -> None:
    import numpy as np

    x = np.load(f"{exchange}/x.npy", mmap_mode="r", allow_pickle=False)
    size = batch_rows(x[:1].nbytes)
    shape: tuple[int, ...] | None = None
    for start in range(0, len(x), size):
        batch = np.array(x[start : start + size])
        given = model.predict_on_batch(batch)
        if not isinstance(given, np.ndarray) or given.dtype.kind != "f":
            kind = getattr(given, "dtype", type(given).__name__)
            raise TypeError(f"one array of floats is needed, the model gives {kind}")
        if given.shape[:1] != (len(batch),):
            raise ValueError(f"{len(batch)} samples went in, the model gives shape {given.shape}")
        if shape is None:
            shape = given.shape[1:]
            answer.write(json.dumps({"shape": [len(x), *shape]}).encode().ljust(HEAD))
        elif given.shape[1:] != shape:
            raise ValueError(f"the shape of the predictions changes from {shape} to {given.shape[1:]}")
        _write_all(answer, np.ascontiguousarray(given, "<f4").tobytes())


def batch_rows(row_bytes: int) -> int:
    """How many samples of so many bytes each are predicted at once."""
    return max(1, min(ROWS, BATCH_BYTES // max(1, row_bytes)))


def _write_all(answer: BinaryIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[answer.write(left) :]


if __name__ == "__main__":
    main()
