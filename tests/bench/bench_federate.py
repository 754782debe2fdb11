"""Federation of many large models beside `np.mean` over loaded arrays: time, and memory on top.

    python tests/bench/bench_federate.py [MODELS] [PARAMETERS]

Each way runs in a process of its own, so that the peak of one is not that of the other. "on top" is the
peak resident memory less what the imports alone need.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WAYS = ("nothing", "np.mean", "average", "federate")
ROUNDS = 15


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
    """Seconds of the quickest round, and peak resident memory in bytes, of one way in this process."""
    import contextlib

    import h5py
    import numpy as np

    from decentralml.core.models.average import average, layout
    from decentralml.core.models.federate import federate
    from decentralml.core.models.weights import Weights

    paths = [folder / f"model{index}" for index in range(1, models + 1)]

    def mean() -> None:
        loaded = []
        for path in paths:
            with h5py.File(path / "model.weights.h5") as file:
                loaded.append(file["layers/dense/vars/0"][()])
        with h5py.File(folder / "out.h5", "w") as file:
            file["layers/dense/vars/0"] = np.mean(loaded, axis=0)

    def blocks() -> None:
        with contextlib.ExitStack() as stack:
            sources = [stack.enter_context(Weights(path / "model.weights.h5")) for path in paths]
            places = layout(sources[0], folder / "out.h5")
            average(sources, [1 / models] * models, folder / "out.h5", places)

    def whole() -> None:
        federate([(path.name, path, 1.0) for path in paths], folder / "model0", folder / "out")

    run = {"nothing": lambda: None, "np.mean": mean, "average": blocks, "federate": whole}[way]
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - started)
        (folder / "out.h5").unlink(missing_ok=True)
        shutil.rmtree(folder / "out", ignore_errors=True)
    # Not getrusage: its peak starts at that of the parent.
    status = Path("/proc/self/status").read_text().partition("VmHWM:")[2]
    return {"seconds": best, "peak": int(status.split()[0]) * 1024}


def main() -> None:
    models = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    parameters = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000
    with tempfile.TemporaryDirectory(prefix="bench-") as root:
        make(Path(root), models, parameters)
        found = {}
        for way in WAYS:
            command = [sys.executable, __file__, "--way", way, root, str(models)]
            found[way] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    print(f"federation of {models} models x {parameters:,} float32 (goal: 3x np.mean, 100 MB on top)")
    control, ground = found["np.mean"]["seconds"], found["nothing"]["peak"]
    for way in WAYS[1:]:
        seconds, top = found[way]["seconds"], (found[way]["peak"] - ground) / 1e6
        note = {
            "np.mean": "control: load all, mean, write",
            "average": "blocks: read, add, write",
            "federate": "with gate, digests and provenance",
        }[way]
        print(f"  {way:9} {seconds:7.3f} s  {control / seconds:5.2f}x  {top:7.0f} MB on top   {note}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--way"]:
        print(json.dumps(measure(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))))
    else:
        main()
