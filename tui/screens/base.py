"""What every full screen has: the two lines on top, the keys at the bottom, one way to work and to fail."""

from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeVar

from rich.text import Text
from textual import events, getters
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static
from textual.widgets._toast import ToastRack

from decentralml.core.errors import DecentralMLError, Refused
from decentralml.core.text import visible
from decentralml.tui import background, keys
from decentralml.tui.hints import elsewhere, explain
from decentralml.tui.keys import said
from decentralml.tui.widgets.keybar import KeyBar
from decentralml.tui.widgets.paged_table import PagedTable
from decentralml.tui.widgets.reading import Reading
from decentralml.tui.widgets.topbar import TopBar

if TYPE_CHECKING:
    from decentralml.core.chain.base import Receipt
    from decentralml.tui.app import DecentralMLApp
    from decentralml.tui.pulse import Pulse
    from decentralml.tui.session import Session
    from decentralml.tui.signing.proposal import Proposal

T = TypeVar("T")
Command = tuple[str, str, Callable[[], Any]]
"""A name, a line about it, and what it does."""


class Thing(NamedTuple):
    """What a cursor can be on, wherever it is shown: its number, or an account's address."""

    kind: Literal["task", "submission", "run", "account"]
    id: int | str


class MarketScreen(Screen[None]):
    """Base of the six modes and of what opens over them.

    A subclass names its ``SCOPE`` (its rows in `keys.TABLE`), composes its `body`, and implements
    ``action_<row>`` for the rows it offers. `refresh_data` is awaited when the screen appears and
    whenever the chain moved.
    """

    if TYPE_CHECKING:
        app = getters.app(DecentralMLApp)

    SCOPE: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "SCOPE" in cls.__dict__:
            cls.BINDINGS = [*keys.bindings(cls.SCOPE)]
        super().__init_subclass__(**kwargs)

    def __init__(self) -> None:
        super().__init__()
        # The mode whose tab is lit: what opens over a mode belongs to it.
        self.mode = self.SCOPE if self.SCOPE in keys.MODES else self.app.current_mode
        # The style sheets are parsed already: without this each screen has them parsed once more.
        self._css_update_count = self.app._css_update_count

    def compose(self) -> ComposeResult:
        yield TopBar(self.mode, numbered=self.SCOPE in keys.TABBED)
        yield Static(id="unopened")
        yield from self.body()
        yield KeyBar(self.SCOPE)

    def on_mount(self) -> None:
        for rack in self.query(ToastRack):  # above the keys
            self.move_child(rack, after=self.query_one(KeyBar))

    def body(self) -> ComposeResult:
        """The widgets between the top lines and the keys."""
        raise NotImplementedError

    @property
    def session(self) -> "Session":
        """The open session. Only to be used once the app has one: see `refresh_data`."""
        return self.app.opened

    @property
    def place(self) -> list[Any]:
        """What `screens.reopened` makes this screen anew from; empty where a mode or nothing does."""
        return []

    def select(self, id: Any) -> None:
        """Put the cursor on what ``id`` is here, as soon as it is read: for screens that lead here."""

    def keep(self, name: str, value: Any, *, now: bool = True) -> None:
        """Remember a JSON value of this screen across restarts, as ``tasks.filter``.

        Not ``now``: with the next one, or when the app ends. For what changes with every key.
        """
        if self.app.state.set(f"{self.SCOPE}.{name}", value) and now:
            self.app.save_state()

    def kept(self, name: str, default: T) -> T:
        """What `keep` was given; ``default`` where that was nothing, or of another type."""
        found: T = self.app.state.get(f"{self.SCOPE}.{name}", default)
        return found

    def on_screen_resume(self) -> None:
        self.app.places.note()
        self.query_one(TopBar).show(self.app.pulse)
        self.query_one(KeyBar).refresh()
        self.show_unopened(self.app.unopened)
        if self.app.session is not None:
            self.work(self.refresh_data(), group="refresh")

    def show_unopened(self, error: DecentralMLError | None) -> None:
        """Say above an empty page why nothing is on it."""
        for part in self.query("#unopened").results(Static):
            part.display = error is not None
            if error is not None:
                again = said("It is tried again every few seconds. {quit} leaves.")
                part.update(Text(f"{visible(explain(error))}\n\n{again}"))
        self.query_one(TopBar).show(self.app.pulse)

    def moved(self, pulse: "Pulse", *, events: bool) -> None:
        """The chain has a new head; with ``events`` something happened on it."""
        self.query_one(TopBar).show(pulse)
        if events:
            self.work(self.refresh_data(), group="refresh")

    async def refresh_data(self) -> None:
        """Read again what the screen shows."""

    async def call(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """A blocking ``function`` on a background thread."""
        return await background.call(function, *args, **kwargs)

    def work(
        self, coroutine: Coroutine[Any, Any, Any], *, group: str = "default", exclusive: bool = False
    ) -> None:
        """Run ``coroutine`` on the loop; its error is shown by the app's one handler.

        ``exclusive`` cancels what runs in the same group.
        """
        self.run_worker(self.app.guarded(coroutine), group=group, exclusive=exclusive)

    async def propose(self, build: "Callable[..., Proposal]", *args: Any, **kwargs: Any) -> "Receipt | None":
        """Show what a call of `decentralml.tui.signing.proposals` would do, and sign and send it on a yes.

        The receipt, or None where the person said no. To be awaited inside `work`. Raises the reason
        where the rules would not take the call.
        """
        from decentralml.tui.signing.proposal import rebuildable

        return await self.sign(await self.call(rebuildable, build, self.session, *args, **kwargs))

    async def sign(self, proposal: "Proposal") -> "Receipt | None":
        """As `propose`, of a proposal that is made already."""
        from decentralml.tui.screens.sign import sign

        return await sign(self.app, proposal)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offered unless the rules know no such call, or this screen has no such method."""
        if not any(key.method == action for key in keys.TABLE):
            return True
        if not any(key.method == action for key in keys.keys_of(self.SCOPE)):
            return False
        return hasattr(self, f"action_{action}") or action in keys.OF_THE_APP

    def why_not(self, action: str) -> DecentralMLError | None:
        """Why ``action`` cannot be done now with what the cursor is on; None where it can.

        To be asked by `DecentralMLApp.refusal_of`. The help and the palette show it beside the key, which is
        dim in the footer, and says it instead of doing anything. So it answers from what the screen has
        read already; of what is known only later, the action itself raises the reason.
        """
        if action in OF_A_ROW and self.thing is None:
            return Refused("NothingHere", "There is nothing under the cursor.", "")
        return None

    def on_idle(self) -> None:
        """Something on the screen changed, and with it perhaps what can be done."""
        for bar in self.query(KeyBar):
            bar.look()

    def on_key(self, event: events.Key) -> None:
        """A key that means something on other pages alone says so: none is silent."""
        bound = any(event.key in bindings.key_to_bindings for _, bindings in self._modal_binding_chain)
        words = "" if bound else elsewhere(event.key)
        if words and all(words != said.message for said in self.app._notifications):
            self.app.say(words)

    def commands(self) -> Iterable[Command]:
        """What this screen adds to the palette."""
        return ()

    # Going to what belongs to what one is on

    @property
    def thing(self) -> Thing | None:
        """What the cursor is on, or the screen is about."""
        return None

    async def related(self) -> list[Command]:
        """The ways to what belongs to `thing`."""
        from decentralml.tui import related

        thing = self.thing
        if thing is None:
            return []
        here = (tuple(self.place), (self.SCOPE, thing.id))
        ways = await self.call(related.read, self.session, thing)
        lead = self.app.places.lead
        return [(way.name, way.about, partial(lead, way.to)) for way in ways if way.to[:2] not in here]

    def action_related(self) -> None:
        self.work(self._go_to_related(), group="related")

    async def _go_to_related(self) -> None:
        """To what belongs here; where that is more than one thing, the person says which."""
        from decentralml.tui.screens.dialog import Choose

        ways = await self.related()
        if len(ways) > 1:
            widest = max(len(name) for name, _, _ in ways)
            choices = [
                (
                    str(number),
                    Text.assemble(f"{name:<{widest}}  ", (about, "dim")),
                )
                for number, (name, about, _) in enumerate(ways)
            ]
            dialog = Choose("Go to", choices)
            dialog.add_class("-lines")
            chosen = await self.app.push_screen_wait(dialog)
            ways = [] if chosen is None else [ways[int(chosen)]]
        for _, _, go in ways:
            go()

    def locked(self) -> None:
        """The session was locked: what is secret leaves the screen."""

    # Moving

    @property
    def table(self) -> PagedTable:
        """The list that has the cursor."""
        return self.query_one(PagedTable)

    @property
    def mover(self) -> PagedTable | Reading:
        """What the moving keys move in."""
        return self.table

    def action_down(self) -> None:
        self.mover.move(1)

    def action_up(self) -> None:
        self.mover.move(-1)

    def action_top(self) -> None:
        self.mover.move_to(0)

    def action_bottom(self) -> None:
        self.mover.move_to(self.mover.total - 1)

    def action_page_down(self) -> None:
        self.mover.move(self.mover.page())

    def action_page_up(self) -> None:
        self.mover.move(-self.mover.page())

    def action_back(self) -> None:
        self.app.back()


# Actions on what the cursor is on, whatever that is.
OF_A_ROW = frozenset({"open", "related", "copy", "mark", "report"})
