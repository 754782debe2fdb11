"""The console script: the app where there is a terminal and no command, else the command line."""

import sys
from collections.abc import Sequence

from decentralml.core.cli import context
from decentralml.core.cli import main as cli


def main(argv: Sequence[str] | None = None) -> int:
    """Run the app or one command; returns the exit code. See `decentralml.core.cli.main` for the codes."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    flags = cli.app_flags(arguments)
    if flags is None or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return cli.main(arguments)
    from decentralml.tui.app import DecentralMLApp

    app = DecentralMLApp(
        context.home_of(flags),
        {"chain": flags.chain, "storage": flags.storage, "account": flags.account},
        readonly=flags.readonly,
    )
    try:
        app.run()
    finally:
        app.finish()
    return app.return_code or 0
