"""Watching a training from the command line: the live line, and how it ended."""

import sys

from decentralml.core.cli import progress
from decentralml.core.cli.context import App
from decentralml.core.cli.run import run_data
from decentralml.core.cli.run_words import line_of, status
from decentralml.core.errors import Failed, Interrupted
from decentralml.core.training import journal
from decentralml.core.training.follow import follow
from decentralml.core.training.progress import Progress, fold
from decentralml.core.training.runs import Run, Runs


def watch(app: App, runs: Runs, run: Run, *, detach: bool = False) -> None:
    """Show ``run`` until it ends, and answer with it. Interrupting ends the showing, not the run.

    Raises `Failed` with the script's own error, `Interrupted` when it was stopped.
    """
    if not detach:
        app.out.note(f"Run {run.id}. It goes on without this terminal: `decentralml run tail {run.id}`.")
        try:
            _follow(app, run)
        except KeyboardInterrupt:
            progress.show("")
            hint = f"`decentralml run tail {run.id}` shows it again, `run stop {run.id}` ends it."
            raise Interrupted("Detached", f"Run {run.id} goes on.", hint) from None
        run = runs.get(run.id)
        last = run.last
        if run.state == "stopped":
            hint = f"`decentralml run resume {run.id}` goes on from its checkpoint."
            raise Interrupted("Stopped", f"Run {run.id} was stopped.", hint)
        if run.state != "finished":
            raise Failed(
                last.code or "RunFailed",
                f"Run {run.id} {run.state}: {last.error or 'it ended without a word'}",
                last.hint or f"`decentralml run tail --log {run.id}` shows what it printed.",
            )
    words = f"Run {run.id} is {run.state}"
    app.out.done(
        run_data(run),
        lambda: app.out.say(f"{words}; its result is {run.result_folder}" if run.result_folder else words),
    )


def _follow(app: App, run: Run) -> None:
    live = sys.stderr.isatty()
    state = Progress()
    for event in follow(run.folder):
        fold(state, [event])
        text = line_of(event)
        if text and (live or isinstance(event, journal.Epoch | journal.Warning)):
            progress.show("")
            app.out.note(text)
        progress.show(status(state))
    progress.show("")
