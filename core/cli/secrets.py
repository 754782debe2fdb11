"""Passwords and seeds: asked on the terminal or read from a descriptor, never taken from argv."""

import getpass
import os
import sys

from decentralml.core.errors import Misused, Unavailable
from decentralml.core.text import clean
from decentralml.core.wallet.strength import strength

MAX_SECRET_BYTES = 4096
_GIVEN = "Give it with --password-fd N."
_GIVEN_OR_REMEMBERED = "Give it with --password-fd N, or `account remember` it."


class Secrets:
    """Reads secrets, one a line: from descriptor ``fd`` where given, else on the terminal without echo."""

    def __init__(self, fd: int | None = None) -> None:
        self._fd = fd

    def __repr__(self) -> str:
        return "Secrets()"

    def password(self, prompt: str, hint: str = _GIVEN_OR_REMEMBERED) -> str:
        """One password. Raises `Unavailable` ("NoPassword") where nobody can be asked."""
        if self._fd is not None:
            return _read_line(self._fd, "--password-fd")
        return _ask(prompt, "NoPassword", hint)

    def new_password(self, prompt: str) -> str:
        """A password for a new key: asked twice on a terminal, where one that is weak is called so.

        Raises `Misused` ("EmptyPassword", "PasswordsDiffer").
        """
        chosen = self.password(prompt, _GIVEN)
        if not chosen:
            raise Misused("EmptyPassword", "The password is empty.", "Choose one with some characters.")
        care = "It is weak: whoever has the file soon guesses it. " if strength(chosen) == "weak" else ""
        if self._fd is None and _ask(f"{care}Once more: ", "NoPassword", "") != chosen:
            raise Misused("PasswordsDiffer", "The two passwords differ.", "Try again.")
        return chosen

    def phrase(self, prompt: str) -> str:
        """A mnemonic or seed: a line of stdin where that is a pipe or a file, else asked without echo."""
        if not sys.stdin.isatty():
            return _read_line(0, "stdin")
        return _ask(prompt, "NoSecret", "Pipe it in on stdin.")


def _ask(prompt: str, code: str, hint: str) -> str:
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        raise Unavailable(code, f"{prompt.strip(' :')}: there is no terminal to ask on.", hint) from None
    os.close(terminal)
    try:
        return getpass.getpass(clean(prompt))
    except EOFError:
        raise Unavailable(code, "Nothing was entered.", hint) from None


def _read_line(fd: int, where: str) -> str:
    """Bytes up to the next line feed, one at a time, so that the next line stays for whoever asks next."""
    line = bytearray()
    try:
        while (byte := os.read(fd, 1)) not in (b"", b"\n"):
            line += byte
            if len(line) > MAX_SECRET_BYTES:
                raise Misused("BadSecret", f"What {where} gives is longer than a secret is.", "")
    except OSError as error:
        raise Misused(
            "BadDescriptor",
            f"Descriptor {fd} cannot be read: {error.strerror}.",
            "Open it in the shell: --password-fd 3 3<FILE.",
        ) from error
    if not line and byte == b"":
        raise Unavailable("NoPassword", f"{where} gave nothing.", "Write one secret a line to it.")
    try:
        return line.rstrip(b"\r").decode()
    except UnicodeDecodeError:
        raise Misused("BadSecret", f"What {where} gives is not UTF-8 text.", "") from None
