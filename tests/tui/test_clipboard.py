"""Copying: by OSC 52, in tmux by its wrapper, and always into a file whose name is said."""

import base64
import stat

import pytest

from decentralml.tui.clipboard import osc52

from .conftest import Place, until


def test_a_terminal_gets_the_text_in_base64() -> None:
    assert osc52("5Grw\n", in_tmux=False) == f"\x1b]52;c;{base64.b64encode(b'5Grw' + bytes([10])).decode()}\a"


def test_tmux_gets_it_bare_and_in_a_wrapper_with_doubled_escapes_to_pass_on() -> None:
    bare = osc52("x", in_tmux=False)
    both = osc52("x", in_tmux=True)
    assert both.startswith(bare)
    wrapped = both.removeprefix(bare)
    assert wrapped.startswith("\x1bPtmux;\x1b\x1b]52;c;")
    assert wrapped.endswith("\x1b\\")
    assert wrapped[2:-2].count("\x1b") == 2


async def test_what_is_copied_is_in_a_file_too(market_home: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    async with market_home.running() as (app, pilot):
        written: list[str] = []
        monkeypatch.setattr(app._driver, "write", written.append)
        await pilot.press("Y")
        file = market_home.home.state_dir / "copied.txt"
        await until(pilot, file.exists)
        await until(pilot, lambda: any(str(file) in n.message for n in app._notifications))
        assert file.read_text() == "4"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert osc52("4", in_tmux=False) in written


async def test_a_disk_that_takes_nothing_costs_only_the_file(market_home: Place) -> None:
    (market_home.home.state_dir / "copied.txt").mkdir()
    async with market_home.running() as (app, pilot):
        await pilot.press("Y")
        await until(pilot, lambda: any("could not be kept" in n.message for n in app._notifications))
