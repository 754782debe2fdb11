"""The worker's side of a task on this machine: set up, tried, and ordered as a run."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from decentralml.core import environments, hostile, setup_script, task_folder
from decentralml.core.domain import Submission, Task, TaskType, manifest_digest
from decentralml.core.errors import Refused, Unavailable
from decentralml.core.market_client import MarketClient
from decentralml.core.paths import used
from decentralml.core.training.locks import hold
from decentralml.core.training.run_folder import RunSpec

if TYPE_CHECKING:
    from decentralml.core.cell import Cell
    from decentralml.core.environments import Interpreter
    from decentralml.core.training import journal
    from decentralml.core.training.runs import Run
    from decentralml.core.training.tryout import TryReport

Consent = Callable[[int, list[str]], bool]
"""(bytes to fetch, a line a package) -> whether an environment may be made."""

MIB = 2**20


class Trial(Struct, frozen=True, kw_only=True):
    """What a try has shown, and what the task pays for it.

    ``download`` in bytes; ``pays_per_hour`` in planck for the epochs asked for (None: not measured).
    """

    report: "TryReport"
    download: int
    pays_per_hour: int | None


class Setup(Struct, frozen=True, kw_only=True):
    """A task's setup.sh before a person's yes: its text, and the cell it would run in."""

    script: str
    cell: "Cell"
    folder: Path


def no_environment(size: int, packages: list[str]) -> bool:
    """The consent of nobody: where a task needs an environment of its own, it is refused."""
    return False


def folder(market: MarketClient, task: Task) -> Path:
    """The task's folder to work in: the copy that setup.sh prepared, else the verified assets."""
    prepared = _prepared(market, task)
    if not prepared.exists():
        return market.fetch_assets(task)
    used(prepared)
    return prepared


def read_setup(market: MarketClient, task: Task, *, network: bool = False) -> Setup | None:
    """The task's setup.sh and what it may touch; None where the task has none, or it ran already."""
    assets = market.fetch_assets(task)
    script = setup_script.read_script(assets)
    if script is None or _prepared(market, task).exists():
        return None
    settings = market.settings
    partial = _prepared(market, task).with_suffix(".partial")
    cell = setup_script.cell(
        partial,
        environments.own(),
        network=network,
        memory=settings.sandbox_memory * MIB,
        disk=settings.sandbox_disk * MIB,
        processes=settings.sandbox_processes,
    )
    return Setup(script=script, cell=cell, folder=partial)


def run_setup(
    market: MarketClient, task: Task, setup: Setup, *, unsandboxed: bool = False
) -> setup_script.Result:
    """Run setup.sh on a copy of the task's folder, after a yes; if all went well, runs use that copy.

    Raises as `setup_script.prepare`, and `Unavailable` ("SetupRunning").
    """
    log, prepared = setup.folder.with_suffix(".log"), _prepared(market, task)
    with _alone(setup.folder.with_suffix(".lock"), task):
        if prepared.exists():  # another terminal was quicker
            return setup_script.Result(0, "", prepared, log)
        if setup.folder.exists():
            hostile.delete(setup.folder)
        result = setup_script.prepare(
            market.fetch_assets(task),
            setup.cell,
            log=log,
            caps=hostile.Caps(bytes=market.settings.sandbox_disk * MIB),
            unsandboxed=unsandboxed,
        )
        if result.ok:
            setup.folder.rename(prepared)
    return result


@contextmanager
def _alone(lock: Path, task: Task) -> Iterator[None]:
    """While nobody else of this home sets ``task`` up."""
    descriptor = hold(lock)
    if descriptor is None:
        raise Unavailable(
            "SetupRunning",
            f"The setup.sh of task {task.id} is running already, in another terminal.",
            "Wait until it has ended.",
        )
    try:
        yield
    finally:
        os.close(descriptor)


def run_spec(
    market: MarketClient,
    task: Task,
    *,
    data: Path | None,
    epochs: int,
    batch_size: int | None = None,
    seed: int = 0,
    holdout: float = 0.1,
    device: str = "",
    unsandboxed: bool = False,
    submission_id: int | None = None,
    consent: Consent = no_environment,
) -> RunSpec:
    """The order for a run of ``task``: its folder, its script, and the Python that has what it needs.

    Raises `Refused` ("NothingToTrain") for an annotator's task, and as `environments.interpreter_for`.
    """
    if task.terms.task_type is TaskType.DataAnnotators:
        raise Refused(
            "NothingToTrain", f"Task {task.id} is for labels.", "Answer it with `decentralml task label`."
        )
    assets = folder(market, task)
    task_folder.check_script(assets, task.terms.task_type)
    return RunSpec(
        assets=assets,
        script=task_folder.SCRIPTS[task.terms.task_type],
        task_type=task.terms.task_type,
        task_id=task.id,
        submission_id=submission_id,
        chain=market.chain.genesis,
        title=task.terms.question,
        data=data.absolute() if data else None,
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        holdout=holdout,
        device=device,
        unsandboxed=unsandboxed,
        interpreter=_interpreter(market, assets, consent),
    )


def results_for(submission: Submission, chain: str, runs: list["Run"]) -> list["Run"]:
    """Those of ``runs`` that left a result which fits ``submission`` of the chain with genesis ``chain``."""
    return [
        run
        for run in runs
        if run.result_folder is not None
        and run.state in ("finished", "stopped")
        and run.spec.of_task(submission.task_id, chain)
    ]


def require_run_of(run: "Run", task_id: int, chain: str) -> None:
    """Raises `Refused` ("OtherChain", "OtherTask") unless ``run`` trained task ``task_id`` of ``chain``."""
    if not run.spec.on(chain):
        raise Refused(
            "OtherChain",
            f"Run {run.id} trained a task of another chain.",
            "Its result can only go there: --chain names that one.",
        )
    if run.spec.task_id != task_id:
        raise Refused(
            "OtherTask",
            f"Run {run.id} was no training of task {task_id}.",
            f"`task train {task_id}` makes one; `run list` shows what there is.",
        )


def try_task(
    market: MarketClient,
    spec: RunSpec,
    *,
    on_event: "Callable[[journal.Event], None]" = lambda event: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Trial:
    """Train a few batches of ``spec`` in the sandbox; its model passes the creator's own inspection."""
    from decentralml.core.training import tryout

    assert spec.task_id is not None, "a try is of a task"
    task = market.chain.task(spec.task_id)
    assets = task.terms.assets
    # Before the try: a storage that is away costs no minute of training.
    size = market.storage_for(assets[0]).manifest(assets[1]).size if assets else 0
    report = tryout.try_task(spec, market.home, market.settings, on_event=on_event, cancelled=cancelled)
    seconds = report.seconds_total
    return Trial(
        report=report,
        download=size,
        pays_per_hour=int(task.terms.pays_amount * 3600 / seconds) if seconds else None,
    )


def _interpreter(market: MarketClient, assets: Path, consent: Consent) -> "Interpreter":
    requirements = assets / task_folder.REQUIREMENTS
    return environments.interpreter_for(
        requirements if requirements.exists() else None, market.home, consent=consent
    )


def _prepared(market: MarketClient, task: Task) -> Path:
    reference = task.terms.assets
    name = manifest_digest(reference[1]) if reference else str(task.id)
    return market.home.prepared / name
