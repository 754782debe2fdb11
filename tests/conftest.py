"""What every test shares: an own home, and waiting for events instead of sleeping."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

from decentralml.core.paths import Home

T = TypeVar("T")

# The same examples every time, and no clock: the machines are noisy.
settings.register_profile(
    "promises", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("promises")

# A shell's background job ignores interrupts, and so would every command that is started from here.
signal.signal(signal.SIGINT, signal.default_int_handler)

# It makes users and becomes them.
NEEDS_ROOT = "test_users.py"

# What takes longest begins first, so that at the end nobody waits for one file.
_LONGEST = (
    "test_demo.py",
    "tui/test_market.py",
    "tui/test_ways.py",
    "tui/test_looks.py",
    "core/chain/test_random_calls.py",
    "tui/test_related.py",
    "core/cli/test_contributing.py",
    "tui/test_loop.py",
    "core/market/test_crash.py",
    "test_users.py",
    "tui/screens/test_federate.py",
    "core/cli/test_training.py",
    "tui/widgets/test_run_panel.py",
    "tui/screens/test_task.py",
    "tui/screens/test_tasks.py",
    "tui/screens/test_validate.py",
    "tui/test_tmux.py",
    "core/models/test_evaluate.py",
    "assets/test_by_hand.py",
)
_TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {_TESTS / name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    return True if collection_path.name == NEEDS_ROOT and os.geteuid() != 0 else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if os.geteuid() != 0:
        terminalreporter.write_line(f"not run: tests/{NEEDS_ROOT}, which needs root: make test-users")


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the person's own folders, keyring, or settings."""
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / "xdg" / name.lower()))
    monkeypatch.setenv("HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    for name in [name for name in os.environ if name == "NO_COLOR" or name.startswith("DECENTRALML_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def wait_for(condition: Callable[[], T], *, seconds: float = 30, what: str = "the event") -> T:
    """The first true answer of ``condition``; fails when it stays false."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.01)
    return answer


@pytest.fixture(name="wait_for", scope="session")
def wait_for_fixture() -> Callable[..., object]:
    return wait_for
