"""Two lines on top of every screen: where one is, who one is, how much one has, and the chain's block."""

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Static

from decentralml.core.amount import format_amount
from decentralml.core.text import short, short_address
from decentralml.tui.keys import MODES, row, said

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp
    from decentralml.tui.pulse import Pulse
    from decentralml.tui.session import Session

# Behind these something can wait: each keeps room for its mark.
MARKED = ("validate", "activity")
_TELLS_THE_ADDRESS = 72  # cells
# What the tabs are called where the full names do not fit.
_SHORT = {"validate": "Valid", "federate": "Fed", "accounts": "Acct", "activity": "Act"}


class Tab(Static):
    """One tab's name; a click goes there."""

    if TYPE_CHECKING:
        app = getters.app(DecentralMLApp)

    def __init__(self, key: str, mode: str) -> None:
        super().__init__(classes="tab", id=f"tab-{mode}")
        self._key = key
        self._mode = mode
        self._shown: tuple[bool, int, bool] | None = None

    def text(self, waiting: int, *, narrow: bool) -> Text:
        """The tab's name, with a mark where something waits behind it; as wide with it as without.

        A longer number takes the place of the mark's blank, then of its dot.
        """
        name = self._mode.capitalize()
        text = Text(f"{self._key} {_SHORT.get(self._mode, name) if narrow else name}")
        room = 1 if self._mode not in MARKED else 3 if narrow else 4
        mark = f" {'*' if self.app.ascii else '●'}{waiting}" if waiting < 1000 else "999+"
        return text.append((mark if waiting else "").ljust(room)[-room:], "bold")

    def show(self, *, active: bool, waiting: int, narrow: bool) -> None:
        """Draw the tab where anything of it changed."""
        if self._shown == (active, waiting, narrow):
            return
        self._shown = (active, waiting, narrow)
        self.update(self.text(waiting, narrow=narrow))
        self.set_class(active, "active")
        self.set_class(bool(waiting), "waiting")

    def on_click(self) -> None:
        self.app.switch_to(self._mode)


class TopBar(Widget):
    """Tabs and context. Each part is a widget of its own, so that a new block redraws its digits alone."""

    if TYPE_CHECKING:
        app = getters.app(DecentralMLApp)

    def __init__(self, mode: str, *, numbered: bool) -> None:
        """``numbered``: a tab's number goes there; else none is shown."""
        super().__init__()
        self._mode = mode
        self._tabs = {mode: Tab(row(f"tab_{mode}").shown if numbered else " ", mode) for mode in MODES}

    def compose(self) -> ComposeResult:
        with Horizontal(id="tabs"):
            yield from self._tabs.values()
            yield Static(id="block")
        with Horizontal(id="context"):
            yield Static(id="who")
            yield Static(id="money")
            yield Static(id="training")
            yield Static(id="where")

    def on_mount(self) -> None:
        self.show(self.app.pulse)

    def on_resize(self) -> None:
        self.show(self.app.pulse)

    def show(self, pulse: "Pulse | None") -> None:
        """Draw what the last pulse said. Parts that did not change are left alone."""
        if not self.query("#where"):
            return  # the screen came to the front before its parts are there: `on_mount` draws them
        marks = pulse.marks if pulse else {}
        block = f"block {pulse.head.block:,}" if pulse else ""
        # It spans the terminal, also before it was laid out.
        width = self.app.size.width
        room = width - 2
        number = block.removeprefix("block ")
        narrow = self._width(narrow=False) + len(number) > room
        tabs = self._width(narrow=narrow)
        above = next((words for words in (block, number) if tabs + len(words) <= room), "")
        for mode, tab in self._tabs.items():
            tab.show(active=mode == self._mode, waiting=marks.get(mode, 0), narrow=narrow)
        session = self.app.session
        if session is None or pulse is None:
            self._set("#block", above)
            self._set("#who", "opening…" if self.app.unopened is None else "not opened yet")
            return
        account = session.account
        name = _nobody(session) if account is None else short(account.name, 20)
        address = ""
        if account is not None and width >= _TELLS_THE_ADDRESS:
            address = short_address(account.address)
        lock = "locked" if account is not None and session.signer is None else ""
        money = "" if account is None else _money(pulse)
        mark = "read-only" if session.readonly else ""
        # What there is no room for is left out: first the block, whose number then stands above by itself,
        # then how a training is, the address, the chain.
        below = "" if above == block else block
        rest = [short(session.chain.name, 30), address, pulse.training, below]
        while any(rest) and cell_len(_spaced(name, lock, money, mark, *rest)) > room:
            rest[max(at for at, part in enumerate(rest) if part)] = ""
        chain, address, training, below = rest
        self._set("#block", "" if below else above)
        self._set("#who", _spaced(name, address, lock))
        self._set("#money", money)
        self._set("#training", training)
        self._set("#where", _spaced(chain, mark, below))

    def _width(self, *, narrow: bool) -> int:
        """The cells that the tabs take."""
        return sum(tab.text(0, narrow=narrow).cell_len + 1 for tab in self._tabs.values())

    def _set(self, selector: str, text: str) -> None:
        part = self.query_one(selector, Static)
        before = str(part.content)
        if before != text:
            # Laid out anew only where the room it takes changes: else its own cells are all that is drawn.
            part.update(Text(text), layout=cell_len(before) != cell_len(text))


def _spaced(*parts: str) -> str:
    return "  ".join(part for part in parts if part)


def _nobody(session: "Session") -> str:
    """What stands in an account's place."""
    if session.forgotten:
        return said("no account in use: {who} chooses one")
    return "no account yet" if session.readonly else said("no account yet: {who} makes one")


def _money(pulse: "Pulse") -> str:
    if pulse.balance is None:
        return ""
    free = f"{format_amount(pulse.balance.free)} free"
    return f"{free}  {format_amount(pulse.balance.held)} held" if pulse.balance.held else free
