"""`decentralml config`: the settings file."""

import click
import msgspec

from decentralml.core import config
from decentralml.core.cli.commands import command
from decentralml.core.cli.context import App

EXPLAINED = {
    "chain": "the chain: local, or local:FILE",
    "storage": "the shared storage: local, or local:FOLDER",
    "account": "the account to act as when --account is not given",
    "theme": "the screens' theme",
    "ascii": "true: no line drawing, no symbols beyond ASCII",
    "notify": "a command, as a list of words, that is run with a text when something waits",
    "idle-lock": "seconds without a key until the app forgets passwords",
    "max-runs": "how many trainings run at once; the others queue",
    "threads": "threads of a training; 0 is one for each processor",
    "nice": "how much a training gives way to other programs, 0 to 19",
    "sandbox-memory": "MiB of memory a stranger's script may use",
    "sandbox-disk": "MiB it may write",
    "sandbox-processes": "processes and threads it may have",
    "result-size": "MiB of the largest result that is sent, or fetched to be judged",
    "filters": "filters of the task list that have a name",
}


@command("config path")
def path(app: App) -> None:
    file = app.home.config
    app.out.done({"path": str(file), "exists": file.exists()}, lambda: app.out.say(str(file)))


@command("config show")
def show(app: App) -> None:
    """Flags beat environment (DECENTRALML_CHAIN and so on), environment beats the file."""
    values = msgspec.to_builtins(app.settings)
    rows = [(name, _text(value)) for name, value in values.items()]
    known = ("themes", ", ".join(config.themes(app.home)))
    app.out.done(values, lambda: app.out.fields([*rows, ("", ""), known]))


@command("config set")
@click.argument("name")
@click.argument("value")
def set_(app: App, name: str, value: str) -> None:
    """
    NAME is account, ascii, chain, filters, idle-lock, max-runs, nice, notify, result-size, sandbox-disk,
    sandbox-memory, sandbox-processes, storage, theme or threads; `config check` says what each means.
    Themes: ansi, colour-blind, dark, high-contrast, light, and your own.
    """
    config.store(app.home, name, value)
    stored = config.read_file(app.home)[name]
    app.out.done({"name": name, "value": stored}, lambda: app.out.say(f"{name} = {_text(stored)}"))


@command("config check")
def check(app: App) -> None:
    # Loading checks: a file that does not fit is refused with its key.
    config.check_theme(app.home, app.settings.theme)
    values = msgspec.to_builtins(app.settings)
    rows = [(name, _text(value), EXPLAINED[name]) for name, value in values.items()]
    data = [{"name": name, "value": values[name], "meaning": meaning} for name, _, meaning in rows]
    app.out.done(data, lambda: app.out.table(("KEY", "VALUE", "MEANING"), rows))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
