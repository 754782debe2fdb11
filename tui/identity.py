"""Who one is in the app, and for how long the key stays unlocked."""

import time
from typing import TYPE_CHECKING

from textual.widgets import Input

from decentralml.tui import background, keys
from decentralml.tui.screens.base import MarketScreen
from decentralml.tui.widgets.secret import Secret

if TYPE_CHECKING:
    from decentralml.core.wallet.accounts import Account
    from decentralml.tui.app import DecentralMLApp


class Identity:
    """The account in use, of an app whose session may not be open yet."""

    def __init__(self, app: "DecentralMLApp") -> None:
        self._app = app
        self._touched = time.monotonic()

    def touch(self) -> None:
        """The person did something: idle time begins anew."""
        self._touched = time.monotonic()

    async def choose(self) -> None:
        """Ask for one of the accounts, and be it. Where there is none: the ways to one."""
        from decentralml.tui.screens.who import Who

        session = self._app.session
        if session is None:
            return
        accounts = list(await background.call(session.accounts.list))
        if not accounts and not session.readonly:
            self.begin()
            return
        address = await self._app.push_screen_wait(Who(accounts))
        if address is not None:
            account = next(account for account in accounts if account.address == address)
            await self.be(account)
            lasts = "You are {name} until you leave. {use} in {accounts} makes it last."
            self._app.say(keys.said(lasts, name=account.name))

    def begin(self) -> None:
        """Show the first page: create or import an account, or try the demo market."""
        from decentralml.tui.screens.first_start import FirstStart

        self._app.push_screen(FirstStart())

    async def be(self, account: "Account | None") -> None:
        """Be ``account`` (None: nobody) from now on: every screen shows its money and what waits for it."""
        if self._app.session is not None:
            self._app.session.use(account)
            await self._app.refresh_pulse()

    async def look(self) -> None:
        """Be nobody once the account in use was forgotten by another program, and say so."""
        session = self._app.session
        if session is None or session.account is None:
            return
        before = session.account
        now = await background.call(session.account_now)
        if now is before or session.account is not before:
            return
        session.follow(now)
        if now is None:
            gone = "{name} is not in the key folder any more. {who} chooses another account."
            self._app.say(keys.said(gone, name=before.name))

    def lock(self, word: str) -> None:
        """Forget the unlocked key, take every secret off the screen, and say ``word``."""
        from decentralml.tui.screens.dialog import Dialog

        app = self._app
        if app.session is None:
            return
        app.session.lock()
        for screen in app.screen_stack:
            for typed in screen.query(Input):
                if typed.password:
                    typed.value = ""
            for shown in screen.query(Secret):
                shown.cover(True)
            if isinstance(screen, MarketScreen | Dialog):
                screen.locked()
        app.tell(events=False)
        app.say(word)

    def lock_when_idle(self) -> None:
        """Lock where the settings' time has passed without a key or a click.

        A secret that stands on the screen goes with it, whether or not a key is unlocked.
        """
        session = self._app.session
        if session is None:
            return
        after = session.settings.idle_lock
        if not 0 < after <= time.monotonic() - self._touched:
            return
        from decentralml.tui.words import duration

        if session.signer is not None:
            self.lock(f"Locked after {duration(after)} without a key.")
        elif self._shows_secrets():
            self.lock(f"What is secret is off the screen after {duration(after)} without a key.")

    def _shows_secrets(self) -> bool:
        stack = self._app.screen_stack
        typed = (field for screen in stack for field in screen.query(Input) if field.password)
        shown = (secret for screen in stack for secret in screen.query(Secret))
        return any(field.value for field in typed) or any(not secret.covered for secret in shown)
