"""The console script: the command line, and the app where it is asked for on a terminal."""

import asyncio
import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from decentralml.core.cli.context import Flags, home_of
from decentralml.core.cli.main import main as run_command

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, or the app; returns the exit code. See `decentralml.core.cli.main` for the codes."""
    return run_command(argv, open_app=open_app)


def open_app(flags: Flags, welcome: str, leaving: str) -> int:
    """Run the app until it is left; what the person chose to do after it comes next."""
    gc.disable()  # until the first paint: a start makes much and throws little away
    from decentralml.tui import terminal
    from decentralml.tui.app import DecentralMLApp

    terminal.trust()
    app = DecentralMLApp(
        home_of(flags),
        {"chain": flags.chain, "storage": flags.storage, "account": flags.account},
        readonly=flags.readonly,
        welcome=welcome,
        leaving=leaving,
    )
    try:
        asyncio.run(_run(app))
    finally:
        gc.enable()
        _let_go()
    return main(app.after) if app.after else app.return_code or 0


async def _run(app: "DecentralMLApp") -> None:
    """Run and finish it in one loop: a hang-up that comes again meanwhile ends nothing half way."""
    try:
        await app.run_async()
    finally:
        app.finish()


def _let_go() -> None:
    """Where the terminal is gone, the interpreter has no last words to write to it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
