"""Who one can be here: the accounts of this home, their keys, their money, their past."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Static

from decentralml.core import config
from decentralml.core.amount import format_amount, parse_amount
from decentralml.core.errors import DecentralMLError, Misused, Unavailable
from decentralml.core.text import clean
from decentralml.core.wallet import remember
from decentralml.core.wallet.accounts import Account
from decentralml.tui import keys
from decentralml.tui.account import facts as account_facts
from decentralml.tui.account.facts import Book, Entry, Past
from decentralml.tui.hints import NO_ACCOUNT_READONLY
from decentralml.tui.screens import account_dialogs
from decentralml.tui.screens.base import Thing
from decentralml.tui.screens.filtered import Filtered
from decentralml.tui.screens.form import Field, Form
from decentralml.tui.signing import proposals
from decentralml.tui.signing.proposal import Proposal, rebuildable
from decentralml.tui.widgets.filter import Filter
from decentralml.tui.widgets.paged_table import Cell, Column, PagedTable, Row
from decentralml.tui.widgets.prose import Prose

COLUMNS = (
    Column("name", "NAME", 12, priority=100),
    Column("address", "ADDRESS", 12, flexible=True, priority=60),
    Column("crypto", "KEY", 7, priority=40),
    Column("free", "FREE", 11, right=True, priority=90),
    Column("held", "HELD", 9, right=True, priority=80),
    Column("state", "STATE", 16, priority=70),
)
_EMPTY = "No account yet. {new} makes one, {import} imports one."
_HIDDEN = "No account fits this filter: {filter} changes it."
_GRANT = "100"
_OF_AN_ACCOUNT = frozenset(
    {"open", "use", "export", "password", "remember", "fund", "forget", "statement", "related"}
)


class AccountsScreen(Filtered):
    """The list, and everything about the account under the cursor."""

    SCOPE = "accounts"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self._book = Book()
        self._keyring: str | None = None
        self._probed = False
        self._remembered: set[str] = set()
        self._pasts: dict[str, Past] = {}
        self._wished = ""

    def body(self) -> ComposeResult:
        yield Filter("words of a name, an address, a state…")
        yield PagedTable(COLUMNS, self._fetch)
        with Horizontal(id="below"):
            with VerticalScroll(id="detail", can_focus=False):
                yield Prose(id="about")
            with Vertical(id="past"):
                yield Static("LATEST", classes="title")
                with VerticalScroll(can_focus=False):
                    yield Prose(id="latest")

    def on_mount(self) -> None:
        self._wished = self._wished or self.kept("row", "")
        self.table.focus()

    def select(self, address: str) -> None:
        """Put the cursor on an account as soon as the list is read."""
        self._wished = address
        if self.is_mounted:
            self.filter.clear_all()
            self.work(self.refresh_data(), group="refresh")

    async def refresh_data(self) -> None:
        self._book = await self.call(account_facts.read, self.session)
        await self.table.reload()
        if self._wished and self.table.loaded:
            self.table.go_to(self._wished)
            self._wished = ""
        if not self._probed:
            self._probed = True
            self.work(self._ask_keyring(), group="keyring")

    async def _ask_keyring(self) -> None:
        """Which keyring there is and whose passwords it remembers. It may take its time."""
        self._keyring = await self.call(remember.backend)
        if self._keyring is not None:
            self._remembered = await self.call(self._read_remembered)
        await self.table.reload()

    def _read_remembered(self) -> set[str]:
        addresses = [entry.account.address for entry in self._book.entries]
        return {address for address in addresses if remember.get(address) is not None}

    async def _fetch(self, offset: int, limit: int) -> tuple[list[Row], int]:
        rows = [self._row(entry) for entry in self._book.entries]
        rows += [
            Row(path, {"name": (clean(path.stem), "bad"), "state": ("cannot be used", "bad")})
            for path, _ in self._book.damaged
        ]
        nobody = NO_ACCOUNT_READONLY if self.app.readonly else _EMPTY
        self.table.empty = keys.said(_HIDDEN if rows else nobody)
        rows = [row for row in rows if self.filter.fits(*map(_text, row.cells.values()))]
        return rows[offset : offset + limit], len(rows)

    def _row(self, entry: Entry) -> Row:
        account, balance = entry.account, entry.balance
        return Row(
            account.address,
            {
                "name": clean(account.name),
                "address": account.address,
                "crypto": (account.crypto.value, "dim"),
                "free": format_amount(balance.free),
                "held": format_amount(balance.held) if balance.held else "",
                "state": account_facts.standing(
                    self.session, account, remembered=account.address in self._remembered
                ),
            },
        )

    # The account under the cursor

    @on(PagedTable.Moved)
    def show_account(self, event: PagedTable.Moved) -> None:
        if self.app.session is None:
            return
        entry = self._entry
        self._show(entry)
        if entry is not None:
            self.keep("row", entry.account.address, now=False)
            self.work(self._show_past(entry), group="past")

    async def _show_past(self, entry: Entry) -> None:
        address = entry.account.address
        self._pasts[address] = await self.call(account_facts.read_past, self.session, address)
        if self._entry == entry:
            self._show(entry)

    def _show(self, entry: Entry | None) -> None:
        about, latest = self.query_one("#about", Prose), self.query_one("#latest", Prose)
        if entry is None:
            broken = [one for one in self._book.damaged if self.table.row and one[0] == self.table.row.key]
            about.show(account_facts.damaged(*broken[0]) if broken else [])
            latest.show([])
            return
        address = entry.account.address
        past = self._pasts.get(address)
        about.show(
            account_facts.described(
                self.session,
                entry,
                past,
                remembered=address in self._remembered,
                keyring=self._keyring,
            )
        )
        head = self.app.pulse.head.block if self.app.pulse else 0
        latest.show(account_facts.latest(past, head, self.session.chain.constants) if past else [])

    @property
    def _entry(self) -> Entry | None:
        row = self.table.row
        return self._book.find(row.key) if row is not None and isinstance(row.key, str) else None

    @property
    def _chosen(self) -> Account:
        """The account under the cursor. Raises `Misused` ("NoAccountHere")."""
        entry = self._entry
        if entry is None:
            raise _no_account_here()
        return entry.account

    def locked(self) -> None:
        self.work(self.table.reload(), group="reload")

    # Keys

    @property
    def thing(self) -> Thing | None:
        return Thing("account", self._entry.account.address) if self._entry else None

    def why_not(self, action: str) -> DecentralMLError | None:
        refusal: DecentralMLError | None = None
        if action in _OF_AN_ACCOUNT and self._entry is None:
            return _no_account_here()
        if action == "fund" and self.app.session is not None:
            refusal = account_facts.no_faucet(self.session)
        if action == "remember" and self._probed and self._keyring is None:
            refusal = _no_keyring()
        return refusal or super().why_not(action)

    @on(PagedTable.Opened)
    def action_open(self) -> None:
        self.action_statement()

    def action_use(self) -> None:
        self.work(self._use())

    async def _use(self) -> None:
        account = self._chosen
        await self._be(account)
        await self.call(config.store, self.session.home, "account", account.name)
        self.app.say(f"You are {account.name}, here and on the command line.")

    async def _be(self, account: Account | None) -> None:
        await self.app.identity.be(account)
        await self.refresh_data()

    def action_new(self) -> None:
        self.work(self._made(account_dialogs.create))

    def action_import(self) -> None:
        self.work(self._made(account_dialogs.import_))

    async def _made(self, flow: "account_dialogs.Flow") -> None:
        account = await flow(self.app)
        if account is None:
            return
        await self._be(account if self.session.account is None else self.session.account)
        self.table.go_to(account.address)

    def action_export(self) -> None:
        self.work(self._export())

    async def _export(self) -> None:
        await account_dialogs.export(self.app, self._chosen)

    def action_password(self) -> None:
        self.work(self._password())

    async def _password(self) -> None:
        account = self._chosen
        if await account_dialogs.change_password(self.app, account):
            await self._drop_remembered(account)

    def action_remember(self) -> None:
        self.work(self._remember())

    async def _remember(self) -> None:
        account = self._chosen
        if account.address in self._remembered:
            await self._drop_remembered(account)
            return
        if self._keyring is None:
            raise _no_keyring()
        if await account_dialogs.keep_in_keyring(self.app, account, self._keyring):
            self._remembered.add(account.address)
            await self.table.reload()

    async def _drop_remembered(self, account: Account) -> None:
        """The keyring's password is stale, or not wanted there any more."""
        if account.address in self._remembered:
            await self.call(remember.forget, account.address)
            self._remembered.discard(account.address)
            self.app.say(f"{self._keyring} does not remember the password of {account.name} any more.")
            await self.table.reload()

    def action_fund(self) -> None:
        self.work(self._fund())

    async def _fund(self) -> None:
        account = self._chosen
        refusal = account_facts.no_faucet(self.session)
        if refusal is not None:
            raise refusal
        session = self.session

        def act(amount: str) -> Proposal:
            return rebuildable(proposals.fund, session, account.address, parse_amount(amount))

        proposal = await self.app.push_screen_wait(
            Form(
                "Faucet",
                (Field("amount", "Units", value=_GRANT),),
                act,
                text=f"This ledger's faucet gives them to {account.name}.\n",
            )
        )
        if proposal is not None:
            await self.sign(proposal)

    def action_forget(self) -> None:
        self.work(self._forget())

    async def _forget(self) -> None:
        account = self._chosen
        entry = self._book.find(account.address)
        owned = entry.balance.free + entry.balance.held if entry else 0
        used = self.session.address == account.address
        warning = f"It owns {format_amount(owned)} on this chain." if owned else ""
        if not await account_dialogs.forget(self.app, account, warning):
            return
        self._remembered.discard(account.address)
        if used:
            others = [one.account for one in self._book.entries if one.account.address != account.address]
            await self._be(others[0] if others else None)
        await self.refresh_data()

    def action_address_book(self) -> None:
        from decentralml.tui.screens.address_book import AddressBookScreen

        self.app.push_screen(AddressBookScreen())

    def action_statement(self) -> None:
        from decentralml.tui.screens.statement import StatementScreen

        entry = self._entry
        if entry is not None:
            self.app.push_screen(StatementScreen(entry.account.address))

    def action_copy(self) -> None:
        row = self.table.row
        if row is not None:
            self.app.copy(str(row.key))


def _no_account_here() -> Misused:
    return Misused(
        "NoAccountHere", "The cursor is on no account.", keys.said("{new} makes one, {import} imports one.")
    )


def _no_keyring() -> Unavailable:
    return Unavailable(
        "NoKeyring",
        "No keyring answers on this machine.",
        "The password is asked for once a session. A desktop's own keyring would be used.",
    )


def _text(cell: Cell) -> str:
    return str(cell[0] if isinstance(cell, tuple) else cell)
