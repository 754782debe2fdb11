"""Federation of many large models beside `np.mean` over loaded arrays: time, and memory on top.

    python tests/bench/bench_federate.py [MODELS] [PARAMETERS]

Each way runs in processes of its own, in turn with the others, so that the peak of one is not that of the
other and a busy minute slows them all. "on top" is the peak resident memory less what the imports alone need.
The averaging alone stands beside `np.mean`; the whole `aggregate` beside the same work done plainly:
`np.mean`, SHA-256 of all files, a look at every value. `np.mean` is measured twice (an A/A control): where
the second is far from 1.00x, the machine is too busy to tell; processor time then tells more than wall time.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WAYS = {
    "np.mean": "control: load all, mean, write",
    "np.mean again": "A/A control",
    "average": "blocks: read, add, write (goal: 3x np.mean, 100 MB on top)",
    "plain": "np.mean, isfinite, and SHA-256 of every file",
    "federate": "with gate, digests and provenance: the same work as plain",
}
TURNS = 4
ROUNDS = 4


def dense_config(width: int, units: int) -> dict[str, object]:
    """The config of a Sequential of one Dense without a bias."""
    shape = [None, width]
    layers = [
        {
            "module": "keras.layers",
            "class_name": "InputLayer",
            "config": {"batch_shape": shape, "dtype": "float32", "name": "input"},
            "registered_name": None,
        },
        {
            "module": "keras.layers",
            "class_name": "Dense",
            "config": {"name": "dense", "units": units, "use_bias": False},
            "registered_name": None,
            "build_config": {"input_shape": shape},
        },
    ]
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "large", "layers": layers, "build_input_shape": shape},
        "registered_name": None,
    }


def make(folder: Path, models: int, parameters: int) -> None:
    import h5py
    import numpy as np

    width, units = parameters // 1000, 1000
    for index in range(models + 1):
        target = folder / f"model{index}"
        target.mkdir()
        (target / "config.json").write_text(json.dumps(dense_config(width, units)))
        values = np.random.default_rng(index).standard_normal((width, units), dtype=np.float32)
        with h5py.File(target / "model.weights.h5", "w") as file:
            file["layers/dense/vars/0"] = values
    # What is still being written out would slow whoever comes first.
    os.sync()


def measure(way: str, folder: Path, models: int) -> dict[str, float]:
    """Least wall and processor seconds of some rounds, and peak resident memory in bytes, in this process."""
    import contextlib

    import h5py
    import numpy as np

    from decentralml.core.models.aggregate import aggregate
    from decentralml.core.models.average import average, layout
    from decentralml.core.models.weights import Weights

    base, *paths = [folder / f"model{index}" / "model.weights.h5" for index in range(models + 1)]
    out = folder / "out.h5"

    def mean() -> None:
        plain(check=False)

    def plain(check: bool = True) -> None:
        loaded = []
        for path in paths:
            with h5py.File(path) as file:
                loaded.append(file["layers/dense/vars/0"][()])
        made = np.mean(loaded, axis=0)
        with h5py.File(out, "w") as file:
            file["layers/dense/vars/0"] = made
        if check:
            assert all(np.isfinite(array).all() for array in (*loaded, made))
            for path in (base, *paths, out):
                with path.open("rb") as whole:
                    hashlib.file_digest(whole, "sha256")

    def blocks() -> None:
        with contextlib.ExitStack() as stack:
            sources = [stack.enter_context(Weights(path)) for path in paths]
            average(sources, [1 / models] * models, out, layout(sources[0], out))

    def whole() -> None:
        inputs = [(path.parent.name, path.parent, 1.0) for path in paths]
        aggregate(inputs, base.parent, folder / "out")

    ways = {"np.mean": mean, "np.mean again": mean, "plain": plain, "average": blocks, "federate": whole}
    wall = cpu = float("inf")
    for _ in range(ROUNDS if way in ways else 0):
        started, busy = time.perf_counter(), time.process_time()
        ways[way]()
        wall, cpu = min(wall, time.perf_counter() - started), min(cpu, time.process_time() - busy)
        out.unlink(missing_ok=True)
        shutil.rmtree(folder / "out", ignore_errors=True)
    # Not getrusage: its peak starts at that of the parent.
    status = Path("/proc/self/status").read_text().partition("VmHWM:")[2]
    return {"wall": wall, "cpu": cpu, "peak": int(status.split()[0]) * 1024}


def main() -> None:
    models = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    parameters = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000
    found: dict[str, list[dict[str, float]]] = {way: [] for way in ("nothing", *WAYS)}
    with tempfile.TemporaryDirectory(prefix="bench-") as root:
        make(Path(root), models, parameters)
        for _ in range(TURNS):
            for way, taken in found.items():
                command = [sys.executable, __file__, "--way", way, root, str(models)]
                taken.append(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))

    def least(way: str, what: str) -> float:
        return min(taken[what] for taken in found[way])

    print(f"federation of {models} models x {parameters:,} float32, best of {TURNS * ROUNDS}")
    for way, note in WAYS.items():
        control = "plain" if way == "federate" else "np.mean"
        speed = least(control, "wall") / least(way, "wall")
        top = max(taken["peak"] for taken in found[way]) - least("nothing", "peak")
        print(
            f"  {way:13} {least(way, 'wall'):7.3f} s  cpu {least(way, 'cpu'):6.3f} s  "
            f"{speed:5.2f}x {control:7}  {top / 1e6:5.0f} MB on top   {note}"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--way"]:
        print(json.dumps(measure(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))))
    else:
        main()
