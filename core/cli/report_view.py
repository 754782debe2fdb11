"""A validation report in words."""

from decentralml.core import words
from decentralml.core.cli.output import Output
from decentralml.core.models.metrics import Metrics
from decentralml.core.report import Report
from decentralml.core.text import short

_LAYERS = 12
_CLASSES = 12
_WHY = 60


def show(out: Output, report: Report) -> None:
    """Print ``report`` as tables: figures beside the baseline's, classes, distance by layer."""
    out.fields(_head(report))
    if report.candidate is not None:
        out.say("")
        out.table(
            ("", "BASELINE", "CANDIDATE", "+/-", "CLAIMED"),
            _figures(report),
            right="BASELINE CANDIDATE +/- CLAIMED",
        )
        _classes(out, report.candidate, report.baseline)
    if report.distance is not None and report.distance.layers:
        out.say("")
        rows = [(layer.path, _number(layer.l2)) for layer in report.distance.layers[:_LAYERS]]
        out.table(("LAYER", "DISTANCE"), rows, right="DISTANCE")


def headline(report: Report | None, *, broken: bool = False) -> tuple[str, str, str]:
    """Main figure, difference to the baseline, and the policy's word, for one row of a table."""
    if report is None:
        return ("report unreadable" if broken else "not evaluated", "", "")
    verdict = report.verdict.decision.value if report.verdict else ""
    if report.candidate is None:
        why = short(report.refused.message, _WHY) if report.refused else "-"
        if report.answers is not None:
            why = report.answers.given
        return (why, "", verdict)
    main = report.candidate.main
    change = report.differences.get(main)
    return (
        f"{main} {_number(report.candidate.values[main])}",
        "" if change is None else f"{change:+.4f}",
        verdict,
    )


def _head(report: Report) -> list[tuple[str, str]]:
    fields = [
        ("submission", str(report.submission_id)),
        ("result", report.result_digest or "-"),
        ("protection", report.protection),
    ]
    if report.samples is not None:
        fields.append(
            ("measured on", f"{words.count(report.samples, 'sample')}, {report.metrics_by} definition")
        )
    if report.model is not None:
        base = f", base {report.base.parameters:,}" if report.base else ""
        fields.append(("parameters", f"{report.model.parameters:,}{base}"))
    if report.structure is not None:
        same = (
            "as the base's"
            if report.structure.same
            else f"other in {words.count(len(report.structure.changes), 'layer')}"
        )
        fields.append(("structure", same))
    if report.distance is not None and report.distance.layers:
        fields.append(("distance", _number(report.distance.total)))
    if report.answers is not None:
        found = report.answers
        fields.append(("given", found.given))
        fields += [(name, str(count)) for name, count in found.per_label.items()]
    if report.refused is not None:
        fields.append((f"refused at {report.refused.step}", report.refused.message))
    fields += [("warning", text) for text in report.warnings]
    if report.verdict is not None:
        fields.append((f"{report.verdict.decision}", report.verdict.reason))
    return fields


def _figures(report: Report) -> list[tuple[str, ...]]:
    assert report.candidate is not None
    claimed = report.claimed.metrics if report.claimed else {}
    base = report.baseline.values if report.baseline else {}
    rows: list[tuple[str, ...]] = []
    for name, value in report.candidate.values.items():
        change = report.differences.get(name)
        rows.append(
            (
                short(name, 30),
                _number(base[name]) if name in base else "-",
                _number(value),
                "-" if change is None else f"{change:+.4f}",
                _number(claimed[name]) if name in claimed else "-",
            )
        )
    return rows


def _classes(out: Output, candidate: Metrics, baseline: Metrics | None) -> None:
    """Accuracy of each class, where they fit a line."""
    if not 0 < len(candidate.per_class) <= _CLASSES:
        return
    names = [str(number) for number in range(len(candidate.per_class))]
    rows = [("candidate", *(_share(value) for value in candidate.per_class))]
    if baseline is not None and len(baseline.per_class) == len(names):
        rows.insert(0, ("baseline", *(_share(value) for value in baseline.per_class)))
    out.say("")
    out.table(("CLASS", *names), rows, right=" ".join(names))
    if candidate.confusion:
        out.say("")
        table = [
            (name, *(str(count) for count in row))
            for name, row in zip(names, candidate.confusion, strict=True)
        ]
        out.table(("TRUE", *names), table, right=" ".join(names))


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _number(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.4f}"
