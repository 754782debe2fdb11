"""What a run's order means inside: the cell in which the worker sits, and the job that it reads there."""

from pathlib import Path

from decentralml.core.bounds import Bounds
from decentralml.core.cell import Cell
from decentralml.core.environments import own
from decentralml.core.training.run_folder import RunFolder, RunSpec

TASK, DATA, JOB, CONTROL, OUT = (Path("/", name) for name in ("task", "data", "job", "control", "out"))
_WORKER = "decentralml.core.sandboxed.worker"


def cell(spec: RunSpec, bounds: Bounds, folder: RunFolder) -> Cell:
    """The cell of a run: task, data, job and control to read, out/ to write, no network."""
    reads = [(spec.assets, TASK), (folder.job, JOB), (folder.control, CONTROL)]
    if spec.data is not None:
        reads.append((spec.data, _data(spec.data)))
    gpu = spec.device != "cpu" and gpus_present()
    device = spec.device.partition(":")[2]
    return Cell(
        command=("python", "-m", _WORKER, str(JOB / "job.json")),
        reads=tuple(reads),
        writes=(folder.out, OUT),
        env={"CUDA_VISIBLE_DEVICES": device} if gpu and device else {},
        memory=bounds.memory,
        disk=bounds.disk,
        processes=bounds.processes,
        python=spec.interpreter or own(),
        threads=spec.threads,
        gpu=gpu,
        nice=spec.nice or 0,
    )


def job(spec: RunSpec, cell: Cell, *, resume: bool) -> dict[str, object]:
    """job.json, with every path as the worker has to name it."""

    def path(inside: Path) -> str:
        return cell.path(inside, unsandboxed=spec.unsandboxed)

    return {
        "task_type": spec.task_type.value,
        "task_dir": path(TASK),
        "script": spec.script,
        "data": None if spec.data is None else path(_data(spec.data)),
        "out": path(OUT),
        "checkpoint": path(OUT / "checkpoint"),
        "control": path(CONTROL / "control.json"),
        "epochs": spec.epochs,
        "batch_size": spec.batch_size,
        "seed": spec.seed,
        "holdout": spec.holdout,
        "model_name": spec.model_name,
        "device": "cpu" if spec.device == "cpu" else None,
        "try": spec.trial,
        "resume": resume,
        "threads": spec.threads or None,
    }


def gpus_present() -> bool:
    """Whether this machine has device nodes of a GPU that TensorFlow could use."""
    return any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/kfd").exists()


def gpu_warning(asked: str, used: str, *, present: bool) -> str:
    """What to say when a CPU trains (``used``: the worker's word) although a GPU could; "" otherwise."""
    if used.upper() != "CPU" or asked == "cpu":
        return ""
    if present:
        return (
            "This machine has a GPU that TensorFlow cannot use, so the CPU trains. "
            "`pip install decentralml[cuda]` brings CUDA's parts."
        )
    return "A GPU was asked for and there is none here, so the CPU trains." if asked else ""


def _data(data: Path) -> Path:
    """Where data lie inside: a folder as /data, a file below it under its own name."""
    return DATA if data.is_dir() else DATA / data.name
