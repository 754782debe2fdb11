"""What every screen works with: home, settings, chain, storage, accounts, and who one is."""

from decentralml.core import config
from decentralml.core.chain.base import Chain
from decentralml.core.chain.connect import connect as connect_chain
from decentralml.core.market import Market
from decentralml.core.paths import Home
from decentralml.core.signing import Signer
from decentralml.core.storage.base import Storage
from decentralml.core.storage.connect import connect as connect_storage
from decentralml.core.wallet.accounts import Account, Accounts
from decentralml.core.wallet.addressbook import AddressBook


class Session:
    """Opened once, on a background thread; every method that reads files or the chain blocks."""

    def __init__(self, home: Home, overrides: dict[str, str], *, readonly: bool = False) -> None:
        self.home = home
        self.readonly = readonly
        self.settings = config.load(home, overrides)
        self.accounts = Accounts(home)
        self.address_book = AddressBook(home)
        self.chain: Chain = connect_chain(self.settings.chain, home)
        self.storage: Storage = connect_storage(self.settings.storage, home)
        self.account: Account | None = self._first_account()
        self.signer: Signer | None = None

    def _first_account(self) -> Account | None:
        known = self.accounts.list()
        named = [account for account in known if account.name == self.settings.account]
        return (named or known or [None])[0]

    @property
    def address(self) -> str | None:
        """Who one is: the address of the account in use."""
        return self.account.address if self.account else None

    @property
    def market(self) -> Market:
        """The verbs, signed by the unlocked account (or by nobody)."""
        return Market(self.chain, self.storage, self.home, self.settings, self.signer)

    def use(self, account: Account) -> None:
        """Be ``account`` from now on; the key of the one before is forgotten."""
        self.lock()
        self.account = account

    def unlock(self, password: str) -> None:
        """Unlock the account in use. Raises `Refused` ("WrongPassword")."""
        assert self.account is not None, "screens ask for an account first"
        self.signer = self.accounts.unlock(self.account.name, password)

    def lock(self) -> None:
        """Forget the unlocked key."""
        lock = getattr(self.signer, "lock", None)
        if lock is not None:
            lock()
        self.signer = None

    def name_of(self, address: str) -> str | None:
        """What this person calls an address: an own account's name, or the address book's."""
        own = next((a.name for a in self.accounts.list() if a.address == address), None)
        return own or self.address_book.name_of(address)

    def close(self) -> None:
        self.lock()
        self.chain.close()
