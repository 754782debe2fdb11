"""Accepted results become the next model: gathered, grouped by structure, averaged, and measured."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from decentralml.core import task_folder
from decentralml.core.domain import DELIVERED, ResultSubmissionStatus, Submission
from decentralml.core.errors import DecentralMLError, Misused, Refused
from decentralml.core.market_client import MarketClient
from decentralml.core.models import aggregate, gate
from decentralml.core.models.inspect import inspect
from decentralml.core.text import short_address
from decentralml.core.words import STATUSES

if TYPE_CHECKING:
    from decentralml.core.judging import Judge
    from decentralml.core.models.metrics import Metrics
    from decentralml.core.storage.base import OnProgress


class Ingredient(Struct, frozen=True, kw_only=True):
    """One accepted result, on this machine."""

    submission_id: int
    task_id: int
    worker: str
    name: str
    folder: Path
    digest: str


class Gathered(Struct, frozen=True, kw_only=True):
    """What can go into one model, and what cannot.

    ``base`` gives the structure (None: the results' own). ``apart``: accepted results of another structure,
    by structure; ``findings``: what the gate says of results that are broken.
    """

    ingredients: tuple[Ingredient, ...]
    apart: tuple[tuple[Ingredient, ...], ...]
    findings: tuple[gate.Finding, ...]
    base: Path | None


class Federation(Struct, frozen=True, kw_only=True):
    """A written model. The figures are measured on the creator's held-out data; None without data.

    ``made``: when it was written, in Unix seconds.
    """

    folder: Path
    made: float
    provenance: aggregate.Provenance
    gathered: Gathered
    figures: "Metrics | None" = None
    baseline: "Metrics | None" = None
    inputs: "tuple[tuple[str, Metrics], ...]" = ()


def input_name(submission: Submission) -> str:
    """What a federation calls a result. What this person calls its worker stays out of the provenance."""
    return f"#{submission.id} {short_address(submission.worker)}"


def gather(
    market: MarketClient, submission_ids: Sequence[int], *, on_progress: "OnProgress | None" = None
) -> Gathered:
    """Fetch accepted results and sort them by structure: the base model's, or else the most frequent.

    Raises `Misused` ("NoModels"), `Refused` ("NotAccepted") and as `Market.fetch_result`.
    """
    found = [_ingredient(market, number, on_progress) for number in dict.fromkeys(submission_ids)]
    if not found:
        raise Misused("NoModels", "There is nothing to federate.", "Accept results first.")
    base = task_folder.base_model(market.fetch_assets(market.chain.task(found[0].task_id)))
    groups, findings = gate.groups([(entry.name, entry.folder) for entry in found])
    by_name = {entry.name: entry for entry in found}
    sorted_out = [(group.structure, tuple(by_name[name] for name in group.names)) for group in groups]
    wanted = inspect(base).structure if base else None
    if wanted not in [structure for structure, _ in sorted_out]:
        base = None
        wanted = sorted_out[0][0] if sorted_out else None
    return Gathered(
        ingredients=next((group for structure, group in sorted_out if structure == wanted), ()),
        apart=tuple(group for structure, group in sorted_out if structure != wanted),
        findings=tuple(findings),
        base=base,
    )


def open_data(
    market: MarketClient, gathered: Gathered, judge: "Judge", *, cancelled: Callable[[], bool] = lambda: False
) -> None:
    """Read the judge's held-out data and measure the baseline: what is wrong with them shows before `run`
    writes anything. Raises as `Judge.bench`.
    """
    if gathered.ingredients:
        judge.bench(market.chain.task(gathered.ingredients[0].task_id), cancelled=cancelled)


def run(
    gathered: Gathered,
    out: Path,
    *,
    strategy: str = "average",
    weights: Mapping[int, float] | None = None,
    policy_digest: str | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Federation:
    """Average what was gathered into the new folder ``out``. ``weights`` by submission, 1 where not named.

    Raises as `models.aggregate.aggregate`.
    """
    given = weights or {}
    inputs = [
        aggregate.Input(entry.name, entry.folder, given.get(entry.submission_id, 1.0), entry.digest)
        for entry in gathered.ingredients
    ]
    if not inputs:
        gate.require(gathered.findings)
        raise Misused("NoModels", "There is nothing to federate.", "Accept results first.")
    base = gathered.base or gathered.ingredients[0].folder
    provenance = aggregate.aggregate(
        inputs,
        base,
        out,
        strategy=strategy,
        policy_digest=policy_digest,
        on_progress=on_progress,
        cancelled=cancelled,
    )
    return Federation(folder=out, made=time.time(), provenance=provenance, gathered=gathered)


def measure(
    market: MarketClient,
    federation: Federation,
    judge: "Judge",
    *,
    cancelled: Callable[[], bool] = lambda: False,
) -> Federation:
    """The same federation with its figures beside the baseline's and its inputs'.

    Raises as `Judge.bench`, and the error's hint names the folder: the model is written, measured or not.
    """
    entries = federation.gathered.ingredients
    try:
        bench = judge.bench(market.chain.task(entries[0].task_id), cancelled=cancelled)
        return replace(
            federation,
            figures=bench.measure(federation.folder, cancelled=cancelled),
            baseline=bench.baseline,
            inputs=tuple((entry.name, bench.measure(entry.folder, cancelled=cancelled)) for entry in entries),
        )
    except DecentralMLError as error:
        error.hint = f"{error.hint} The model itself is written: {federation.folder}".strip()
        raise


def _ingredient(market: MarketClient, number: int, on_progress: "OnProgress | None") -> Ingredient:
    submission = market.chain.submission(number)
    if submission.status is not ResultSubmissionStatus.Accepted:
        raise Refused(
            "NotAccepted",
            f"Submission {number} is {STATUSES[submission.status]}; only accepted results are federated.",
            f"`decentralml task accept {number}` accepts it."
            if submission.status in DELIVERED
            else "Leave it out.",
        )
    return Ingredient(
        submission_id=number,
        task_id=submission.task_id,
        worker=submission.worker,
        name=input_name(submission),
        folder=market.fetch_result(submission, on_progress=on_progress),
        digest=submission.digest or "",
    )
