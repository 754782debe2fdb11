"""The frame: starting, moving, telling, ending, and what it never does."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input
from textual.widgets._toast import Toast

from decentralml.core.errors import Refused
from decentralml.tui import background
from decentralml.tui.app import DecentralMLApp
from decentralml.tui.screens.form import Field, Form
from decentralml.tui.screens.task import TaskDetail

from .conftest import PASSWORD, Place, opened, settled, text_of, until


def said(app: DecentralMLApp) -> list[str]:
    return [notification.message for notification in app._notifications]


async def test_who_how_much_where_and_which_block_stand_on_top(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        top = text_of(app).splitlines()[:2]
        assert "block 0" in top[0]
        assert "ada" in top[1]
        assert "locked" in top[1]
        assert "953.70 free  46.30 held" in top[1]
        market_home.clock.blocks(1234)
        await until(pilot, lambda: "1,234" in text_of(app).splitlines()[0], "the new block")


async def test_a_tab_has_a_mark_where_something_waits(market_home: Place) -> None:
    async with market_home.running() as (app, _):
        assert "3 Validate ●1" in text_of(app)


async def test_another_account_is_one_key_away(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("U")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        assert market_home.address("chi") in text_of(app)
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: app.session.account.name == "chi")
        await until(pilot, lambda: " chi " in text_of(app).splitlines()[1])


async def test_back_goes_back_through_screens_and_modes(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("5")
        await until(pilot, lambda: app.current_mode == "accounts")
        await pilot.press("6")
        await until(pilot, lambda: app.current_mode == "activity")
        await pilot.press("1")
        await until(pilot, lambda: app.current_mode == "tasks")
        await settled(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TaskDetail))
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        await pilot.press("escape")
        await until(pilot, lambda: app.current_mode == "activity")
        await pilot.press("escape")
        await until(pilot, lambda: app.current_mode == "accounts")
        await pilot.press("escape", "escape", "escape")
        await until(pilot, lambda: app.current_mode == "tasks")


async def test_the_mode_one_was_in_survives_a_restart(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("5")
        await until(pilot, lambda: app.current_mode == "accounts")
        app.finish()
    async with market_home.running() as (app, pilot):
        await until(pilot, lambda: app.current_mode == "accounts")


async def test_a_tab_that_is_chosen_before_the_market_is_open_stays(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.press("3")
    app.finish()
    app = market_home.app()
    async with app.run_test() as pilot:
        app.post_message(events.Key("5", "5"))
        assert app.pulse is None
        await opened(pilot)
        assert app.current_mode == "accounts"


async def test_a_ledger_that_cannot_be_opened_is_said_on_the_page_until_it_can(
    market_home: Place, tmp_path: Path
) -> None:
    folder = tmp_path / "ledger"
    folder.mkdir()
    app = DecentralMLApp(
        market_home.home, {"account": "ada", "chain": f"local:{folder}"}, now=market_home.clock
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "is a folder, not a ledger" in " ".join(text_of(app).split()))
        await until(pilot, lambda: "tried again" in text_of(app))
        assert "Name the file in it" in " ".join(text_of(app).split())
        assert "opening" not in text_of(app)
        await pilot.press("6")
        await until(pilot, lambda: app.current_mode == "activity" and "tried again" in text_of(app))
        folder.rmdir()
        shutil.copy(market_home.home.ledger, folder)
        await until(pilot, lambda: app.session is not None, "the ledger")
        await until(pilot, lambda: "tried again" not in text_of(app))
    app.finish()


async def test_no_tab_changes_its_name_when_a_mark_comes(market_home: Place) -> None:
    """At 80 columns, with a block of five digits."""
    market_home.clock.blocks(12_345)
    async with market_home.running(as_="chi") as (app, pilot):
        before = [name for name in text_of(app).splitlines()[0].split() if name.isalpha()]
        market_home.take("ada", 3)
        market_home.deliver("ada", 4)
        await until(pilot, lambda: "●1" in text_of(app).splitlines()[0])
        assert [name for name in text_of(app).splitlines()[0].split() if name.isalpha()] == before
        assert "Validate" in before


async def test_the_palette_knows_verbs_tabs_accounts_and_themes(market_home: Place) -> None:
    async with market_home.running(size=(100, 40)) as (app, pilot):
        for query, found in (
            ("take", "take a slot of this task"),
            ("take", "Not now: The creator"),
            ("runs", "the runs screen"),
            ("be bo", "switch account"),
            ("light", "theme light"),
            ("save", "save this filter"),
        ):
            await pilot.press("colon")
            await until(pilot, lambda: app.screen.query("CommandInput"))
            await pilot.press(*query)
            await until(pilot, lambda found=found: found in text_of(app), found)
            await pilot.press("escape")
            await until(pilot, lambda: len(app.screen_stack) == 1)


async def test_a_command_of_the_palette_does_what_its_key_does(market_home: Place) -> None:
    async with market_home.running(as_="bo") as (app, pilot):
        await pilot.press("ctrl+p")
        await until(pilot, lambda: app.screen.query("CommandInput"))
        await pilot.press(*"take a slot")
        await until(pilot, lambda: "take a slot" in text_of(app))
        while app.screen.query("CommandInput"):
            await pilot.press("enter")
            await pilot.pause()
        await until(pilot, lambda: app.screen.query("#password"), "the question")


async def test_locking_forgets_the_key_and_empties_secrets(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await background.call(app.session.unlock, PASSWORD)
        await pilot.press("L")
        await pilot.pause()
        assert app.session.signer is None
        app.push_screen(Form("Password", (Field("secret", "of ada", secret=True),), str))
        await until(pilot, lambda: app.screen.query("#secret"))
        await pilot.press(*PASSWORD)
        app.identity.lock("Locked.")
        assert app.screen.query_one("#secret", Input).value == ""


async def test_an_idle_session_locks_itself(market_home: Place) -> None:
    market_home.home.config.write_text("idle-lock = 1\n")
    async with market_home.running() as (app, pilot):
        await background.call(app.session.unlock, PASSWORD)
        await until(pilot, lambda: app.session.signer is None, "the lock")
        assert any("Locked after 1 s without" in text for text in said(app))


async def test_an_idle_screen_loses_its_secrets_though_no_key_is_unlocked(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        app.push_screen(Form("Password", (Field("secret", "of ada", secret=True),), str))
        await until(pilot, lambda: app.screen.query("#secret"))
        await pilot.press(*PASSWORD)
        app.identity.lock_when_idle()
        assert app.screen.query_one("#secret", Input).value == PASSWORD
        app.identity._touched -= app.session.settings.idle_lock
        app.identity.lock_when_idle()
        assert app.screen.query_one("#secret", Input).value == ""
        app.identity.lock_when_idle()
        await pilot.pause()
        words = [text for text in said(app) if "secret" in text]
        assert words == ["What is secret is off the screen after 15 m without a key."], "once"


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_what_is_said_stands_over_the_keys_and_hides_nothing_of_the_page(
    size: tuple[int, int], market_home: Place
) -> None:
    app = market_home.app()
    async with app.run_test(size=size, notifications=True) as pilot:
        await opened(pilot)
        await until(pilot, lambda: "9.50 each" in text_of(app), "the preview")
        *page, keys = text_of(app).splitlines()
        app.say("Nothing was signed.")
        await until(pilot, lambda: app.screen.query(Toast))
        assert text_of(app).splitlines()[:-1] == page
        assert "Nothing was signed." in text_of(app).splitlines()[-1]
        app.say("Two lines of words. " * 6)
        app.say("And last, " + "more than a line. " * (size[0] // 12))
        await until(pilot, lambda: len(app.screen.query(Toast)) == 3)
        bottom = app.screen.query_one("#panes").region.bottom
        assert "And last" in text_of(app).splitlines()[bottom], "the page has given way"
        assert "Two lines" not in text_of(app), "the newest is said"
        await pilot.press("escape")
        await until(pilot, lambda: text_of(app).splitlines() == [*page, keys], "as it was before")


async def test_a_toast_is_a_few_lines_and_goes_with_escape(market_home: Place) -> None:
    app = market_home.app()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await opened(pilot)
        app.show_error(Refused("TooMuch", "It is a very long story. " * 100, "Read it in Activity."))
        app.say("Another long story. " * 100)
        await until(pilot, lambda: len(app.screen.query(Toast)) == 2)
        assert all(toast.region.height <= 3 for toast in app.screen.query(Toast))
        await pilot.press("escape")
        await until(pilot, lambda: not app.screen.query(Toast))
        assert app.failures[0].message.count("long story") == 100


async def test_an_error_is_said_once_and_kept(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        for _ in range(3):
            app.screen.work(_raise(Refused("NoSlot", "Nothing \x1b[31mfree\u202e.", "Wait.")))
        await settled(pilot)
        assert [text for text in said(app) if "Nothing" in text] == ["Nothing [31mfree. Wait."]
        assert app.failures[-1].code == "NoSlot"


async def test_a_bug_becomes_words_and_the_app_goes_on(
    market_home: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DECENTRALML_DEBUG")
    async with market_home.running() as (app, pilot):
        app.screen.work(_raise(KeyError("oh")))
        await settled(pilot)
        assert app.failures[-1].code == "Bug"
        assert "KeyError" in str(app.failures[-1])


async def _raise(error: Exception) -> None:
    raise error


async def test_a_chain_that_goes_away_is_said_once_and_found_again(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        ahead = market_home.clock.time
        market_home.create("bo", "One more")
        await until(pilot, lambda: app.screen.table.total == 5)
        market_home.clock.time = ahead - 60  # the ledger is ahead of the clock: refused, for reading too
        await until(pilot, lambda: len(app.failures), "the error")
        await app.heart.beat()
        await app.heart.beat()
        assert len([e for e in app.failures if e.code == "ClockBehind"]) == 1
        assert "Digits, round 3" in text_of(app)
        market_home.clock.time = ahead
        await until(pilot, lambda: "The chain is back." in said(app), "the chain")
        market_home.create("bo", "And another")
        await until(pilot, lambda: "And another" in text_of(app))


async def test_quit_does_not_wait_for_a_busy_thread(market_home: Place) -> None:
    stop = threading.Event()
    try:
        start = 0.0
        async with market_home.running() as (app, pilot):
            app.screen.work(app.screen.call(stop.wait, 60))
            await pilot.pause()
            start = time.monotonic()
            await pilot.press("q")
            await pilot.pause()
        assert time.monotonic() - start < 20
    finally:
        stop.set()


async def test_words_of_welcome_are_shown_first(market_home: Place) -> None:
    app = DecentralMLApp(market_home.home, {"account": "ada"}, welcome="You are ada.", now=market_home.clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "You are ada." in text_of(app))
    app.finish()


async def test_without_an_account_there_are_choices(prepared_home: Path, tmp_path: Path) -> None:
    from decentralml.core.paths import Home

    app = DecentralMLApp(Home(tmp_path / "new"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: type(app.screen).__name__ == "FirstStart")
    app.finish()


# What it never does


async def test_the_loop_touches_no_file_socket_or_database(
    market_home: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one walks through the list, filters, sorts, opens a task, the palette and the help."""
    caught: list[str] = []
    watched = {
        "posix": {"stat", "lstat", "open", "listdir", "scandir", "mkdir", "unlink", "rename", "replace"}
    }
    watched |= {"io": {"open", "open_code"}, "_io": {"open", "open_code"}}
    names = {"posix": watched["posix"], "io": watched["io"], "_io": watched["_io"]}

    def look(frame: object, event: str, argument: object) -> None:
        if event != "c_call":
            return
        module = getattr(argument, "__module__", None) or type(getattr(argument, "__self__", None)).__module__
        name = getattr(argument, "__name__", "")
        database = type(getattr(argument, "__self__", None)).__module__ == "sqlite3"
        if database or name in names.get(str(module), ()):
            stack, importing = frame, False
            lines = []
            while stack is not None:
                code = stack.f_code
                importing = importing or "importlib" in code.co_filename
                lines.append(f"{code.co_filename}:{stack.f_lineno}")
                stack = stack.f_back
            if not importing:
                caught.append(f"{module}.{name} at {' < '.join(lines[:6])}")

    async with market_home.running(size=(140, 40)) as (app, pilot):
        sys.setprofile(look)
        try:
            await pilot.press("j", "k", "G", "g", "s", "S", "m", "m")
            await settled(pilot)
            await pilot.press("slash", *"castings", "enter")
            await settled(pilot)
            await pilot.press("question_mark", "escape", "colon")
            await until(pilot, lambda: app.screen.query("CommandInput"))
            await pilot.press("escape", "Y")
            await settled(pilot)
            await pilot.press("t")
            assert app._notifications
            await app.refresh_pulse()
        finally:
            sys.setprofile(None)
    assert not caught, "\n".join(caught)


def test_starting_loads_nothing_heavy(market_home: Place) -> None:
    """No model, no chain client, in the process of an app that shows its tasks."""
    script = """
import asyncio, sys
from pathlib import Path
from decentralml.core.paths import Home
from decentralml.tui import screens
from decentralml.tui.app import DecentralMLApp

async def main():
    app = DecentralMLApp(Home(Path(sys.argv[1])), {"account": "ada"})
    async with app.run_test() as pilot:
        while app.pulse is None:
            await pilot.pause(0.01)
        await pilot.press("j", "k", "question_mark", "escape")

asyncio.run(main())
screens.warm()
heavy = {"tensorflow", "keras", "substrateinterface", "h5py", "plotext", "pandas"}
print(sorted(heavy & set(sys.modules)))
"""
    market_home.close()
    _set_back(market_home)
    done = subprocess.run(
        [sys.executable, "-c", script, str(market_home.home.root)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def _set_back(place: Place) -> None:
    """Let the real clock, which is behind the tests' one, fit a ledger of its own."""
    shutil.rmtree(place.home.ledger.parent)
    (place.home.data_dir / "seen.json").unlink(missing_ok=True)


def test_importing_the_command_line_loads_no_screen() -> None:
    script = (
        "import sys, decentralml.core.cli.main; print([m for m in sys.modules if m.startswith('textual')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Ending


@pytest.mark.parametrize(
    "ending", [signal.SIGHUP, signal.SIGTERM, None], ids=["hangup", "terminated", "link lost"]
)
def test_a_lost_link_ends_the_app_cleanly_and_its_state_is_kept(
    market_home: Place, ending: signal.Signals | None, wait_for: Callable[..., object]
) -> None:
    market_home.close()
    _set_back(market_home)
    process, terminal = _on_a_terminal(market_home)
    try:
        _read_until(terminal, b"shown")
        os.write(terminal, b"m")
        _read_until(terminal, b"mine")
        if ending is None:
            os.close(terminal)
        else:
            process.send_signal(ending)
            _drain(terminal, process)
        assert process.wait(30) == 0
    finally:
        process.kill()
    assert re.search(r'"tasks.view": "mine"', market_home.home.ui_state.read_text())


def _on_a_terminal(place: Place) -> tuple[subprocess.Popen[bytes], int]:
    ours, theirs = pty.openpty()
    program = Path(sys.executable).with_name("decentralml")
    process = subprocess.Popen(
        [program, "--home", str(place.home.root)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    os.close(theirs)
    return process, ours


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _read_until(terminal: int, text: bytes) -> None:
    seen, deadline = b"", time.monotonic() + 60
    while text not in re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", seen):
        assert time.monotonic() < deadline, seen[-2000:]
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 65536)


def _drain(terminal: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                os.read(terminal, 65536)
            except OSError:
                return


async def test_the_screen_follows_the_terminal_as_it_is_resized(market_home: Place) -> None:
    async with market_home.running(size=(160, 48)) as (app, pilot):
        for size in ((60, 20), (80, 24), (40, 10), (160, 48)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            strips = app.screen._compositor.render_strips()
            assert len(strips) == size[1]
            assert {strip.cell_length for strip in strips} == {size[0]}


async def test_the_mouse_works(market_home: Place) -> None:
    async with market_home.running() as (app, pilot):
        await pilot.click("#tab-accounts")
        await until(pilot, lambda: app.current_mode == "accounts")
        await pilot.click("#tab-tasks")
        await until(pilot, lambda: app.current_mode == "tasks")
        await pilot.click("PagedTable", offset=(10, 3))
        await until(pilot, lambda: app.screen.table.cursor == 2)
        await pilot.click("PagedTable", offset=(10, 3))
        await until(pilot, lambda: isinstance(app.screen, TaskDetail))


async def test_nothing_is_read_before_the_first_paint(market_home: Place) -> None:
    app = market_home.app()
    async with app.run_test(size=(80, 24)) as pilot:
        assert app.session is None
        assert "1 Tasks" in text_of(app)
        await opened(pilot)
