"""How commands are declared: their help comes from the table, their module loads when they are called."""

import functools
import importlib
import textwrap
from collections.abc import Callable
from typing import Any

import click

from decentralml.core.cli import table
from decentralml.core.cli.context import App
from decentralml.core.errors import Misused, Refused

_DECLARED: dict[str, click.Command] = {}


def command(name: str) -> Callable[[Callable[..., Any]], "Command"]:
    """Declare the function below as the command ``name`` of the table; it is given the `App` first."""
    entry = table.BY_NAME[name]

    def declare(function: Callable[..., Any]) -> Command:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            app = click.get_current_context().find_root().obj
            if entry.writes and app.flags.readonly:
                raise Refused("ReadOnly", f"`{name}` changes something.", "Leave --readonly out for that.")
            return function(app, *args, **kwargs)

        made: Command = click.command(
            name.split()[-1], cls=Command, help=_long_help(entry, function), short_help=entry.help
        )(call)
        made.entry = entry
        _DECLARED[name] = made
        return made

    return declare


def _long_help(entry: table.Entry, function: Callable[..., Any]) -> str:
    more = textwrap.dedent(function.__doc__ or "").strip()
    return f"{entry.help}\n\n{more}" if more else entry.help


def global_options(*, hidden: bool) -> list[click.Parameter]:
    """The options every command takes, before it and after it; each sets its field of `App.flags`."""

    def option(*names: str, **kwargs: Any) -> click.Option:
        return click.Option(names, expose_value=False, hidden=hidden, callback=_set_flag, **kwargs)

    return [
        option("--home", metavar="DIR", help="Keep everything under DIR, not in the XDG folders."),
        option("--chain", metavar="SPEC", help="local or local:FILE"),
        option("--storage", metavar="SPEC", help="local or local:FOLDER"),
        option("--account", metavar="NAME", help="Act as this account."),
        option("--password-fd", type=int, metavar="N", help="Read the password from file descriptor N."),
        option("--json", is_flag=True, help="One JSON object on stdout; words for people on stderr."),
        option("--yes", is_flag=True, help="Do not ask."),
        option("--readonly", is_flag=True, help="Refuse whatever signs or changes."),
    ]


def _set_flag(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value:
        setattr(context.find_root().obj.flags, str(parameter.name), value)
    elif parameter.name == "password_fd" and value == 0:
        context.find_root().obj.flags.password_fd = 0


class Command(click.Command):
    """A command that also takes the global options, and says which rule of the chain it answers to."""

    entry: table.Entry

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params = [*self.params, *global_options(hidden=True)]

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        if self.entry.call:
            from decentralml.core.cli.rule_help import rows

            with formatter.section(f"On the chain: {self.entry.call}"):
                formatter.write_dl(rows(self.entry.call))
        formatter.write_paragraph()
        formatter.write_text("Global options (`decentralml --help`) may stand here too.")


class Group(click.Group):
    """A group that knows its commands from the table and imports their module when one is called."""

    def __init__(self, path: str = "", **kwargs: Any) -> None:
        super().__init__(name=path.split()[-1] if path else "decentralml", **kwargs)
        self.path = path
        self.params = [*self.params, *global_options(hidden=bool(path))]

    def list_commands(self, context: click.Context) -> list[str]:
        return table.children(self.path)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in table.children(self.path):
            return None
        path = f"{self.path} {name}".strip()
        if path in table.GROUPS and path not in table.BY_NAME:
            return Group(path, help=table.help_of(path), no_args_is_help=True)
        module = table.BY_NAME[path].module or path.split()[0]
        importlib.import_module(f"decentralml.core.cli.{module}")
        return _DECLARED[path]

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        # From the table, so that help imports no command's module.
        rows = [(name, table.help_of(f"{self.path} {name}".strip())) for name in table.children(self.path)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = table.children(self.path)
        if args and args[0] not in known:
            import difflib

            close = difflib.get_close_matches(args[0], known, 1)
            hint = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(known)}."
            raise click.UsageError(f"There is no command {args[0]!r}. {hint}", context)
        return super().resolve_command(context, args)


def root() -> Group:
    """The whole command line; the app without a command."""
    return Group(
        callback=_without_command,
        invoke_without_command=True,
        help="The terminal of a decentralised federated-learning market.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )


def _without_command() -> int:
    """Open the app where no command follows."""
    context = click.get_current_context()
    if context.invoked_subcommand is not None:
        return 0
    app: App = context.obj
    if app.open_app is None or app.flags.json:
        raise Misused(
            "NoTerminal",
            "Without a command this is a full-screen program, and that needs a terminal.",
            "`decentralml --help` lists the commands; `decentralml demo` plays a whole market.",
        )
    return app.open_app(app.flags, "", "")
