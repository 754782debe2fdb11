"""The figures of a validation report: baseline and candidate side by side, class by class, and mistakes."""

from collections.abc import Sequence
from dataclasses import replace

from rich.text import Text

from decentralml.core.models.metrics import Metrics, lower_is_better
from decentralml.core.models.mistakes import Mistake
from decentralml.core.report import TOLERANCE, Report, exaggerations
from decentralml.core.text import clean, short
from decentralml.core.words import count
from decentralml.tui.judging.canvas import Canvas, bar, change, number
from decentralml.tui.judging.pictures import THREE, pictures
from decentralml.tui.judging.report import total, unmatched
from decentralml.tui.widgets.columns import Cell, columns, side_by_side
from decentralml.tui.widgets.heatmap import confusions, heatmap, needed

Shares = Sequence[float | None]
_BESIDE_BAR = 32  # cells of a class's number and shares, left of its bar
_GAP = 3  # cells between two matrices
_OURS, _THEIRS = "CANDIDATE true down, predicted across", "BASELINE"
_NARROW = 72  # cells that the table of figures needs to say by how much a claim is off


def figures(report: Report, others: Sequence[Report], canvas: Canvas) -> Text:
    """Baseline and candidate side by side; ``others``: the reports of the task's other candidates."""
    text = Text()
    # Where the table says by how much a claim is off, it is not said again.
    told = () if canvas.width < _NARROW else exaggerations(report.claim_gaps)
    warnings = [warning for warning in report.warnings if warning not in told]
    if report.refused is not None:
        text.append("It could not be evaluated.\n", canvas.tone("bad"))
        text.append(f"{clean(report.refused.message)}\n", canvas.tone("strong"))
        text.append(
            f"at the step {clean(report.refused.step)}  {clean(report.refused.code)}\n\n", canvas.tone("dim")
        )
    if report.answers is not None:
        text.append_text(_answers(report, canvas))
    if report.candidate is not None or report.baseline is not None:
        text.append_text(_figures(report, others, canvas))
        above = text.plain.count("\n") + 1 + len(warnings)
        text.append_text(_classes(report, canvas, above))
    for warning in warnings:
        text.append(f"{clean(warning)}\n", canvas.tone("warn"))
    return text


def _figures(report: Report, others: Sequence[Report], canvas: Canvas) -> Text:
    candidate = report.candidate.values if report.candidate else {}
    base = report.baseline.values if report.baseline else {}
    claimed = report.claimed.metrics if report.claimed else {}
    measured = report.candidate or report.baseline
    assert measured is not None, "there is a figure"
    main = measured.main
    rows: list[list[Cell]] = [["", "BASELINE", "CANDIDATE", "+/-", "CLAIMED", ""]]
    rows += [
        [
            (short(name, 24), "strong" if name == main else ""),
            number(base[name]) if name in base else "-",
            (number(candidate[name]) if name in candidate else "-", "strong"),
            change(name, report.differences.get(name)) if name in candidate and name in base else "-",
            number(claimed[name]) if name in claimed else "-",
            _gap(name, report.claim_gaps.get(name), narrow=canvas.width < _NARROW),
        ]
        for name in dict.fromkeys((main, *candidate, *base))
    ]
    rows += [
        [short(name, 24), "-", "-", "-", number(value), ""]
        for name, value in claimed.items()
        if name not in candidate and name not in base
    ]
    rows += _facts(report, others)
    return columns(rows, canvas.tone, right=(1, 2, 3, 4), width=canvas.width)


def _facts(report: Report, others: Sequence[Report]) -> list[list[Cell]]:
    """What is compared besides figures: parameters, structure, distance."""
    rows: list[list[Cell]] = []
    said = ""
    if report.structure is not None:
        changed = count(len(report.structure.changes), "layer")
        said = "same layers" if report.structure.same else f"{changed} changed"
    if report.model is not None:
        ours = report.model.parameters
        theirs = report.base.parameters if report.base else None
        delta: Cell = "" if theirs is None else (("=", "dim") if ours == theirs else f"{ours - theirs:+,}")
        shown = "-" if theirs is None else f"{theirs:,}"
        rows.append(["parameters", shown, f"{ours:,}", delta, "", (said, "dim")])
    if report.distance is not None:
        compared = [other.distance for other in others if other.distance and other.distance.layers]
        near = [one.total for one in compared if one.total is not None]
        said = f"others {min(near):.1f}..{max(near):.1f}" if near else ""
        if report.distance.unmatched:
            said += f"  {unmatched(report.distance.unmatched)}"
        rows.append(["distance", "", total(report.distance), "", "", (said.strip(), "dim")])
    return rows


def _gap(name: str, gap: float | None, *, narrow: bool) -> Cell:
    """What a claim says too much; a modest one is no news."""
    if gap is None or abs(gap) <= TOLERANCE:
        return ""
    by = "" if narrow else f"by {abs(gap):.4f} "
    too_good = (gap < 0) == lower_is_better(name)
    return (f"{by}too good", "warn") if too_good else (f"{by}too modest", "dim")


def _classes(report: Report, canvas: Canvas, above: int) -> Text:
    """Accuracy of each class: bars where all can be seen below ``above`` lines, else rows."""
    candidate, base = report.candidate, report.baseline
    if candidate is None or not candidate.per_class:
        return Text()
    before = base.per_class if base and len(base.per_class) == len(candidate.per_class) else ()
    tones = [_class_tone(candidate, base, i) for i in range(len(candidate.per_class))]
    shown = Text("\n")
    if above + len(candidate.per_class) + 3 <= canvas.height:
        return shown.append_text(_bars(before, candidate.per_class, tones, canvas))
    return shown.append_text(_rows(before, candidate.per_class, tones, canvas))


def _bars(before: Shares, after: Shares, tones: Sequence[str], canvas: Canvas) -> Text:
    """A line a class: the candidate's share as a bar, the baseline's as a mark in it."""
    text = Text(f"PER CLASS  {'BASELINE' if before else '':>8}  CANDIDATE\n", canvas.tone("head"))
    for i, (share, tone) in enumerate(zip(after, tones, strict=True)):
        earlier = before[i] if before else None
        text.append(f"{i:>9}  ", canvas.tone("dim"))
        text.append(f"{_share(earlier) if before else '':>8}  ")
        text.append(f"{_share(share):>9}  ", canvas.tone(tone))
        drawn = "accent" if tone == "strong" else tone
        text.append_text(bar(share or 0.0, earlier, canvas.width - _BESIDE_BAR, drawn, canvas)).append("\n")
    if before:
        text.append(f"{'│ the baseline':>{_BESIDE_BAR + 14}}\n", canvas.tone("dim"))
    return text


def _rows(before: Shares, after: Shares, tones: Sequence[str], canvas: Canvas) -> Text:
    """As many classes in a row as the width has room for."""
    room = max(1, (canvas.width - 11) // 6)
    text = Text()
    for start in range(0, len(after), room):
        part = range(start, min(start + room, len(after)))
        rows: list[list[Cell]] = [["PER CLASS", *(str(i) for i in part)]]
        if before:
            rows.append(["baseline", *(_share(before[i]) for i in part)])
        rows.append(["candidate", *((_share(after[i]), tones[i]) for i in part)])
        text.append_text(columns(rows, canvas.tone, right=range(1, len(part) + 1)))
    return text


def _class_tone(candidate: Metrics, base: Metrics | None, i: int) -> str:
    before = base.per_class[i] if base and len(base.per_class) > i else None
    after = candidate.per_class[i]
    if before is None or after is None or abs(after - before) < 0.005:
        return "strong"
    return "good" if after > before else "bad"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _answers(report: Report, canvas: Canvas) -> Text:
    found = report.answers
    assert found is not None
    of = "" if found.files is None else f" of {found.files}"
    rows: list[list[Cell]] = [
        ["ANSWERS", f"{found.answers}{of}"],
        ["files without an answer", _count(found.missing_count)],
        ["answers to no file", _count(found.unknown_files_count)],
        ["labels not in the list", _count(found.unknown_labels_count)],
    ]
    text = columns(rows, canvas.tone, right=(1,))
    labels: list[list[Cell]] = [["LABEL", "TIMES"]]
    labels += [[name, str(times)] for name, times in found.per_label.items()]
    text.append("\n")
    text.append_text(columns(labels, canvas.tone, right=(1,)))
    for title, names in (
        ("without an answer", found.missing),
        ("no such file", found.unknown_files),
        ("no such label", found.unknown_labels),
    ):
        for name in names:
            text.append(f"{title}: {clean(name)}\n", canvas.tone("warn"))
    return text


def _count(value: int) -> Cell:
    return (str(value), "warn") if value else "0"


# confusion


def matrix(report: Report, canvas: Canvas, seen: Sequence[Mistake] = ()) -> Text:
    """The confusion matrices, the baseline's beside the candidate's where there is room, and the mistakes;
    ``seen``: of these, what can be looked at.
    """
    if report.candidate is None or not report.candidate.confusion:
        why = "There are no figures." if report.candidate is None else "These figures are not of classes."
        return Text(why, canvas.tone("dim"))
    confusion = report.candidate.confusion
    before = report.baseline.confusion if report.baseline else ()
    same = len(before) == len(confusion)
    mistakes = confusions(confusion, before if same else None, canvas.tone)
    both = [(_OURS, confusion), (_THEIRS, before)] if before else [(_OURS, confusion)]
    drawn = [heatmap(matrix, title, canvas.width, canvas.tone, canvas.shade) for title, matrix in both]
    if len(both) > 1 and sum(needed(matrix, title) for title, matrix in both) + _GAP <= canvas.width:
        drawn = [side_by_side(drawn[0], drawn[1], _GAP)]
    if seen:
        mistakes = _with_pictures(mistakes, seen, canvas, above=drawn[0].plain.count("\n") + 1)
    # Where they do not stand beside each other, what is mistaken is read before the baseline's matrix.
    shown = Text("\n", no_wrap=True).join([drawn[0], mistakes, *drawn[1:]])
    shown.rstrip()
    return shown


def _with_pictures(mistakes: Text, seen: Sequence[Mistake], canvas: Canvas, above: int) -> Text:
    """The mistakes' table, and beside it what they look like; below it where that has no room for three."""
    room = canvas.width - max(line.cell_len for line in mistakes.split("\n")) - _GAP
    if room >= THREE:
        shown = pictures(seen, replace(canvas, width=room), above)
        return side_by_side(mistakes, shown, _GAP)
    below = pictures(seen, canvas, above + mistakes.plain.count("\n") + 1)
    return Text("\n", no_wrap=True).join([mistakes, below])
