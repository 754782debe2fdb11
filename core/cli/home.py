"""`decentralml home`: what a home keeps, as one archive and back; and what of it can go."""

from pathlib import Path

import click

from decentralml.core import home_backup, home_clean
from decentralml.core.cli.commands import command
from decentralml.core.cli.confirm import confirm
from decentralml.core.cli.context import App
from decentralml.core.cli.files import FILE, NEW_FILE
from decentralml.core.cli.progress import working
from decentralml.core.words import count, size


@command("home backup")
@click.argument("archive", type=NEW_FILE)
def backup(app: App, archive: Path) -> None:
    """
    Keys stay encrypted in it. Left out are downloads and environments, which can be had again, and what is
    large or shared: models that were trained or federated here, a ledger, a storage. Deliver or copy a
    model that is to last.
    """
    with working(f"writing {archive.name}"):
        kept = home_backup.backup(app.home, archive)
    app.out.done(
        {"path": str(archive.absolute()), "files": kept.files, "size": kept.size},
        lambda: app.out.say(f"{archive} holds {count(len(kept.files), 'file')}, {size(kept.size)}."),
    )


@command("home restore")
@click.argument("archive", type=FILE)
@click.option("--force", is_flag=True, help="Replace files that are there with another content.")
def restore(app: App, archive: Path, force: bool) -> None:
    """
    The whole archive is checked before anything is written. What it sets of the command that is run when
    something waits, of chain and storage, is shown before the question.
    """
    brought = home_backup.settings(archive)
    facts = [
        ("archive", str(archive)),
        ("home", str(app.home.data_dir)),
        *(("sets " + name, str(brought[name])) for name in ("notify", "chain", "storage") if name in brought),
    ]
    confirm(app, "Unpack an archive into this home", facts)
    with working(f"reading {archive.name}"):
        found = home_backup.restore(app.home, archive, force=force)
    app.out.done(
        {"path": str(archive.absolute()), "files": found.files, "size": found.size},
        lambda: app.out.say(f"{count(len(found.files), 'file')}, {size(found.size)}, back in place."),
    )


@command("home clean")
@click.option("--dry-run", is_flag=True, help="Only count.")
def clean(app: App, dry_run: bool) -> None:
    """
    All of it can be had again. Kept is what a slot that you hold, a result that waits for your word or a
    training needs, on the connected chain, and whatever was used within a day.
    """
    found = _unneeded(app)

    def facts() -> list[tuple[str, str]]:
        return [
            ("downloads", str(len(found.downloads))),
            ("prepared folders", str(len(found.prepared))),
            ("environments", str(len(found.environments))),
            ("frees", size(found.size)),
        ]

    if found.paths and not dry_run:
        confirm(app, "Remove what nothing here needs now", [("home", str(app.home.cache_dir)), *facts()])
        with working("looking again"):
            found = _unneeded(app)
        with working("removing"):
            home_clean.remove(found)
    data = {
        "downloads": found.downloads,
        "prepared": found.prepared,
        "environments": found.environments,
        "size": found.size,
        "removed": not dry_run,
    }
    app.out.done(data, lambda: app.out.fields(facts()) if found.paths else app.out.say("Nothing can go."))


def _unneeded(app: App) -> home_clean.Unneeded:
    from decentralml.core.training.runs import Runs

    addresses = [account.address for account in app.accounts.list()]
    return home_clean.find(app.home, app.chain, addresses, Runs(app.home, app.settings).list())
