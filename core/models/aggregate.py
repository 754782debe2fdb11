"""Many accepted models become the next one, with a file that says what went in."""

import contextlib
import importlib.metadata
import json
import math
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from decentralml.core import hostile
from decentralml.core.errors import Failed, Misused, Refused
from decentralml.core.models import gate
from decentralml.core.models.average import OnProgress, average, layout
from decentralml.core.models.formats import CONFIG, METADATA, WEIGHTS, as_folder, digest, read_small
from decentralml.core.models.inspect import builtin_compile, read_config
from decentralml.core.models.limits import Limits
from decentralml.core.models.weights import Weights
from decentralml.core.paths import sync, write_atomic
from decentralml.core.text import short

PROVENANCE = "provenance.json"
STRATEGIES = ("average", "weighted")
VERSION = 1
_BYTES = 4 * 2**20


class Input(NamedTuple):
    """One model to average: contributor, folder or file, weight (for "weighted"), its result's digest."""

    name: str
    model: Path
    weight: float = 1.0
    result_digest: str | None = None


class Listed(Struct, frozen=True, kw_only=True):
    """One input as the provenance lists it. ``share`` of the outcome, 0..1; digests are hex SHA-256."""

    name: str
    weight: float
    share: float
    model_digest: str
    result_digest: str | None = None


class Provenance(Struct, frozen=True, kw_only=True):
    """What a federated model is made of. ``base``, ``output``: `formats.digest`; inputs sorted by theirs."""

    version: int = VERSION
    strategy: str
    base: str
    inputs: tuple[Listed, ...]
    output: str
    parameters: int
    policy_digest: str | None = None
    versions: dict[str, str] = {}


def aggregate(
    inputs: Sequence[Input | tuple[str, Path, float]],
    base: Path,
    out: Path,
    *,
    strategy: str = "average",
    policy_digest: str | None = None,
    limits: Limits = Limits(),  # noqa: B008
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Provenance:
    """Average all weights of ``inputs`` into the new folder ``out``: config of ``base``, no optimizer.

    "average" gives all the same share, "weighted" one by their ``weight``. The order of the inputs changes
    nothing. ``out`` appears only when whole, with a provenance file in it. ``on_progress(elements, of)``.

    Raises `Misused` ("NoModels", "UnknownStrategy", "BadWeight", "Exists"), `Refused` ("GateClosed", and as
    `inspect` for ``base``), `Interrupted`, `Failed` ("DiskFull").
    """
    if out.exists() or out.is_symlink():
        raise Misused("Exists", f"{out} is there already.", "Name a new folder.")
    entries = [Input(*entry) for entry in inputs]
    shares = _shares(entries, strategy)
    named = [(entry.name, entry.model) for entry in entries]
    # The values are left to the average, which reads them all: what is not finite in one input is not in it.
    gate.require(gate.check(named, base, limits, values=False))
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        made = _make(entries, shares, base, aside, strategy, policy_digest, limits, on_progress, cancelled)
        aside.chmod(0o755)
        aside.rename(out)
    except Refused as refused:
        if refused.code == "NonFinite":
            gate.require(gate.check(named, base, limits))
        raise
    except OSError as error:
        raise Failed(
            "DiskFull", f"The new model cannot be written: {error.strerror}.", "Make room and try again."
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return made


def verify(
    folder: Path,
    inputs: Sequence[Input | tuple[str, Path, float]] = (),
    base: Path | None = None,
) -> Provenance:
    """Check that ``folder`` is what its provenance says; with ``inputs`` and ``base``, make it again.

    All that follows from them is compared then. The names, the results' digests, the policy's and the
    versions are what whoever made it says.

    Raises `Refused` ("BadProvenance", "ProvenanceDiffers").
    """
    found = read(folder)
    if digest(folder) != found.output:
        raise _differs("the model is not the one that was written")
    if not inputs or base is None:
        return found
    if digest(base) != found.base:
        raise _differs("the base is another")
    given = sorted((digest(entry[1]), Path(entry[1])) for entry in inputs)
    if [known for known, _ in given] != [entry.model_digest for entry in found.inputs]:
        raise _differs("the inputs are not those that are listed")
    again = [
        Input(entry.name, model, entry.weight, entry.result_digest)
        for (_, model), entry in zip(given, found.inputs, strict=True)
    ]
    with tempfile.TemporaryDirectory(prefix="federate-") as root:
        made = aggregate(again, base, Path(root, "again"), strategy=found.strategy)
    if made.output != found.output:
        raise _differs("made again from its inputs it comes out otherwise")
    if made.inputs != found.inputs or made.parameters != found.parameters:
        raise _differs("it lists other shares or parameters than the model that was made again")
    return found


def read(folder: Path) -> Provenance:
    """The provenance in ``folder``. Raises `Refused` ("BadProvenance"), and as `hostile.read_bytes`."""
    try:
        found = msgspec.json.decode(hostile.read_bytes(folder.resolve(), PROVENANCE, _BYTES), type=Provenance)
    except Refused as error:
        if error.code == "NoSuchFile":
            error.hint = f"{folder} is no folder that `federate run` wrote."
        raise
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(
            "BadProvenance", f"{PROVENANCE} cannot be read: {short(str(error), 120)}.", "Federate again."
        ) from error
    if found.version > VERSION or found.strategy not in STRATEGIES:
        raise Refused(
            "BadProvenance",
            f"{PROVENANCE} is of a kind that this program does not know.",
            "Upgrade decentralml, or federate again.",
        )
    return found


def _shares(inputs: Sequence[Input], strategy: str) -> list[float]:
    if strategy not in STRATEGIES:
        raise Misused(
            "UnknownStrategy", f"There is no strategy {strategy[:40]!r}.", f"Known: {', '.join(STRATEGIES)}."
        )
    if not inputs:
        raise Misused("NoModels", "There is no model to average.", "Name at least one accepted result.")
    if strategy == "average":
        return [1 / len(inputs)] * len(inputs)
    weights = [entry.weight for entry in inputs]
    if not all(math.isfinite(weight) and 0 < weight < 1e12 for weight in weights):
        raise Misused(
            "BadWeight", "Every weight must be a number above 0 and below 10^12.", "Leave out the others."
        )
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def _make(
    inputs: Sequence[Input],
    shares: Sequence[float],
    base: Path,
    target: Path,
    strategy: str,
    policy_digest: str | None,
    limits: Limits,
    on_progress: OnProgress | None,
    cancelled: Callable[[], bool],
) -> Provenance:
    with ThreadPoolExecutor(2, "digest") as pool:
        models = [base, *(entry.model for entry in inputs)]
        base_digest, *digests = pool.map(lambda model: digest(model, limits), models)
    entries = _ordered(inputs, shares, digests)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(as_folder(base, limits))
        base_weights = stack.enter_context(Weights(folder / WEIGHTS, limits))
        sources = [
            stack.enter_context(Weights(stack.enter_context(as_folder(model, limits)) / WEIGHTS, limits))
            for _, model in entries
        ]
        _write_config(folder, target, limits)
        places = layout(base_weights, target / WEIGHTS)
        average(
            sources, [entry.share for entry, _ in entries], target / WEIGHTS, places,
            on_progress=on_progress, cancelled=cancelled,
        )  # fmt: skip
    with ThreadPoolExecutor(1, "sync") as pool:
        synced = pool.submit(sync, target / WEIGHTS)
        output = digest(target, limits)
        synced.result()
    provenance = Provenance(
        strategy=strategy,
        base=base_digest,
        inputs=tuple(entry for entry, _ in entries),
        output=output,
        parameters=sources[0].parameters,
        policy_digest=policy_digest,
        versions={name: importlib.metadata.version(name) for name in ("decentralml", "h5py", "numpy")},
    )
    write_atomic(
        target / PROVENANCE, msgspec.json.format(msgspec.json.encode(provenance), indent=2) + b"\n", 0o644
    )
    return provenance


def _ordered(
    inputs: Sequence[Input], shares: Sequence[float], digests: Sequence[str]
) -> list[tuple[Listed, Path]]:
    """Sorted by what the models are, so that sums come out the same whatever the order given."""
    entries = [
        (
            Listed(
                name=entry.name,
                weight=entry.weight,
                share=share,
                model_digest=known,
                result_digest=entry.result_digest,
            ),
            entry.model,
        )
        for entry, share, known in zip(inputs, shares, digests, strict=True)
    ]
    return sorted(entries, key=lambda pair: (pair[0].model_digest, pair[0].share, pair[0].name))


def _write_config(base: Path, target: Path, limits: Limits) -> None:
    """The base's own config, less compile settings that nobody else could build; the base's metadata."""
    raw = read_small(base, CONFIG, limits.config)
    config = read_config(base, limits)
    if not builtin_compile(config):
        raw = json.dumps(config | {"compile_config": None}).encode()
    write_atomic(target / CONFIG, raw, 0o644)
    if (base / METADATA).exists():
        write_atomic(target / METADATA, read_small(base, METADATA, 64 * 1024), 0o644)


def _differs(why: str) -> Refused:
    return Refused("ProvenanceDiffers", f"The provenance does not hold: {why}.", "Federate again.")
