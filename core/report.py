"""The report of one validation: what a decision rests on, written down so that anybody can check it."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field

from decentralml.core import hostile
from decentralml.core.answers import AnswerCheck
from decentralml.core.claims import Claims
from decentralml.core.errors import Failed, Refused
from decentralml.core.models.distance import Distance
from decentralml.core.models.layers import Layer
from decentralml.core.models.metrics import Metrics, lower_is_better, rank_key
from decentralml.core.models.structure import StructureDiff
from decentralml.core.paths import write_atomic
from decentralml.core.text import clean, short

T = TypeVar("T")

FILE = "report.json"
VERSION = 1
MAX_BYTES = 32 * 2**20
# A claim within this of what was measured is no difference worth a word: float32 sums in another order.
TOLERANCE = 1e-4
# What of one model's layers, or of how two differ, goes into a report.
_LIST_BYTES = 4 * 2**20


class Decision(StrEnum):
    accept = "accept"
    reject = "reject"
    undecided = "undecided"


class Verdict(Struct, frozen=True):
    """What a policy says of a report. "undecided" leaves it to the creator and never pays."""

    decision: Decision
    reason: str


class Refusal(Struct, frozen=True):
    """Why a result got no figures: the step it failed at, a stable code, a sentence."""

    step: str
    code: str
    message: str


class Model(Struct, frozen=True, kw_only=True):
    """What inspection found; ``size`` in bytes, ``structure`` a digest without names."""

    name: str
    class_name: str
    format: str
    keras_version: str
    parameters: int
    size: int
    structure: str
    layers: tuple[Layer, ...]


class Report(Struct, frozen=True, kw_only=True):
    """One result beside its baseline, same data, same definition of the metrics.

    Digests are lower-case hex SHA-256: of the result as delivered (its manifest's), the base model's files
    (`formats.digest`), the held-out data, the policy script. ``differences``: candidate minus baseline by
    figure; ``claim_gaps``: claimed minus measured. None stands for what is not finite or not known.
    ``summary`` is the model's own table. ``refused`` is set, and most else missing, where the result could
    not be evaluated; ``answers`` only for annotations. ``metrics_by``: "standard", or "policy" where
    `validation.py: metrics` defines them.
    """

    version: int = VERSION
    task_id: int | None = None
    submission_id: int | None = None
    worker: str | None = None
    result_digest: str | None = None
    base_digest: str | None = None
    dataset_digest: str | None = None
    policy_digest: str | None = None
    samples: int | None = None
    metrics_by: str = "standard"
    candidate: Metrics | None = None
    baseline: Metrics | None = None
    differences: dict[str, float | None] = field(default_factory=dict)
    claimed: Claims | None = None
    claim_gaps: dict[str, float | None] = field(default_factory=dict)
    model: Model | None = None
    base: Model | None = None
    structure: StructureDiff | None = None
    distance: Distance | None = None
    summary: str = ""
    answers: AnswerCheck | None = None
    refused: Refusal | None = None
    warnings: tuple[str, ...] = ()
    protection: str = "none"
    versions: dict[str, str] = field(default_factory=dict)
    verdict: Verdict | None = None

    @property
    def better(self) -> bool | None:
        """Whether the main figure beats the baseline's; None where one of them is missing."""
        if self.candidate is None:
            return None
        change = self.differences.get(self.candidate.main)
        if change is None:
            return None
        return change < 0 if lower_is_better(self.candidate.main) else change > 0

    def with_verdict(self, verdict: Verdict, policy_digest: str | None) -> "Report":
        """The same report with a policy's word on it, and the digest of its script."""
        return msgspec.structs.replace(self, verdict=verdict, policy_digest=policy_digest)


def encode(report: Report) -> bytes:
    """Canonical bytes: JSON, fields in a fixed order, keys sorted, one line."""
    return msgspec.json.encode(report, order="sorted")


def decode(data: bytes) -> Report:
    """A report that somebody published. Its texts are cleaned; what it says is that somebody's word.

    Raises `Refused` ("BadReport") when it is none, larger than 32 MiB, of a newer version, or its figures do
    not belong together.
    """
    if len(data) > MAX_BYTES:
        raise _bad(f"it has {len(data):,} bytes, the cap is {MAX_BYTES:,}")
    try:
        found = msgspec.json.decode(data)
        if isinstance(found, dict) and isinstance(found.get("version"), int) and found["version"] > VERSION:
            raise _bad(f"it is of version {found['version']}, this program reads up to {VERSION}")
        report = msgspec.convert(_cleaned(found), Report)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _bad(short(str(error), 200)) from error
    for figures in (report.candidate, report.baseline):
        if figures is not None and not figures.belong_together:
            raise _bad("its figures do not belong together")
    return report


def write(report: Report, folder: Path) -> Path:
    """Write the report into ``folder`` (made where missing), in one step; the file's path.

    Raises `Failed` ("ReportTooLarge") where nobody could read it.
    """
    data = encode(report)
    if len(data) > MAX_BYTES:
        raise Failed(
            "ReportTooLarge",
            f"The report has {len(data):,} bytes, and no more than {MAX_BYTES:,} are read.",
            "Measure by fewer classes, or by a metrics(y, p) of your own.",
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomic(folder / FILE, data)
    return folder / FILE


def read(folder: Path) -> Report:
    """The report in ``folder``, which may be anybody's. Raises as `decode`, and as `hostile.read_bytes`."""
    return decode(hostile.read_bytes(folder.resolve(), FILE, MAX_BYTES))


def fitting(items: Sequence[T], what: str) -> tuple[tuple[T, ...], tuple[str, ...]]:
    """Those first ``items`` that a report has room for, and a warning of how many it has not."""
    room = _LIST_BYTES
    for kept, item in enumerate(items):
        room -= len(msgspec.json.encode(item))
        if room < 0:
            left = f"{len(items) - kept:,} of {len(items):,} {what} are left out: they are too long to list."
            return tuple(items[:kept]), (left,)
    return tuple(items), ()


def differences(candidate: Metrics, baseline: Metrics) -> dict[str, float | None]:
    """Candidate minus baseline by figure, for those that both have."""
    return {
        name: _minus(value, baseline.values[name])
        for name, value in candidate.values.items()
        if name in baseline.values
    }


def claim_gaps(claimed: Claims, measured: Metrics) -> dict[str, float | None]:
    """Claimed minus measured by figure, for those that both have."""
    return {
        name: _minus(value, measured.values[name])
        for name, value in claimed.metrics.items()
        if name in measured.values
    }


def exaggerations(gaps: dict[str, float | None]) -> list[str]:
    """One sentence for each claim that is better than what was measured."""
    sentences = []
    for name, gap in gaps.items():
        if gap is not None and (-gap if lower_is_better(name) else gap) > TOLERANCE:
            sentences.append(f"The claimed {name} is {abs(gap):.4f} better than what was measured.")
    return sentences


def rank(reports: Iterable[Report]) -> list[Report]:
    """Reports of one task, the best candidate first; those without figures last, in the order given."""
    return sorted(
        reports, key=lambda report: rank_key(report.candidate) if report.candidate else float("inf")
    )


def _minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value, keep_newlines=True)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): _cleaned(item) for key, item in value.items()}
    return value


def _bad(why: str) -> Refused:
    return Refused("BadReport", f"The report cannot be read: {why}.", "Validate the result again.")
