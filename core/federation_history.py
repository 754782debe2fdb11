"""The federated models of this home: what each is made of, and how it measured when it was written."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from decentralml.core.errors import DecentralMLError
from decentralml.core.federation import Federation
from decentralml.core.models import aggregate
from decentralml.core.paths import Home, write_atomic, writing

Figures = dict[str, float | None]


class Outcome(Struct, frozen=True, kw_only=True):
    """Figures by name (None: not finite), of which ``main`` ranks; ``made`` is Unix seconds.

    ``main`` is "" and the rest empty where there were no held-out data.
    """

    made: float
    main: str = ""
    figures: Figures = {}
    baseline: Figures = {}
    inputs: dict[str, Figures] = {}


class Past(Struct, frozen=True, kw_only=True):
    """An earlier federation. ``provenance`` is None where it cannot be read, and ``problem`` says why."""

    folder: Path
    provenance: aggregate.Provenance | None
    outcome: Outcome | None
    problem: str = ""


def free_folder(home: Home, submission_ids: Sequence[int]) -> Path:
    """A folder below the home that is not there yet, named by what goes in. Makes nothing."""
    name = "_".join(map(str, submission_ids[:8]))
    number = 1
    while (folder := home.federations / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return folder


def outcome(federation: Federation) -> Outcome:
    """What is kept of a federation's figures."""
    if federation.figures is None:
        return Outcome(made=federation.made)
    return Outcome(
        made=federation.made,
        main=federation.figures.main,
        figures=federation.figures.values,
        baseline=federation.baseline.values if federation.baseline else {},
        inputs={name: metrics.values for name, metrics in federation.inputs},
    )


def remember(home: Home, federation: Federation) -> None:
    """Keep how a federation measured, wherever its folder is. Raises `Failed` ("CannotWrite")."""
    index = _index(home)
    with writing(index):
        kept = {**_read(home), str(federation.folder): outcome(federation)}
        write_atomic(index, msgspec.json.encode(kept))


def past(home: Home) -> tuple[Past, ...]:
    """The federations below the home, and those remembered elsewhere that are still there; newest first."""
    kept = _read(home)
    folders = {path for path in home.federations.iterdir() if path.is_dir() and path.name[0] != "."}
    folders |= {path for path in map(Path, kept) if path.is_dir()}
    found = [_past(folder, kept.get(str(folder))) for folder in sorted(folders)]
    return tuple(sorted(found, key=_when, reverse=True))


def _past(folder: Path, outcome: Outcome | None) -> Past:
    try:
        return Past(folder=folder, provenance=aggregate.read(folder), outcome=outcome)
    except DecentralMLError as error:
        return Past(folder=folder, provenance=None, outcome=outcome, problem=error.message)


def _when(entry: Past) -> float:
    if entry.outcome is not None:
        return entry.outcome.made
    try:
        return entry.folder.stat().st_mtime
    except OSError:
        return 0.0


def _index(home: Home) -> Path:
    return home.folder(home.data_dir) / "federations.json"


def _read(home: Home) -> dict[str, Outcome]:
    try:
        return msgspec.json.decode(_index(home).read_bytes(), type=dict[str, Outcome])
    except (OSError, msgspec.MsgspecError):
        return {}  # the figures can be measured again; the models and their provenance are elsewhere
