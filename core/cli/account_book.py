"""`decentralml account book`: names for addresses."""

import click

from decentralml.core.cli.commands import command
from decentralml.core.cli.context import App


@command("account book add")
@click.argument("name")
@click.argument("address")
def book_add(app: App, name: str, address: str) -> None:
    app.book.add(name, address)
    app.out.done({"name": name, "address": address}, lambda: app.out.say(f"{name} is {address}"))


@command("account book remove")
@click.argument("name")
def book_remove(app: App, name: str) -> None:
    name, address = app.book.remove(name)
    app.out.done({"name": name, "address": address}, lambda: app.out.say(f"{name} is taken out."))


@command("account book list")
def book_list(app: App) -> None:
    entries = sorted(app.book.list().items())
    data = [{"name": name, "address": address} for name, address in entries]
    app.out.done(data, lambda: app.out.table(("NAME", "ADDRESS"), entries))
