"""`decentralml demo`: a whole market played on this machine, narrated."""

import contextlib
import shutil
import sys
import tempfile
import time
from pathlib import Path

import click

from decentralml.core.amount import format_amount
from decentralml.core.cli import progress
from decentralml.core.cli.commands import command
from decentralml.core.cli.context import App, Flags
from decentralml.core.cli.numbers import Number
from decentralml.core.cli.output import rows
from decentralml.core.demo.living import Living, end_runs
from decentralml.core.demo.play import CONTRIBUTORS, Outcome, Part, Play, Say
from decentralml.core.errors import Misused, Refused
from decentralml.core.paths import Home
from decentralml.core.text import clean
from decentralml.core.words import count

_GOES = (
    "This market goes when you leave it, with your runs in it.\n\n"
    "`decentralml demo --app --home DIR` opens one that stays."
)


@command("demo")
@click.option("--contributors", type=Number(2, len(CONTRIBUTORS)), default=3, show_default=True, metavar="N")
@click.option("--seed", type=Number(0), default=0, show_default=True, help="Picks data, cheat and how.")
@click.option("--app", "in_app", is_flag=True, help="Open the app on a market in which the others act.")
def demo(app: App, contributors: int, seed: int, in_app: bool) -> int | None:
    """
    A creator publishes two tasks; contributors and an engineer train real models on shards of MNIST in the
    sandbox and deliver; one of them cheats, and the creator is not told. Each is a process and a home of
    their own. With --home DIR (a new folder) everything is kept there, and every command works on it.
    """
    from decentralml.core import sandbox

    sandbox.require()
    if in_app:
        return _in_app(app, contributors, seed)
    started = time.monotonic()
    kept = bool(app.flags.home)
    root = _folder(app)
    try:
        play = Play(Home(root), contributors=contributors, seed=seed, say=_narrator())
        outcome = play.perform()
    finally:
        if not kept:
            shutil.rmtree(root, ignore_errors=True)
    seconds = time.monotonic() - started
    app.out.done({"outcome": outcome, "seconds": seconds}, lambda: _show(app, outcome, seconds, kept=kept))
    if outcome.funds_after != outcome.funds_before:
        raise Refused("FundsChanged", "The sum of all funds changed, which it never may.", "Report this.")
    return None


def _in_app(app: App, contributors: int, seed: int) -> int:
    """Open a market, let the others loose in it, and be its creator in the app."""
    if app.open_app is None:
        raise Misused(
            "NoTerminal", "The app needs a terminal.", "Leave --app out to see the market in words."
        )
    kept = bool(app.flags.home)
    root = _folder(app)
    try:
        living = Living(Home(root), contributors=contributors, seed=seed, say=_narrator())
        with living, contextlib.chdir(living.data):
            code = app.open_app(Flags(home=str(root)), living.welcome, "" if kept else _GOES)
        if kept:
            app.out.say(
                f"The market is kept, and what you train there goes on: `decentralml --home {root}` opens it."
            )
        else:
            end_runs(Home(root))
        return code
    finally:
        if not kept:
            shutil.rmtree(root, ignore_errors=True)


def _narrator() -> Say:
    """Says what happens and when; where that cannot be written, the market goes on."""
    started = time.monotonic()

    def say(text: str) -> None:
        progress.show("")
        with contextlib.suppress(OSError):
            rows([(f"{time.monotonic() - started:5.1f} s", clean(text))], to=sys.stderr)

    return say


def _folder(app: App) -> Path:
    """The new folder that --home names, else one for a while."""
    root = app.home.root if app.flags.home else None
    if root is None:
        return Path(tempfile.mkdtemp(prefix="decentralml-demo-"))
    if root.exists() and any(root.iterdir()):
        way = f"The demo wants a new folder; a market that is there opens by `decentralml --home {root}`."
        raise Misused("NotEmpty", f"{root} is not empty.", way)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return root


def _show(app: App, outcome: Outcome, seconds: float, *, kept: bool) -> None:
    app.out.say("")
    columns = ("WHO", "AS", "SENT", "HELD-OUT", "CLAIMED", "DECISION", "PAID", "WHY")
    app.out.table(columns, [_row(part) for part in outcome.people], right="HELD-OUT CLAIMED PAID")
    cheat = next(part for part in outcome.people if part.how != "honest")
    app.out.say("")
    app.out.fields(
        [
            ("baseline", _figure(outcome.baseline)),
            (
                "federated",
                f"{_figure(outcome.federated)}  average of {outcome.federated_of}, "
                f"{outcome.apart} of another structure left apart",
            ),
            ("who cheated", f"{cheat.name} {cheat.how}: {cheat.decision.lower()}"),
            (
                "creator",
                f"{_change(outcome.creator_before, outcome.creator_after)}, "
                f"{format_amount(outcome.refunded)} came back at the close",
            ),
            ("all funds", _change(outcome.funds_before, outcome.funds_after)),
            ("chain verify", f"{count(outcome.verified_rows, 'row')}, every one fits"),
            ("took", f"{seconds:.0f} s"),
        ]
    )
    if kept:
        app.out.say(f"\nThe market is kept: `decentralml --home {outcome.home} task list` and every other")
        app.out.say("command work on it. The creator is ada; everybody's password is demo.")
    elif sys.stdout.isatty():
        app.out.say("\n`decentralml demo --home DIR` keeps the market; `decentralml` alone opens the app.")


def _row(part: Part) -> tuple[str, ...]:
    return (
        part.name,
        part.role,
        f"#{part.submission_id}",
        _figure(part.accuracy),
        _figure(part.claimed),
        part.decision.lower(),
        format_amount(part.paid) if part.paid else "-",
        part.reason,
    )


def _change(before: int, after: int) -> str:
    return f"{format_amount(before)} before, {format_amount(after)} after"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
