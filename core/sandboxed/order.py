"""The worker's order, as it stands in job.json."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from decentralml.core.errors import Failed


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the supervisor asks for, as it stands in job.json. ``device`` "cpu" hides GPUs from TensorFlow."""

    task_type: str
    script: str
    epochs: int
    seed: int
    model_name: str
    task_dir: Path = Path("/task")
    data: Path | None = None
    out: Path = Path("/out")
    checkpoint: Path = field(default=Path("/out/checkpoint"))
    control: Path = Path("/control/control.json")
    batch_size: int | None = None
    holdout: float = 0.1
    resume: bool = False
    threads: int | None = None
    device: str | None = None
    trial: bool = False

    @classmethod
    def read(cls, path: Path) -> "Order":
        """Read ``path``. Raises `Failed` ("BadJob") for one that lacks a field or names a strange model."""
        raw = json.loads(path.read_bytes())
        fields = {
            key: value for key, value in raw.items() if key in cls.__dataclass_fields__ and value is not None
        }
        fields["trial"] = bool(raw.get("try", False))
        if "out" in fields and "checkpoint" not in fields:
            fields["checkpoint"] = Path(fields["out"]) / "checkpoint"
        for key in ("task_dir", "data", "out", "checkpoint", "control"):
            if key in fields:
                fields[key] = Path(fields[key])
        try:
            job = cls(**fields)
        except TypeError as error:
            raise Failed("BadJob", f"The job is not whole: {error}.") from None
        if job.task_type not in ("ModelContributor", "ModelEngineer"):
            raise Failed("BadJob", f"Nothing is trained for a task of type {job.task_type}.")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", job.model_name):
            raise Failed(
                "BadJob", "A model's name has 1 to 64 letters, digits, dots, dashes and underscores."
            )
        return job
