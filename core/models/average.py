"""The average of many weights files, block by block on two threads: memory for blocks, not for models."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from decentralml.core.errors import Failed, Interrupted, Refused
from decentralml.core.models.weights import Weights

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

BLOCK = 128 * 1024
THREADS = 2
FLOAT32_TERMS = 32

OnProgress = Callable[[int, int], None]
Job = tuple[str, int, int]


def layout(like: Weights, path: Path) -> dict[str, int]:
    """A new weights file with groups and tensors as in ``like``; where each tensor's values go, in bytes."""
    import h5py

    places: dict[str, int] = {}
    with h5py.File(path, "x", libver="earliest") as file:
        for group in like.groups:
            if not group.startswith("optimizer"):
                file.require_group(group)
        settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        settings.set_layout(h5py.h5d.CONTIGUOUS)
        settings.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        settings.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        # The same inputs give the same file, whenever that is.
        settings.set_obj_track_times(False)
        for name, tensor in like.tensors.items():
            parent, _, leaf = name.rpartition("/")
            space = h5py.h5s.create_simple(tensor.shape) if tensor.shape else h5py.h5s.create(h5py.h5s.SCALAR)
            kind = h5py.h5t.py_create(tensor.dtype, logical=True)
            made = h5py.h5d.create(file.require_group(parent or "/").id, leaf.encode(), kind, space, settings)
            offset = made.get_offset()
            if offset is not None:
                places[name] = offset
    return places


def average(
    sources: Sequence[Weights],
    shares: Sequence[float],
    out: Path,
    places: dict[str, int],
    *,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Write the sum of ``sources`` times ``shares`` (which sum to 1) to ``places`` of the file ``out``.

    Added up in the order given, so that threads and blocks change nothing: in float64, and in float32 where
    up to 32 float32 sources have the same share. Integers are rounded. ``on_progress(elements, of)``.
    Raises `Refused` ("NonFinite") for an average that is not finite, `Interrupted`, `Failed` ("DiskFull").
    """
    tensors = sources[0].tensors
    jobs = (
        (name, start, min(BLOCK, tensor.size - start))
        for name, tensor in tensors.items()
        for start in range(0, tensor.size, BLOCK)
    )
    total, done = sources[0].parameters, 0
    handle = os.open(out, os.O_WRONLY | os.O_CLOEXEC)
    try:
        with ThreadPoolExecutor(THREADS, "federate") as pool:

            def run(batch: Sequence[Job]) -> int:
                return _run(batch, sources, shares, handle, places)

            # A bounded number of batches ahead, so that a cancel is heard soon.
            while batch := list(islice(jobs, 16 * THREADS)):
                if cancelled():
                    raise Interrupted("Cancelled", "The federation was cancelled; nothing was written.")
                done += sum(pool.map(run, [batch[i::THREADS] for i in range(THREADS)]))
                if on_progress:
                    on_progress(done, total)
    except OSError as error:
        raise Failed(
            "DiskFull", f"The new model cannot be written: {error.strerror}.", "Make room and try again."
        ) from error
    finally:
        os.close(handle)


def _run(
    batch: Sequence[Job],
    sources: Sequence[Weights],
    shares: Sequence[float],
    out: int,
    places: dict[str, int],
) -> int:
    import numpy as np

    even = len(set(shares)) == 1
    buffers: dict[str, Array] = {}
    elements = 0

    def buffer(what: str, dtype: str, count: int) -> "Array":
        if what + dtype not in buffers:
            buffers[what + dtype] = np.empty(BLOCK, dtype)
        return buffers[what + dtype][:count]

    for name, start, count in batch:
        dtype = sources[0].tensors[name].dtype
        block, term = buffer("block", dtype, count), buffer("term", "float64", count)
        # As np.mean does: a few float32 add up in float32 with no error worth more time.
        short = even and dtype == "float32" and len(sources) <= FLOAT32_TERMS
        sums = buffer("sums", "float32" if short else "float64", count)
        for index, (source, share) in enumerate(zip(sources, shares, strict=True)):
            values = source.read(name, start, count, block)
            if not short:
                np.copyto(term, values)
                values = term if even else np.multiply(term, share, out=term)
            if index == 0:
                np.copyto(sums, values)
                continue
            with np.errstate(over="ignore", invalid="ignore"):
                np.add(sums, values, out=sums)
        if even:
            np.divide(sums, len(sources), out=sums)
        result = np.rint(sums) if dtype[0] in "iub" else sums
        with np.errstate(over="ignore", invalid="ignore"):
            np.copyto(block, result, casting="unsafe")
        if not np.isfinite(block).all():
            raise Refused("NonFinite", f"The average of {name} is not finite.", "Leave out what overflows.")
        _write(out, block, places[name] + start * block.itemsize)
        elements += count
    return elements


def _write(out: int, values: "Array", at: int) -> None:
    import numpy as np

    left = values.view(np.uint8).data
    while left:
        wrote = os.pwrite(out, left, at)
        at, left = at + wrote, left[wrote:]
