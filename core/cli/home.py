"""`decentralml home`: everything a home keeps, as one archive."""

from pathlib import Path

import click

from decentralml.core import home_backup
from decentralml.core.cli.commands import command
from decentralml.core.cli.confirm import confirm
from decentralml.core.cli.context import App
from decentralml.core.cli.output import size
from decentralml.core.cli.progress import working


@command("home backup")
@click.argument("archive", type=click.Path(path_type=Path))
def backup(app: App, archive: Path) -> None:
    """
    Keys stay encrypted in it. Downloads and environments, which can be had again, are left out.
    """
    with working(f"writing {archive.name}"):
        home_backup.backup(app.home, archive)
    written = archive.stat().st_size
    app.out.done(
        {"path": str(archive), "size": written}, lambda: app.out.say(f"{archive} holds it, {size(written)}")
    )


@command("home restore")
@click.argument("archive", type=click.Path(path_type=Path))
def restore(app: App, archive: Path) -> None:
    confirm(
        app, "Unpack an archive into this home", [("archive", str(archive)), ("home", str(app.home.data_dir))]
    )
    with working(f"reading {archive.name}"):
        home_backup.restore(app.home, archive)
    app.out.done({"path": str(archive)}, lambda: app.out.say(f"{archive} is unpacked."))
