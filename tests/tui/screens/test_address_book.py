"""The address book: names for addresses."""

from decentralml.core.signing import Crypto
from decentralml.core.wallet import keys
from decentralml.core.wallet.addressbook import AddressBook
from decentralml.tui.screens.accounts import AccountsScreen
from decentralml.tui.screens.address_book import AddressBookScreen
from decentralml.tui.screens.form import Form

from ..conftest import Place, text_of, until
from ..forms import dialog, fill_in, go_to_accounts, problem, told


async def test_addresses_are_noted_checked_and_taken_out(bare_home: Place) -> None:
    book = AddressBook(bare_home.home)
    address = keys.from_seed("0x" + "e1" * 32, Crypto.sr25519).address
    async with bare_home.running() as (app, pilot):
        await go_to_accounts(app, pilot)
        await pilot.press("A")
        await dialog(pilot, AddressBookScreen)
        await pilot.press("n")
        await dialog(pilot, Form)
        await fill_in(pilot, "eve", address[:-1])
        await until(pilot, lambda: "address" in problem(app))
        assert not book.list()
        await fill_in(pilot, address[-1])
        await until(pilot, lambda: "eve is in the address book" in told(app))
        await until(pilot, lambda: address in text_of(app))
        await pilot.press("F")
        await until(pilot, lambda: app.screen.query("#yes"))
        await pilot.press("y")
        await until(pilot, lambda: not book.list())
        await pilot.press("escape")
        await dialog(pilot, AccountsScreen)
