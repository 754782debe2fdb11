"""The panels of the Federate screen, as Text."""

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.text import Text

from decentralml.core.domain import Submission
from decentralml.core.federation import Federation, Gathered, input_name
from decentralml.core.federation_history import Figures, Outcome, Past, outcome
from decentralml.core.models.metrics import lower_is_better
from decentralml.core.text import clean, short
from decentralml.tui import keys
from decentralml.tui.judging.canvas import Canvas, bar, change, number
from decentralml.tui.widgets.columns import Cell, columns, heading
from decentralml.tui.words import person

Names = Mapping[str, str]
"""What this person calls the results that go into a model; see `called`."""


def places(gathered: Gathered) -> dict[int, tuple[str, str]]:
    """By submission: what the gate says of it in a word, and the word's tone."""
    found = {entry.submission_id: ("goes in", "good") for entry in gathered.ingredients}
    for group in gathered.apart:
        found |= {entry.submission_id: ("apart", "dim") for entry in group}
    return found


def called(submissions: Iterable[Submission], people: Mapping[str, str]) -> Names:
    """By the name that a federation has for a result: its number, and what this person calls its worker."""
    return {input_name(one): f"#{one.id} {person(one.worker, people)}" for one in submissions}


def gate(gathered: Gathered, canvas: Canvas, names: Names) -> Text:
    """What goes in, what is left apart and why, and what the gate refuses."""
    tone = canvas.tone
    text = heading(f"GOES IN  {len(gathered.ingredients)}", tone)
    for entry in gathered.ingredients:
        text.append("+ ", tone("good"))
        text.append(f"{_name(entry.name, names)}  task {entry.task_id}  ")
        text.append(f"{entry.digest[:16]}\n", tone("dim"))
    if not gathered.ingredients:
        text.append("nothing: see below\n", tone("dim"))
    else:
        if len(gathered.ingredients) == 1:
            text.append("one alone: its average is that result again\n", tone("warn"))
        base = "the base model of its task" if gathered.base else "their own: no base model of that structure"
        text.append(f"structure of {base}\n", tone("dim"))
    for group in gathered.apart:
        text.append("\n")
        text.append_text(heading(f"OF ANOTHER STRUCTURE, LEFT APART  {len(group)}", tone))
        for entry in group:
            text.append(f"~ {_name(entry.name, names)}  task {entry.task_id}\n", tone("warn"))
        text.append("mark these alone to make a model of them\n", tone("dim"))
    if gathered.findings:
        text.append("\n")
        text.append_text(heading(f"REFUSED BY THE GATE  {len(gathered.findings)}", tone))
    for finding in gathered.findings:
        text.append("- ", tone("bad"))
        text.append(f"{clean(finding.message.replace(finding.name, _name(finding.name, names), 1))}\n")
        if finding.tensor:
            text.append(f"  tensor {clean(finding.tensor)}\n", tone("dim"))
    return text


def made(federation: Federation, canvas: Canvas, names: Names, *, measuring: bool = False) -> Text:
    """A model just written: beside the baseline and what went in."""
    return _model(federation.folder, outcome(federation), federation, canvas, names, measuring=measuring)


def earlier(entries: Sequence[Past], canvas: Canvas, names: Names) -> Text:
    """The federations of this home, newest first."""
    tone = canvas.tone
    if not entries:
        return Text(keys.said("No other model was federated in this home. {write} writes one."), tone("dim"))
    text = Text()
    for entry in entries:
        if entry.provenance is None:
            text.append(f"{clean(entry.folder.name)}\n", tone("strong"))
            text.append(f"{clean(entry.problem)}\n\n", tone("warn"))
            continue
        text.append_text(_model(entry.folder, entry.outcome, entry, canvas, names))
        text.append("\n")
    return text


def _model(
    folder: Path,
    found: Outcome | None,
    source: Federation | Past,
    canvas: Canvas,
    names: Names,
    *,
    measuring: bool = False,
) -> Text:
    tone, provenance = canvas.tone, source.provenance
    assert provenance is not None
    text = Text().append(short(folder.name, 60), tone("strong"))
    when = "" if found is None else time.strftime("  %Y-%m-%d %H:%M", time.localtime(found.made))
    text.append(f"  {provenance.strategy} of {len(provenance.inputs)}{when}\n", tone("dim"))
    shown = [found.main] if found and found.main else []
    shown += [figure for figure in (found.figures if found else {}) if figure not in shown]
    rows: list[list[Cell]] = [["MODEL", "SHARE", *_titles(shown)]]
    entries = sorted(provenance.inputs, key=lambda entry: _number(entry.name))
    for entry in entries:
        values = found.inputs.get(entry.name, {}) if found else {}
        rows.append([_name(entry.name, names), f"{entry.share:.3f}", *_cells(shown, values, found)])
    if found and found.baseline:
        rows.append([("baseline", "accent"), "", *_cells(shown, found.baseline, None)])
    if found and found.figures:
        rows.append([("federated", "strong"), "", *_cells(shown, found.figures, found)])
    text.append_text(columns(rows, tone, right=range(1, len(rows[0])), width=canvas.width))
    if found:
        inputs = {_name(entry.name, names): found.inputs.get(entry.name, {}) for entry in entries}
        text.append_text(_bars(list(inputs), list(inputs.values()), found, canvas))
    if not shown:
        text.append("being measured…\n" if measuring else "not measured on held-out data\n", tone("dim"))
    elif found and _lost(found):
        text.append("The outcome is worse than the baseline: look at what went in.\n", tone("bad"))
    facts = (
        ("model", provenance.output),
        ("base", provenance.base),
        ("policy", provenance.policy_digest or "-"),
        ("parameters", f"{provenance.parameters:,}"),
        ("made with", ", ".join(f"{name} {value}" for name, value in provenance.versions.items())),
        ("folder", str(folder)),
    )
    for label, value in facts:
        text.append(f"{label:<11}", tone("dim"))
        text.append(f"{clean(value)}\n")
    return text


def _name(name: str, names: Names) -> str:
    """A result of another home keeps the name that its federation has for it."""
    return short(names.get(name, name), 24)


def _number(name: str) -> tuple[int, str]:
    """By the submissions' numbers, #3 before #12: the provenance has them by their digests."""
    first = name.partition(" ")[0]
    return len(first), first


def _bars(names: Sequence[str], inputs: Sequence[Figures], found: Outcome, canvas: Canvas) -> Text:
    """A bar for each input and the outcome, the baseline as a mark, where what counts is a share of 1."""
    shares = [values.get(found.main) for values in (*inputs, found.figures)]
    base = found.baseline.get(found.main)
    if lower_is_better(found.main) or not all(share is not None and 0 <= share <= 1 for share in shares):
        return Text()
    labels = [*names, "federated"]
    beside = max(cell_len(label) for label in labels) + 10
    text = Text("\n").append_text(heading(short(found.main, 24).upper(), canvas.tone))
    for label, share in zip(labels, shares, strict=True):
        last = label == "federated"
        text.append(f"{label}{' ' * (beside - 10 - cell_len(label))}", canvas.tone("strong" if last else ""))
        text.append(f"  {share:.4f}  ")
        text.append_text(bar(share or 0.0, base, canvas.width - beside, "good" if last else "accent", canvas))
        text.append("\n")
    return text.append("\n")


def _titles(names: Sequence[str]) -> list[Cell]:
    return [title for name in names for title in (short(name, 14).upper(), "+/-")]


def _cells(names: Sequence[str], values: Figures, beside: Outcome | None) -> list[Cell]:
    """A figure and its difference to the baseline, for each name."""
    cells: list[Cell] = []
    for name in names:
        value = values.get(name)
        base = beside.baseline.get(name) if beside else None
        cells.append(number(value) if name in values else "-")
        cells.append(change(name, value - base) if value is not None and base is not None else "")
    return cells


def _lost(found: Outcome) -> bool:
    ours, base = found.figures.get(found.main), found.baseline.get(found.main)
    if ours is None or base is None:
        return False
    return ours > base if lower_is_better(found.main) else ours < base
