"""A creator's own metrics define the figures; whose fault it is when they break."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from decentralml.core import report as reports
from decentralml.core.domain import ValidationStrategy
from decentralml.core.errors import Failed
from decentralml.core.models.evaluate import Evaluator
from decentralml.core.policy import Policy
from decentralml.core.report import Decision
from decentralml.core.validation import Bench, decide


def test_the_creators_own_metrics_define_the_figures(
    digits: Path, models: Path, evaluator: Evaluator, policy: Callable[..., Policy]
) -> None:
    own = policy(
        "import numpy as np\n"
        "def metrics(y, p):\n"
        "    best = p.argsort(1)[:, -2:]\n"
        "    return {'top2': np.mean([t in r for t, r in zip(y, best)]), 'odd': float('nan')}\n"
        "def decide(report):\n"
        "    return ('accept', 'top2') if report['differences']['top2'] > 0 else 'reject'\n"
    )
    found = Bench.open(digits, evaluator, base=models / "base", policy=own).report(models / "c")
    assert found.metrics_by == "policy"
    assert found.policy_digest == own.digest
    assert found.candidate is not None
    assert found.candidate.main == "top2"
    assert found.candidate.nonfinite == ("odd",)
    assert found.differences["odd"] is None
    assert decide(ValidationStrategy.CustomAccept, found, own).decision is Decision.accept
    assert reports.decode(reports.encode(found)) == found


def test_metrics_that_raise_on_the_baseline_are_the_creators_fault(
    digits: Path, models: Path, evaluator: Evaluator, policy: Callable[..., Policy]
) -> None:
    broken = policy("def metrics(y, p):\n    return 1 / 0\n")
    with pytest.raises(Failed, match="ZeroDivisionError"):
        Bench.open(digits, evaluator, base=models / "base", policy=broken)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("return {'hit': float(p[0, 9])}", "IndexError"),
        ("while p.shape[1] == 3: pass\n    return {'hit': 1}", "2 seconds"),
        ("return {'hit': 1} if p.shape[1] == 10 else None", "0 figures"),
    ],
)
def test_metrics_that_only_a_candidate_breaks_are_in_its_report(
    digits: Path, models: Path, evaluator: Evaluator, policy: Callable[..., Policy], body: str, why: str
) -> None:
    source = f"def metrics(y, p):\n    {body}\n"
    bench = Bench.open(digits, evaluator, base=models / "base", policy=policy(source))
    found = replace(bench, policy=policy(source, 2)).report(models / "three_classes")
    assert found.refused is not None
    assert found.refused.step == "metrics"
    assert why in found.refused.message
    assert found.model is not None


def test_without_a_baseline_to_tell_broken_metrics_are_reported_too(
    digits: Path, models: Path, evaluator: Evaluator, policy: Callable[..., Policy]
) -> None:
    """Or nothing that is delivered to such a task could be rejected."""
    found = Bench.open(digits, evaluator, policy=policy("def metrics(y, p):\n    return 1 / 0\n")).report(
        models / "c"
    )
    assert found.refused is not None
    assert "ZeroDivisionError" in found.refused.message
