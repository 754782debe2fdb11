"""`decentralml doctor`: what works on this machine."""

import os
import shutil
import subprocess
import sys
from typing import NamedTuple

from decentralml.core.chain.connect import ledger_file
from decentralml.core.cli.commands import command
from decentralml.core.cli.context import App
from decentralml.core.cli.progress import working
from decentralml.core.errors import DecentralMLError, Unavailable
from decentralml.core.storage import upkeep
from decentralml.core.storage.local import LocalStorage

_TENSORFLOW = """
import os
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0")
import keras, tensorflow
gpus = tensorflow.config.list_physical_devices("GPU")
print(f"TensorFlow {tensorflow.__version__}, Keras {keras.__version__}, {len(gpus)} GPU")
"""


class Finding(NamedTuple):
    """One part: whether it works, what was seen, what to do where it does not."""

    part: str
    ok: bool
    detail: str
    hint: str = ""
    needed: bool = True


@command("doctor")
def doctor(app: App) -> int:
    """
    Exit code 3 when something is missing that the market cannot do without.
    """
    findings = []
    for probe in (_home, _chain, _storage, _sandbox, _tensorflow, _keyring, _terminal):
        with working(f"looking at {probe.__name__.strip('_')}"):
            findings.append(probe(app))

    def show() -> None:
        for finding in findings:
            mark = "ok " if finding.ok else "BAD" if finding.needed else "-  "
            app.out.say(f"{mark}  {finding.part:<10}  {finding.detail}")
            if finding.hint and not finding.ok:
                app.out.say(f"{'':17}{finding.hint}")

    app.out.done([finding._asdict() for finding in findings], show)
    return 0 if all(finding.ok or not finding.needed for finding in findings) else Unavailable.exit_code


def _failed(part: str, error: DecentralMLError) -> Finding:
    return Finding(part, False, error.message, error.hint)


def _home(app: App) -> Finding:
    try:
        return Finding("home", True, str(app.home.accounts.parent))
    except DecentralMLError as error:
        return _failed("home", error)


def _chain(app: App) -> Finding:
    try:
        head = app.chain.head()
        detail = f"{app.chain.name}, block {head.block:,}, genesis {app.chain.genesis[:16]}…"
        return Finding("chain", True, f"{detail} in {ledger_file(app.settings.chain, app.home)}")
    except DecentralMLError as error:
        return _failed("chain", error)


def _storage(app: App) -> Finding:
    try:
        storage = app.storage
        if not isinstance(storage, LocalStorage):
            return Finding("storage", True, f"{storage.type} ({app.settings.storage})")
        wrong = [finding for finding in upkeep.doctor(storage.store) if not finding.ok]
        if wrong:
            return Finding("storage", False, wrong[0].text, wrong[0].hint)
        return Finding("storage", True, f"{storage.type} in {storage.store.root}")
    except DecentralMLError as error:
        return _failed("storage", error)


def _sandbox(app: App) -> Finding:
    from decentralml.core import sandbox

    probe = sandbox.probe()
    hint = "" if probe.ok else "Install bubblewrap 0.8 or newer and let it make user namespaces."
    return Finding("sandbox", probe.ok, probe.detail, hint)


def _tensorflow(app: App) -> Finding:
    # In a process of its own: the import takes seconds and hundreds of megabytes.
    try:
        tried = subprocess.run(
            [sys.executable, "-c", _TENSORFLOW], capture_output=True, text=True, check=False, timeout=300
        )
    except subprocess.TimeoutExpired:
        return Finding("tensorflow", False, "Importing it takes more than five minutes.", "Look at the load.")
    if tried.returncode == 0:
        return Finding("tensorflow", True, tried.stdout.strip())
    last = (tried.stderr.strip().splitlines() or ["it said nothing"])[-1]
    return Finding("tensorflow", False, f"It cannot be imported: {last}", "`make setup` installs it.")


def _keyring(app: App) -> Finding:
    from decentralml.core.wallet import remember

    name = remember.backend()
    detail = name or "No keyring answers: passwords are asked for."
    return Finding("keyring", name is not None, detail, needed=False)


def _terminal(app: App) -> Finding:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return Finding("terminal", False, "None: commands work, the app needs one.", needed=False)
    columns, lines = shutil.get_terminal_size()
    encoding = (sys.stdout.encoding or "").lower()
    term = os.environ.get("TERM", "")
    usable = columns >= 60 and lines >= 20 and term not in ("", "dumb")
    detail = f"{term or 'no TERM'}, {columns}x{lines}, {encoding}"
    return Finding("terminal", usable, detail, "The app wants 60 columns and 20 lines.", needed=False)
