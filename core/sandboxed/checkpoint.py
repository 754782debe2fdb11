"""Where a run can go on: one file a fit, weights and optimizer and record in one unit, replaced whole.

``fit-001.npz`` holds the state of the script's first call of `Model.fit` after its last finished epoch;
the same file, marked finished, its outcome. Resume runs the script again: `Checkpoints.read` says for each
fit whether it is done, open, or yet to come. Nothing in the file is unpickled.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from decentralml.core.errors import Failed

Arrays = list[Any]


@dataclass
class State:
    """One fit: epochs done (a number), whether it returned, its History, and its arrays as numpy."""

    fit: int
    epochs_done: int = 0
    finished: bool = False
    history: dict[str, list[float]] = field(default_factory=dict)
    epoch_indices: list[int] = field(default_factory=list)
    weights: Arrays = field(default_factory=list)
    optimizer: Arrays = field(default_factory=list)

    def take(self, model: Any) -> None:
        """Copy weights and optimizer variables out of ``model``."""
        self.weights = [variable.numpy() for variable in model.weights]
        self.optimizer = [variable.numpy() for variable in _optimizer_variables(model)]

    def give(self, model: Any) -> None:
        """Copy them into ``model``, which must be built. Raises `Failed` ("OtherModel") unless they fit."""
        for optimizer in _optimizers(model):
            if not optimizer.built:
                optimizer.build(model.trainable_variables)
        targets = [*model.weights, *_optimizer_variables(model)]
        values = [*self.weights, *self.optimizer]
        if [tuple(t.shape) for t in targets] != [v.shape for v in values]:
            raise Failed(
                "OtherModel",
                f"The checkpoint of fit {self.fit} belongs to a model of another shape.",
                "The script builds something else than before; start a new run.",
            )
        for target, value in zip(targets, values, strict=True):
            target.assign(value)


def _optimizers(model: Any) -> list[Any]:
    """Every optimizer the model holds, `compile`'s and those a train_step of its own uses."""
    import keras

    found: list[Any] = []
    for value in vars(model).values():
        if isinstance(value, keras.optimizers.Optimizer) and all(value is not seen for seen in found):
            found.append(value)
    return found


def _optimizer_variables(model: Any) -> list[Any]:
    return [variable for optimizer in _optimizers(model) for variable in optimizer.variables]


class Checkpoints:
    """The checkpoint folder of one run."""

    def __init__(self, folder: Path, *, resume: bool) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        if not resume:
            for old in folder.glob("*.npz*"):
                old.unlink()

    def _path(self, fit: int) -> Path:
        return self._folder / f"fit-{fit:03}.npz"

    def write(self, state: State) -> int:
        """Replace the fit's file by ``state``; returns its size in bytes."""
        import numpy as np

        record = {
            "fit": state.fit,
            "epochs_done": state.epochs_done,
            "finished": state.finished,
            "history": state.history,
            "epoch_indices": state.epoch_indices,
            "weights": len(state.weights),
        }
        path = self._path(state.fit)
        aside = path.with_suffix(".npz.part")
        arrays = [*state.weights, *state.optimizer]
        with open(aside, "wb") as file:
            np.savez(
                file,
                record=np.frombuffer(json.dumps(record).encode(), np.uint8),
                **{f"a{index}": array for index, array in enumerate(arrays)},
            )
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        return path.stat().st_size

    def read(self, fit: int) -> State | None:
        """The state of ``fit``, or None where it has not come to the end of an epoch.

        Raises `Failed` ("BadCheckpoint") for a file that is not whole.
        """
        import numpy as np

        path = self._path(fit)
        if not path.is_file():
            return None
        try:
            with np.load(path, allow_pickle=False) as archive:
                record = json.loads(archive["record"].tobytes())
                arrays = [archive[f"a{index}"] for index in range(len(archive.files) - 1)]
            return State(
                fit=record["fit"],
                epochs_done=record["epochs_done"],
                finished=record["finished"],
                history=record["history"],
                epoch_indices=record["epoch_indices"],
                weights=arrays[: record["weights"]],
                optimizer=arrays[record["weights"] :],
            )
        except Exception as error:
            raise Failed(
                "BadCheckpoint",
                f"The checkpoint {path.name} cannot be read: {error}",
                "Start a new run.",
            ) from error
