"""Validation of results: digest, inspection, predictions, metrics, report, each cheaper than the next."""

import hashlib
import importlib.metadata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import msgspec

from decentralml.core import answers, claims
from decentralml.core.domain import ValidationStrategy
from decentralml.core.errors import DecentralMLError, Failed, Misused, Refused
from decentralml.core.models import formats, metrics, mistakes, structure
from decentralml.core.models.distance import distance
from decentralml.core.models.evaluate import Evaluator
from decentralml.core.models.formats import as_folder
from decentralml.core.models.inspect import ModelInfo, inspect
from decentralml.core.models.layers import Layer
from decentralml.core.policy import Policy
from decentralml.core.report import (
    Decision,
    Model,
    Refusal,
    Report,
    Verdict,
    claim_gaps,
    differences,
    exaggerations,
    fitting,
)
from decentralml.core.sandboxed import data
from decentralml.core.storage import manifest
from decentralml.core.text import short

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

STEPS = ("digest", "inspect", "predict", "metrics")

# What a result is guilty of beside what a verification refuses: a bound that it passed, figures that it has
# none of. Whatever else fails is wrong here, and raised.
_GUILTY = ("EvaluationFailed", "EvaluationKilled", "EvaluationStalled", "LabelsDontFit", "PolicyFailed")
# Nobody can tell whether this machine or the model did it: the report says so, and no policy is asked.
UNCLEAR = ("EvaluatorDied", "OutOfMemory")

OnStep = Callable[[str], None]
OnMistakes = Callable[[tuple[mistakes.Mistake, ...]], None]


@dataclass(frozen=True)
class Bench:
    """What the results of one task are measured on: held-out data, one definition, a baseline.

    ``x`` is what models are fed (after `data.as_input`), ``y`` the labels, which no model sees.
    """

    evaluator: Evaluator
    x: "Array"
    y: "Array"
    dataset_digest: str
    policy: Policy | None = None
    base: Path | None = None
    base_info: ModelInfo | None = None
    base_digest: str | None = None
    baseline: metrics.Metrics | None = None

    @classmethod
    def open(
        cls,
        dataset: Path,
        evaluator: Evaluator,
        *,
        base: Path | None = None,
        policy: Policy | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> "Bench":
        """Read ``dataset`` (.npz with x and y, or with a test part, which then counts) and measure ``base``.

        Raises what `data.load`, `data.check_fit`, `inspect`, `Evaluator.predict` and `metrics.compute`
        raise: without data and baseline nothing can be judged.
        """
        found = data.load(dataset, holdout=0.0, seed=0)
        x, y = (found.x_test, found.y_test) if len(found.x_test) else (found.x_train, found.y_train)
        bare = cls(evaluator, data.as_input(x), y, data.digest(x, y), policy)
        if base is None:
            return bare
        info = inspect(base, evaluator.limits)
        try:
            baseline = bare.measure(base, cancelled=cancelled)
        except Failed as error:
            if error.code == "EvaluationFailed":  # the task's own model runs: on other data it would
                data.check_fit(x, y, info.input_shape, info.output_shape)
            raise
        return cls(
            evaluator, bare.x, y, bare.dataset_digest, policy,
            base=base,
            base_info=info,
            base_digest=formats.digest(base),
            baseline=baseline,
        )  # fmt: skip

    def measure(self, model: Path, *, cancelled: Callable[[], bool] = lambda: False) -> metrics.Metrics:
        """The figures of ``model`` on these data. Raises as `Evaluator.predict` and `metrics.compute`."""
        return self.score(self.evaluator.predict(model, self.x, cancelled=cancelled))

    def score(self, p: "Array") -> metrics.Metrics:
        """The figures of predictions ``p``, by the creator's definition where there is one.

        With a baseline, what is no figure of its kind is refused as `metrics.compute` does.
        """
        if self.policy and self.policy.measures:
            return self.policy.metrics(self.y, p)
        return metrics.compute(self.y, p, self.baseline.kind if self.baseline else None)

    def report(
        self,
        result: Path,
        *,
        expected_digest: str | None = None,
        task_id: int | None = None,
        submission_id: int | None = None,
        worker: str | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        on_step: OnStep = lambda step: None,
        on_mistakes: OnMistakes | None = None,
    ) -> Report:
        """The report of the result folder ``result``.

        Whatever is wrong with the result is in the report (``refused``), so that it can be rejected by it,
        also that the creator's own `metrics` cannot take its predictions, which it could take of the
        baseline, and what is `UNCLEAR`. What is wrong here is raised: `Unavailable`, `Interrupted`, `Failed`.
        ``on_step`` is told each of `STEPS` as it begins; ``on_mistakes``, of a classifier, which samples it
        takes for others, which is not in the report: samples are the creator's alone.
        """
        found: dict[str, Any] = {
            "task_id": task_id,
            "submission_id": submission_id,
            "worker": worker,
            "base_digest": self.base_digest,
            "dataset_digest": self.dataset_digest,
            "policy_digest": self.policy.digest if self.policy else None,
            "metrics_by": "policy" if self.policy and self.policy.measures else "standard",
            "samples": len(self.y),
            "baseline": self.baseline,
            "base": _model(base, fitting(base.layers, "layers")[0]) if (base := self.base_info) else None,
            "protection": self.evaluator.protection,
        }
        step = STEPS[0]
        try:
            on_step(step)
            found["result_digest"] = digest_of(result, expected_digest)
            on_step(step := STEPS[1])
            info = inspect(result, self.evaluator.limits)
            layers, cut = fitting(info.layers, "layers")
            found |= {"model": _model(info, layers), "claimed": claims.read(result)}
            found["warnings"] = info.warnings + cut
            if self.base and self.base_info:
                differs = structure.diff(self.base_info, info)
                changes, cut = fitting(differs.changes, "changes of layers")
                found["structure"] = msgspec.structs.replace(differs, changes=changes)
                found["warnings"] += cut
                with as_folder(self.base) as folder, as_folder(result) as candidate:
                    found["distance"] = distance(candidate, folder)
            on_step(step := STEPS[2])
            found["summary"] = self.evaluator.summary(result, cancelled=cancelled)
            predictions = self.evaluator.predict(result, self.x, cancelled=cancelled)
            on_step(step := STEPS[3])
            found |= self._figures(predictions, found["claimed"], found["warnings"])
            if on_mistakes and found["candidate"].kind == "classification":
                on_mistakes(mistakes.find(self.x, self.y, predictions))
        except (Refused, Failed, Misused) as error:
            if not isinstance(error, Refused) and error.code not in _GUILTY + UNCLEAR:
                raise
            found["refused"] = Refusal(step, error.code, short(error.message, 1000))
        except MemoryError:
            found["refused"] = Refusal(step, "OutOfMemory", "This machine has not the memory for it.")
        found["versions"] = self._versions()
        return Report(**found)

    def _figures(
        self, predictions: "Array", claimed: claims.Claims | None, warnings: Sequence[str]
    ) -> dict[str, Any]:
        candidate = self.score(predictions)
        gaps = claim_gaps(claimed, candidate) if claimed else {}
        said = [*warnings, *exaggerations(gaps)]
        if candidate.nonfinite:
            said.append(f"Not finite: {', '.join(candidate.nonfinite)}.")
        return {
            "candidate": candidate,
            "differences": differences(candidate, self.baseline) if self.baseline else {},
            "claim_gaps": gaps,
            "warnings": tuple(said),
        }

    def _versions(self) -> dict[str, str]:
        return {"decentralml": importlib.metadata.version("decentralml"), **self.evaluator.versions}


class About(TypedDict):
    """Which delivery a report is about."""

    task_id: int | None
    submission_id: int | None
    worker: str | None


def unfetched(error: DecentralMLError, *, result_digest: str, **about: Unpack[About]) -> Report:
    """The report of a result that could not be had, or is not what was delivered. Nothing runs for it."""
    return Report(
        refused=Refusal("fetch", error.code, short(error.message, 1000)),
        result_digest=result_digest,
        versions={"decentralml": importlib.metadata.version("decentralml")},
        protection="nothing runs",
        **about,
    )


def check_answers(
    raw: bytes,
    labels: Sequence[str],
    shipped: Sequence[str] | None = None,
    *,
    result_digest: str | None = None,
    task_id: int | None = None,
    submission_id: int | None = None,
    worker: str | None = None,
) -> Report:
    """The report of an annotator's answers: their check against labels and files. Nothing runs for it."""
    about: dict[str, Any] = {
        "task_id": task_id,
        "submission_id": submission_id,
        "worker": worker,
        "result_digest": result_digest or hashlib.sha256(raw).hexdigest(),
        "versions": {"decentralml": importlib.metadata.version("decentralml")},
        "protection": "nothing runs",
    }
    try:
        return Report(answers=answers.check(raw, labels, shipped), **about)
    except Refused as error:
        return Report(refused=Refusal("inspect", error.code, short(error.message, 1000)), **about)


def decide(strategy: ValidationStrategy, report: Report, policy: Policy | None = None) -> Verdict:
    """What the task's strategy says of a report.

    AutoAccept accepts; ManualAccept is undecided and gives the figures as an opinion; CustomAccept asks
    ``policy`` (`Policy.decide`), and is undecided without one, and where the report is `UNCLEAR`. Only
    "accept" may ever pay.
    """
    if strategy is ValidationStrategy.AutoAccept:
        return Verdict(Decision.accept, "Whatever is delivered is paid, unread.")
    if strategy is ValidationStrategy.ManualAccept:
        return Verdict(Decision.undecided, opinion(report))
    if report.refused and report.refused.code in UNCLEAR:
        return Verdict(
            Decision.undecided,
            f"{report.refused.message} This machine may be to blame, or the model: evaluate it again with "
            "more memory free, or decide by hand.",
        )
    if policy is None:
        return Verdict(Decision.undecided, "Results are judged by script, and no validation.py was given.")
    return policy.decide(report)


def opinion(report: Report) -> str:
    """The report in one line: the main figure beside the baseline's, or what kept it from having one."""
    if report.refused:
        return f"It could not be evaluated ({report.refused.step}): {report.refused.message}"
    if report.answers:
        found = report.answers
        return f"{found.given}, {found.faults or 'every label in the list'}."
    if report.candidate is None:
        return "There are no figures."
    name = report.candidate.main
    value, change = report.candidate.values[name], report.differences.get(name)
    text = f"{name} {_number(value)}"
    if report.baseline is not None and change is not None:
        verdict = {True: "better", False: "no better", None: "not comparable"}[report.better]
        text += f", {verdict} than the baseline's {_number(report.baseline.values[name])} ({change:+.4f})"
    return f"{text}."


def digest_of(result: Path, expected: str | None = None) -> str:
    """The manifest digest (hex) of a result folder, as its reference ends in.

    Raises `Refused` ("ResultChanged") when it is not ``expected``, and as `manifest.scan`, for links too.
    """
    found = manifest.digest(manifest.scan(result))
    if expected is not None and found != expected:
        raise Refused(
            "ResultChanged",
            "The files are not those that were delivered: their digest differs.",
            "Fetch the result again.",
        )
    return found


def _model(info: ModelInfo, layers: tuple[Layer, ...]) -> Model:
    return Model(
        name=info.name,
        class_name=info.class_name,
        format=info.format,
        keras_version=info.keras_version,
        parameters=info.parameters,
        size=info.size,
        structure=info.structure,
        layers=layers,
    )


def _number(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.4f}"
