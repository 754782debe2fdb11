"""The app's session: opened after the first paint; from then on the chain is looked at each second."""

import asyncio
import gc
from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING

from decentralml.core.errors import DecentralMLError
from decentralml.tui import background, keymap, keys, screens, terminal
from decentralml.tui.guarded import ours
from decentralml.tui.widgets.keybar import KeyBar

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp
    from decentralml.tui.session import Session

_BEAT_SECONDS = 1.0
_OPEN_AGAIN_SECONDS = 3.0
_SHEETS = Path(__file__).parent / "screens"


class Heart:
    """Opens an app's session, and beats: what moved on the chain is told to the screen in front."""

    def __init__(self, app: "DecentralMLApp") -> None:
        self._app = app
        self._looking = asyncio.Lock()
        # What went wrong at the last beat, and was said.
        self._wrong: set[str] = set()

    # Opening

    def start(self) -> None:
        """Open home, chain and storage in the background, after the first paint."""
        gc.enable()  # see `main.open_app`
        self._app.run_worker(self._app.guarded(self._open()), group="open")

    async def _open(self) -> None:
        """Open, then go to where the person was. What cannot be opened is tried again, and again."""
        app = self._app
        try:
            await background.call(app.state.load)
            await background.call(app.failures.load)
            await app.looks.load_sheets(_SHEETS)  # first: pages are also seen without a ledger
            if app.session is None:
                app.session = await background.call(self._session)
            session = app.session
        except Exception as error:
            problem = ours(error)
            app.show_error(problem)
            self._tell_unopened(problem)
            app.set_timer(_OPEN_AGAIN_SECONDS, self.start)
            return
        self._tell_unopened(None)
        await self._goes_well("themes", app.looks.reload())
        app.looks.begin_with(session.settings.theme)
        await app.guarded(self._read_keymap())
        app.screen.query(KeyBar).refresh()
        await self.beat()
        app.set_interval(_BEAT_SECONDS, self.beat)
        app.places.restore(session.chain.genesis[:16])
        if session.account is None and not app.readonly:
            app.identity.begin()
        app.run_worker(self._warm(), group="warm")
        if app.welcome:
            from decentralml.tui.screens.dialog import Show

            app.push_screen(Show("The demo market", keys.said(app.welcome)))

    def _session(self) -> "Session":
        """Load the market's modules, and open home, chain and storage. Blocks."""
        from decentralml.tui import notify, pulse  # noqa: F401 - so that the loop need not
        from decentralml.tui.session import Session

        app = self._app
        return Session(app.home, app.overrides, readonly=app.readonly, now=app.now)

    def _tell_unopened(self, error: DecentralMLError | None) -> None:
        self._app.unopened = error
        if self._app.front is not None:
            self._app.front.show_unopened(error)

    async def _read_keymap(self) -> None:
        """Say what is wrong with the person's own keys: those that are right are in use already."""
        await background.call(keymap.read, self._app.home.keymap)

    async def _warm(self) -> None:
        """Load what may be shown later. What is loaded stays: the collector need not search it, which
        would stop the screen for a tenth of a second each time. (Not in tests: they make many apps.)
        """
        await background.call(screens.warm)
        if not self._app.is_headless:
            gc.freeze()

    # Beating

    async def beat(self) -> None:
        """Look at the chain; tell the screen in front what moved."""
        from decentralml.tui import notify

        app, session = self._app, self._app.session
        if session is None:
            return
        app.identity.lock_when_idle()
        await self._goes_well("account", app.identity.look())
        terminal.fit(app)
        await self._goes_well("themes", app.looks.reload())
        async with self._looking:
            before, lost = app.pulse, "chain" in self._wrong
            if not await self._goes_well("chain", self._look(session)):
                return
            pulse = app.pulse
        assert pulse is not None
        self._say_once("trainings", pulse.problem)
        if lost:
            app.say("The chain is back.")
            app.tell(events=True)
        elif pulse is not before:
            moved = before is None or (pulse.cursor, pulse.address) != (before.cursor, before.address)
            app.tell(events=moved)
        if before is not None and pulse is not before:
            notify.ring(app, session.settings.notify, pulse)

    async def _look(self, session: "Session") -> None:
        from decentralml.tui.pulse import take

        self._app.pulse = await background.call(take, session, self._app.pulse)

    async def _goes_well(self, part: str, work: Awaitable[object]) -> bool:
        """Whether ``work``, a ``part`` of each beat, went well. If not, that is said: the beat goes on."""
        try:
            await work
        except Exception as error:
            self._say_once(part, ours(error))
            return False
        self._say_once(part, None)
        return True

    def _say_once(self, part: str, problem: DecentralMLError | None) -> None:
        """Say a ``problem`` of a ``part`` of the beat, and not again before that went well (None)."""
        if problem is None:
            self._wrong.discard(part)
        elif part not in self._wrong:
            self._wrong.add(part)
            self._app.show_error(problem)
