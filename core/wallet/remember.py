"""Passwords in the desktop's keyring, where there is a real one. Nothing here asks or waits for ever."""

import secrets
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from decentralml.core.errors import Unavailable
from decentralml.core.wallet.keys import without_traces

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

SERVICE = "decentralml"
DEADLINE = 5.0
"""Seconds that a keyring has for an answer: a locked one may wait for somebody at another screen."""

_REAL = (
    "keyring.backends.SecretService",
    "keyring.backends.libsecret",
    "keyring.backends.kwallet",
    "keyring.backends.macOS",
    "keyring.backends.Windows",
)
_HINT = "The password is asked for instead; or give it with --password-fd."


def backend(*, deadline: float = DEADLINE) -> str | None:
    """The name of a keyring that stores, returns and deletes a trial value in time; None without one."""

    def probe() -> str | None:
        real = _real_backend()
        if real is None:
            return None
        trial, value = f"trial {secrets.token_hex(8)}", secrets.token_hex(8)
        real.set_password(SERVICE, trial, value)
        try:
            kept = real.get_password(SERVICE, trial)
        finally:
            real.delete_password(SERVICE, trial)
        return str(real.name) if kept == value else None

    try:
        return _in_time(probe, deadline)
    except Unavailable:
        return None


def get(address: str, *, deadline: float = DEADLINE) -> str | None:
    """The password remembered for ``address``; None when there is none, or no keyring that answers."""

    def read() -> str | None:
        real = _real_backend()
        return None if real is None else real.get_password(SERVICE, address)

    try:
        return _in_time(read, deadline)
    except Unavailable:
        return None


@without_traces
def store(address: str, password: str, *, deadline: float = DEADLINE) -> str:
    """Remember the password of ``address`` and return the keyring's name.

    Raises `Unavailable` ("NoKeyring") when no real keyring answers.
    """
    if backend(deadline=deadline) is None:
        raise Unavailable("NoKeyring", "No keyring answers on this machine.", _HINT)

    def write() -> str | None:
        real = _real_backend()
        if real is None:
            return None
        real.set_password(SERVICE, address, password)
        return str(real.name) if real.get_password(SERVICE, address) == password else None

    name = _in_time(write, deadline)
    if name is None:
        raise Unavailable("NoKeyring", "The keyring did not keep the password.", _HINT)
    return name


def forget(address: str, *, deadline: float = DEADLINE) -> bool:
    """Remove what is remembered for ``address``; whether there was anything.

    Raises `Unavailable` ("NoKeyring") when a keyring is there and does not do it.
    """

    def remove() -> bool:
        real = _real_backend()
        if real is None or real.get_password(SERVICE, address) is None:
            return False
        real.delete_password(SERVICE, address)
        return True

    return _in_time(remove, deadline)


def _real_backend() -> "KeyringBackend | None":
    """The keyring in use if it is the desktop's own: others may ask on the terminal, or encrypt nothing."""
    import keyring

    chosen = keyring.get_keyring()
    candidates = getattr(chosen, "backends", None) or [chosen]
    return next((one for one in candidates if type(one).__module__.startswith(_REAL)), None)


def _in_time(work: Callable[[], T], deadline: float) -> T:
    """``work()`` in a thread that is left behind when it takes too long.

    Raises `Unavailable` ("NoKeyring") for that and for whatever a keyring raises.
    """
    answers: list[T] = []
    failures: list[str] = []

    def run() -> None:
        try:
            answers.append(work())
        except Exception as error:
            failures.append(type(error).__name__)

    thread = threading.Thread(target=run, name="keyring", daemon=True)
    thread.start()
    thread.join(deadline)
    if answers:
        return answers[0]
    reason = failures[0] if failures else f"no answer in {deadline:g} s"
    raise Unavailable("NoKeyring", f"The keyring does not work: {reason}.", _HINT)
