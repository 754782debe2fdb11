"""Running the command line: in this process for speed, as a process or on a terminal where that matters."""

import fcntl
import functools
import json
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from decentralml.core.cli.main import main
from decentralml.core.paths import Home
from decentralml.core.wallet.accounts import Accounts

PASSWORD = "correct horse"
SCRYPT_N = 1 << 12


@dataclass
class Result:
    """Exit code, both outputs, and the JSON object of stdout where there is one."""

    code: int
    out: str
    err: str

    @property
    def envelope(self) -> dict[str, Any]:
        lines = self.out.splitlines()
        assert len(lines) == 1, f"not exactly one object: {self.out!r} {self.err!r}"
        made = json.loads(lines[0])
        if made["ok"]:
            assert set(made) == {"ok", "data"}
        else:
            assert set(made) == {"ok", "error"}
            assert set(made["error"]) == {"code", "message", "hint"}
        return made

    @property
    def data(self) -> Any:
        assert self.envelope["ok"], self.out
        return self.envelope["data"]

    @property
    def error(self) -> dict[str, str]:
        assert not self.envelope["ok"], self.out
        return self.envelope["error"]


Run = Callable[..., Result]


def invoke(home: Path, *arguments: str, lines: tuple[str, ...]) -> int:
    """Run a command in this process; ``lines`` are given on --password-fd. Returns its exit code."""
    words = ["--home", str(home), *arguments]
    if not lines:
        return main(words)
    read, write = os.pipe()
    os.write(write, "".join(f"{line}\n" for line in lines).encode())
    os.close(write)
    try:
        return main(["--password-fd", str(read), *words])
    finally:
        os.close(read)


@pytest.fixture
def run_in(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command in a home; ``lines`` are given on --password-fd, ``password`` is one of them."""

    def call(home: Path, *arguments: str, password: str | None = None, lines: tuple[str, ...] = ()) -> Result:
        code = invoke(home, *arguments, lines=lines if password is None else (password,))
        captured = capfd.readouterr()
        return Result(code, captured.out, captured.err)

    return call


def run_redirected(
    home: Path, *arguments: str, password: str | None = None, lines: tuple[str, ...] = ()
) -> Result:
    """As `run_in`, for fixtures that outlive a test."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        code = invoke(home, *arguments, lines=lines if password is None else (password,))
    return Result(code, out.getvalue(), err.getvalue())


@pytest.fixture
def run(home: Home, run_in: Run) -> Run:
    """Run a command in the test's home."""
    assert home.root is not None
    return functools.partial(run_in, home.root)


class Person:
    """Somebody with a home and an account, on the ledger and storage that a test's people share."""

    def __init__(self, name: str, root: Path, run_in: Run) -> None:
        self.name = name
        self.home = root / name
        self.shared = ["--chain", f"local:{root}/shared/ledger.sqlite", "--storage", f"local:{root}/store"]
        self._run = run_in
        # A cheap scrypt: every signing command opens the key anew.
        account, _ = Accounts(Home(self.home), scrypt_n=SCRYPT_N).create(name, PASSWORD)
        self.address = account.address

    def __call__(self, *arguments: str) -> Result:
        """Run a command with --json --yes, the password given."""
        return self._run(self.home, *self.shared, "--json", "--yes", *arguments, password=PASSWORD)

    def words(self, *arguments: str) -> Result:
        """Run a command for people."""
        return self._run(self.home, *self.shared, "--yes", *arguments, password=PASSWORD)

    def free(self) -> str:
        """Planck that can be spent."""
        return str(self("account", "show").data["free"])


Market = Callable[..., list[Person]]


def open_market(root: Path, run_in: Run) -> Market:
    def make(*names: str, init: tuple[str, ...] = ()) -> list[Person]:
        ledger = root / "shared" / "ledger.sqlite"
        assert run_in(root / names[0], "--json", "chain", "init", str(ledger), *init).code == 0
        people = [Person(name, root, run_in) for name in names]
        for person in people:
            assert person("account", "fund", "100").code == 0
        return people

    return make


@pytest.fixture
def market(tmp_path: Path, run_in: Run) -> Market:
    """Make a ledger (``init``: its options) and people on it, each with 100 units."""
    return open_market(tmp_path, run_in)


@pytest.fixture(scope="module")
def lasting_market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    """As `market`, for all tests of a module."""
    return open_market(tmp_path_factory.mktemp("market"), run_redirected)


@pytest.fixture
def account(home: Home) -> Callable[[str], str]:
    """Make an account and return its address."""

    def make(name: str) -> str:
        return Accounts(home, scrypt_n=SCRYPT_N).create(name, PASSWORD)[0].address

    return make


class Terminal:
    """A command on a terminal of its own: type into it, and read what it shows."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        self._main, other = pty.openpty()

        def own_terminal() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            command(*arguments),
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
            preexec_fn=own_terminal,
            env=environment,
        )
        os.close(other)
        self.shown = ""

    def expect(self, text: str) -> None:
        """Read until ``text`` shows."""
        while text not in self.shown:
            more = self._read()
            assert more, f"{text!r} never showed; this did: {self.shown!r}"
            self.shown += more

    def type(self, text: str) -> None:
        os.write(self._main, text.encode())

    def finish(self) -> int:
        """Read to the end and return the exit code."""
        while more := self._read():
            self.shown += more
        return self.process.wait(30)

    def close(self) -> None:
        """Hang up: what runs on the terminal gets a SIGHUP."""
        if self._main >= 0:
            os.close(self._main)
            self._main = -1
        self.process.wait(30)

    def _read(self) -> str:
        try:
            return os.read(self._main, 65536).decode(errors="replace")
        except OSError:  # the other side has closed
            return ""


@pytest.fixture
def terminal(home: Home) -> Iterator[Callable[..., Terminal]]:
    """Start a command on a terminal of 80 columns, in the test's home."""
    started: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
        started.append(Terminal(["--home", str(home.root), *arguments], environment))
        return started[-1]

    yield start
    for each in started:
        each.close()


def command(*arguments: str) -> list[str]:
    """The words that start the command line as a process."""
    return [sys.executable, "-m", "decentralml.core.cli.main", *arguments]


@pytest.fixture(name="command")
def command_fixture() -> Callable[..., list[str]]:
    return command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small folder to store."""
    made = tmp_path / "folder"
    (made / "sub").mkdir(parents=True)
    (made / "a.txt").write_text("alpha")
    (made / "sub" / "b.txt").write_text("beta")
    return made


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(2):
        (folder / f"{number}.txt").write_text(f"text {number}")
    return folder
