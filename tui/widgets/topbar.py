"""Two lines on top of every screen: where one is, who one is, how much one has, and the chain's block."""

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Static

from decentralml.core.amount import format_amount
from decentralml.core.text import short, short_address
from decentralml.tui.keys import MODES
from decentralml.tui.pulse import Pulse


class Tab(Static):
    """One tab's name; a click goes there."""

    def __init__(self, number: int, mode: str) -> None:
        super().__init__(classes="tab", id=f"tab-{mode}")
        self._number = number
        self._mode = mode
        self._shown: tuple[bool, int] | None = None

    def show(self, *, active: bool, waiting: int) -> None:
        """Draw the tab, with a mark where something waits behind it."""
        if self._shown == (active, waiting):
            return
        self._shown = (active, waiting)
        text = Text.assemble((f"{self._number} ", "dim"), self._mode.capitalize())
        if waiting:
            text.append(f" ●{waiting}" if not self.app.ascii else f" *{waiting}", "bold")
        self.update(text)
        self.set_class(active, "active")
        self.set_class(bool(waiting), "waiting")

    def on_click(self) -> None:
        self.app.switch_to(self._mode)


class TopBar(Widget):
    """Tabs and context. Each part is a widget of its own, so that a new block redraws its digits alone."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self._mode = mode

    def compose(self) -> ComposeResult:
        with Horizontal(id="tabs"):
            for number, mode in enumerate(MODES, 1):
                yield Tab(number, mode)
            yield Static(id="block")
        with Horizontal(id="context"):
            yield Static(id="who")
            yield Static(id="money")
            yield Static(id="where")

    def on_mount(self) -> None:
        self.show(self.app.pulse)

    def show(self, pulse: Pulse | None) -> None:
        """Draw what the last pulse said. Parts that did not change are left alone."""
        session = self.app.session
        for mode in MODES:
            waiting = pulse.marks.get(mode, 0) if pulse else 0
            self.query_one(f"#tab-{mode}", Tab).show(active=mode == self._mode, waiting=waiting)
        if session is None or pulse is None:
            self.query_one("#who", Static).update("opening…")
            return
        self._set("#block", f"block {pulse.head.block:,}")
        account = session.account
        if account is None:
            self._set("#who", "no account yet")
            self._set("#money", "")
        else:
            lock = "" if session.signer else "  locked"
            self._set("#who", f"{short(account.name, 20)}  {short_address(account.address)}{lock}")
            self._set("#money", _money(pulse))
        readonly = "  read-only" if session.readonly else ""
        self._set("#where", f"{short(session.chain.name, 30)}{readonly}")

    def _set(self, selector: str, text: str) -> None:
        part = self.query_one(selector, Static)
        if str(part.content) != text:
            part.update(text)


def _money(pulse: Pulse) -> str:
    if pulse.balance is None:
        return ""
    free = f"{format_amount(pulse.balance.free)} free"
    return f"{free}  {format_amount(pulse.balance.held)} held" if pulse.balance.held else free
