"""`decentralml task label`: one file after the other, a label for each."""

import json
import sys
from pathlib import Path

import click

from decentralml.core import answers, hostile, named_path
from decentralml.core.cli.commands import command
from decentralml.core.cli.context import App
from decentralml.core.cli.files import Target
from decentralml.core.cli.progress import transfer
from decentralml.core.cli.task_arguments import TASK
from decentralml.core.domain import AnnotationType
from decentralml.core.errors import Misused, Refused
from decentralml.core.paths import write_atomic
from decentralml.core.words import count

_SHOWN_BYTES = 4000


@command("task label")
@TASK
@click.option("--to", type=Target("file"), metavar="FILE", help="Where the labels go, as JSON.")
def label(app: App, task_id: int, to: Path | None) -> None:
    """
    Type a label, or its number; an empty line skips a file, `q` ends. Every label is kept at once: the
    next time it goes on where it was left. Labels may come from a pipe, a line a file.
    """
    task = app.chain.task(task_id)
    labels = answers.labels_of(task.terms.annotation_class_labels)
    if not labels:
        raise Refused("NothingToLabel", f"Task {task_id} has no labels.", "`task train` is for models.")
    with transfer("fetching the files") as on_progress:
        folder = app.market().fetch_assets(task, on_progress=on_progress)
    names = answers.files_to_label([file.name for file in hostile.tree(folder)])
    target = to or Path(f"answers_{task_id}.json")
    given = _kept(target)
    # Numbers before labels that are numbers themselves would be read as these.
    numbered = not any(name.isdecimal() for name in labels)
    app.out.note("  ".join(f"{number} {name}" if numbered else name for number, name in enumerate(labels, 1)))
    for name in names:
        if name in given:
            continue
        _present(app, folder, names[name], task.terms.annotation_type)
        answer = _ask(app, name, labels, numbered=numbered)
        if answer is None:
            break
        if answer:
            given[name] = answer
            write_atomic(target.absolute(), json.dumps(given, indent=2).encode(), 0o644)
    left = len([name for name in names if name not in given])
    app.out.done(
        {"path": target.absolute(), "answers": len(given), "missing": left},
        lambda: app.out.say(f"{count(len(given), 'label')} in {target}, {count(left, 'file')} without."),
    )


def _kept(target: Path) -> dict[str, str]:
    """The labels given before."""
    if not target.exists():
        return {}
    try:
        found = json.loads(named_path.read(target, answers.MAX_BYTES))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Misused("BadAnswers", f"{target} holds no labels.", "Name another file with --to.")
    return {str(name): str(value) for name, value in found.items()}


def _present(app: App, folder: Path, name: str, kind: AnnotationType | None) -> None:
    """Show a text; say where anything else is, for a viewer of one's own."""
    if kind is AnnotationType.Text:
        app.out.note(hostile.read_bytes(folder, name, 2**24)[:_SHOWN_BYTES].decode("utf-8", "replace"))
    else:
        app.out.note(str(folder / name))


def _ask(app: App, name: str, labels: tuple[str, ...], *, numbered: bool) -> str | None:
    """A label of the list, "" to skip, None to end."""
    while True:
        app.out.note(f"{name}: which label?")
        line = sys.stdin.readline()
        text = line.strip()
        if not line or text == "q":
            return None
        if numbered and text.isdecimal() and 1 <= int(text) <= len(labels):
            return labels[int(text) - 1]
        if not text or text in labels:
            return text
        app.out.note(f"{text} is not in the list.")
