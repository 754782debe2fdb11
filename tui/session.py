"""What every screen works with: home, settings, chain, storage, accounts, and who one is."""

import math
import time
from collections.abc import Callable
from contextlib import suppress

from decentralml.core import config
from decentralml.core.chain.base import Chain
from decentralml.core.chain.connect import connect as connect_chain
from decentralml.core.errors import Failed, Refused, Unavailable
from decentralml.core.market import Market
from decentralml.core.paths import Home
from decentralml.core.signing import Signer
from decentralml.core.storage.base import Storage
from decentralml.core.storage.connect import connect as connect_storage
from decentralml.core.training.runs import Runs
from decentralml.core.wallet import names, remember
from decentralml.core.wallet.accounts import Account, Accounts
from decentralml.core.wallet.addressbook import AddressBook
from decentralml.tui import keys
from decentralml.tui.hints import read_only


class Locked:
    """The signer of an account whose key is locked: rules can be asked about it, nothing is signed."""

    def __init__(self, account: Account) -> None:
        self.address = account.address
        self.crypto = account.crypto

    def sign(self, message: bytes) -> bytes:
        raise Unavailable("Locked", "The account is locked.", "Give its password when asked for it.")


class Session:
    """Opened once, on a background thread; every method that reads files or the chain blocks."""

    def __init__(
        self,
        home: Home,
        overrides: dict[str, str],
        *,
        readonly: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.home = home
        self.readonly = readonly
        self.settings = config.load(home, overrides)
        self.accounts = Accounts(home)
        self.address_book = AddressBook(home)
        self.chain: Chain = connect_chain(self.settings.chain, home, now=now)
        self.storage: Storage = connect_storage(self.settings.storage, home)
        self.runs = Runs(home, self.settings)
        self.account: Account | None = self._first_account()
        self.signer: Signer | None = None
        self.forgotten = False
        self._locked_by_hand = False

    def _first_account(self) -> Account | None:
        """The one that the settings name, else the oldest: making another does not change who one is."""
        known = self.accounts.list()
        named = [account for account in known if account.name == self.settings.account]
        return min(named or known, key=lambda account: account.created or math.inf, default=None)

    @property
    def address(self) -> str | None:
        """Who one is: the address of the account in use."""
        return self.account.address if self.account else None

    @property
    def market(self) -> Market:
        """The verbs, signed by the account in use; while it is locked they can only be asked about."""
        signer = self.signer or (Locked(self.account) if self.account else None)
        return Market(self.chain, self.storage, self.home, self.settings, signer)

    def use(self, account: Account | None) -> None:
        """Be ``account`` (None: nobody) from now on; the key of the one before is forgotten."""
        self.lock()
        self._locked_by_hand = False
        self.account = account
        self.forgotten = False

    def account_now(self) -> Account | None:
        """The account in use as the key folder has it, by whatever name; None where it is gone from there."""
        account = self.account
        if account is None or self.accounts.holds(account):
            return account
        return next((one for one in self.accounts.list() if one.address == account.address), None)

    def follow(self, account: Account | None) -> None:
        """Go on as what `account_now` said; without an account, and without its key, where that is gone."""
        if account is None:
            self.use(None)
            self.forgotten = True
        self.account = account

    def cannot_sign(self) -> Refused | None:
        """Why nothing at all is signed here; None where an account may sign."""
        if self.readonly:
            return read_only()
        return _no_account() if self.address is None else None

    def may(
        self, call: str, *, task_id: int | None = None, submission_id: int | None = None
    ) -> Refused | None:
        """Why the account in use may not send ``call`` now, or None where it may. Locked or not."""
        return self.cannot_sign() or self.market.may(call, task_id=task_id, submission_id=submission_id)

    def unlock(self, password: str) -> None:
        """Unlock the account in use. Raises `Refused` ("WrongPassword", "NoAccount")."""
        if self.account is None:
            raise _no_account()
        self.signer = self.accounts.unlock(self.account.name, password)
        self._locked_by_hand = False

    def unlock_remembered(self) -> bool:
        """Unlock by the password that the keyring holds, unless the session was locked since it was open.

        Whether the account is unlocked now. A remembered password that is stale counts as none.
        """
        if self.signer is None and self.account is not None and not self._locked_by_hand:
            password = remember.get(self.account.address)
            if password is not None:
                with suppress(Refused):
                    self.unlock(password)
        return self.signer is not None

    def lock(self) -> None:
        """Forget the unlocked key."""
        self._locked_by_hand = self._locked_by_hand or self.signer is not None
        lock = getattr(self.signer, "lock", None)
        if lock is not None:
            lock()
        self.signer = None

    def names(self) -> dict[str, str]:
        """What this person calls addresses: own accounts by their names, others as the address book does.

        Blocks. A book that cannot be read names nobody; its own page says what is wrong with it.
        """
        book: dict[str, str] = {}
        with suppress(Failed):
            book = {address: name for name, address in self.address_book.list().items()}
        return book | {account.address: account.name for account in self.accounts.list()}

    def name_of(self, address: str) -> str | None:
        """What this person calls one address; see `names`."""
        return self.names().get(address)

    def address_of(self, name: str) -> str:
        """The address that this person calls ``name``, in any case; ``name`` where nothing is called so."""
        wanted = names.key(name)
        return next((one for one, called in self.names().items() if names.key(called) == wanted), name)

    def close(self) -> None:
        self.lock()
        self.chain.close()


def _no_account() -> Refused:
    return Refused("NoAccount", "There is no account to sign with.", keys.said("{accounts} makes one."))
