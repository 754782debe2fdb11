"""The app: composes modes, themes, keys, and the pulse of the chain."""

import os
from functools import partial
from pathlib import Path
from typing import Any

from textual.app import App
from textual.command import DiscoveryHit, Hit, Hits, Provider

from decentralml.core.errors import DecentralMLError, Misused, Unavailable
from decentralml.core.paths import Home
from decentralml.core.text import clean
from decentralml.tui import background, clipboard, keys, notify, screens, theme
from decentralml.tui.pulse import Pulse, take
from decentralml.tui.screens.base import MarketScreen
from decentralml.tui.session import Session
from decentralml.tui.state import State

PULSE_SECONDS = 1.0
_HERE = Path(__file__).parent


class Commands(Provider):
    """The palette: every key's meaning on this screen, every tab, every theme."""

    def _commands(self) -> list[tuple[str, str, Any]]:
        app = self.app
        scope = getattr(self.screen, "SCOPE", None)
        rows = keys.keys_of(scope) if scope else []
        commands = [
            (key.label, key.about, partial(app.simulate_key, key.keys.split(",")[0]))
            for key in rows
            if self.screen.check_action(key.action.partition("(")[0], ()) is not False
        ]
        return commands + [
            (f"theme {name}", "change the colours", partial(app.use_theme, name))
            for name in sorted(app.themes)
        ]

    async def discover(self) -> Hits:
        for label, about, run in self._commands():
            yield DiscoveryHit(label, run, help=about)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for label, about, run in self._commands():
            score = max(matcher.match(label), matcher.match(about) * 0.5)
            if score > 0:
                yield Hit(score, matcher.highlight(label), run, help=about)


class DecentralMLApp(App[None]):
    """Six modes over one session. The session opens in the background, after the first paint."""

    CSS_PATH = [_HERE / "app.tcss", *sorted((_HERE / "screens").glob("*.tcss"))]  # noqa: RUF012
    MODES = {mode: partial(screens.make, mode) for mode in keys.MODES}  # noqa: RUF012
    COMMANDS = {Commands}  # noqa: RUF012
    COMMAND_PALETTE_BINDING = "ctrl+p"
    TITLE = "decentralml"

    def __init__(
        self, home: Home, overrides: dict[str, str] | None = None, *, readonly: bool = False
    ) -> None:
        super().__init__()
        self.home = home
        self.overrides = overrides or {}
        self.readonly = readonly
        self.ascii = False
        self.session: Session | None = None
        self.pulse: Pulse | None = None
        self.failures: list[DecentralMLError] = []
        self.state = State(home)
        self._user_themes: theme.UserThemes | None = None
        for shipped in theme.shipped():
            self.register_theme(shipped)
        self.theme = "dark"

    # Starting

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.VARIABLES

    async def on_mount(self) -> None:
        self.switch_mode("tasks")
        self.call_after_refresh(self._open)

    async def _open(self) -> None:
        """Open home, chain and storage, then go to where the person was."""
        try:
            await background.call(self.state.load)
            self.session = await background.call(Session, self.home, self.overrides, readonly=self.readonly)
            self.set_keymap(await background.call(keys.read_keymap, self.home.keymap))
        except DecentralMLError as error:
            self.show_error(error)
            if self.session is None:
                return
        self.ascii = self.session.settings.ascii
        self._user_themes = theme.UserThemes(self.home.themes)
        await self._reload_themes()
        self.use_theme("ansi" if os.environ.get("NO_COLOR") else self.session.settings.theme)
        await self._beat()
        self.set_interval(PULSE_SECONDS, self._beat)
        if self.session.account is None and not self.readonly:
            from decentralml.tui.screens.first_start import FirstStart

            self.push_screen(FirstStart())
        else:
            self.switch_to(self.state.get("mode", "tasks"))

    async def _beat(self) -> None:
        """Look at the chain; tell the screen in front what moved."""
        session, before = self.session, self.pulse
        if session is None:
            return
        try:
            pulse = await background.call(take, session, before)
        except DecentralMLError as error:
            if not (self.failures and self.failures[-1].code == error.code):
                self.show_error(error)
            return
        self.pulse = pulse
        await self._reload_themes()
        if before is not None and pulse is not before:
            notify.ring(self, session.settings.notify, before, pulse)
        if pulse is not before:
            self.tell(
                events=before is None or (pulse.cursor, pulse.address) != (before.cursor, before.address)
            )

    def tell(self, *, events: bool) -> None:
        """Give the screen in front the newest pulse; with ``events`` it reads its data again."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, MarketScreen) and self.pulse is not None:
                screen.moved(self.pulse, events=events)
                return

    async def refresh_pulse(self) -> None:
        """Look at the chain now: after a call, or as another account."""
        await self._beat()
        self.tell(events=True)

    # Themes

    async def _reload_themes(self) -> None:
        if self._user_themes is None:
            return
        try:
            changed = await background.call(self._user_themes.changed)
        except Misused as error:
            self.show_error(error)
            return
        for user_theme in changed:
            self.register_theme(user_theme)
            if self.theme == user_theme.name:
                self.refresh_css()

    def use_theme(self, name: str) -> None:
        """Switch to a theme by name. An unknown name is said, and changes nothing."""
        if name in self.available_themes:
            self.theme = name
        else:
            self.show_error(Misused("UnknownTheme", f"There is no theme {name!r}.", "`:` lists them."))

    @property
    def themes(self) -> list[str]:
        """Names of the shipped and the person's own themes."""
        return [
            name for name in self.available_themes if not name.startswith("textual") and name in self._own()
        ]

    def _own(self) -> set[str]:
        builtin = set(App(ansi_color=False).available_themes)
        return set(self.available_themes) - builtin

    # Telling

    def show_error(self, error: DecentralMLError) -> None:
        """The one place where a failure becomes words on the screen. It stays in Activity."""
        self.failures.append(error)
        severity = "warning" if isinstance(error, Misused | Unavailable) else "error"
        self.notify(clean(str(error)), title=error.code, severity=severity, timeout=8, markup=False)

    def say(self, text: str) -> None:
        """A short word that something went well."""
        self.notify(clean(text), markup=False)

    # Moving

    def switch_to(self, mode: str) -> None:
        """Show a mode as it was left."""
        if mode in keys.MODES:
            self.switch_mode(mode)
            if self.state.set("mode", mode):
                self.save_state()

    def back(self) -> None:
        """Close what is on top; on a mode itself there is nothing to go back to."""
        if len(self.screen_stack) > 1:
            self.pop_screen()

    def save_state(self) -> None:
        """Write where the person is, off the loop."""
        self.run_worker(background.call(self.state.save), group="state", exclusive=True)

    def action_tab(self, mode: str) -> None:
        self.switch_to(mode)

    def action_palette(self) -> None:
        self.action_command_palette()

    def action_help(self) -> None:
        from decentralml.tui.screens.help import Help

        self.push_screen(Help(getattr(self.screen, "SCOPE", "tasks")))

    def action_who(self) -> None:
        if self.session is not None:
            self.run_worker(self._be_another(self.session), group="who", exclusive=True)

    async def _be_another(self, session: Session) -> None:
        from decentralml.tui.screens.who import Who

        accounts = await background.call(session.accounts.list)
        address = await self.push_screen_wait(Who(list(accounts)))
        if address is not None:
            session.use(next(account for account in accounts if account.address == address))
            await self.refresh_pulse()

    def action_lock(self) -> None:
        if self.session is not None:
            self.session.lock()
            self.tell(events=False)
            self.say("Locked: the next signature asks for the password.")

    def copy(self, text: str) -> None:
        """Copy by OSC 52 and into a file, and say the file's name."""
        self.run_worker(clipboard.copy(self, text))
