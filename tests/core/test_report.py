"""A report: the same bytes for the same figures, and nothing of a stranger acts on who reads it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decentralml.core import report as reports
from decentralml.core.claims import Claims
from decentralml.core.errors import Failed, Refused
from decentralml.core.models.metrics import Metrics
from decentralml.core.report import Decision, Refusal, Report, Verdict

FIGURE = st.none() | st.floats(allow_nan=False, allow_infinity=False)


def measured(**values: float | None) -> Metrics:
    return Metrics(kind="classification", main=next(iter(values)), values=values, samples=10)


@given(
    values=st.dictionaries(st.sampled_from(["loss", "accuracy", "mae", "f1"]), FIGURE, min_size=1),
    text=st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=20),
)
def test_a_report_survives_being_written_and_read(values: dict[str, float | None], text: str) -> None:
    report = Report(
        task_id=1,
        candidate=measured(**values),
        baseline=measured(**values),
        differences=dict.fromkeys(values),
        summary=text,
        refused=Refusal("inspect", "TooLarge", text),
        verdict=Verdict(Decision.reject, text),
    )
    assert reports.decode(reports.encode(report)) == report
    assert reports.encode(reports.decode(reports.encode(report))) == reports.encode(report)


def test_bytes_do_not_depend_on_the_order_of_figures() -> None:
    one = Report(differences={"a": 1.0, "b": 2.0})
    two = Report(differences={"b": 2.0, "a": 1.0})
    assert reports.encode(one) == reports.encode(two)
    assert reports.encode(one) != reports.encode(Report(differences={"a": 1.0}))


def test_what_is_not_finite_is_null_beside_a_flag() -> None:
    report = Report(
        candidate=Metrics(
            kind="regression", main="loss", values={"loss": None}, samples=1, nonfinite=("loss",)
        )
    )
    found = json.loads(reports.encode(report))["candidate"]
    assert (found["values"], found["nonfinite"]) == ({"loss": None}, ["loss"])


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"[]", b"null", b"{", b"\xff\xff", b'{"task_id": "one"}', b'{"version": 2}', b'{"version": "x"}',
        b'{"candidate": {"kind": 3}}', b'{"verdict": {"decision": "pay", "reason": ""}}', b"[" * 200_000,
        b'{"differences": {"a": "b"}}',
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_report_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused) as refused:
        reports.decode(raw)
    assert refused.value.code == "BadReport"


FIGURES = {"kind": "classification", "main": "accuracy", "values": {"accuracy": 0.5}, "samples": 4}
MODEL = {
    **dict.fromkeys(("name", "class_name", "format", "keras_version", "structure"), ""),
    "parameters": 1,
    "size": 1,
}


@pytest.mark.parametrize(
    "odd",
    [
        {"candidate": {**FIGURES, "main": "loss"}},
        {"candidate": {**FIGURES, "values": {"accuracy": 0.5, **dict.fromkeys(map(str, range(50)), 1.0)}}},
        {"candidate": {**FIGURES, "per_class": [1e9]}},
        {"candidate": {**FIGURES, "per_class": [0.5] * 1001}},
        {"candidate": {**FIGURES, "per_class": [0.5], "confusion": [[1, 1], [1, 1]]}},
        {"candidate": {**FIGURES, "confusion": [[]]}},
        {"candidate": {**FIGURES, "confusion": [[1, -1], [1, 1]]}},
        {"baseline": {**FIGURES, "confusion": [[1, 2], [3]]}},
        {"distance": {"total": 1.0, "layers": [{"path": "", "l2": -1e308, "base": 1.0, "cosine": None}]}},
        {
            "model": {
                **MODEL,
                "layers": [{"name": "", "class_name": "", "path": "", "depth": 2**62, "parameters": 1}],
            }
        },
    ],
    ids=str,
)
def test_figures_that_nobody_measured_are_refused_before_they_are_drawn(odd: dict[str, object]) -> None:
    with pytest.raises(Refused) as refused:
        reports.decode(json.dumps(odd).encode())
    assert refused.value.code == "BadReport"


def test_texts_of_a_strangers_report_are_cleaned() -> None:
    raw = json.dumps({"summary": "a\x1b[2J\u202eb\nc", "versions": {"k\x07": "3\x00"}}).encode()
    found = reports.decode(raw)
    assert (found.summary, found.versions) == ("a[2Jb\nc", {"k": "3"})


def test_a_report_is_kept_in_a_folder(tmp_path: Path) -> None:
    report = Report(task_id=4)
    path = reports.write(report, tmp_path / "reports" / "4")
    assert path.name == "report.json"
    assert reports.read(path.parent) == report
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(Refused):
        reports.read(path.parent)


def test_a_verdict_changes_the_digest() -> None:
    report = Report()
    assert reports.encode(report.with_verdict(Verdict(Decision.accept, ""), None)) != reports.encode(report)


@pytest.mark.parametrize(
    ("name", "change", "better"),
    [
        ("accuracy", 0.1, True),
        ("accuracy", -0.1, False),
        ("loss", -0.1, True),
        ("mae", 0.1, False),
        ("loss", None, None),
    ],
)
def test_better_knows_the_direction_of_a_figure(name: str, change: float | None, better: bool | None) -> None:
    assert Report(candidate=measured(**{name: 0.5}), differences={name: change}).better is better
    assert Report().better is None


def test_only_claims_that_flatter_are_said() -> None:
    found = measured(accuracy=0.9, loss=0.5)
    modest = Claims(metrics={"accuracy": 0.8, "loss": 0.9, "else": 1.0})
    proud = Claims(metrics={"accuracy": 0.95, "loss": 0.2})
    assert reports.exaggerations(reports.claim_gaps(modest, found)) == []
    assert len(reports.exaggerations(reports.claim_gaps(proud, found))) == 2


def test_what_nobody_could_read_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(Failed) as failed:
        reports.write(Report(summary="x" * reports.MAX_BYTES), tmp_path / "report")
    assert failed.value.code == "ReportTooLarge"
    assert not (tmp_path / "report").exists()
