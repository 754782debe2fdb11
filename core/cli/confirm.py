"""Before anything is signed or lost: what it does, to whom, to the balance. Then the question."""

import sys
from collections.abc import Iterable

from decentralml.core.cli.context import App
from decentralml.core.cli.output import rows
from decentralml.core.errors import Misused, Refused
from decentralml.core.text import visible


def confirm(app: App, action: str, facts: Iterable[tuple[str, str]] = ()) -> None:
    """Show ``action`` and ``facts`` and ask, unless --yes was given.

    Raises `Misused` ("NotConfirmed") where nobody can be asked, `Refused` ("NotConfirmed") on a no.
    """
    if app.flags.yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Misused("NotConfirmed", f"{action}: nobody is here to ask.", "Add --yes to do it unasked.")
    # Visible and not stripped: a hidden character here would hide what is being signed.
    print(visible(action), file=sys.stderr)
    rows(((name, visible(value)) for name, value in facts), "  ", sys.stderr)
    print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Refused("NotConfirmed", "You did not say yes: nothing was done.")
