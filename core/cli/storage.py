"""`decentralml storage`: folders up, folders down, and the upkeep of the store."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from decentralml.core.chain.base import Chain, SubmissionQuery, TaskQuery
from decentralml.core.cli.commands import command
from decentralml.core.cli.confirm import confirm
from decentralml.core.cli.context import App
from decentralml.core.cli.files import FOLDER, FOLDER_TO_FILL
from decentralml.core.cli.output import size
from decentralml.core.cli.progress import transfer
from decentralml.core.errors import Refused, Unavailable
from decentralml.core.storage import upkeep
from decentralml.core.storage.base import Manifest
from decentralml.core.storage.local import LocalStorage
from decentralml.core.storage.store import Store

_PAGE = 1000


@command("storage put")
@click.argument("folder", type=FOLDER)
def put(app: App, folder: Path) -> None:
    with transfer(f"storing {folder.name}") as on_progress:
        reference = app.storage.put(folder, on_progress=on_progress)
    manifest = app.storage.manifest(reference)
    app.out.done({"reference": reference, **_data(manifest)}, lambda: app.out.say(reference))


@command("storage get")
@click.argument("reference")
@click.argument("destination", type=FOLDER_TO_FILL)
def get(app: App, reference: str, destination: Path) -> None:
    """
    DESTINATION appears only when all of it is there and verified.
    """
    with transfer("fetching") as on_progress:
        manifest = app.storage.get(reference, destination.absolute(), on_progress=on_progress)
    app.out.done(
        {"reference": reference, "path": str(destination.absolute()), **_data(manifest)},
        lambda: app.out.say(
            f"{len(manifest.files)} files, {size(manifest.size)}, verified, in {destination}"
        ),
    )


@command("storage verify")
@click.argument("reference")
def verify(app: App, reference: str) -> None:
    with transfer("verifying") as on_progress:
        manifest = app.storage.verify(reference, on_progress=on_progress)

    def show() -> None:
        rows = [(file.name, size(file.size), file.sha256[:16]) for file in manifest.files]
        app.out.table(("FILE", "SIZE", "SHA-256"), rows, right="SIZE")

    app.out.done({"reference": reference, **_data(manifest)}, show)


@command("storage doctor")
def doctor(app: App) -> int:
    """
    Exit code 3 when something is wrong.
    """
    findings = upkeep.doctor(_store(app))

    def show() -> None:
        for finding in findings:
            app.out.say(f"{'ok ' if finding.ok else 'BAD'}  {finding.text}")
            if finding.hint and not finding.ok:
                app.out.say(f"     {finding.hint}")

    app.out.done([{"ok": f.ok, "text": f.text, "hint": f.hint} for f in findings], show)
    return 0 if all(finding.ok for finding in findings) else Unavailable.exit_code


@command("storage gc")
@click.option("--dry-run", is_flag=True, help="Only count.")
def gc(app: App, dry_run: bool) -> None:
    """
    Kept is what any task or submission of the connected chain names, and what came within a day. A store
    that several chains share must not be swept from one of them.
    """
    store = _store(app)
    keep = set(references(app.chain))
    found = upkeep.gc(store, keep, dry_run=True)
    facts = [
        ("kept", f"{len(keep)} references of {app.chain.name}"),
        ("folders", str(found.manifests)),
        ("files", str(found.blobs + found.incoming)),
        ("frees", size(found.size)),
    ]
    if not dry_run:
        confirm(app, "Remove what nothing refers to", facts)
        found = upkeep.gc(store, keep)
    data = {
        "folders": found.manifests,
        "files": found.blobs + found.incoming,
        "size": found.size,
        "removed": not dry_run,
    }
    app.out.done(data, lambda: app.out.fields(facts))


def references(chain: Chain) -> Iterator[str]:
    """Every storage reference that a task or submission of ``chain`` names."""
    offset = 0
    while tasks := chain.tasks(TaskQuery(offset=offset, limit=_PAGE, descending=False)).items:
        offset += len(tasks)
        for task in tasks:
            if task.terms.assets:
                yield task.terms.assets[1]
            yield from task.terms.annotation_files or ()
            yield from task.terms.annotation_media_samples or ()
    offset = 0
    while submissions := chain.submissions(SubmissionQuery(offset=offset, limit=_PAGE)).items:
        offset += len(submissions)
        for submission in submissions:
            yield from (path for path in (submission.result_path, submission.report_path) if path)


def _store(app: App) -> Store:
    if not isinstance(app.storage, LocalStorage):
        raise Refused(
            "NotLocal", f"Upkeep is for a local store, not for {app.storage.type}.", "See --storage."
        )
    return app.storage.store


def _data(manifest: Manifest) -> dict[str, Any]:
    return {"size": manifest.size, "files": manifest.files}
