"""`decentralml federate`: accepted results become the next model."""

from pathlib import Path
from typing import Any

import click

from decentralml.core import federation, federation_history
from decentralml.core.cli import progress
from decentralml.core.cli.commands import command
from decentralml.core.cli.context import App
from decentralml.core.cli.files import FILE, FILE_OR_FOLDER, FOLDER, NEW_FOLDER
from decentralml.core.cli.numbers import Number
from decentralml.core.errors import Misused
from decentralml.core.judging import Judge
from decentralml.core.models import aggregate
from decentralml.core.models.metrics import Metrics


@command("federate run")
@click.argument("submissions", nargs=-1, type=Number(0), required=True, metavar="SUBMISSION...")
@click.option(
    "--out",
    type=NEW_FOLDER,
    metavar="FOLDER",
    help="The new model; a new folder.",
)
@click.option("--data", type=FILE, metavar="PATH", help="Held-out data, to measure it.")
@click.option("--strategy", type=click.Choice(aggregate.STRATEGIES), default="average", show_default=True)
@click.option(
    "--weight", "weights", multiple=True, metavar="SUBMISSION=NUMBER", help="For weighted; 1 where not named."
)
@click.option("--unsandboxed", is_flag=True, help="Measure the models without a sandbox.")
def run(
    app: App,
    submissions: tuple[int, ...],
    out: Path | None,
    data: Path | None,
    strategy: str,
    weights: tuple[str, ...],
    unsandboxed: bool,
) -> None:
    """
    Every weight is averaged, block by block, after a gate: same tensors, same shapes, all finite. Results
    of another structure are set apart and said so. A provenance file lists what went in.
    """
    given = dict(_weight(text) for text in weights)
    if given and strategy != "weighted":
        raise Misused("Usage", "--weight belongs to --strategy weighted.", "Add it, or leave --weight out.")
    if unknown := sorted(given.keys() - set(submissions)):
        raise Misused(
            "BadWeight",
            f"--weight names {unknown[0]}, which is not federated here.",
            "Name it as SUBMISSION too.",
        )
    market = app.market()
    folder = (out or federation_history.free_folder(app.home, submissions)).absolute()
    with progress.transfer("fetching results") as on_progress:
        gathered = federation.gather(market, submissions, on_progress=on_progress)
    with Judge(market, data=data, unsandboxed=unsandboxed) as judge:
        if data is not None:
            with progress.working("measuring the baseline"):
                federation.open_data(market, gathered, judge)
        with progress.working("averaging"):
            made = federation.run(gathered, folder, strategy=strategy, weights=given, on_progress=_averaging)
        federation_history.remember(app.home, made)
        if data is not None:
            with progress.working("measuring the model and what went in"):
                made = federation.measure(market, made, judge)
            federation_history.remember(app.home, made)
    app.out.done(_data(made), lambda: _show(app, made))


@command("federate verify")
@click.argument("folder", type=FOLDER)
@click.option(
    "--input",
    "inputs",
    multiple=True,
    type=FILE_OR_FOLDER,
    metavar="MODEL",
    help="One that went in.",
)
@click.option("--base", type=FILE_OR_FOLDER, metavar="MODEL", help="The base model.")
def verify(app: App, folder: Path, inputs: tuple[Path, ...], base: Path | None) -> None:
    """
    Compares the model with its provenance file; with every --input and the --base it is made again and
    compared byte by byte. Names, results' digests and the policy's in the file are claims of whoever
    made it.
    """
    if bool(inputs) != bool(base):
        raise Misused(
            "Usage", "Making it again needs every --input and the --base.", "Give both, or neither."
        )
    with progress.working("verifying"):
        found = aggregate.verify(folder, [aggregate.Input(path.name, path) for path in inputs], base)
    words = (
        "made again, it is the same, shares and all; names, results' digests and the policy's are claims"
        if inputs
        else "it is the model that its provenance names"
    )
    app.out.done(
        {"folder": folder.absolute(), "provenance": found, "made_again": bool(inputs)},
        lambda: app.out.say(f"{folder}: {words}."),
    )


def _averaging(done: int, of: int) -> None:
    progress.show(f"averaging {100 * done // of if of else 100:3d} %")


def _weight(text: str) -> tuple[int, float]:
    """``3=0.5`` as a submission and its weight. Raises `Misused` ("BadWeight")."""
    number, _, value = text.partition("=")
    try:
        return int(number), float(value)
    except ValueError:
        raise Misused("BadWeight", f"{text[:60]!r} is no weight.", "Write --weight 3=0.5.") from None


def _data(made: federation.Federation) -> dict[str, Any]:
    return {
        "folder": made.folder,
        "provenance": made.provenance,
        "ingredients": made.gathered.ingredients,
        "apart": made.gathered.apart,
        "findings": made.gathered.findings,
        "figures": made.figures,
        "baseline": made.baseline,
        "inputs": dict(made.inputs),
    }


def _show(app: App, made: federation.Federation) -> None:
    shares = {entry.name: f"{entry.share:.3f}" for entry in made.provenance.inputs}
    measured = dict(made.inputs)
    rows = [
        (entry.name, shares.get(entry.name, "-"), _figure(measured.get(entry.name)))
        for entry in made.gathered.ingredients
    ]
    rows.append(("the base model", "-", _figure(made.baseline)))
    rows.append(("federated", "-", _figure(made.figures)))
    app.out.table(("MODEL", "SHARE", "FIGURE"), rows, right="SHARE FIGURE")
    for group in made.gathered.apart:
        names = ", ".join(entry.name for entry in group)
        app.out.say(f"Of another structure, and left out: {names}")
    for finding in made.gathered.findings:
        app.out.say(f"Refused: {finding.message}")
    app.out.say(f"The model is in {made.folder}")


def _figure(metrics: Metrics | None) -> str:
    if metrics is None:
        return "-"
    value = metrics.values[metrics.main]
    return f"{metrics.main} {'not finite' if value is None else f'{value:.4f}'}"
