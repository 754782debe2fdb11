"""Where the person is: a mode, and what is open over its own screen. Back goes where one came from."""

from typing import TYPE_CHECKING, Any, NamedTuple

from textual.screen import ModalScreen

from decentralml.tui import keys, screens
from decentralml.tui.screens.base import MarketScreen

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp

_STEPS = 50
_OVER = "over"


class Place(NamedTuple):
    """A mode, and the places of the screens that are open over its own, lowest first."""

    mode: str
    over: list[list[Any]]


class Places:
    """Moves an app between its modes, and remembers, across restarts, what was open where."""

    def __init__(self, app: "DecentralMLApp") -> None:
        self._app = app
        self._trail: list[Place] = []
        # What an earlier start left open over a mode that was not shown yet. No chain: not restored yet.
        self._left: dict[str, Any] = {}
        self._chain = ""

    @property
    def here(self) -> Place:
        """Where the person is now."""
        over = (screen for screen in self._app.screen_stack[1:] if isinstance(screen, MarketScreen))
        return Place(self._app.current_mode, [screen.place for screen in over if screen.place])

    # Moving

    def go(self, mode: str, *, base: bool = False) -> None:
        """Show a mode as it was left; where one is in it already, or with ``base``, its own screen alone."""
        app = self._app
        if mode not in keys.MODES or isinstance(app.screen, ModalScreen):
            return
        here = self.here
        if mode != app.current_mode:
            self._trail = [*self._trail[-_STEPS:], here]
            if base:
                self._left.pop(mode, None)
            self._show(mode)
        elif here.over:
            self._trail = [*self._trail[-_STEPS:], here]
            base = True
        if base:
            self._close_all()

    def show(self, mode: str, id: int | str) -> None:
        """Show a mode's own screen with the cursor on what ``id`` is there."""
        self.go(mode, base=True)
        screen = self._app.screen
        if isinstance(screen, MarketScreen) and mode == screen.SCOPE:
            screen.select(id)

    def lead(self, to: tuple[str | int, ...]) -> None:
        """Go to the screen whose place is ``to``; or to a mode, with the cursor on what ``to`` names then.

        To "note" an address is to be asked for its name.
        """
        app, (kind, *ids) = self._app, to
        if kind == "note":
            from decentralml.tui.screens.address_book import note

            app.run_worker(app.guarded(note(app, str(ids[0]))))
        elif kind in keys.MODES:
            self.show(str(kind), ids[0])
        elif (screen := screens.reopened([*to])) is not None and not isinstance(app.screen, ModalScreen):
            app.push_screen(screen)

    def back(self) -> None:
        """Close what is on top; else go where one came from."""
        app = self._app
        if len(app.screen_stack) > 1:
            app.pop_screen()
        elif self._trail:
            mode, over = self._trail.pop()
            self._show(mode)
            if self.here.over != over:
                self._close_all()
                self._open(over)

    def _show(self, mode: str) -> None:
        self._app.switch_mode(mode)
        self._open(self._left.pop(mode, []))

    def _close_all(self) -> None:
        while len(self._app.screen_stack) > 1:
            self._app.pop_screen()

    def _open(self, places: object) -> None:
        for place in places if isinstance(places, list) else ():
            screen = screens.reopened(place)
            if screen is not None:
                self._app.push_screen(screen)

    # Remembering

    def restore(self, chain: str) -> None:
        """Be where the last start ended, unless the person has gone elsewhere already.

        What was open over a mode is opened on the ``chain`` it is about.
        """
        state = self._app.state
        self._chain = chain
        self._left = self._kept()
        mode = self._app.current_mode if self._trail else state.get("mode", keys.MODES[0])
        self._show(mode if mode in keys.MODES else keys.MODES[0])
        self.note()

    def note(self) -> None:
        """Another screen came to the front."""
        if not self._chain:
            return
        state, here = self._app.state, self.here
        moved = state.set("mode", here.mode)
        if state.set(_OVER, {self._chain: {**self._kept(), here.mode: here.over}}) or moved:
            self._app.save_state()

    def _kept(self) -> dict[str, Any]:
        """By mode, what is open there on this chain, as the state has it."""
        over = self._app.state.get(_OVER, {}).get(self._chain)
        return over if isinstance(over, dict) else {}
