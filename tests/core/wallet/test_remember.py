"""The keyring remembers a password only where a real one answers."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from decentralml.core.errors import Unavailable
from decentralml.core.wallet import remember

DRIVER = """
import json, sys
from decentralml.core.wallet import remember
said = [remember.backend(), remember.get("5abc"), remember.store("5abc", "pass wörd"), remember.get("5abc"),
        remember.get("5other"), remember.forget("5abc"), remember.forget("5abc"), remember.get("5abc")]
print(json.dumps(said))
"""

PLAIN = """
import json
from keyring import set_keyring
from keyring.backend import KeyringBackend
from decentralml.core.errors import Unavailable
from decentralml.core.wallet import remember

class Asking(KeyringBackend):
    priority = 10
    def get_password(self, service, username): raise SystemExit("was asked")
    set_password = delete_password = get_password
Asking.__module__ = "MODULE"
set_keyring(Asking())
said = [remember.backend(), remember.get("5abc"), remember.forget("5abc")]
try:
    remember.store("5abc", "pass")
except Unavailable as error:
    said.append(error.code)
print(json.dumps(said))
"""

FAILING = """
import json, threading
from keyring import set_keyring
from keyring.backend import KeyringBackend
from decentralml.core.errors import Unavailable
from decentralml.core.wallet import remember

class Failing(KeyringBackend):
    priority = 10
    def get_password(self, service, username): BODY
    set_password = delete_password = get_password
Failing.__module__ = "keyring.backends.SecretService"
set_keyring(Failing())
said = [remember.backend(deadline=0.2), remember.get("5abc", deadline=0.2)]
for work, arguments in (remember.store, ["5abc", "pass"]), (remember.forget, ["5abc"]):
    try:
        work(*arguments, deadline=0.2)
    except Unavailable as error:
        said.append(error.code)
print(json.dumps(said))
"""


def _run(code: str, *prefix: str, **environment: str) -> str:
    env = {
        k: v for k, v in os.environ.items() if k not in ("PYTHON_KEYRING_BACKEND", "DBUS_SESSION_BUS_ADDRESS")
    }
    done = subprocess.run(
        [*prefix, sys.executable, "-c", code],
        env={**env, "PYTHONUTF8": "1", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_a_password_is_kept_and_forgotten_by_a_real_secret_service(tmp_path: Path) -> None:
    assert shutil.which("dbus-run-session"), "the tests need the package dbus"
    assert shutil.which("gnome-keyring-daemon"), "the tests need the package gnome-keyring"
    unlocked = 'printf secret | gnome-keyring-daemon --unlock --components=secrets >&2 2>/dev/null; exec "$@"'
    said = _run(
        DRIVER,
        "dbus-run-session",
        "--",
        "sh",
        "-c",
        unlocked,
        "sh",
        HOME=str(tmp_path),
        XDG_RUNTIME_DIR=str(tmp_path),
        XDG_DATA_HOME=str(tmp_path / "data"),
    )
    name = '"SecretService Keyring"'
    assert said == f'[{name}, null, {name}, "pass w\\u00f6rd", null, true, false, null]'


def test_without_a_session_bus_there_is_no_keyring() -> None:
    assert _run("from decentralml.core.wallet import remember; print(remember.backend())") == "None"


@pytest.mark.parametrize(
    "module", ["keyrings.alt.file", "keyrings.cryptfile.cryptfile", "keyring.backends.null"]
)
def test_a_keyring_that_asks_or_encrypts_nothing_is_never_spoken_to(module: str) -> None:
    assert _run(PLAIN.replace("MODULE", module)) == '[null, null, false, "NoKeyring"]'


@pytest.mark.parametrize("body", ["threading.Event().wait()", "raise RuntimeError('locked')", "return None"])
def test_a_keyring_that_hangs_fails_or_forgets_is_none(body: str) -> None:
    said = _run(FAILING.replace("BODY", body))
    forgetting = ', "NoKeyring"' if "return" not in body else ""
    assert said == f'[null, null, "NoKeyring"{forgetting}]'


def test_no_keyring_is_said_with_what_to_do_instead() -> None:
    assert remember.backend() is None
    assert remember.get("5abc") is None
    assert remember.forget("5abc") is False
    with pytest.raises(Unavailable) as caught:
        remember.store("5abc", "pass")
    assert caught.value.code == "NoKeyring"
    assert "--password-fd" in caught.value.hint
