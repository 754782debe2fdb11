"""The palette: what can be done here, where one can go, whom one can be, how it can look."""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.markup import escape

from decentralml.core.errors import DecentralMLError
from decentralml.core.text import clean, short_address
from decentralml.tui import background, keys
from decentralml.tui.screens.base import Command, MarketScreen

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp

_WAYS_IN = (
    ("create an account", "the first page"),
    ("import an account", "the first page"),
    ("try the demo market", "the first page"),
)
# Between what a key is for and why it cannot be used; what follows is not searched.
_NOT_NOW = ". Not now: "


class Commands(Provider):
    """Every key's meaning on this screen, the screen's own entries, tabs, accounts, and themes.

    Over a dialog, which is to be answered first, themes alone.
    """

    if TYPE_CHECKING:

        @property
        def app(self) -> DecentralMLApp: ...  # type: ignore[override]

    async def startup(self) -> None:
        session = self.app.session
        self._accounts = list(await background.call(session.accounts.list)) if session else []
        screen = self.screen
        self._related: list[Command] = []
        if session and isinstance(screen, MarketScreen):
            with suppress(DecentralMLError):  # what it belongs to has gone: all else can be done
                self._related = await screen.related()

    def _commands(self) -> Iterator[Command]:
        if isinstance(self.screen, MarketScreen):
            yield from self._of_a_page(self.screen)
        for name in self.app.looks.names:
            yield f"theme {name}", "change the colours", partial(self.app.looks.choose, name)

    def _of_a_page(self, screen: MarketScreen) -> Iterator[Command]:
        app = self.app
        for key in keys.keys_of(screen.SCOPE):
            if key.method in keys.MOVING | {"tab", "who"} or not screen.check_action(key.method, ()):
                continue
            run = partial(app.run_action, key.dispatched, screen)
            refusal = app.refusal_of(screen, key.method)
            not_now = "" if refusal is None else f"{_NOT_NOW}{clean(refusal.message)}"
            yield key.label, f"{key.shown}   {key.about}{not_now}", run
        yield from self._related
        yield from screen.commands()
        if app.session is not None and not app.readonly:
            if app.session.account is None:
                for label, about in _WAYS_IN:
                    yield label, about, app.identity.begin
            elif not app.leaving:  # else this is the demo market
                yield "try the demo market", "leave for a market in which others act", app.leave_for_demo
        for mode in keys.MODES:
            yield (
                f"go to {mode}",
                f"{keys.row(f'tab_{mode}').shown}   the {mode} screen",
                partial(app.switch_to, mode),
            )
        if app.session is not None and screen.SCOPE not in keys.row("address_book").scopes:
            yield "address book", "names for addresses", partial(app.places.lead, ("address_book",))
        for account in self._accounts:
            about = f"switch account: {short_address(account.address)}"
            yield f"be {clean(account.name)}", about, partial(app.identity.be, account)

    async def discover(self) -> Hits:
        for label, about, run in self._commands():
            yield DiscoveryHit(Content(label), run, help=escape(about))

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for label, about, run in self._commands():
            score = max(matcher.match(label), matcher.match(about.partition(_NOT_NOW)[0]) * 0.5)
            if score > 0:
                shown = Content(label) if "[" in label else matcher.highlight(label)  # which reads markup
                yield Hit(score, shown, run, help=escape(about))
