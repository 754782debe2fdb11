"""The app: composes modes, themes, keys, and the pulse of the chain."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual import events
from textual.app import App
from textual.css.query import NoMatches
from textual.filter import LineFilter
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widget import MountError

from decentralml.core.errors import DecentralMLError, Interrupted, Misused, Unavailable
from decentralml.core.paths import Home
from decentralml.core.text import clean, short
from decentralml.tui import background, clipboard, keymap, keys, screens, terminal, theme
from decentralml.tui.ascii import Ascii
from decentralml.tui.changes import Written
from decentralml.tui.failures import Again, Failures
from decentralml.tui.guarded import Guarded
from decentralml.tui.heart import Heart
from decentralml.tui.hints import explain, read_only
from decentralml.tui.identity import Identity
from decentralml.tui.looks import Looks
from decentralml.tui.places import Places
from decentralml.tui.screens.base import MarketScreen
from decentralml.tui.state import State
from decentralml.tui.transfers import Transfers
from decentralml.tui.typed_ahead import TypedAhead
from decentralml.tui.widgets.secret import covered

# What is imported here is paid for before the first paint: the market itself comes after it.
if TYPE_CHECKING:
    from textual.command import Provider

    from decentralml.tui.judging.work import JudgeWork
    from decentralml.tui.pulse import Pulse
    from decentralml.tui.screens.dialog import Dialog
    from decentralml.tui.session import Session

_HERE = Path(__file__).parent
_SAME_ERROR_SECONDS = 5.0
# Of an error, in a toast: 6 Activity has its whole story.
_MOST_SAID = 200


def _commands() -> "type[Provider]":
    from decentralml.tui.palette import Commands

    return Commands


class DecentralMLApp(App[None]):
    """Six modes over one session. The session opens in the background, after the first paint."""

    # What the first paint needs; the other screens' sheets come after it.
    CSS_PATH = [_HERE / "app.tcss", _HERE / "screens" / "tasks.tcss"]  # noqa: RUF012
    MODES = {mode: partial(screens.make, mode) for mode in keys.MODES}  # noqa: RUF012
    DEFAULT_MODE = "tasks"
    COMMANDS = {_commands}  # noqa: RUF012
    COMMAND_PALETTE_BINDING = "ctrl+p"
    TITLE = "decentralml"
    # Textual's marking by the mouse copies secrets, knows neither the file nor the wrapper that `copy` uses,
    # and raises IndexError where a text is folded. The terminal's own (shift and drag) is there.
    ALLOW_SELECT = False

    def __init__(
        self,
        home: Home,
        overrides: dict[str, str] | None = None,
        *,
        readonly: bool = False,
        welcome: str = "",
        leaving: str = "",
        now: Callable[[], float] = time.time,
    ) -> None:
        no_color = bool(os.environ.get("NO_COLOR"))
        super().__init__(driver_class=terminal.Driver, ansi_color=True if no_color else None)
        self.home = home
        self.overrides = overrides or {}
        self.readonly = readonly
        self.welcome = welcome
        self.leaving = leaving
        self.now = now
        self._to_ascii = Ascii()
        self._written = Written()
        self.session: Session | None = None
        self.unopened: DecentralMLError | None = None
        self.pulse: Pulse | None = None
        self.failures = Failures(home.failures)
        self.transfers = Transfers()
        self.after: list[str] = []
        self.state = State(home)
        self._said: tuple[str, float] = ("", 0.0)
        self.heart = Heart(self)
        self.places = Places(self)
        self.identity = Identity(self)
        self.looks = Looks(self)
        self._typed_ahead = TypedAhead(self, super().on_event)
        self.ascii = self.looks.begin()
        keymap.begin(home.keymap)

    # Starting and ending

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.VARIABLES

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for ending in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(ending, self.exit)
        self.set_keymap(keys.OWN)
        self.call_after_refresh(self.heart.start)

    @cached_property
    def judging(self) -> "JudgeWork":
        """What evaluates in the background, for as long as the app runs."""
        from decentralml.tui.judging.work import JudgeWork

        return JudgeWork(lambda: self.opened.market)

    @property
    def opened(self) -> "Session":
        """The session, for what is reached only once there is one."""
        assert self.session is not None, "asked for before the ledger was opened"
        return self.session

    def finish(self) -> None:
        """Save where the person was and let go of the chain. Blocks; for after the app has ended."""
        self.state.save()
        self.failures.save()
        if "judging" in self.__dict__:
            self.judging.close()
        if self.session is not None:
            self.session.close()

    def _fatal_error(self) -> None:
        """As Textual's, which prints the values of variables too: what a person types is among them."""
        from decentralml.tui.crash import last_words

        if self._exception is not None and not self._exit_renderables:
            self._exit_renderables.append(Text(last_words(self._exception, self.home)))
        self._close_messages_no_wait()

    def guarded(self, coroutine: Coroutine[Any, Any, Any]) -> Guarded:
        """To be awaited, or given to a worker: what ``coroutine`` raises becomes words on the screen."""
        return Guarded(self, coroutine)

    # The pulse

    def tell(self, *, events: bool) -> None:
        """Give the screen in front the newest pulse; with ``events`` it reads its data again."""
        if self.front is not None and self.pulse is not None:
            self.front.moved(self.pulse, events=events)

    @property
    def front(self) -> MarketScreen | None:
        """The full screen in front, whatever dialogs lie over it; not one that is still composed, or goes."""
        pages = (one for one in reversed(self.screen_stack) if isinstance(one, MarketScreen))
        return next((one for one in pages if one.is_mounted and one.display), None)

    async def refresh_pulse(self) -> None:
        """Look at the chain now: after a call, or as another account."""
        before = self.pulse
        await self.heart.beat()
        if self.pulse is before:
            self.tell(events=True)

    def get_line_filters(self) -> Sequence[LineFilter]:
        filters = super().get_line_filters()
        return [*filters, self._to_ascii] if self.ascii else filters

    # Telling

    def _handle_exception(self, error: Exception) -> None:
        """As Textual's; but what a page that was opening no longer finds as the app ends is no failure."""
        if not (self._exit and isinstance(error, NoMatches | MountError)):
            super()._handle_exception(error)

    def show_error(
        self, error: DecentralMLError, doing: str = "", again: Again | None = None, *, otherwise: str = ""
    ) -> None:
        """The one place where a failure becomes words on the screen. It stays in Activity.

        ``doing`` and ``again`` as in `Failures.append`; where nobody knows better, it was ``otherwise``. The
        same words again within a moment are not said twice.
        """
        doing, again = self.failures.about(error, doing, again)
        words, now = clean(explain(error)), time.monotonic()
        text = f"{doing[:1].upper()}{doing[1:]}: {words}" if doing else words
        said, when = self._said
        self._said = (text, now)
        if text == said and now - when < _SAME_ERROR_SECONDS:
            return
        if not isinstance(error, Interrupted):  # what a person has ended did not go wrong
            self.note(error, doing or otherwise, again)
        mild = isinstance(error, Misused | Unavailable | Interrupted)
        severity: SeverityLevel = "warning" if mild else "error"
        self.notify(short(text, _MOST_SAID), severity=severity, timeout=8, markup=False)

    def refuse(self, refusal: DecentralMLError) -> None:
        """Say why a key does nothing now. Nothing went wrong by that: Activity keeps none of it."""
        text = short(clean(explain(refusal)), _MOST_SAID)
        if all(text != said.message for said in self._notifications):
            self.notify(text, severity="warning", timeout=8, markup=False)

    def note(self, error: DecentralMLError, doing: str = "", again: Again | None = None) -> None:
        """Keep a failure that is said elsewhere; see `Failures.append`."""
        self.failures.append(error, doing, again)
        self.run_worker(self.guarded(background.call(self.failures.save)), group="failures")

    def say(self, text: str) -> None:
        """A short word that something went well."""
        self.notify(clean(text), markup=False)

    def notify(self, message: str, **options: Any) -> None:
        """As Textual's; where a dialog is in front, which no toast covers, its border says it."""
        super().notify(message, **options)
        if (hear := getattr(self.screen, "hear", None)) is not None:
            hear(message)

    # Moving

    def push_screen(
        self,
        screen: Screen[Any] | str,
        callback: Callable[[Any], Any] | None = None,
        wait_for_dismiss: bool = False,
        *,
        mode: str | None = None,
    ) -> Any:
        """As Textual's, but for the twin of the screen in front: it is left unopened, as if dismissed."""
        if self.screen_stack and _twins(screen, self.screen):
            if callback is not None:
                callback(None)
            unopened: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            unopened.set_result(None)
            return unopened
        # One of Textual's two overloads takes each value of it, none a bool.
        opened = super().push_screen(screen, callback, wait_for_dismiss, mode=mode)  # type: ignore[call-overload]
        self._typed_ahead.comes(self.screen)
        return opened

    def switch_to(self, mode: str) -> None:
        """Show a mode as it was left, or its own screen where one is in it; `back` comes back from there."""
        self.places.go(mode)

    def show(self, mode: str, id: int | str) -> None:
        """Show a mode's own screen with the cursor on what ``id`` is there."""
        self.places.show(mode, id)

    def back(self) -> None:
        """Close what is on top; else go where one came from."""
        self.places.back()

    def save_state(self) -> None:
        """Write where the person is, off the loop."""
        self.run_worker(self.guarded(background.call(self.state.save)), group="state", exclusive=True)

    def refusal_of(self, screen: "MarketScreen | Dialog[Any]", action: str) -> DecentralMLError | None:
        """Why ``screen`` does not do ``action`` now; None where it does. --readonly comes before all else."""
        return read_only() if self.readonly and keys.writes(action) else screen.why_not(action)

    async def run_action(self, action: Any, default_namespace: Any = None, namespaces: Any = None) -> bool:
        """As Textual's; but what a screen or a dialog cannot do now it does not do: it says why not."""
        screen, name = default_namespace, str(action)
        if hasattr(screen, "why_not") and screen.check_action(name, ()):
            refusal = self.refusal_of(screen, name)
            if refusal is not None:
                self.refuse(refusal)
                return True
        return await super().run_action(action, default_namespace, namespaces)

    def action_tab(self, mode: str) -> None:
        self.switch_to(mode)

    def action_palette(self) -> None:
        self.action_command_palette()

    async def action_quit(self) -> None:
        self.run_worker(self.guarded(self._leave()), group="leave", exclusive=True)

    async def _leave(self) -> None:
        """At once, but where something ends with the app."""
        from decentralml.tui.screens.dialog import Ask

        if self.leaving and not await self.push_screen_wait(Ask("Leave", self.leaving, yes="Leave")):
            return
        self.exit()

    def action_help_quit(self) -> None:
        """ctrl+c: nothing is lost by it."""
        self.say(keys.said("{quit} leaves; runs go on. {copy} copies what the cursor is on."))

    def action_help(self) -> None:
        from decentralml.tui.screens.dialog import Dialog
        from decentralml.tui.screens.help import Help

        screen = self.screen
        if isinstance(screen, MarketScreen | Dialog) and not isinstance(screen, Help):
            offers, why_not = screen.check_action, screen.why_not
            rows = [
                key for key in keys.keys_of(screen.SCOPE) if offers(key.method, ()) or why_not(key.method)
            ]
            self.push_screen(Help(screen.SCOPE, rows, partial(self.refusal_of, screen)))

    # Who one is

    def action_who(self) -> None:
        self.run_worker(self.guarded(self.identity.choose()), group="who", exclusive=True)

    def action_lock(self) -> None:
        self.identity.lock("Locked: the next signature asks for the password.")

    async def _on_key(self, event: events.Key) -> None:
        event.prevent_default()
        if event.key == "escape" and self.screen is self.front:
            self.clear_notifications()
        before = set(self.workers)
        await super()._on_key(event)
        self._typed_ahead.began(set(self.workers) - before)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent):
            self.identity.touch()
        if isinstance(event, events.Paste):  # a terminal would obey what stood raw in a field
            event.text = "\n".join(map(clean, event.text.splitlines()))
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self._typed_ahead.take(event)
        else:
            await super().on_event(event)

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        super()._display(screen, self._written.only_changes(renderable))

    def post_display_hook(self) -> None:
        self._typed_ahead.painted()

    def copy(self, text: str) -> None:
        """Copy by OSC 52 and into a file, and say the file's name."""
        self.run_worker(self.guarded(clipboard.copy(self, text)))

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """As Textual's, with dots for what no picture may show, and with blanks that keep their width."""
        with covered(self.screen):
            drawn = super().export_screenshot(title=title, simplify=simplify)
        return drawn.replace("<svg ", '<svg xml:space="preserve" ', 1)

    def leave_for_demo(self) -> None:
        """End the app; the console script then opens the demo market."""
        self.after = ["demo", "--app"]
        self.exit()


def _twins(one: Screen[Any] | str, other: Screen[Any]) -> bool:
    """Whether two screens are of a kind and about the same thing."""
    return type(one) is type(other) and getattr(one, "place", None) == getattr(other, "place", None)
