"""`decentralml storage`: folders up, folders down, and the upkeep of the store."""

from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from decentralml.core.chain import seen
from decentralml.core.chain.base import Chain, SubmissionQuery, TaskQuery
from decentralml.core.chain.ledger import Ledger
from decentralml.core.cli.commands import command
from decentralml.core.cli.confirm import confirm
from decentralml.core.cli.context import App
from decentralml.core.cli.files import FOLDER, FOLDER_TO_FILL
from decentralml.core.cli.progress import transfer
from decentralml.core.errors import DecentralMLError, Refused, Unavailable
from decentralml.core.storage import upkeep
from decentralml.core.storage.base import Manifest
from decentralml.core.storage.local import LocalStorage
from decentralml.core.storage.store import Store
from decentralml.core.words import count, size

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
            f"{count(len(manifest.files), 'file')}, {size(manifest.size)}, verified, in {destination}"
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
@click.option(
    "--without",
    multiple=True,
    metavar="LEDGER",
    help="Do not ask a ledger that this home saw: what only it names goes.",
)
def gc(app: App, dry_run: bool, without: tuple[str, ...]) -> None:
    """
    Kept is what any task or submission names, of the connected chain and of every ledger that this home has
    ever seen, and what came within a day. Ledgers that only others see are not asked.
    """
    store = _store(app)
    named: dict[str, set[str]] = {}

    def keep() -> set[str]:
        named.update(_named(app, {Path(path).resolve() for path in without}))
        return set().union(*named.values())

    found = upkeep.gc(store, keep, dry_run=True)

    def facts() -> list[tuple[str, str]]:
        return [
            *(("keeps", f"{count(len(names), 'reference')} of {chain}") for chain, names in named.items()),
            ("store", str(store.root)),
            ("folders", str(found.manifests)),
            ("files", str(found.blobs + found.incoming)),
            ("frees", size(found.size)),
        ]

    if not dry_run:
        if app.flags.yes and not any(named.values()) and found.manifests:
            raise Refused(
                "NothingKept",
                f"No ledger that this home has seen names anything in {store.root}: all of it would go.",
                "Name the ledger that does with --chain. If there is none, give this without --yes.",
            )
        confirm(app, "Remove what none of these refers to", facts())
        found = upkeep.gc(store, keep)
    data = {
        "kept": [{"chain": chain, "references": len(names)} for chain, names in named.items()],
        "folder_count": found.manifests,
        "file_count": found.blobs + found.incoming,
        "size": found.size,
        "removed": not dry_run,
    }
    app.out.done(data, lambda: app.out.fields(facts()))


def _named(app: App, without: Collection[Path]) -> dict[str, set[str]]:
    """What the connected chain and every other ledger that this home has seen refer to, by chain.

    Raises `Refused` ("LedgerNotRead") where one cannot be asked.
    """
    named = {app.settings.chain: set(references(app.chain))}
    for path, genesis in seen.read(app.home.seen).ledgers.items():
        if genesis == app.chain.genesis or Path(path) in without:
            continue
        try:
            with closing(Ledger(Path(path), seen=app.home.seen)) as ledger:
                named[f"local:{path}"] = set(references(ledger))
        except DecentralMLError as error:
            raise Refused(
                "LedgerNotRead",
                f"What the ledger {path} refers to is not known: {error.message}",
                f"Bring it back; or, if nothing of it is needed, leave it out: --without {path}",
            ) from error
    return named


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
            submission = chain.with_report(submission)
            yield from (path for path in (submission.result_path, submission.report_path) if path)


def _store(app: App) -> Store:
    if not isinstance(app.storage, LocalStorage):
        raise Refused(
            "NotLocal", f"Upkeep is for a local store, not for {app.storage.type}.", "See --storage."
        )
    return app.storage.store


def _data(manifest: Manifest) -> dict[str, Any]:
    return {"size": manifest.size, "files": manifest.files}
