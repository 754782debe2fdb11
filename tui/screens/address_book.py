"""Names for other people's addresses: they are shown wherever an address is."""

from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult

from decentralml.core.errors import DecentralMLError, Misused
from decentralml.core.text import clean
from decentralml.tui import keys
from decentralml.tui.screens.base import MarketScreen, Thing
from decentralml.tui.screens.dialog import Ask
from decentralml.tui.screens.form import Field, Form
from decentralml.tui.widgets.paged_table import Column, PagedTable, Row
from decentralml.tui.widgets.prose import Prose

if TYPE_CHECKING:
    from decentralml.tui.app import DecentralMLApp

COLUMNS = (
    Column("name", "NAME", 16, flexible=True, priority=100),
    Column("address", "ADDRESS", 48, priority=90),
)


class AddressBookScreen(MarketScreen):
    """The entries by name."""

    SCOPE = "address_book"

    def __init__(self) -> None:
        super().__init__()
        self._entries: dict[str, str] = {}

    @property
    def place(self) -> list[Any]:
        return ["address_book"]

    @property
    def thing(self) -> Thing | None:
        return Thing("account", self.table.row.key) if self.table.row else None

    def body(self) -> ComposeResult:
        yield Prose(id="headline", wrap=False)
        yield PagedTable(
            COLUMNS, self._fetch, empty=keys.said("Nobody is in it yet. {new} notes an address.")
        )

    def on_mount(self) -> None:
        self.query_one("#headline", Prose).show(
            [(("Address book  ", "title"), ("your names for other people's addresses", "dim"))]
        )
        self.table.focus()

    async def refresh_data(self) -> None:
        self._entries = await self.call(self.session.address_book.list)
        await self.table.reload()

    async def _fetch(self, offset: int, limit: int) -> tuple[list[Row], int]:
        rows = [
            Row(address, {"name": clean(name), "address": address}) for name, address in self._entries.items()
        ]
        return rows[offset : offset + limit], len(rows)

    def why_not(self, action: str) -> DecentralMLError | None:
        if action in ("open", "related", "copy", "forget") and self.table.row is None:
            return Misused("NobodyHere", "The cursor is on no entry.", keys.said("{new} notes an address."))
        return super().why_not(action)

    def action_new(self) -> None:
        self.work(note(self.app))

    def action_forget(self) -> None:
        self.work(self._forget())

    async def _forget(self) -> None:
        row = self.table.row
        assert row is not None, "without one there is a reason"
        name = next(name for name, address in self._entries.items() if address == row.key)
        if await self.app.push_screen_wait(
            Ask(f"Take out {name}", f"{name} is taken out of the address book.\n\n{row.key}", yes="Take out")
        ):
            await self.call(self.session.address_book.remove, row.key)
            await self.refresh_data()

    @on(PagedTable.Opened)
    def action_open(self) -> None:
        if self.table.row is not None:
            self.app.places.lead(("record", self.table.row.key))

    def action_copy(self) -> None:
        if self.table.row is not None:
            self.app.copy(self.table.row.key)


async def note(app: "DecentralMLApp", address: str = "") -> None:
    """Ask for a name for ``address``, or for both, and tell the screen in front."""
    session = app.session
    assert session is not None, "asked for from a screen that has a session"
    book = session.address_book

    def act(name: str, address: str) -> str:
        book.add(name.strip(), address.strip())
        return name.strip()

    fields = (Field("name", "Name"), Field("address", "Address", value=address, placeholder="5…"))
    name = await app.push_screen_wait(Form("Note an address", fields, act, yes="Note"))
    if name is not None:
        app.say(f"{name} is in the address book.")
        app.tell(events=True)
