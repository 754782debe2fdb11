"""The other panels of a validation report: layers, model, ranking, and every other field of it."""

from collections.abc import Sequence

from rich.text import Text

from decentralml.core.domain import ResultSubmissionStatus as S
from decentralml.core.domain import Submission
from decentralml.core.judging import Candidate
from decentralml.core.models.distance import Distance
from decentralml.core.models.metrics import Metrics
from decentralml.core.report import Model, Report
from decentralml.core.text import clean, short
from decentralml.core.words import STATUSES, count, size
from decentralml.tui.judging.canvas import Canvas, change, number
from decentralml.tui.widgets.columns import Cell, columns, heading
from decentralml.tui.words import person

_BAR = 16
_LABELS = 13  # cells; a digest stands beside one at 80 columns

# layers


def layers(report: Report, canvas: Canvas) -> Text:
    """Distance from the base by layer, then what differs in the structure."""
    text = Text(no_wrap=True)
    found = report.distance
    if found is None:
        text.append(
            "No distance: there is no base model, or this one could not be read.\n", canvas.tone("dim")
        )
    else:
        most = max((layer.l2 or 0.0 for layer in found.layers), default=0.0)
        rows: list[list[Cell]] = [["DISTANCE BY LAYER", "L2", "OF BASE", "COSINE", ""]]
        for layer in found.layers:
            share = "-" if not layer.base or layer.l2 is None else f"{layer.l2 / layer.base:.1%}"
            filled = round((layer.l2 or 0.0) / most * _BAR) if most else 0
            cosine = "-" if layer.cosine is None else f"{layer.cosine:.4f}"
            rows.append([short(layer.path, 36), number(layer.l2), share, cosine, ("█" * filled, "accent")])
        rows.append([("all", "strong"), (total(found), "strong"), "", "", ""])
        text.append_text(columns(rows, canvas.tone, right=(1, 2, 3), width=canvas.width))
        if found.unmatched:
            text.append(f"{unmatched(found.unmatched)}: the base has none to compare\n", canvas.tone("warn"))
    text.append("\n")
    return text.append_text(_structure(report, canvas))


def total(distance: Distance) -> str:
    """How far all weights are from the base's; a dash where it has none to compare."""
    return number(distance.total) if distance.layers else "-"


def unmatched(tensors: int) -> str:
    """``1 tensor unmatched``."""
    return f"{count(tensors, 'tensor')} unmatched"


def _structure(report: Report, canvas: Canvas) -> Text:
    diff = report.structure
    if diff is None:
        return Text("No comparison of the structure.\n", canvas.tone("dim"))
    before, after = diff.parameters
    if diff.same:
        return Text(f"Structure as the base's: it can be federated with it. {after:,} parameters.\n")
    text = heading(f"STRUCTURE  {before:,} parameters before, {after:,} after", canvas.tone)
    signs = {"added": ("+", "good"), "removed": ("-", "bad"), "changed": ("~", "warn")}
    for item in diff.changes:
        sign, tone = signs.get(item.what, ("?", "warn"))
        text.append(f"{sign} {clean(item.path)}  {clean(item.class_name)}\n", canvas.tone(tone))
        for name, (old, new) in item.settings.items():
            text.append(f"    {clean(name)}: {clean(old or 'not set')} → {clean(new or 'not set')}\n")
    if not diff.changes:
        text.append("The same layers, with other settings of their weights.\n")
    return text


# model


def model(report: Report, canvas: Canvas) -> Text:
    """Keras's own summary, the layers as the inspection found them, and what the base is."""
    text = Text(no_wrap=True)
    if report.model is None:
        text.append("The model could not be read.\n", canvas.tone("dim"))
    else:
        text.append_text(_model("CANDIDATE", report.model, canvas))
    if report.summary:
        text.append("\n")
        text.append_text(heading("SUMMARY", canvas.tone))
        text.append(clean(report.summary.strip("\n"), keep_newlines=True) + "\n")
    if report.base is not None:
        text.append("\n")
        text.append_text(_model("BASELINE", report.base, canvas))
    return text


def _model(title: str, found: Model, canvas: Canvas) -> Text:
    text = heading(
        f"{title}  {clean(found.name)}  {clean(found.class_name)}  {clean(found.format)}, "
        f"keras {clean(found.keras_version)}, {found.parameters:,} parameters, {size(found.size)}",
        canvas.tone,
    )
    text.append(f"structure {clean(found.structure)}\n", canvas.tone("dim"))
    rows: list[list[Cell]] = [["LAYER", "CLASS", "OUTPUT", "PARAMETERS", "PATH"]]
    rows += [
        [
            "  " * layer.depth + short(layer.name, 30),
            layer.class_name,
            "-" if layer.output_shape is None else _shape(layer.output_shape),
            f"{layer.parameters:,}",
            (layer.path, "dim"),
        ]
        for layer in found.layers
    ]
    text.append_text(columns(rows, canvas.tone, right=(3,), width=canvas.width))
    for layer in found.layers:
        if layer.settings:
            said = ", ".join(f"{name}={value}" for name, value in layer.settings.items())
            text.append(f"{clean(layer.name)}: ", canvas.tone("strong"))
            text.append(f"{clean(said)}\n", canvas.tone("dim"))
    return text


def _shape(shape: Sequence[int | None]) -> str:
    return " x ".join("?" if axis is None else str(axis) for axis in shape)


# ranking


def ranking(candidates: Sequence[Candidate], names: dict[str, str], here: int | None, canvas: Canvas) -> Text:
    """All candidates of the task, best first, the baseline among them where it belongs."""
    reports = [candidate.report for candidate in candidates if candidate.report]
    baseline = next((report.baseline for report in reports if report.baseline), None)
    rows: list[list[Cell]] = [["", "#", "WORKER", "STATUS", "FIGURE", "+/-", "CLAIMED", "DISTANCE", "POLICY"]]
    said_base = baseline is None
    for place, candidate in enumerate(candidates, 1):
        if not said_base and not _beats(candidate.report, baseline):
            rows.append(_base_row(baseline))
            said_base = True
        rows.append(_ranked(place, candidate, names, here))
    if not said_base:
        rows.append(_base_row(baseline))
    main = baseline.main if baseline else next((r.candidate.main for r in reports if r.candidate), "")
    nothing = "" if reports else "nothing of this task was evaluated here\n"
    text = Text(f"ranked by {clean(main)}\n" if main else nothing)
    text.stylize(canvas.tone("dim"))
    return text.append_text(columns(rows, canvas.tone, right=(1, 4, 5, 6, 7), width=canvas.width))


def _beats(report: Report | None, baseline: Metrics | None) -> bool:
    return bool(report and report.candidate and baseline and report.better)


def _base_row(baseline: Metrics | None) -> list[Cell]:
    assert baseline is not None
    return [
        "",
        "",
        ("baseline", "accent"),
        "",
        (number(baseline.values[baseline.main]), "accent"),
        "",
        "",
        "",
        "",
    ]


def _ranked(place: int, candidate: Candidate, names: dict[str, str], here: int | None) -> list[Cell]:
    submission, report = candidate.submission, candidate.report
    measured_here = report is not None and submission.status is S.PendingValidation
    cells: list[Cell] = [
        "›" if submission.id == here else "",
        (str(submission.id), "strong" if submission.id == here else ""),
        worker(submission, names),
        STATUSES[S.Validated if measured_here else submission.status],
    ]
    if report is None:
        why = ("unreadable", "bad") if candidate.broken else ("no report", "dim")
        return [*cells, why, "", "", "", ""]
    policy = report.verdict.decision.value if report.verdict else ""
    if report.candidate is None:
        said = "refused" if report.refused else "labels" if report.answers else "-"
        return [*cells, (short(said, 16), "bad" if report.refused else ""), "", "", "", policy]
    main = report.candidate.main
    claimed = report.claimed.metrics.get(main) if report.claimed else None
    return [
        *cells,
        number(report.candidate.values[main]),
        change(main, report.differences.get(main)),
        "-" if claimed is None else number(claimed),
        total(report.distance) if report.distance else "-",
        policy,
    ]


def worker(submission: Submission, names: dict[str, str]) -> str:
    """The worker by name where this person has one for it."""
    return person(submission.worker, names, width=16)


# details


def details(report: Report, canvas: Canvas) -> Text:
    """Every other field: digests, versions, protection, claims, the verdict."""
    claimed = report.claimed
    rows: list[list[Cell]] = [
        ["version", str(report.version)],
        ["task", _or_dash(report.task_id)],
        ["submission", _or_dash(report.submission_id)],
        ["worker", _or_dash(report.worker)],
        ["result", _or_dash(report.result_digest)],
        ["base model", _or_dash(report.base_digest)],
        ["held-out", _or_dash(report.dataset_digest)],
        ["policy", _or_dash(report.policy_digest)],
        ["measured on", f"{count(report.samples or 0, 'sample')}, by the {report.metrics_by} definition"],
        ["protection", (report.protection, "warn" if report.protection == "none" else "")],
    ]
    for name, metrics in (("candidate", report.candidate), ("baseline", report.baseline)):
        if metrics is not None:
            off = f", not finite: {', '.join(metrics.nonfinite)}" if metrics.nonfinite else ""
            rows.append(
                [name, f"{metrics.kind}, {count(metrics.samples, 'sample')}, ranked by {metrics.main}{off}"]
            )
    if claimed is None:
        rows.append(["claims", ("none", "dim")])
    else:
        said = ", ".join(f"{name} {number(value)}" for name, value in claimed.metrics.items())
        rows += [["claims", said or "-"], ["  seed", _or_dash(claimed.seed)]]
        rows.append(["  trained on", _or_dash(claimed.dataset_digest)])
        rows += [[f"  {name}", value] for name, value in claimed.versions.items()]
    gaps = ", ".join(f"{name} {_signed(gap)}" for name, gap in report.claim_gaps.items())
    rows.append(["claim gaps", gaps or "-"])
    rows += [["measured by", f"{name} {value}"] for name, value in report.versions.items()]
    if report.refused is not None:
        refused = report.refused
        rows.append(["refused at", (f"{refused.step}: {refused.message}", "bad")])
        rows.append(["  code", (refused.code, "dim")])
    rows += [["warning", (text, "warn")] for text in report.warnings]
    if report.verdict is not None:
        rows.append(["policy says", f"{report.verdict.decision.value}: {report.verdict.reason}"])
    text = Text()
    for label, value in rows:
        words, name = (value, "") if isinstance(value, str) else value
        text.append(f"{clean(str(label)):<{_LABELS}}", canvas.tone("dim"))
        text.append(f"{clean(words)}\n", canvas.tone(name))
    return text


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)


def _signed(value: float | None) -> str:
    return "not finite" if value is None else f"{value:+.4f}"
