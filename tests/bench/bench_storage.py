"""Storing and fetching a folder, beside `cp -r` and `sha256sum` over the same bytes in the same run.

    python tests/bench/bench_storage.py [MB]

The store hashes, writes and fsyncs; the control copies and hashes and leaves the fsync to the kernel.
A second control adds `sync`. Goal: at least 80 % of the speed of the first, which is measured twice (an A/A
control): where the two differ, the machine is too busy to tell.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from decentralml.core.storage import local
from decentralml.core.storage.local import LocalStorage

ROUNDS = 3
CONTROL = "cp -r + sha256sum"


def make_folder(root: Path, megabytes: int) -> Path:
    """One large file (60 %), ten middling (30 %), and small ones of 100 kB (10 %): a model and its data."""
    root.mkdir()
    (root / "model.weights.h5").write_bytes(os.urandom(megabytes * 600_000))
    for index in range(10):
        (root / f"shard{index}.npz").write_bytes(os.urandom(megabytes * 30_000))
    for index in range(megabytes):
        (root / f"image{index}.png").write_bytes(os.urandom(100_000))
    return root


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def copy_and_hash(folder: Path, target: Path, *, sync: bool) -> None:
    subprocess.run(["cp", "-r", folder, target], check=True)
    files = sorted(str(path) for path in target.rglob("*") if path.is_file())
    subprocess.run(["sha256sum", *files], check=True, stdout=subprocess.DEVNULL)
    if sync:
        subprocess.run(["sync", *files], check=True)


def one_round(folder: Path, root: Path) -> dict[str, float]:
    """Seconds of each way, from the same bytes, the disk at rest before each."""
    taken = {}
    for what, sync in ((CONTROL, False), (f"{CONTROL} + sync", True), (f"{CONTROL} again", False)):
        os.sync()
        taken[what] = seconds(lambda sync=sync: copy_and_hash(folder, root / "copy", sync=sync))  # type: ignore[misc]
        shutil.rmtree(root / "copy")
    os.sync()
    local.create(root / "store")
    store = LocalStorage(root / "store")
    taken["store"] = seconds(lambda: store.put(folder))
    taken["store again"] = seconds(lambda: store.put(folder))
    reference = store.put(folder)
    taken["fetch"] = seconds(lambda: store.get(reference, root / "back"))
    taken["fetch again"] = seconds(lambda: store.get(reference, root / "back"))
    taken["verify"] = seconds(lambda: store.verify(reference))
    shutil.rmtree(root / "store")
    shutil.rmtree(root / "back")
    return taken


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as name:
        folder = make_folder(Path(name) / "folder", megabytes)
        rounds = [one_round(folder, Path(name)) for _ in range(ROUNDS)]
    best = {what: min(taken[what] for taken in rounds) for what in rounds[0]}
    control = best[CONTROL]
    print(f"storage: {megabytes} MB in {megabytes + 11} files, best of {ROUNDS}")
    for what, taken in best.items():
        speed = megabytes / taken
        print(f"  {what:26} {taken:6.2f} s  {speed:7.0f} MB/s  {control / taken:6.0%} of the control")


if __name__ == "__main__":
    main()
