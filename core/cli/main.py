"""The command line's way in: parse, run, and turn every outcome into an exit code."""

import signal
import sys
from collections.abc import Sequence
from contextlib import closing

import click

from decentralml.core.cli.commands import root
from decentralml.core.cli.context import App, OpenApp
from decentralml.core.cli.failures import in_words
from decentralml.core.cli.output import drop_stdout, flush, make_tolerant
from decentralml.core.errors import DecentralMLError, Misused

READER_GONE = 128 + signal.SIGPIPE


def main(argv: Sequence[str] | None = None, *, open_app: OpenApp | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused, 2 misused, 3 unavailable, 4 failed,
    130 interrupted, 141 where the reader of our output left.

    ``open_app`` opens the full-screen app; it is called only on a terminal.
    """
    make_tolerant()
    arguments = list(sys.argv[1:] if argv is None else argv)
    app = App()
    if sys.stdin.isatty() and sys.stdout.isatty():
        app.open_app = open_app
    # Also for errors of parsing itself, so looked up before it.
    app.flags.json = "--json" in _before_double_dash(arguments)
    try:
        try:
            with closing(app):
                code = _run(app, arguments)
                flush()
        except DecentralMLError as error:
            app.out.failed(error)
            code = error.exit_code
    except BrokenPipeError:
        # What was done is done; only its reader is gone.
        drop_stdout()
        app.out.unheard()
        return READER_GONE
    return code


def _run(app: App, arguments: list[str]) -> int:
    """The command's own exit code; every other way out is an error of the family."""
    with in_words():
        try:
            with root().make_context("decentralml", arguments, obj=app) as root_context:
                answer = root_context.command.invoke(root_context)
            return answer if isinstance(answer, int) else 0
        except click.exceptions.Exit as leaving:
            return leaving.exit_code
        except click.exceptions.NoArgsIsHelpError as error:
            where = error.ctx.command_path if error.ctx else "decentralml"
            listed = "" if app.flags.json else f"\n{error.format_message()}"
            raise Misused(
                "Usage", f"A command is missing.{listed}", f"`{where} --help` lists them."
            ) from error
        except click.ClickException as error:
            context = error.ctx if isinstance(error, click.UsageError) else None
            where = context.command_path if context else "decentralml"
            raise Misused("Usage", error.format_message(), f"`{where} --help` shows how.") from error


def _before_double_dash(arguments: list[str]) -> list[str]:
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


if __name__ == "__main__":
    sys.exit(main())
